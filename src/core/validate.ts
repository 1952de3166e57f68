// Checks the tensors of a call, and throws a typed error for what is wrong. Options are checked by validate-options.ts.
import { isBeforeInit } from './current.ts';
import { describe, withArticle } from './describe.ts';
import { Device } from './device.ts';
import { isDType, type DType } from './dtype.ts';
import { DeviceMismatchError, DTypeError, OptionError, ShapeError } from './errors.ts';
import { isTensor } from './is-tensor.ts';
import { broadcastShapes, formatShape, sameShape, type Shape } from './shape.ts';
import type { Tensor } from './tensor.ts';
import { checkOneOf } from './validate-options.ts';

/** The float dtypes, for messages and checks. */
export const FLOATS: readonly DType[] = ['float32', 'float16'];

export function checkDType(op: string, dtype: unknown): void {
  if (!isDType(dtype)) {
    throw new OptionError({
      op,
      argument: 'dtype',
      expected: "'float32', 'float16' or 'int32'",
      received: describe(dtype),
    });
  }
}

export function checkIsDevice(op: string, device: unknown): void {
  if (!(device instanceof Device)) {
    throw new OptionError({
      op,
      argument: 'device',
      expected: 'a device made by init()',
      received: describe(device),
    });
  }
  device.check(op);
}

/** Checks the device and dtype of a layer's parameters. */
export function checkPlacement(op: string, device: unknown, dtype: unknown): void {
  checkOneOf(op, 'dtype', dtype, FLOATS);
  checkIsDevice(op, device);
}

/** `least` is the smallest size of a dimension; -1 allows a size that is inferred. */
export function checkShape(op: string, argument: string, shape: unknown, least = 0): void {
  // The list is copied, because `every` skips the holes of a sparse array.
  const valid =
    Array.isArray(shape) &&
    Array.from<unknown>(shape).every((d) => Number.isSafeInteger(d) && (d as number) >= least);
  if (!valid) {
    throw new ShapeError({
      op,
      argument,
      expected: `an array of integers of at least ${least}`,
      received: describe(shape),
    });
  }
}

/** How to correct a call that got something else instead of class indices. */
export const CLASS_INDICES = "class indices are int32: tensor([0, 1], { dtype: 'int32' })";

/** A live tensor of one of the given dtypes. */
export function checkTensor(
  op: string,
  argument: string,
  value: unknown,
  dtypes: readonly DType[] = FLOATS,
): asserts value is Tensor {
  if (isTensor(value)) value.storage(op, argument);
  if (isTensor(value) && dtypes.includes(value.dtype)) return;
  const indices = dtypes[0] === 'int32' && /^targets?$/.test(argument);
  throw new DTypeError({
    op,
    argument,
    expected: isTensor(value) ? `${withArticle(dtypes.join(' or '))} tensor` : 'a tensor',
    received: describe(value),
    ...(indices ? { hint: CLASS_INDICES } : {}),
  });
}

/** Float tensors of one dtype on one live device, those of the first tensor. The keys are the names of the arguments. */
export function checkTensors(op: string, tensors: Readonly<Record<string, unknown>>): Device {
  let first: Tensor | undefined;
  for (const argument in tensors) {
    const value = tensors[argument];
    checkTensor(op, argument, value);
    first ??= value;
    checkDevice(op, argument, value, first.device);
    checkSameDType(op, argument, value, first.dtype);
  }
  if (!first) throw new DTypeError({ op, expected: 'a tensor', received: 'none' });
  first.device.check(op);
  return first.device;
}

export function checkSameDType(op: string, argument: string, tensor: Tensor, dtype: DType): void {
  if (tensor.dtype !== dtype) {
    throw new DTypeError({
      op,
      argument,
      expected: `${dtype}, as the first tensor`,
      received: tensor.dtype,
    });
  }
}

export function checkDevice(op: string, argument: string, tensor: Tensor, device: Device): void {
  if (tensor.device === device) return;
  const early = isBeforeInit(tensor.device) ? argument : 'the first';
  const hint = `${early} was made on the CPU before init(): call init() first`;
  throw new DeviceMismatchError({
    op,
    argument,
    expected: `a tensor on the device of the first (${device.type})`,
    received: `one on another device (${tensor.device.type})`,
    ...(isBeforeInit(tensor.device) || isBeforeInit(device) ? { hint } : {}),
  });
}

export function checkShapeIs(
  op: string,
  argument: string,
  tensor: { readonly shape: Shape },
  shape: Shape,
): void {
  if (!sameShape(tensor.shape, shape)) {
    throw new ShapeError({
      op,
      argument,
      expected: `shape ${formatShape(shape)}`,
      received: `shape ${formatShape(tensor.shape)}`,
    });
  }
}

