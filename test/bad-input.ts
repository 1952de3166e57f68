// In: a valid call of each op. Out: the same with one argument wrong, and the error it must throw: on both backends.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { catalog } from '../src/catalog.ts';
import {
  DeviceMismatchError,
  DisposedError,
  DTypeError,
  IndexOutOfRangeError,
  init,
  NonlinError,
  OptionError,
  scope,
  ShapeError,
  tensor,
  Tensor,
  type Device,
} from '../src/index.ts';
import {
  apply,
  argumentsOf,
  elementwise,
  opNames,
  requiredOptions,
  type Call,
  type TensorSpec,
} from './calls.ts';

type ErrorClass = new (...args: never[]) => NonlinError;

/** What to put in the place of an argument. */
interface Wrong {
  /** Completes `op: argument …`. */
  readonly what: string;
  readonly argument: string;
  readonly value: (made: Made) => unknown;
  readonly error: ErrorClass;
  /** The argument named in the error, where it is another. */
  readonly names?: string;
  /** Needs tensors with requiresGrad. */
  readonly grad?: boolean;
}

/** What wrong arguments are made of. */
interface Made {
  readonly device: Device;
  readonly other: Device;
  readonly valid: Tensor | undefined;
}

const numbers = (shape: readonly number[], start = 0.5): TensorSpec => ({
  shape,
  dtype: 'float',
  data: Array.from({ length: shape.reduce((n, d) => n * d, 1) }, (_, i) => start + i / 4),
});
const classes = (...data: number[]): TensorSpec => ({ shape: [data.length], dtype: 'int32', data });

function call(op: string, positional: Call['positional'], some: Partial<Call> = {}): Call {
  const differentiable = Object.keys(positional).filter(
    (name) => positional[name]?.dtype === 'float',
  );
  return { op, positional, optional: {}, options: {}, differentiable, scale: 0, ...some };
}

/** One valid call of every op, with every tensor it can take. */
function validCall(op: string): Call {
  if (elementwise.includes(op)) {
    return call(
      op,
      { x: numbers([2, 3]) },
      { optional: { bias: numbers([3]) }, options: requiredOptions(op) },
    );
  }
  switch (op) {
    case 'rrelu':
      return call(
        op,
        { x: numbers([2, 3]) },
        { options: { lower: 0.25, upper: 0.5, training: true } },
      );
    case 'softmax2d':
      return call(op, { x: numbers([2, 2, 3]) });
    case 'gumbelSoftmax':
      return call(op, { logits: numbers([2, 3]) }, { options: { tau: 0.5, dim: 1 } });
    case 'prelu':
      return call(op, { x: numbers([2, 3]), weight: numbers([3]) });
    case 'add':
    case 'sub':
    case 'mul':
    case 'div':
      return call(op, { a: numbers([2, 3]), b: numbers([3]) });
    case 'sum':
    case 'mean':
      return call(op, { x: numbers([2, 3]) }, { options: { dim: 1, keepdim: true } });
    case 'reshape':
      return call(op, { x: numbers([2, 3]) }, { rest: [[3, 2]] });
    case 'dropout':
      return call(op, { x: numbers([2, 3]) }, { options: { p: 0.5 } });
    case 'matmul':
      return call(op, { a: numbers([2, 3]), b: numbers([3, 4]) });
    case 'linear':
      return call(
        op,
        { x: numbers([2, 3]), weight: numbers([4, 3]) },
        { optional: { bias: numbers([4]) } },
      );
    case 'nllLoss':
    case 'crossEntropy':
    case 'focalLoss':
      return call(
        op,
        { input: numbers([2, 3]), target: classes(0, 2) },
        { optional: { weight: numbers([3]) }, options: { reduction: 'sum' } },
      );
    default: {
      const kind = catalog.find((candidate) => candidate.op === op)?.kind;
      if (kind === 'rowwise') return call(op, { x: numbers([2, 3]) }, { options: { dim: 1 } });
      if (kind === 'gated') return call(op, { x: numbers([2, 4]) }, { options: { dim: 1 } });
      if (kind === 'loss') {
        return call(
          op,
          { input: numbers([2, 3]), target: numbers([2, 3], 1) },
          { options: { reduction: 'none' } },
        );
      }
      throw new Error(`no valid call is known of ${op}: add it to test/bad-input.ts`);
    }
  }
}

