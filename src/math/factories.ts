// New tensors: of one number, of numbers in steps, of random numbers.
import wgsl from '../../shaders/math/randn.wgsl?raw';
import { calling } from '../core/calling.ts';
import { currentDevice } from '../core/current.ts';
import { describe } from '../core/describe.ts';
import type { Device } from '../core/device.ts';
import { runOne, type Output } from '../core/dispatcher.ts';
import { BYTES, encode, isFloat, type DType } from '../core/dtype.ts';
import { OptionError } from '../core/errors.ts';
import { allocating } from '../core/memory.ts';
import { openUniformAt, threefry as threefryAt, withKey } from '../core/random.ts';
import type { Shape } from '../core/shape.ts';
import { fromHost, type Tensor } from '../core/tensor.ts';
import { checkDType, checkIsDevice, checkPlacement, checkShape } from '../core/validate.ts';
import { checkBoolean, checkNumber, checkOptionNames } from '../core/validate-options.ts';
import { castArgs } from '../kernels/pointwise/cast.ts';
import { pointwise, type PointwiseOp } from '../kernels/pointwise/plan.ts';
import { log, sqrt, threefry } from '../shader/lib.ts';
import { source } from '../shader/link.ts';

/** Options of `zeros`, `ones`, `full`, `randn` and `arange`. */
export interface FactoryOptions {
  /** Defaults to `'float32'`. */
  dtype?: DType;
  /** Defaults to the device of the latest `init()`, or the CPU before any. */
  device?: Device;
  /** Whether operations on it are recorded for `backward()`. Defaults to false. */
  requiresGrad?: boolean;
}

interface Placed {
  readonly dtype: DType;
  readonly device: Device;
  readonly requiresGrad: boolean;
}

function placedBy(op: string, options: FactoryOptions): Placed {
  checkOptionNames(op, options, ['dtype', 'device', 'requiresGrad']);
  const { dtype = 'float32', device = currentDevice(), requiresGrad = false } = options;
  checkDType(op, dtype);
  checkBoolean(op, 'requiresGrad', requiresGrad);
  checkIsDevice(op, device);
  if (requiresGrad && !isFloat(dtype)) {
    throw new OptionError({
      op,
      argument: 'requiresGrad',
      expected: 'false for an int32 tensor',
      received: 'true',
    });
  }
  return { dtype, device, requiresGrad };
}

/** @internal A tensor of one number, or one that is written with it. */
export function filled(op: string, device: Device, value: number, output: Output): Tensor {
  const one = fromHost(encode(output.dtype, [value]), [], output.dtype, device);
  const result = calling(op, () => runOne(pointwise, castArgs(output.shape), [one], output));
  one.dispose();
  return result;
}

function make(op: string, shape: Shape, value: number, options: FactoryOptions): Tensor {
  const { dtype, device, requiresGrad } = placedBy(op, options);
  checkShape(op, 'shape', shape);
  const result = filled(op, device, value, { shape, dtype });
  result.requiresGrad = requiresGrad;
  return result;
}

/**
 * A tensor of zeros.
 *
 * @example zeros([2, 3], { dtype: 'int32' })
 * @throws `ShapeError` for what is no shape.
 * @throws `OptionError` for an option that is unknown, or a value that it may not have.
 * @throws `DisposedError` for a device that is disposed.
 */
export function zeros(shape: Shape, options: FactoryOptions = {}): Tensor {
  return make('zeros', shape, 0, options);
}

/**
 * A tensor of ones.
 *
 * @example ones([2, 3])
 * @throws `ShapeError` for what is no shape.
 * @throws `OptionError` for an option that is unknown, or a value that it may not have.
 * @throws `DisposedError` for a device that is disposed.
 */
export function ones(shape: Shape, options: FactoryOptions = {}): Tensor {
  return make('ones', shape, 1, options);
}

/**
 * A tensor of one number, which is rounded to `dtype`; of int32 it has to be an integer of 32 bits.
 *
 * @example full([2], -Infinity)
 * @throws `ShapeError` for what is no shape.
 * @throws `OptionError` for an option that is unknown, or a value that it may not have.
 * @throws `DisposedError` for a device that is disposed.
 */
export function full(shape: Shape, value: number, options: FactoryOptions = {}): Tensor {
  const given: unknown = value;
  if (typeof given !== 'number' || (options.dtype === 'int32' && given !== (given | 0))) {
    throw new OptionError({
      op: 'full',
      argument: 'value',
      expected: options.dtype === 'int32' ? 'an int32 number' : 'a number',
      received: describe(given),
    });
  }
  return make('full', shape, value, options);
}

