// Takes a person's code, and gives the op that the library makes of it, with its float64 functions of one number.
import {
  defineActivation,
  defineLoss,
  NonlinError,
  tensor,
  wgsl as library,
  type Activation,
  type Loss,
  type Tensor,
} from 'nonlin';
import type { ParamSpecs } from '../../../src/define/params.ts';
import type { Values } from '../../lab/options.ts';
import type { Declared, OwnCode } from './protocol.ts';
import { numberFrom, ReferenceFault, referenceOf } from './reference.ts';

type Numbers = Readonly<Record<string, number>>;

/** An op with option values, and of a loss with targets, as a function of one tensor. */
export interface OwnOp {
  readonly declared: Declared;
  readonly op: Activation | Loss;
  /** The values of its options, as the GPU gets them. */
  readonly options: Values;
  /** `target(i)` is that of element i; an activation has none. */
  readonly apply: (x: Tensor, target: (i: number) => number) => Tensor;
  /** In float64. */
  readonly value: (x: number, target: number) => number;
  readonly slope: (x: number, target: number) => number;
  /** The size of the largest term of the slope, or 0. */
  readonly term: (x: number, target: number) => number;
}

/** Throws `ReferenceFault` where the JavaScript is wrong; the WGSL is compiled when the op is used. */
export function declare(code: OwnCode, values: Values): OwnOp {
  const { kind, name, wgsl, js } = code;
  const { params, forward, backward, largestTerm } = referenceOf(js);
  const common = { name, wgsl, includes: Object.values(library), params: params as ParamSpecs };
  const value = (...args: unknown[]) => numberFrom(forward(...args), 'forward');
  const term = (...args: unknown[]) =>
    largestTerm ? numberFrom(largestTerm(...args), 'largestTerm') : 0;
  try {
    if (kind === 'activation') {
      const slope = (...args: unknown[]) => numberFrom(backward(...args), 'backward');
      const op: Activation = defineActivation({
        ...common,
        forward: value,
        backward: slope,
        ...(largestTerm ? { largestTerm: term } : {}),
      });
      const [options, resolved] = rounded(op, values, (given) => op.epilogue.resolve(name, given));
      return {
        declared: declaredOf(op),
        op,
        options,
        apply: (x) => op(x, options),
        value: (x) => value(x, resolved),
        slope: (x) => slope(x, 1, resolved),
        term: (x) => term(x, resolved),
      };
    }
    const slopes = (...args: unknown[]) => pairFrom(backward(...args));
    const op: Loss = defineLoss({ ...common, forward: value, backward: slopes });
    const [options, resolved] = rounded(op, values, (given) => op.formula.resolve(given));
    return {
      declared: declaredOf(op),
      op,
      options,
      apply: (x, target) => {
        const targets = Float32Array.from({ length: x.size }, (_, i) => target(i));
        const like = tensor(targets, { shape: x.shape, device: x.device });
        return op(x, like, { ...options, reduction: 'none' });
      },
      value: (x, target) => value(x, target, resolved),
      slope: (x, target) => slopes(x, target, 1, resolved)[0],
      term: (x, target) => term(x, target, resolved),
    };
  } catch (error) {
    // what the library says of the declaration is about the options
    throw error instanceof NonlinError ? new ReferenceFault(error.message) : error;
  }
}

const declaredOf = ({ params, specs = {} }: Activation | Loss): Declared => ({
  params,
  // what cannot be sent to the page is not needed there
  specs: JSON.parse(JSON.stringify(specs)) as Declared['specs'],
});

/** The option values that the op has, as the GPU gets them, and what the reference gets for them. */
function rounded(
  { params }: Activation | Loss,
  values: Values,
  resolve: (options: object) => Numbers,
): [options: Values, resolved: Numbers] {
  const options = Object.fromEntries(
    Object.entries(params).map(([name, standard]) => {
      const value = values[name] ?? standard;
      return [name, typeof value === 'number' ? Math.fround(value) : value];
    }),
  );
  return [options, resolve(options)];
}

function pairFrom(value: unknown): [number, number] {
  if (!Array.isArray(value) || value.length !== 2) {
    throw new ReferenceFault(
      'backward gives no list of two numbers, the gradients of input and target.',
    );
  }
  const [first, second] = value as unknown[];
  return [
    numberFrom(first, 'backward, of the input,'),
    numberFrom(second, 'backward, of the target,'),
  ];
}
