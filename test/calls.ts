// In: the catalog and the support ops. Out: valid calls of each, drawn by fast-check, and how to carry one out.
import fc from 'fast-check';
import { catalog } from '../src/catalog.ts';
import * as nonlin from '../src/index.ts';
import { Tensor, tensor, type Device } from '../src/index.ts';
import { broadcastShapes, sizeOf } from '../src/shape.ts';

export interface TensorSpec {
  readonly shape: readonly number[];
  readonly dtype: 'float' | 'int32';
  readonly data: readonly number[];
}

/** A call in plain data: it prints, shrinks and runs on any device in any float dtype. */
export interface Call {
  readonly op: string;
  /** Required tensors by argument name, in order. */
  readonly positional: Readonly<Record<string, TensorSpec>>;
  /** Tensors among the options. */
  readonly optional: Readonly<Record<string, TensorSpec>>;
  readonly options: Readonly<Record<string, unknown>>;
  /** Names of the tensors that have a gradient. */
  readonly differentiable: readonly string[];
  /** Arguments after the tensors that are no options: a shape. */
  readonly rest?: readonly unknown[];
  /** A typical magnitude of the terms that results and gradients are sums of; 0 where nothing is summed. */
  readonly scale: number;
  /** The same for some of them: `out`, or a tensor's name for its gradient. */
  readonly scales?: Readonly<Record<string, number>>;
}

/** How the values of float tensors are drawn: finite and off 0; with zeros, NaN and infinities; with huge ones too. */
export type Values = 'smooth' | 'any' | 'wild';

const SUPPORT = [
  'add',
  'sub',
  'mul',
  'div',
  'sum',
  'mean',
  'reshape',
  'matmul',
  'linear',
  'dropout',
];

/** Every op under test. */
export const opNames: readonly string[] = [...catalog.map(({ op }) => op), ...SUPPORT];

/** Ops declared with `defineActivation`: elementwise, with a bias option. */
export const elementwise: readonly string[] = catalog
  .filter((op) => op.kind === 'activation' && 'epilogue' in op)
  .map(({ op }) => op);

const CLASS_LOSSES = ['nllLoss', 'crossEntropy', 'focalLoss'];

export function functionOf(op: string): (...args: unknown[]) => unknown {
  const fn: unknown = Reflect.get(nonlin, op);
  if (typeof fn !== 'function') throw new Error(`${op} is not exported`);
  return fn as (...args: unknown[]) => unknown;
}

/** The arguments of a call, on a device. */
export interface Arguments {
  readonly tensors: Readonly<Record<string, Tensor>>;
  readonly options: Record<string, unknown>;
}

/** Puts a tensor on a device. */
export type Upload = (
  spec: TensorSpec,
  dtype: 'float32' | 'float16' | 'int32',
  device: Device,
) => Tensor;

export const upload: Upload = ({ shape, data }, dtype, device) =>
  tensor([...data], { shape, dtype, device });

export function argumentsOf(
  call: Call,
  device: Device,
  settings: { dtype?: 'float32' | 'float16'; grad?: boolean; place?: Upload } = {},
): Arguments {
  const { dtype = 'float32', grad = false, place = upload } = settings;
  const make = ([name, spec]: [string, TensorSpec]): [string, Tensor] => {
    const placed = place(spec, spec.dtype === 'float' ? dtype : 'int32', device);
    if (grad && call.differentiable.includes(name)) placed.requiresGrad = true;
    return [name, placed];
  };
  const optional = Object.fromEntries(Object.entries(call.optional).map(make));
  const positional = Object.fromEntries(Object.entries(call.positional).map(make));
  // By name in the call, so that it prints in one line.
  const { activation } = call.options;
  const fused = typeof activation === 'string' ? { activation: functionOf(activation) } : {};
  return {
    tensors: { ...positional, ...optional },
    options: { ...call.options, ...fused, ...optional },
  };
}

/** Carries out a call; `overrides` replace arguments or options by name. */
export function apply(
  call: Call,
  { tensors, options }: Arguments,
  overrides: Readonly<Record<string, unknown>> = {},
): unknown {
  const positional = Object.keys(call.positional).map((name) =>
    name in overrides ? overrides[name] : tensors[name],
  );
  const others = Object.entries(overrides).filter(([name]) => !(name in call.positional));
  const given = { ...options, ...Object.fromEntries(others) };
  const rest = call.rest ?? [];
  const last = Object.keys(given).length > 0 ? [given] : [];
  return functionOf(call.op)(...positional, ...rest, ...last);
}

