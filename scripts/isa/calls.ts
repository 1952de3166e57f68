// The calls whose kernels are looked at: every exported op, forward and backward, as test/calls knows to call it.
import fc from 'fast-check';
import { catalog } from '../../src/catalog.ts';
import { BYTES } from '../../src/core/dtype.ts';
import { noGrad, scope, Tensor, tensor, type Device } from '../../src/index.ts';
import { sizeOf } from '../../src/core/shape.ts';
import { argumentsOf, callsOf, opNames, resultOf, upload, upstreamOf } from '../../test/calls.ts';
import type { Call, TensorSpec, Upload } from '../../test/calls.ts';
import { requiredOf } from '../../test/calls/draw.ts';
import {
  exerciseAdaptive,
  exerciseNorms,
  exerciseOptimizers,
  exerciseTransformers,
  settle,
} from '../../test/exercise.ts';
import type { Dispatch, Recording } from './record.ts';

export const DTYPES = ['float32', 'float16'] as const;
export type FloatDType = (typeof DTYPES)[number];

export type Direction = 'forward' | 'backward' | 'step';

/** The launches of one direction of a call. */
export interface Launches {
  readonly op: string;
  readonly direction: Direction;
  readonly dtype: FloatDType;
  /** The formulas that its options choose, e.g. `approximate tanh`; empty for the default ones. */
  readonly choice: string;
  /** What is called, in words. */
  readonly call: string;
  /** Elements of the call's largest tensor. */
  readonly elements: number;
  /** Whether its size is one that models have. */
  readonly model: boolean;
  readonly dispatches: readonly Dispatch[];
}

/** Rows and columns that planners treat differently: a row's workgroup, many short rows, a few long ones. */
const SHAPES = [
  [64, 1024],
  [1024, 16],
  [2, 10_000],
] as const;
/** Calls of each shape, and of other shapes that the op is tested with. */
const DRAWS = 2;
const OTHERS = 8;
const SEED = 20;

/** Rows of models: of attention and of a vocabulary. */
const ROWS = [
  [1024, 1024],
  [16_384, 64],
  [16, 32_000],
] as const;

const zeros = (...shape: number[]): TensorSpec => ({
  shape,
  dtype: 'float',
  data: new Array<number>(sizeOf(shape)).fill(0),
});
const classes = (length: number): TensorSpec => ({ ...zeros(length), dtype: 'int32' });

/** Calls of sizes that models have, which tests draw smaller: their figures are given whole, over all launches. */
const MODELS: readonly Call[] = [
  modelCall('matmul', { a: zeros(512, 512), b: zeros(512, 512) }),
  modelCall(
    'linear',
    { x: zeros(64, 784), weight: zeros(128, 784) },
    { activation: 'relu' },
    { bias: zeros(128) },
  ),
  modelCall('linearCrossEntropy', {
    input: zeros(64, 256),
    weight: zeros(4096, 256),
    target: classes(64),
  }),
  ...[64, 128].map((e) =>
    modelCall('scaledDotProductAttention', {
      query: zeros(1, 512, e),
      key: zeros(1, 512, e),
      value: zeros(1, 512, e),
    }),
  ),
  modelCall('sum', { x: zeros(1024, 1024) }),
  ...['softmax', 'logSoftmax', 'softmin'].flatMap((op) =>
    ROWS.map(([rows, columns]) => modelCall(op, { x: zeros(rows, columns) }, { dim: -1 })),
  ),
  ...ROWS.map(([rows, columns]) =>
    modelCall('crossEntropy', { input: zeros(rows, columns), target: classes(rows) }),
  ),
];

function modelCall(
  op: string,
  positional: Call['positional'],
  options: Call['options'] = {},
  optional: Call['optional'] = {},
): Call {
  const tensors = Object.entries({ ...positional, ...optional });
  const differentiable = tensors.filter(([, t]) => t.dtype === 'float').map(([name]) => name);
  return { op, positional, optional, options, differentiable, scale: 1 };
}

/** Everything that is called besides the ops: it makes kernels too. */
const PROGRAMS: Readonly<Record<string, (dtype: FloatDType, device: Device) => Promise<void>>> = {
  optimizers: exerciseOptimizers,
  AdaptiveLogSoftmaxWithLoss: exerciseAdaptive,
  norms: exerciseNorms,
  transformers: exerciseTransformers,
};

export const subjects: readonly string[] = [...opNames, ...Object.keys(PROGRAMS)];

// GPUBufferUsage by value: the globals are missing in Node.
const STORAGE_AND_COPIES = 0x80 | 0x08 | 0x04;

/** A tensor of zeros instead: what it holds does not matter, but for classes and lengths, and takes long to convert. */
const blank: Upload = (spec, dtype, device) =>
  spec.dtype === 'int32'
    ? upload(spec, dtype, device)
    : tensor(new Float32Array(sizeOf(spec.shape)), { shape: spec.shape, dtype, device });

