// Takes a valid call of each op, and gives the same with one argument wrong, and the error it must throw: on both backends.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { catalog } from '../src/catalog.ts';
import {
  DeviceMismatchError,
  DisposedError,
  DTypeError,
  init,
  NonlinError,
  OptionError,
  scope,
  ShapeError,
  tensor,
  Tensor,
  type Device,
} from '../src/index.ts';
import { apply, argumentsOf, familyOf, opNames, resultOf, type Call } from './calls.ts';
import { requiredOptions } from './calls/draw.ts';
import {
  call,
  constant,
  numbers,
  shaped,
  show,
  wrongOption,
  type ErrorClass,
  type Made,
  type Wrong,
} from './calls/wrong.ts';

import { AWKWARD, refusalTests } from './refusals/suite.ts';
import { openOn } from './open.ts';

/** Ops that take numbers in the place of tensors. */
const TAKE_NUMBERS = ['add', 'sub', 'mul', 'div', 'maximum', 'minimum'];
/** Arguments that may be numbers, beside a tensor. */
const NUMBERS: Readonly<Record<string, readonly string[]>> = {
  where: ['a', 'b'],
  clipLoss: ['logitScale'],
  sigLipLoss: ['logitScale', 'logitBias'],
  gaussianNllLoss: ['variance'],
};
/** Ops that only look at the memory. */
const ANY_DTYPE = ['reshape', 'where', 'cast', 'permute', 'transpose', 'narrow', 'cat'];
/** Arguments that may be float or int32. */
const TAKE_EITHER = ['attnMask'];
/** Arguments that may be arrays of numbers as well. */
const TAKE_ARRAYS = ['inputLengths', 'targetLengths', 'indices'];
/** Ops that take one tensor or two. */
const PAIRED = ['swiglu', 'geglu', 'reglu'];
const WITHOUT_OUT = ['reshape', 'max'];
/** Ops whose result, and so `out`, is int32, and has no gradient. */
const INDICES = ['argmax'];
/** Ops whose targets may be class probabilities. */
const SOFT = ['crossEntropy', 'linearCrossEntropy'];

/** What is wrong with any tensor argument. */
function wrongTensors({ op, positional, optional }: Call): Wrong[] {
  const all = { ...positional, ...optional };
  const count = Object.keys(all).length;
  const floats = Object.values(all).filter((spec) => spec.dtype === 'float').length;
  return Object.entries(all).flatMap(([argument, { shape, dtype }], i): Wrong[] => {
    const junk = [
      5,
      'x',
      [1, 2],
      {},
      new Float32Array(2),
      ...(argument in positional ? [null, undefined] : []),
    ].filter(
      (value) =>
        !((TAKE_NUMBERS.includes(op) || NUMBERS[op]?.includes(argument)) && value === 5) &&
        !(TAKE_ARRAYS.includes(argument) && Array.isArray(value)),
    );
    const soft = SOFT.includes(op) && argument === 'target';
    return [
      ...junk.map((value): Wrong => ({
        what: `= ${show(value)}, no tensor`,
        argument,
        value: constant(value),
        error: DTypeError,
      })),
      ...(dtype === 'float' && !ANY_DTYPE.includes(op) && !TAKE_EITHER.includes(argument)
        ? [{ what: 'of dtype int32', argument, value: shaped(shape, 'int32'), error: DTypeError }]
        : []),
      ...(dtype === 'int32'
        ? [
            {
              what: 'of dtype float32',
              argument,
              value: shaped(shape),
              error: soft ? ShapeError : DTypeError,
            },
          ]
        : []),
      // A float tensor alone may be of either dtype.
      ...((dtype === 'float' ? floats : count) > 1
        ? [
            {
              what: 'of dtype float16',
              argument,
              value: shaped(shape, 'float16'),
              error: DTypeError,
              names: '',
            },
          ]
        : []),
      ...(count > 1
        ? [
            {
              what: 'on another device',
              argument,
              value: ({ other }: Made) =>
                tensor(new Float32Array(sizeOfShape(shape)), {
                  shape,
                  device: other,
                  dtype: dtype === 'int32' ? ('int32' as const) : ('float32' as const),
                }),
              error: DeviceMismatchError,
              // The first tensor sets the device; the next one is what does not fit.
              ...(i === 0 ? { names: '' } : {}),
            },
          ]
        : []),
      {
        what: 'disposed',
        argument,
        value: ({ device }: Made) => {
          const gone = tensor(new Float32Array(sizeOfShape(shape)), {
            shape,
            device,
            dtype: dtype === 'int32' ? 'int32' : 'float32',
          });
          gone.dispose();
          return gone;
        },
        error: DisposedError,
      },
    ];
  });
}