export function resultOf(call: Call, args: Arguments): Tensor {
  const result = apply(call, args);
  if (!(result instanceof Tensor)) throw new Error(`${call.op} returned no tensor`);
  return result;
}

const SPECIAL = [0, -0, 1, -1, Infinity, -Infinity, NaN];
/** No subnormals: a GPU may flush them. */
const HUGE = [...SPECIAL, 1e-30, -1e-30, 3e38, -3e38, 88, -104];

/** Numbers from 0 to 1, repeatable (mulberry32). */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A value of a kind: `smooth` ones keep off 0, where many derivatives jump. */
function valueOf(kind: Values, magnitude: number, random: () => number): number {
  const [a, b, c] = [random(), random(), random()];
  if (kind === 'smooth') return Math.fround((0.05 + a * (magnitude - 0.05)) * (b < 0.5 ? -1 : 1));
  const special = kind === 'wild' ? HUGE : SPECIAL;
  if (b < 0.03) return Math.fround(special[Math.floor(c * special.length)] ?? 0);
  return Math.fround((2 * a - 1) * magnitude);
}

/** Elements from a seed, so that a failing call prints in one line. */
class Floats implements TensorSpec {
  readonly dtype = 'float';
  readonly shape: readonly number[];
  readonly data: readonly number[];
  readonly #seed: number;
  readonly #kind: Values;

  constructor(
    shape: readonly number[],
    kind: Values,
    magnitude: number,
    seed: number,
    positive = false,
  ) {
    const random = randomNumbers(seed);
    this.shape = shape;
    this.#seed = seed;
    this.#kind = kind;
    this.data = Array.from({ length: sizeOf(shape) }, () => {
      const value = valueOf(kind, magnitude, random);
      return positive ? Math.abs(value) : value;
    });
  }

  [fc.toStringMethod](): string {
    const shown = this.data.length <= 8 ? `: ${this.data.join()}` : '';
    return `${this.#kind} [${this.shape.join()}] from ${this.#seed}${shown}`;
  }
}

const seeds = fc.noShrink(fc.nat());

function floats(
  shape: readonly number[],
  kind: Values,
  magnitude: number,
  positive = false,
): fc.Arbitrary<TensorSpec> {
  return seeds.map((seed) => new Floats(shape, kind, magnitude, seed, positive));
}

const finite = (shape: readonly number[], magnitude: number): fc.Arbitrary<TensorSpec> =>
  floats(shape, 'smooth', magnitude);

/** Rank 0 to 5, now and then empty, now and then long enough for more than one workgroup. */
export const shapes: fc.Arbitrary<number[]> = fc.oneof(
  { arbitrary: fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 5 }), weight: 6 },
  {
    arbitrary: fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 4 }),
    weight: 1,
  },
  { arbitrary: fc.integer({ min: 1, max: 2000 }).map((n) => [n]), weight: 1 },
  {
    arbitrary: fc.tuple(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 40 })),
    weight: 1,
  },
);

type Drawn = fc.Arbitrary<number[]>;

/** Two or more shapes that broadcast: each drops leading dimensions or repeats along some. */
function broadcasting(count: number, drawn: Drawn): fc.Arbitrary<number[][]> {
  return drawn.chain((shape) =>
    fc
      .array(
        fc.record({
          dropped: fc.integer({ min: 0, max: shape.length }),
          ones: fc.array(fc.boolean(), { minLength: shape.length, maxLength: shape.length }),
          plain: fc.boolean(),
        }),
        { minLength: count, maxLength: count },
      )
      .map((changes) =>
        changes.map(({ dropped, ones, plain }) =>
          plain ? shape : shape.map((d, i) => (ones[i] === true ? 1 : d)).slice(dropped),
        ),
      ),
  );
}

/** Options that are left out half of the time, unless they are required. */
function maybe(
  options: Readonly<Record<string, fc.Arbitrary<unknown>>>,
  required: readonly string[] = [],
): fc.Arbitrary<Record<string, unknown>> {
  return fc.record(options, { requiredKeys: [...required], noNullPrototype: true });
}

const magnitudes = fc.constantFrom(0.5, 3, 20);
const reduction = fc.constantFrom('none', 'mean', 'sum');

