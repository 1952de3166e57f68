// Declarations of ops that are not whole, and modules of what is no op.
import {
  activationModule,
  defineActivation,
  defineLoss,
  LimitError,
  lossModule,
  OptionError,
  tensor,
  type Tensor,
} from '../../src/index.ts';
import { show } from '../calls/wrong.ts';
import { junk, type Refusal } from './refusal.ts';

const zero = (): number => 0;
const whole = { name: 'mine', wgsl: '', forward: zero, backward: zero, loss: zero, grad: zero };

type Wrong = readonly [argument: string, value: unknown];

/** What is wrong in any declaration. */
const COMMON: readonly Wrong[] = [
  ['name', undefined],
  ['name', ''],
  ['name', 5],
  ['wgsl', undefined],
  ['wgsl', zero],
  ['params', null],
  ['params', []],
];
const PARAMS: readonly (readonly [argument: string, params: object])[] = [
  ['params.a', { a: '1' }],
  ['params.a', { a: null }],
  ['params.a', { a: NaN }],
  ['params.my option', { 'my option': 1 }],
  ['params.a.default', { a: {} }],
  ['params.a.default', { a: { default: 2, max: 1 } }],
  ['params.a.choices', { a: { choices: [] } }],
  ['params.a.choices', { a: { choices: 'tanh' } }],
  ['params.a.choices', { a: { choices: ['x', 'x'] } }],
];

const DEFINE: Readonly<Record<string, readonly [(declaration: never) => unknown, ...string[]]>> = {
  defineActivation: [defineActivation, 'forward', 'backward'],
  defineLoss: [defineLoss, 'forward', 'backward'],
};

const LOSS: readonly Wrong[] = [
  ['reductions', ['average']],
  ['reductions', []],
  ['reductions', ['mean', 'mean']],
  ['reductions', 'mean'],
  ['reductions', null],
  ['inputs', []],
  ['inputs', 'input'],
  ['inputs', ['a', 'a']],
  ['inputs', [1]],
  ['differentiable', ['prediction']],
  ['differentiable', []],
  ['weights', ['a', 'a']],
  ['weights', [null]],
  ['weights', 5],
];

const refusal = (op: string, argument: string, declaration: unknown, name: string): Refusal => ({
  name: `${op} with ${name}`,
  op,
  argument,
  error: OptionError,
  given: () => {
    const [define] = DEFINE[op] ?? [];
    if (!define) throw new Error(op);
    return () => define(junk(declaration));
  },
});

const numbersToo = (_: string, value: unknown): unknown =>
  typeof value === 'number' ? String(value) : value;

/** A loss of so many inputs, of which the first has a gradient. */
function lossOf(count: number): (...inputs: Tensor[]) => Tensor {
  const inputs = Array.from({ length: count }, (_, i) => `a${i}`);
  const list = inputs.map((name) => `${name}: f32`).join(', ');
  return defineLoss({
    name: 'many',
    inputs,
    differentiable: ['a0'],
    wgsl: `fn loss(${list}, p: Params) -> f32 { return a0; }
fn loss_grad(${list}, grad_output: f32, p: Params) -> f32 { return grad_output; }`,
    forward: junk((first: number) => first),
    backward: junk(() => [1]),
  });
}

/** More inputs than a shader has buffers, and more than one launch can be told of. */
const crowded = [17, 40].map((count): Refusal => ({
  name: `a loss of ${count} inputs`,
  op: 'many',
  error: LimitError,
  on: 'webgpu',
  says: 'at most',
  given: ({ device }) => {
    const inputs = Array.from({ length: count }, () => tensor([1, 2], { device }));
    const many = lossOf(count);
    return () => {
      const before = device.stats().liveBuffers;
      try {
        many(...inputs);
      } catch (error) {
        if (device.stats().liveBuffers === before) throw error;
        throw new Error('memory is left behind', { cause: error });
      }
    };
  },
}));

export const declaredRefusals: readonly Refusal[] = [
  ...crowded,
  ...Object.entries(DEFINE).flatMap(([op, [, ...functions]]) => [
    ...[null, undefined, 5, []].map((value) =>
      refusal(op, 'declaration', value, `${show(value)} for a declaration`),
    ),
    ...COMMON.map(([argument, value]) =>
      refusal(op, argument, { ...whole, [argument]: value }, `${argument} = ${show(value)}`),
    ),
    ...functions.flatMap((part) =>
      [undefined, 5].map((value) =>
        refusal(op, part, { ...whole, [part]: value }, `${part} = ${show(value)}`),
      ),
    ),
    ...PARAMS.map(([argument, params]) =>
      refusal(op, argument, { ...whole, params }, `params ${JSON.stringify(params, numbersToo)}`),
    ),
  ]),
  ...LOSS.map(([argument, value]) =>
    refusal(
      'defineLoss',
      argument,
      { ...whole, [argument]: value },
      `${argument} = ${show(value)}`,
    ),
  ),
  refusal(
    'defineLoss',
    'differentiable',
    { ...whole, inputs: ['a', 'b', 'c', 'd', 'e'] },
    'five inputs with gradients',
  ),
  refusal(
    'defineLoss',
    'weights',
    { ...whole, weights: ['target'] },
    'a weight that is an input too',
  ),
  {
    name: 'lossModule of what is no function',
    op: 'lossModule',
    argument: 'loss',
    error: OptionError,
    given: () => () => lossModule(junk(5)),
  },
  ...[5, null, undefined, zero].map((value): Refusal => ({
    name: `activationModule of ${show(value)}`,
    op: 'activationModule',
    argument: 'activation',
    error: OptionError,
    given: () => () => activationModule(junk(value)),
  })),
];