function sizeOfShape(shape: readonly number[]): number {
  return shape.reduce((n, d) => n * d, 1);
}

/** What is wrong with `out`. `shape`: the right one. */
function wrongOuts(op: string, shape: readonly number[]): Wrong[] {
  if (WITHOUT_OUT.includes(op)) return [];
  const integers = INDICES.includes(op);
  const dtype = integers ? ('int32' as const) : undefined;
  const other = integers ? undefined : ('int32' as const);
  const argument = 'out';
  return [
    { what: '= 5', argument, value: constant(5), error: DTypeError },
    { what: '= null', argument, value: constant(null), error: DTypeError },
    { what: 'of another shape', argument, value: shaped([...shape, 2], dtype), error: ShapeError },
    { what: 'of dtype float16', argument, value: shaped(shape, 'float16'), error: DTypeError },
    {
      what: integers ? 'of dtype float32' : 'of dtype int32',
      argument,
      value: shaped(shape, other),
      error: DTypeError,
    },
    {
      what: 'on another device',
      argument,
      value: (made) => shaped(shape, dtype)({ ...made, device: made.other }),
      error: DeviceMismatchError,
    },
    {
      what: 'disposed',
      argument,
      value: (made) => {
        const gone = shaped(shape, dtype)(made);
        gone.dispose();
        return gone;
      },
      error: DisposedError,
    },
    ...(integers ? [] : withGradients(shape)),
  ];
}

/** What is wrong with `out` because of gradients. */
function withGradients(shape: readonly number[]): Wrong[] {
  const argument = 'out';
  return [
    {
      what: 'with requiresGrad',
      argument,
      value: (made) => {
        const out = shaped(shape)(made);
        out.requiresGrad = true;
        return out;
      },
      error: OptionError,
    },
    {
      what: 'where a gradient is recorded',
      argument,
      value: shaped(shape),
      error: OptionError,
      grad: true,
    },
  ];
}

function wrongOptions(op: string): Wrong[] {
  const declared = catalog.find((candidate) => candidate.op === op);
  const list: Wrong[] = [
    { what: 'is no option', argument: 'negative_slope', value: constant(1), error: OptionError },
  ];
  for (const name of Object.keys(declared?.params ?? {})) {
    const boolean = typeof declared?.params[name] === 'boolean';
    for (const value of ['1', NaN, null, boolean ? 1 : true, [1]]) {
      list.push(wrongOption(name, value));
    }
    if (name in requiredOptions(op)) list.push(wrongOption(name, undefined));
  }
  if (declared?.kind === 'loss') {
    const batchmean = declared.reductions?.includes('batchmean') ?? false;
    for (const value of ['average', 'Mean', '', null, 1, ...(batchmean ? [] : ['batchmean'])])
      list.push(wrongOption('reduction', value));
  }
  return list;
}

function wrongsOf(op: string): Wrong[] {
  const family = familyOf(op);
  const options = op === 'reshape' ? [] : wrongOptions(op);
  return [
    ...wrongTensors(family.valid(op)),
    ...wrongOuts(op, family.resultShape(op)),
    ...options,
    ...family.wrongs(op),
  ];
}

/** The names of the errors that the wrong calls of an op throw, which `badInputSuite` makes. */
export function errorsThrown(op: string): string[] {
  const shape = op === 'reshape' ? ['ShapeError'] : ['OptionError'];
  const all = [...wrongsOf(op).map(({ error }) => error.name), 'DisposedError', ...shape];
  return [...new Set(all)].sort();
}