/** Options that PyTorch has no default for, and such that multiples of the default say little of. */
const OPTION_VALUES: Readonly<Record<string, readonly unknown[]>> = {
  'threshold.threshold': [0.5, -1.25, 0],
  'threshold.value': [-0.75, 3, 0],
  'gelu.approximate': ['none', 'tanh'],
};

/** Names of the options that every call of an op has to give. */
function requiredOf(op: string): readonly string[] {
  return catalog.find((candidate) => candidate.op === op)?.required ?? [];
}

/** Valid values of the options that every call of an op has to give. */
export function requiredOptions(op: string): Record<string, unknown> {
  return Object.fromEntries(
    requiredOf(op).map((name) => [name, OPTION_VALUES[`${op}.${name}`]?.[0]]),
  );
}

/** Values of declared options: listed ones, or multiples of their defaults, so that ranges are kept. */
function params(op: string): Record<string, fc.Arbitrary<unknown>> {
  const declared = catalog.find((candidate) => candidate.op === op);
  return Object.fromEntries(
    Object.entries(declared?.params ?? {}).map(([name, value]) => {
      const listed = OPTION_VALUES[`${op}.${name}`];
      if (listed) return [name, fc.constantFrom(...listed)];
      if (typeof value !== 'number')
        throw new Error(`list the values of ${op}.${name} in test/calls.ts`);
      return [name, fc.constantFrom(0.25, 0.5, 1, 1.75, 3).map((factor) => value * factor)];
    }),
  );
}

/** Ops whose derivative crosses 0 where it is a difference of larger terms: there its error is relative to those. */
const CROSSING = ['gelu', 'silu', 'mish', 'quickGelu', 'hardswish'];

function elementwiseCalls(op: string, kind: Values, drawn: Drawn): fc.Arbitrary<Call> {
  return fc
    .tuple(drawn, magnitudes, fc.boolean(), maybe(params(op), requiredOf(op)))
    .chain(([shape, magnitude, biased, options]) => {
      const withBias = biased && shape.length > 0;
      const optional: Record<string, fc.Arbitrary<TensorSpec>> = withBias
        ? { bias: finite(shape.slice(-1), 1) }
        : {};
      return fc.record({
        op: fc.constant(op),
        positional: fc.record({ x: floats(shape, kind, magnitude) }),
        optional: fc.record(optional),
        options: fc.constant(options),
        differentiable: fc.constant(withBias ? ['x', 'bias'] : ['x']),
        // x + bias is rounded before the function is applied.
        scale: fc.constant(withBias ? 0.25 * magnitude : 0),
        scales: fc.constant({
          ...(CROSSING.includes(op) ? { x: 0.5 + (withBias ? 0.25 * magnitude : 0) } : {}),
          ...(withBias ? { bias: 2 * sizeOf(shape) } : {}),
        }),
      });
    });
}

function rreluCalls(kind: Values, drawn: Drawn): fc.Arbitrary<Call> {
  const bounds = fc.constantFrom({}, { lower: 0.25, upper: 0.25 }, { lower: -0.5, upper: 1.5 });
  return fc
    .tuple(drawn, magnitudes, bounds, fc.boolean())
    .chain(([shape, magnitude, limits, training]) =>
      fc.record({
        op: fc.constant('rrelu'),
        positional: fc.record({ x: floats(shape, kind, magnitude) }),
        optional: fc.constant({}),
        options: fc.constant({ ...limits, ...(training ? { training } : {}) }),
        differentiable: fc.constant(['x']),
        // lower + span · u loses where it cancels.
        scale: fc.constant(training ? magnitude : 0),
      }),
    );
}

function gumbelSoftmaxCalls(kind: Values): fc.Arbitrary<Call> {
  const options = fc.record(
    {
      tau: fc.constantFrom(0.5, 2),
      // One-hot results have the gradient of the soft ones, by convention: not that of differences.
      ...(kind === 'smooth' ? {} : { hard: fc.boolean() }),
    },
    { requiredKeys: [], noNullPrototype: true },
  );
  return fc.tuple(rowwiseCalls('gumbelSoftmax', kind), options).map(([call, extra]) => ({
    ...call,
    options: { ...call.options, ...extra },
    scale: 4 * call.scale,
  }));
}

function softmax2dCalls(kind: Values): fc.Arbitrary<Call> {
  const extents = fc.integer({ min: 1, max: 6 });
  return fc
    .tuple(fc.array(extents, { minLength: 3, maxLength: 4 }), magnitudes)
    .chain(([shape, magnitude]) =>
      fc.record({
        op: fc.constant('softmax2d'),
        positional: fc.record({ x: floats(shape, kind, magnitude) }),
        optional: fc.constant({}),
        options: fc.constant({}),
        differentiable: fc.constant(['x']),
        scale: fc.constant(Math.max(1, magnitude)),
      }),
    );
}