/**
 * Numbers from 0 up to `end`, which is left out, in steps of 1.
 *
 * @throws `OptionError` for what is no number, a step of 0, or an option that is unknown.
 * @throws `DisposedError` for a device that is disposed.
 */
export function arange(end: number, options?: FactoryOptions): Tensor;
/**
 * Numbers from `start` up, or down, to `end`, which is left out, in steps of `step`, by default 1.
 *
 * @throws `OptionError` for what is no number, a step of 0, or an option that is unknown.
 * @throws `DisposedError` for a device that is disposed.
 */
export function arange(start: number, end: number, options?: FactoryOptions): Tensor;
export function arange(start: number, end: number, step: number, options?: FactoryOptions): Tensor;
/**
 * start + i · step for ⌈(end - start) / step⌉ integers i, as in PyTorch; each is computed in float64 and rounded once. float32
 * unless `dtype` says otherwise; of int32 all three have to be integers.
 *
 * @example arange(1, 7, 2) // [1, 3, 5]
 * @throws `OptionError` for what is no number, a step of 0, or an option that is unknown.
 * @throws `DisposedError` for a device that is disposed.
 */
export function arange(...args: readonly (number | FactoryOptions | undefined)[]): Tensor {
  const last = args.at(-1);
  const hasOptions = args.length > 1 && typeof last !== 'number';
  const numbers: readonly unknown[] = hasOptions ? args.slice(0, -1) : args;
  const { dtype, device, requiresGrad } = placedBy(
    'arange',
    hasOptions && last !== undefined ? last : {},
  );
  const [start, end, step = 1] = numbers.length < 2 ? [0, numbers[0]] : numbers;
  const range = { integer: dtype === 'int32' };
  checkNumber('arange', 'start', start, range);
  checkNumber('arange', 'end', end, range);
  checkNumber('arange', 'step', step, { ...range, nonzero: true });
  const [from, by] = [start as number, step as number];
  const count = Math.ceil(((end as number) - from) / by);
  if (count < 0) {
    throw new OptionError({
      op: 'arange',
      argument: 'step',
      expected: `a step from ${from} towards ${String(end)}`,
      received: String(by),
    });
  }
  const values = allocating('arange', count * BYTES[dtype], () =>
    encode(
      dtype,
      Float64Array.from({ length: count }, (_, i) => from + i * by),
    ),
  );
  return fromHost(values, [count], dtype, device, requiresGrad);
}

const normal: PointwiseOp = {
  name: 'randn',
  source: /* @__PURE__ */ source('math/randn.wgsl', wgsl, [log, sqrt, threefry]),
  params: { names: ['key0', 'key1'], integers: ['key0', 'key1'] },
  inputs: ['none'],
  results: 1,
  body: '  return Results(normal_at(vec2u(p.key0, p.key1), index));',
  reference: (_v, r, { key0 = 0, key1 = 0 }, index) => {
    const key = [key0, key1] as const;
    const angle = (threefryAt(key, [index, 0])[1] >>> 8) * 2 ** -24;
    r[0] = Math.sqrt(-2 * Math.log(openUniformAt(key, index))) * Math.cos(2 * Math.PI * angle);
  },
};

/**
 * Normal random numbers, of mean 0 and variance 1 and at most 5.8 in size. Repeatable with `manualSeed`: the same on every device,
 * but for their last bits. float32 or float16.
 *
 * @example randn([2, 3])
 * @throws `ShapeError` for what is no shape.
 * @throws `OptionError` for an option that is unknown, or a value that it may not have.
 * @throws `DisposedError` for a device that is disposed.
 */
export function randn(shape: Shape, options: FactoryOptions = {}): Tensor {
  const { dtype, device, requiresGrad } = placedBy('randn', options);
  checkPlacement('randn', device, dtype);
  checkShape('randn', 'shape', shape);
  const params = withKey(([key0, key1]) => ({ key0, key1 }));
  // The kernel has an input for each op.
  const none = fromHost(encode('float32', [0]), [], 'float32', device);
  const args = { op: normal, params, shape };
  const result = calling('randn', () => runOne(pointwise, args, [none], { shape, dtype }));
  none.dispose();
  result.requiresGrad = requiresGrad;
  return result;
}