/** Registers a test per op and wrong argument. */
export function badInputSuite(backend: 'cpu' | 'webgpu'): void {
  let device: Device;
  let other: Device;
  beforeAll(async () => {
    other = await openOn(backend);
    device = await openOn(backend);
    expect(device.type).toBe(backend);
  });
  afterAll(() => {
    device.dispose();
    other.dispose();
  });

  /** Runs a call that must be refused, and checks what it throws and that it did nothing. */
  const refuse = (op: string, argument: string, error: ErrorClass, run: () => unknown): void => {
    const before = device.stats();
    const otherBefore = other.stats();
    let thrown: unknown;
    try {
      run();
    } catch (caught) {
      thrown = caught;
    }
    expect(thrown).toBeInstanceOf(error);
    if (!(thrown instanceof NonlinError)) return;
    expect(thrown.op).toBe(op);
    if (argument !== '') expect(thrown.argument).toBe(argument);
    expect(thrown.message.startsWith(`${op}: `), thrown.message).toBe(true);
    expect(thrown.message).not.toMatch(AWKWARD);
    expect(thrown.code).not.toBe('nonlin');
    expect(device.stats()).toEqual(before);
    expect(other.stats()).toEqual(otherBefore);
  };

  for (const op of opNames) {
    describe(op, () => {
      const valid = familyOf(op).valid(op);
      // Whatever went wrong on the GPU unseen shows here; once per op, as waiting takes longer than most of these tests.
      afterAll(() => device.synchronize());

      it('accepts the valid call', () => {
        scope(() => {
          expect(resultOf(valid, argumentsOf(valid, device, { grad: true }))).toBeInstanceOf(
            Tensor,
          );
        });
      });

      for (const { what, argument, value, error, names = argument, grad = false } of wrongsOf(op)) {
        it(`refuses ${argument} ${what}`, () => {
          scope(() => {
            const args = argumentsOf(valid, device, { grad });
            const wrong = value({ device, other, valid: args.tensors[argument] });
            refuse(op, names, error, () => apply(valid, args, { [argument]: wrong }));
          });
        });
      }

      if (op === 'reshape') {
        for (const shape of [
          [4],
          [2, 2],
          [-1, -1],
          [-1, 4],
          [-2, 3],
          [1.5, 4],
          6,
          null,
          '6',
          [0, -1],
        ]) {
          it(`refuses shape ${JSON.stringify(shape)}`, () => {
            scope(() => {
              const args = argumentsOf(valid, device);
              refuse(op, 'shape', ShapeError, () => apply({ ...valid, rest: [shape] }, args));
            });
          });
        }
      } else {
        for (const options of [5, 'x', null, true, [], [1]]) {
          it(`refuses ${JSON.stringify(options)} for its options`, () => {
            scope(() => {
              const args = argumentsOf({ ...valid, optional: {}, options: {} }, device);
              refuse(op, 'options', OptionError, () =>
                apply(
                  { ...valid, rest: [...(valid.rest ?? []), options] },
                  { tensors: args.tensors, options: {} },
                ),
              );
            });
          });
        }
        it('refuses a tensor for its options', () => {
          scope(() => {
            const args = argumentsOf({ ...valid, optional: {}, options: {} }, device);
            const extra = tensor([1], { device });
            // To gated units it is the second operand.
            const [argument, error] = PAIRED.includes(op)
              ? (['up', ShapeError] as const)
              : (['options', OptionError] as const);
            refuse(op, argument, error, () =>
              apply(
                { ...valid, rest: [...(valid.rest ?? []), extra] },
                { tensors: args.tensors, options: {} },
              ),
            );
          });
        });
      }

      it('refuses a device that is gone', async () => {
        const gone = await init({ backend: 'cpu' });
        const args = argumentsOf(valid, gone);
        gone.dispose();
        expect(() => apply(valid, args)).toThrow(DisposedError);
        expect(() => apply(valid, args)).toThrow(new RegExp(`^${op}: `));
      });
    });
  }

  describe('what is no call of an op', () => {
    afterAll(() => device.synchronize());
    refusalTests(backend, () => ({ device, other, backend }));
  });

  it('refuses two numbers, which name no device', () => {
    for (const op of TAKE_NUMBERS) {
      const both = call(op, {}, { rest: [1, 2] });
      refuse(op, '', DTypeError, () => apply(both, { tensors: {}, options: {} }));
    }
  });

  it('refuses class probabilities together with ignoreIndex', () => {
    scope(() => {
      const soft = call('crossEntropy', { input: numbers([2, 3]), target: numbers([2, 3]) });
      const args = argumentsOf(soft, device);
      refuse('crossEntropy', 'ignoreIndex', OptionError, () =>
        apply(soft, args, { ignoreIndex: 1 }),
      );
    });
  });
}