/** Gated units: an even extent along a dimension of any sign. */
function gatedCalls(op: string, kind: Values): fc.Arbitrary<Call> {
  return fc
    .tuple(
      fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 4 }),
      fc.nat(),
      fc.boolean(),
      magnitudes,
    )
    .chain(([half, at, fromEnd, magnitude]) => {
      const d = at % half.length;
      const shape = half.map((extent, i) => (i === d ? 2 * extent : extent));
      return fc.record({
        op: fc.constant(op),
        positional: fc.record({ x: floats(shape, kind, magnitude) }),
        optional: fc.constant({}),
        options: fc.constant({ dim: fromEnd ? d - half.length : d }),
        differentiable: fc.constant(['x']),
        scale: fc.constant(magnitude * magnitude),
      });
    });
}

function preluCalls(kind: Values, drawn: Drawn): fc.Arbitrary<Call> {
  return fc.tuple(drawn, magnitudes, fc.boolean()).chain(([shape, magnitude, shared]) => {
    const channels = shape.length > 1 ? (shape[1] ?? 1) : 1;
    return fc.record({
      op: fc.constant('prelu'),
      positional: fc.record({
        x: floats(shape, kind, magnitude),
        weight: finite([shared ? 1 : channels], 1),
      }),
      optional: fc.constant({}),
      options: fc.constant({}),
      differentiable: fc.constant(['x', 'weight']),
      scale: fc.constant(magnitude * Math.max(1, sizeOf(shape))),
    });
  });
}

function rowwiseCalls(op: string, kind: Values): fc.Arbitrary<Call> {
  const rows = fc.oneof(
    { arbitrary: shapes, weight: 3 },
    {
      arbitrary: fc.tuple(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 1500 })),
      weight: 1,
    },
  );
  return fc.tuple(rows, magnitudes, fc.nat()).chain(([shape, magnitude, pick]) => {
    const rank = Math.max(shape.length, 1);
    return fc.record({
      op: fc.constant(op),
      positional: fc.record({ x: floats(shape, kind, magnitude) }),
      optional: fc.constant({}),
      options: fc.constant({ dim: (pick % (2 * rank)) - rank }),
      differentiable: fc.constant(['x']),
      scale: fc.constant(Math.max(1, magnitude)),
    });
  });
}

function lossCalls(op: string, kind: Values, drawn: Drawn): fc.Arbitrary<Call> {
  return fc
    .tuple(broadcasting(2, drawn), magnitudes, maybe({ ...params(op), reduction }))
    .chain(([[first = [], second = []], magnitude, options]) => {
      const count = sizeOf(broadcastShapes(op, [first, second]));
      return fc.record({
        op: fc.constant(op),
        positional: fc.record({
          input: floats(first, kind, magnitude),
          target: floats(second, kind, magnitude),
        }),
        optional: fc.constant({}),
        options: fc.constant(options),
        differentiable: fc.constant(['input', 'target']),
        // Of a mean, a sum or a gradient added up over repeated elements.
        scale: fc.constant(
          4 * magnitude * magnitude * (options.reduction === 'mean' ? 1 : Math.max(count, 1)),
        ),
      });
    });
}