/** A tensor in a caller's buffer, which ends with the tensor: kernels cannot read whole vec4 past it. */
const borrow: Upload = ({ shape }, dtype, on) => {
  if (!on.gpuDevice) throw new Error('not a GPU device');
  const size = Math.max(4, Math.ceil((sizeOf(shape) * BYTES[dtype]) / 4) * 4);
  const buffer = on.gpuDevice.createBuffer({ size, usage: STORAGE_AND_COPIES });
  return Tensor.fromBuffer(buffer, { shape, dtype, device: on });
};

/** A call to make, in words, and how its tensors are placed. */
interface Trial {
  readonly call: Call;
  readonly words: string;
  readonly place: Upload;
}

function trialsOf(op: string): Trial[] {
  const sample = (calls: fc.Arbitrary<Call>, numRuns: number): Call[] =>
    fc.sample(calls, { seed: SEED, numRuns });
  const sized = SHAPES.flatMap(([rows, columns]) =>
    sample(callsOf(op, 'smooth', fc.constant([rows, columns])), DRAWS),
  );
  const large = [
    ...MODELS.filter((call) => call.op === op),
    // First that with the default options: it stands for the others in the tables.
    ...sized.slice(0, 1).map(alongLast).map(withDefaults),
    ...sized.map(alongLast),
    ...sized,
  ];
  const trial = (call: Call, place: Upload, where = ''): Trial => ({
    call,
    words: wordsOf(call) + where,
    place,
  });
  return [
    ...large.map((call) => trial(call, blank)),
    ...sample(callsOf(op), OTHERS).flatMap((call) => [
      trial(call, upload),
      trial(call, borrow, ", in a caller's buffer"),
    ]),
  ];
}

/** A call without the options that an op declares, but for those that it has to be given. */
function withDefaults(call: Call): Call {
  const declared = catalog.find(({ op }) => op === call.op);
  // A mode says which tensors there have to be.
  const optional = Object.entries(declared?.params ?? {}).flatMap(([name, value]) =>
    requiredOf(call.op).includes(name) || typeof value === 'boolean' || name === 'mode'
      ? []
      : [name],
  );
  const options = Object.entries(call.options).filter(([name]) => !optional.includes(name));
  return { ...call, options: Object.fromEntries(options) };
}

/** A call along the last dimension, where it is along one: as most calls are. */
function alongLast(call: Call): Call {
  const { options } = call;
  return typeof options.dim === 'number' ? { ...call, options: { ...options, dim: -1 } } : call;
}

/** The shapes and options of a call. */
function wordsOf({ positional, optional, options }: Call): string {
  const tensors = Object.entries({ ...positional, ...optional });
  const shapes = tensors.map(([name, { shape }]) => `${name} [${shape.join()}]`);
  const others = Object.entries(options).map(([name, value]) => `${name} ${String(value)}`);
  return [...shapes, ...others].join(', ');
}

/**
 * Options that are words, other than the defaults: they choose between formulas. How a loss is reduced shows in its entry
 * points.
 */
function choiceOf({ op, options, optional }: Call): string {
  const defaults = catalog.find((declared) => declared.op === op)?.params ?? {};
  const words = Object.entries(options)
    .filter(([name, value]) => typeof value === 'string' && value !== defaults[name])
    .filter(([name]) => name !== 'reduction')
    .map(([name, value]) => `${name} ${String(value)}`);
  // Loads and stores are others with a mask or a scale.
  if ('mask' in optional) words.push('masked');
  else if ('scale' in options && defaults.scale === undefined) words.push('scaled');
  if (['softcap', 'temperature', 'zLoss'].some((name) => name in options && !(name in defaults)))
    words.push('tempered');
  return words.join(', ');
}

/** What a subject launches, one call after another, in one dtype. */
export async function* launchesOf(
  subject: string,
  dtype: FloatDType,
  device: Device,
  recording: Recording,
): AsyncGenerator<Launches> {
  const take = (): Dispatch[] => recording.dispatches.splice(0);
  const exercise = PROGRAMS[subject];
  if (exercise) {
    await exercise(dtype, device);
    yield {
      op: subject,
      direction: 'step',
      dtype,
      choice: '',
      call: '',
      elements: NaN,
      model: false,
      dispatches: take(),
    };
    return;
  }
  for (const [i, { call, words, place }] of trialsOf(subject).entries()) {
    const choice = choiceOf(call);
    const about = {
      op: subject,
      dtype,
      choice,
      call: words,
      elements: elementsOf(call),
      model: MODELS.includes(call),
    };
    noGrad(() => scope(() => void resultOf(call, argumentsOf(call, device, { dtype, place }))));
    await settle(device);
    yield { ...about, direction: 'forward', dispatches: take() };
    // With a gradient to come the forward kernels may differ.
    const result = scope(() =>
      resultOf(call, argumentsOf(call, device, { dtype, grad: true, place })),
    );
    await settle(device);
    yield { ...about, direction: 'forward', dispatches: take() };
    if (result.requiresGrad) {
      scope(() => result.backward(place(upstreamOf(result.shape, i), result.dtype, device)));
    }
    result.dispose();
    await settle(device);
    yield { ...about, direction: 'backward', dispatches: take() };
  }
}

function elementsOf({ positional, optional }: Call): number {
  return Math.max(...Object.values({ ...positional, ...optional }).map((t) => sizeOf(t.shape)));
}