const shaped =
  (shape: readonly number[], dtype?: 'int32' | 'float16') =>
  ({ device }: Made): Tensor =>
    tensor(new Float32Array(shape.reduce((n, d) => n * d, 1)), {
      shape,
      device,
      ...(dtype ? { dtype } : {}),
    });
const constant = (value: unknown) => (): unknown => value;

function show(value: unknown): string {
  if (typeof value === 'function') return 'a function';
  return typeof value === 'number' || value === undefined ? String(value) : JSON.stringify(value);
}

const wrongShape = (argument: string, shape: readonly number[], names?: string): Wrong => ({
  what: `of shape [${shape.join()}]`,
  argument,
  value: shaped(shape),
  error: ShapeError,
  ...(names === undefined ? {} : { names }),
});
const wrongOption = (argument: string, value: unknown, error: ErrorClass = OptionError): Wrong => ({
  what: `= ${show(value)}`,
  argument,
  value: constant(value),
  error,
});

/** Ops that take numbers in the place of tensors. */
const TAKE_NUMBERS = ['add', 'sub', 'mul', 'div'];
/** Ops that only look at the memory. */
const ANY_DTYPE = ['reshape'];
const WITHOUT_OUT = ['reshape'];

/** What is wrong with any tensor argument. */
function wrongTensors({ op, positional, optional }: Call): Wrong[] {
  const all = { ...positional, ...optional };
  const count = Object.keys(all).length;
  return Object.entries(all).flatMap(([argument, { shape, dtype }], i): Wrong[] => {
    const junk = [
      5,
      'x',
      [1, 2],
      {},
      new Float32Array(2),
      ...(argument in positional ? [null, undefined] : []),
    ].filter((value) => !(TAKE_NUMBERS.includes(op) && value === 5));
    const soft = op === 'crossEntropy' && argument === 'target';
    return [
      ...junk.map((value): Wrong => ({
        what: `= ${show(value)}, no tensor`,
        argument,
        value: constant(value),
        error: DTypeError,
      })),
      ...(dtype === 'float' && !ANY_DTYPE.includes(op)
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
      ...(count > 1
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
  const argument = 'out';
  return [
    { what: '= 5', argument, value: constant(5), error: DTypeError },
    { what: '= null', argument, value: constant(null), error: DTypeError },
    { what: 'of another shape', argument, value: shaped([...shape, 2]), error: ShapeError },
    { what: 'of dtype float16', argument, value: shaped(shape, 'float16'), error: DTypeError },
    { what: 'of dtype int32', argument, value: shaped(shape, 'int32'), error: DTypeError },
    {
      what: 'on another device',
      argument,
      value: ({ other }) => tensor(new Float32Array(sizeOfShape(shape)), { shape, device: other }),
      error: DeviceMismatchError,
    },
    {
      what: 'disposed',
      argument,
      value: (made) => {
        const gone = shaped(shape)(made);
        gone.dispose();
        return gone;
      },
      error: DisposedError,
    },
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

/** Options of declared ops, with values out of their range. */
const OUT_OF_RANGE: Readonly<Record<string, readonly unknown[]>> = {
  'huberLoss.delta': [0, -1],
  'focalLoss.gamma': [-0.5],
  'celu.alpha': [0],
  'softshrink.lambd': [-0.5],
  'hardtanh.minVal': [1.5],
  'gelu.approximate': ['exact', ''],
};

function wrongOptions(op: string): Wrong[] {
  const declared = catalog.find((candidate) => candidate.op === op);
  const list: Wrong[] = [
    { what: 'is no option', argument: 'negative_slope', value: constant(1), error: OptionError },
  ];
  for (const name of Object.keys(declared?.params ?? {})) {
    for (const value of ['1', NaN, null, true, [1], ...(OUT_OF_RANGE[`${op}.${name}`] ?? [])]) {
      list.push(wrongOption(name, value));
    }
    if (name in requiredOptions(op)) list.push(wrongOption(name, undefined));
  }
  const elementwiseLoss = declared?.kind === 'loss';
  if (elementwiseLoss) {
    for (const value of ['average', 'Mean', '', null, 1, 'batchmean'])
      list.push(wrongOption('reduction', value));
  }
  return list;
}

const biasWrongs: Wrong[] = [
  wrongShape('bias', [2]),
  wrongShape('bias', [2, 3]),
  wrongShape('bias', []),
];

/** What is wrong with one op only. */
function ownWrongs(op: string): Wrong[] {
  if (op === 'hardtanh') {
    // Two limits that do not fit: either may be named.
    return [...biasWrongs, { ...wrongOption('maxVal', -1.5), names: '' }];
  }
  if (elementwise.includes(op)) return biasWrongs;
  switch (op) {
    case 'rrelu':
      return [
        { ...wrongOption('lower', 0.75), names: '' },
        { ...wrongOption('upper', 0.125), names: '' },
        wrongOption('training', 1),
        wrongOption('training', 'no'),
      ];
    case 'softmax2d':
      return [
        wrongShape('x', [2, 3]),
        wrongShape('x', []),
        wrongShape('x', [1, 1, 1, 2, 2]),
        wrongOption('dim', 1),
      ];
    case 'gumbelSoftmax':
      return [
        wrongOption('dim', 2, IndexOutOfRangeError),
        wrongOption('dim', -3, IndexOutOfRangeError),
        wrongOption('dim', 0.5),
        wrongOption('dim', '1'),
        wrongOption('tau', 0),
        wrongOption('tau', -1),
        wrongOption('hard', 1),
      ];
    case 'prelu':
      return [wrongShape('weight', [2]), wrongShape('weight', [3, 1]), wrongShape('weight', [0])];
    case 'add':
    case 'sub':
    case 'mul':
    case 'div':
      return [
        wrongShape('b', [2]),
        wrongShape('b', [3, 3]),
        { ...wrongOption('b', 'x', DTypeError) },
      ];
    case 'sum':
    case 'mean':
      return [
        wrongOption('dim', 2, IndexOutOfRangeError),
        wrongOption('dim', -3, IndexOutOfRangeError),
        wrongOption('dim', [0, 2], IndexOutOfRangeError),
        wrongOption('dim', [0, -2]),
        wrongOption('dim', 'x'),
        wrongOption('dim', ['0']),
        wrongOption('keepdim', 1),
        wrongOption('keepdim', 'true'),
      ];
    case 'dropout':
      return [
        wrongOption('p', -0.1),
        wrongOption('p', 1.1),
        wrongOption('p', NaN),
        wrongOption('p', '0.5'),
        wrongOption('training', 1),
      ];
    case 'matmul':
      return [
        wrongShape('b', [2, 4]),
        wrongShape('b', [4]),
        wrongShape('b', []),
        wrongShape('a', []),
        wrongShape('a', [2, 4], 'b'),
      ];
    case 'linear':
      return [
        wrongShape('x', [2, 4]),
        wrongShape('x', []),
        wrongShape('weight', [3]),
        wrongShape('weight', [4, 3, 1]),
        wrongShape('bias', [3]),
        wrongShape('bias', [1, 4]),
        wrongOption('activation', 'relu'),
        wrongOption('activation', null),
        wrongOption('activation', Math.tanh),
        wrongOption('activationOptions', { slope: 1 }),
      ];
    case 'nllLoss':
    case 'crossEntropy':
    case 'focalLoss':
      return [
        wrongShape('input', []),
        {
          what: 'of other rows',
          argument: 'target',
          value: shaped([3], 'int32'),
          error: ShapeError,
        },
        {
          what: 'of rank 2',
          argument: 'target',
          value: shaped([2, 1], 'int32'),
          error: ShapeError,
        },
        ...[3, -1, -99, 2 ** 31 - 1].map((index): Wrong => ({
          what: `with class ${index}`,
          argument: 'target',
          value: ({ device }) => tensor([0, index], { dtype: 'int32', device }),
          error: IndexOutOfRangeError,
        })),
        wrongShape('weight', [2]),
        wrongShape('weight', [3, 1]),
        wrongOption('ignoreIndex', 0.5),
        wrongOption('ignoreIndex', NaN),
        wrongOption('ignoreIndex', '1'),
        ...(op === 'crossEntropy'
          ? [
              wrongOption('labelSmoothing', -0.1),
              wrongOption('labelSmoothing', 1.5),
              wrongOption('labelSmoothing', NaN),
              wrongOption('labelSmoothing', '0'),
            ]
          : [wrongOption('labelSmoothing', 0.1)]),
      ];
    case 'reshape':
      return [];
    default: {
      const kind = catalog.find((candidate) => candidate.op === op)?.kind;
      if (kind === 'rowwise') {
        return [
          wrongOption('dim', 2, IndexOutOfRangeError),
          wrongOption('dim', -3, IndexOutOfRangeError),
          wrongOption('dim', 0.5),
          wrongOption('dim', NaN),
          wrongOption('dim', '1'),
          wrongOption('dim', null),
          wrongOption('dim', undefined),
        ];
      }
      if (kind === 'gated') {
        return [
          wrongShape('x', [2, 3]),
          wrongOption('dim', 2, IndexOutOfRangeError),
          wrongOption('dim', -3, IndexOutOfRangeError),
          wrongOption('dim', 0.5),
          wrongOption('dim', '1'),
          wrongOption('dim', null),
        ];
      }
      if (kind === 'loss') return [wrongShape('target', [2, 2]), wrongShape('target', [3, 3])];
      return [];
    }
  }
}

/** The shape of a valid call's result. */
function resultShape(op: string): readonly number[] {
  switch (op) {
    case 'sum':
    case 'mean':
      return [2, 1];
    case 'matmul':
    case 'linear':
      return [2, 4];
    case 'nllLoss':
    case 'crossEntropy':
    case 'focalLoss':
      return [];
    case 'softmax2d':
      return [2, 2, 3];
    default:
      return catalog.find((candidate) => candidate.op === op)?.kind === 'gated' ? [2, 2] : [2, 3];
  }
}

function wrongsOf(op: string): Wrong[] {
  const options = op === 'reshape' ? [] : wrongOptions(op);
  return [
    ...wrongTensors(validCall(op)),
    ...wrongOuts(op, resultShape(op)),
    ...options,
    ...ownWrongs(op),
  ];
}

/** Registers a test per op and wrong argument. */
export function badInputSuite(backend: 'cpu' | 'webgpu'): void {
  let device: Device;
  let other: Device;
  beforeAll(async () => {
    other = await init({ backend });
    device = await init({ backend });
    expect(device.type).toBe(backend);
  });
  afterEach(() => device.synchronize());
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
    expect(thrown.code).not.toBe('nonlin');
    expect(device.stats()).toEqual(before);
    expect(other.stats()).toEqual(otherBefore);
  };

  for (const op of opNames) {
    describe(op, () => {
      const valid = validCall(op);

      it('accepts the valid call', () => {
        scope(() => {
          expect(apply(valid, argumentsOf(valid, device, { grad: true }))).toBeInstanceOf(Tensor);
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
        for (const options of [5, 'x', null, true]) {
          it(`refuses ${JSON.stringify(options)} for its options`, () => {
            scope(() => {
              const args = argumentsOf({ ...valid, optional: {}, options: {} }, device);
              refuse(op, 'options', OptionError, () =>
                apply({ ...valid, rest: [options] }, { tensors: args.tensors, options: {} }),
              );
            });
          });
        }
        it('refuses a tensor for its options', () => {
          scope(() => {
            const args = argumentsOf({ ...valid, optional: {}, options: {} }, device);
            const extra = tensor([1], { device });
            refuse(op, 'options', OptionError, () =>
              apply({ ...valid, rest: [extra] }, { tensors: args.tensors, options: {} }),
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