function classLossCalls(op: string, kind: Values): fc.Arbitrary<Call> {
  const extents = fc.record({
    batch: fc.integer({ min: 0, max: 6 }),
    classes: fc.oneof(
      { arbitrary: fc.integer({ min: 1, max: 7 }), weight: 5 },
      { arbitrary: fc.integer({ min: 900, max: 1300 }), weight: 1 },
    ),
    inner: fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 2 }),
    single: fc.boolean(),
    weighted: fc.boolean(),
    soft: fc.boolean(),
    ignored: fc.boolean(),
  });
  const smooth = op === 'crossEntropy' ? { labelSmoothing: fc.constantFrom(0, 0.1, 0.5, 1) } : {};
  return fc
    .tuple(extents, magnitudes, maybe({ ...params(op), reduction, ...smooth }))
    .chain(([{ batch, classes, inner, single, weighted, soft, ignored }, magnitude, options]) => {
      const shape = single ? [classes] : [batch, classes, ...inner];
      const rows = single ? [] : [batch, ...inner];
      const count = sizeOf(rows);
      const probabilities = op === 'crossEntropy' && soft;
      const ignoreIndex = ignored && !probabilities ? { ignoreIndex: classes - 1 } : {};
      const target = probabilities
        ? floats(shape, 'smooth', 1, true)
        : fc
            .array(fc.integer({ min: 0, max: classes - 1 }), { minLength: count, maxLength: count })
            .map((data): TensorSpec => ({ shape: rows, dtype: 'int32', data }));
      const optional: Record<string, fc.Arbitrary<TensorSpec>> = weighted
        ? {
            weight: floats([classes], 'smooth', 2, true),
          }
        : {};
      return fc.record({
        op: fc.constant(op),
        positional: fc.record({ input: floats(shape, kind, magnitude), target }),
        optional: fc.record(optional),
        options: fc.constant({ ...options, ...ignoreIndex }),
        differentiable: fc.constant(probabilities ? ['input', 'target'] : ['input']),
        scale: fc.constant(
          4 *
            Math.max(magnitude, 8) *
            (options.reduction === 'sum' ? Math.max(count, 1) : 1) *
            (probabilities ? Math.min(classes, 50) : 1),
        ),
      });
    });
}

function arithmeticCalls(op: string, kind: Values, drawn: Drawn): fc.Arbitrary<Call> {
  return fc
    .tuple(broadcasting(2, drawn), magnitudes)
    .chain(([[first = [], second = []], magnitude]) =>
      fc.record({
        op: fc.constant(op),
        positional: fc.record({
          a: floats(first, kind, magnitude),
          b: op === 'div' ? finite(second, magnitude) : floats(second, kind, magnitude),
        }),
        optional: fc.constant({}),
        options: fc.constant({}),
        differentiable: fc.constant(['a', 'b']),
        // Gradients are added up where an operand is repeated; 1 / b is at most 20, squared 400.
        scale: fc.constant(
          magnitude *
            (op === 'div' ? 400 : 1) *
            Math.max(1, sizeOf(broadcastShapes(op, [first, second]))),
        ),
      }),
    );
}

function reductionCalls(op: string, kind: Values): fc.Arbitrary<Call> {
  const long = fc.constantFrom([3, 5000], [5000, 3], [9000], [2, 300, 2]);
  const any = fc.oneof({ arbitrary: shapes, weight: 6 }, { arbitrary: long, weight: 1 });
  return fc
    .tuple(any, magnitudes, fc.option(fc.nat()), fc.boolean())
    .chain(([shape, magnitude, mask, keepdim]) => {
      const dim = shape
        .map((_, i) => (i % 2 === 0 ? i : i - shape.length))
        .filter((_, i) => ((mask ?? 0) >> i) % 2 === 1);
      return fc.record({
        op: fc.constant(op),
        positional: fc.record({ x: floats(shape, kind, magnitude) }),
        optional: fc.constant({}),
        options: fc.constant(
          mask === null ? {} : { keepdim, dim: dim.length === 1 ? dim[0] : dim },
        ),
        differentiable: fc.constant(['x']),
        scale: fc.constant(magnitude * (op === 'sum' ? Math.max(1, sizeOf(shape)) : 1)),
      });
    });
}

function reshapeCalls(kind: Values): fc.Arbitrary<Call> {
  return shapes.chain((shape) =>
    fc.record({
      op: fc.constant('reshape'),
      positional: fc.record({ x: floats(shape, kind, 3) }),
      optional: fc.constant({}),
      options: fc.constant({}),
      differentiable: fc.constant(['x']),
      rest: fc.constantFrom(
        [[...shape].reverse()],
        [[sizeOf(shape), 1]],
        ...(sizeOf(shape) > 0 ? [[[-1]]] : []),
      ),
      scale: fc.constant(0),
    }),
  );
}

function dropoutCalls(kind: Values, drawn: Drawn): fc.Arbitrary<Call> {
  return fc.tuple(drawn, fc.constantFrom(0, 0.25, 0.5, 0.9)).chain(([shape, p]) =>
    fc.record({
      op: fc.constant('dropout'),
      positional: fc.record({ x: floats(shape, kind, 3) }),
      optional: fc.constant({}),
      options: fc.constant({ p }),
      differentiable: fc.constant(['x']),
      scale: fc.constant(0),
    }),
  );
}