/** A gradient for the tensor `of`: it must have the same shape, dtype and device. */
export function checkGrad(
  op: string,
  argument: string | undefined,
  value: unknown,
  of: Tensor,
): asserts value is Tensor {
  const { shape, dtype, device } = of;
  const subject = argument === undefined ? { op } : { op, argument };
  if (!isTensor(value)) {
    throw new DTypeError({ ...subject, expected: 'a tensor or null', received: describe(value) });
  }
  if (value === of) {
    throw new OptionError({
      ...subject,
      expected: 'a tensor of its own',
      received: 'the tensor that it is to be the gradient of',
      hint: 'use detach() for the same values',
    });
  }
  value.storage(op, argument);
  if (value.dtype !== dtype) {
    throw new DTypeError({
      ...subject,
      expected: `${dtype}, as the tensor it is the gradient of`,
      received: value.dtype,
      hint: `make it with { dtype: '${dtype}' }`,
    });
  }
  if (value.device !== device) {
    throw new DeviceMismatchError({
      ...subject,
      expected: `a tensor on the device of the one it is the gradient of (${device.type})`,
      received: `one on another device (${value.device.type})`,
      hint: 'make it with the same device',
    });
  }
  if (!sameShape(value.shape, shape)) {
    throw new ShapeError({
      ...subject,
      expected: `shape ${formatShape(shape)}, as the tensor it is the gradient of`,
      received: `shape ${formatShape(value.shape)}`,
      hint: 'a gradient is not broadcast',
    });
  }
}

/** A tensor that can be repeated to fill `shape`. */
export function checkBroadcastsTo(
  op: string,
  argument: string,
  tensor: { readonly shape: Shape },
  shape: Shape,
): void {
  if (!sameShape(broadcastShapes(op, [shape, tensor.shape], argument), shape)) {
    throw new ShapeError({
      op,
      argument,
      expected: `a shape that broadcasts to ${formatShape(shape)}`,
      received: `shape ${formatShape(tensor.shape)}`,
    });
  }
}

/** Tensors with at least `least` dimensions each. */
export function checkRank(
  op: string,
  tensors: Readonly<Record<string, { readonly shape: Shape }>>,
  least: number,
): void {
  for (const [argument, { shape }] of Object.entries(tensors)) {
    if (shape.length >= least) continue;
    throw new ShapeError({
      op,
      argument,
      expected: `at least ${least} ${least === 1 ? 'dimension' : 'dimensions'}`,
      received: `shape ${formatShape(shape)}`,
    });
  }
}

/** Elements that a tensor may have. */
export interface ValueRange {
  /** The smallest. */
  readonly min: number;
  /** The largest. */
  readonly max: number;
  /** Whether NaN passes. */
  readonly nan: boolean;
}

/** A tensor beside the first of a call: on its device, of this shape, and of its dtype or of int32. */
export function checkBeside(
  op: string,
  argument: string,
  value: unknown,
  first: Tensor,
  shape: Shape,
  dtype: DType = first.dtype,
): void {
  checkTensor(op, argument, value, dtype === 'int32' ? [dtype] : FLOATS);
  checkDevice(op, argument, value, first.device);
  checkSameDType(op, argument, value, dtype);
  checkShapeIs(op, argument, value, shape);
}

/** Checks that elements are within a range, if the host knows them: on the CPU, and on a GPU for small tensors that were uploaded and not written since. */
export function checkValues(op: string, argument: string, tensor: Tensor, range: ValueRange): void {
  const bounds = tensor.device.bounds(tensor.storage(op, argument), tensor.dtype, tensor.size);
  if (!bounds) return;
  const { min, max, nan } = range;
  const fits = bounds.min >= min && bounds.max <= max && (nan || !bounds.nan);
  if (fits) return;
  const wrong = bounds.min < min ? bounds.min : bounds.max > max ? bounds.max : NaN;
  throw new OptionError({
    op,
    argument,
    expected: max < Infinity ? `elements from ${min} to ${max}` : `elements of at least ${min}`,
    received: String(wrong),
  });
}

/** Tensors with as many dimensions as the first, and at least `least`. */
export function checkSameRank(
  op: string,
  tensors: Readonly<Record<string, { readonly shape: Shape }>>,
  least: number,
): void {
  checkRank(op, tensors, least);
  const [first] = Object.values(tensors);
  const rank = first?.shape.length;
  for (const [argument, { shape }] of Object.entries(tensors)) {
    if (shape.length === rank) continue;
    throw new ShapeError({
      op,
      argument,
      expected: `as many dimensions as the first tensor (${String(rank)})`,
      received: `shape ${formatShape(shape)}`,
    });
  }
}

/** A tensor to write a result into. It must have the right device, dtype and shape, and not be part of a gradient computation. */
export function checkOut(
  op: string,
  out: unknown,
  like: { device: Device; dtype: DType; shape: Shape },
  recording: boolean,
): void {
  if (out === undefined) return;
  checkTensor(op, 'out', out, [like.dtype]);
  checkDevice(op, 'out', out, like.device);
  checkShapeIs(op, 'out', out, like.shape);
  if (recording || out.requiresGrad) {
    throw new OptionError({
      op,
      argument: 'out',
      expected: 'no gradient to be recorded (use noGrad or detach)',
      received: recording ? 'an input with requiresGrad' : 'an out tensor with requiresGrad',
    });
  }
}