/** Sizes round the tiles of a matrix kernel. */
const extent = fc.oneof(
  { arbitrary: fc.integer({ min: 1, max: 9 }), weight: 4 },
  { arbitrary: fc.integer({ min: 10, max: 70 }), weight: 1 },
  { arbitrary: fc.constant(0), weight: 0 },
);

function matmulCalls(kind: Values): fc.Arbitrary<Call> {
  const batches = fc.constantFrom<[number[], number[]]>(
    [[], []],
    [[2], [2]],
    [[3], []],
    [[], [2, 3]],
    [[2, 1], [3]],
    [
      [2, 1, 2],
      [2, 3, 1],
    ],
  );
  return fc
    .tuple(extent, extent, extent, batches, magnitudes, fc.nat(9))
    .chain(([m, k, n, [left, right], magnitude, vectors]) => {
      const a = vectors === 1 || vectors === 3 ? [k] : [...left, m, k];
      const b = vectors === 2 || vectors === 3 ? [k] : [...right, k, n];
      const batch = sizeOf(left) * sizeOf(right);
      return fc.record({
        op: fc.constant('matmul'),
        positional: fc.record({ a: floats(a, kind, magnitude), b: floats(b, kind, magnitude) }),
        optional: fc.constant({}),
        options: fc.constant({}),
        differentiable: fc.constant(['a', 'b']),
        scale: fc.constant(Math.max(magnitude, 1) * magnitude * Math.max(m, n, k) * batch),
      });
    });
}

function linearCalls(kind: Values): fc.Arbitrary<Call> {
  const rows = fc.constantFrom([], [1], [4], [33], [2, 3], [0]);
  // Each is a pipeline of its own to compile: the others are fused in the same way.
  const activation = fc.constantFrom(undefined, 'relu', 'tanh');
  return fc
    .tuple(rows, extent, extent, magnitudes, fc.boolean(), activation)
    .chain(([lead, inputs, outputs, magnitude, biased, name]) => {
      const optional: Record<string, fc.Arbitrary<TensorSpec>> = biased
        ? { bias: finite([outputs], 1) }
        : {};
      return fc.record({
        op: fc.constant('linear'),
        positional: fc.record({
          x: floats([...lead, inputs], name === undefined ? kind : 'smooth', magnitude),
          weight: finite([outputs, inputs], 1),
        }),
        optional: fc.record(optional),
        options: fc.constant(name === undefined ? {} : { activation: name }),
        differentiable: fc.constant(biased ? ['x', 'weight', 'bias'] : ['x', 'weight']),
        scale: fc.constant(Math.max(magnitude, 1) * 2 * Math.max(inputs, outputs, sizeOf(lead))),
      });
    });
}

/** A finite upstream gradient for a result of this shape. An infinite one times a derivative that underflows is open. */
export function upstreamOf(shape: readonly number[], seed: number): TensorSpec {
  return new Floats(shape, 'smooth', 2, seed);
}

/** Valid calls of an op; those of pointwise ops have the shapes that are drawn. */
export function callsOf(
  op: string,
  kind: Values = 'any',
  drawn: Drawn = shapes,
): fc.Arbitrary<Call> {
  if (elementwise.includes(op)) return elementwiseCalls(op, kind === 'any' ? 'wild' : kind, drawn);
  if (CLASS_LOSSES.includes(op)) return classLossCalls(op, kind);
  switch (op) {
    case 'prelu':
      return preluCalls(kind, drawn);
    case 'rrelu':
      return rreluCalls(kind, drawn);
    case 'softmax2d':
      return softmax2dCalls(kind);
    case 'gumbelSoftmax':
      return gumbelSoftmaxCalls(kind);
    case 'add':
    case 'sub':
    case 'mul':
    case 'div':
      return arithmeticCalls(op, kind, drawn);
    case 'sum':
    case 'mean':
      return reductionCalls(op, kind);
    case 'reshape':
      return reshapeCalls(kind);
    case 'dropout':
      return dropoutCalls(kind, drawn);
    case 'matmul':
      return matmulCalls(kind);
    case 'linear':
      return linearCalls(kind);
    default: {
      const declared = catalog.find((candidate) => candidate.op === op);
      if (declared?.kind === 'rowwise') return rowwiseCalls(op, kind);
      if (declared?.kind === 'gated') return gatedCalls(op, kind);
      if (declared?.kind === 'loss') return lossCalls(op, kind, drawn);
      throw new Error(`no calls are drawn for ${op}: add a family to test/calls.ts`);
    }
  }
}
