// Checks that the tensors of a linear layer with its cross-entropy fit each other, and returns their sizes.
import { ShapeError } from '../core/errors.ts';
import { formatShape, sizeOf, type Shape } from '../core/shape.ts';
import type { Tensor } from '../core/tensor.ts';
import { checkDevice, checkSameDType, checkShapeIs, checkTensor } from '../core/validate.ts';
import { checkProbabilityShape } from '../core/validate-targets.ts';

/** The tensors of a call. */
export interface Operands {
  readonly input: Tensor;
  readonly linearWeight: Tensor;
  readonly target: Tensor;
  readonly linearBias: Tensor | undefined;
  readonly weight: Tensor | undefined;
}

export interface Extents {
  readonly batch: number;
  readonly classes: number;
  readonly inner: number;
  readonly features: number;
  /** The shape of one loss per target. */
  readonly rowShape: Shape;
}

export function checkShapes(
  op: string,
  { input, linearWeight, target, linearBias, weight }: Operands,
): Extents {
  const [classes = 0, ...rest] = linearWeight.shape;
  const between = rest.slice(0, -1);
  const features = rest.at(-1) ?? 0;
  if (linearWeight.rank < 2 || classes === 0) {
    throw new ShapeError({
      op,
      argument: 'linearWeight',
      expected: 'shape [C, ..., in] with at least one class',
      received: formatShape(linearWeight.shape),
    });
  }
  const batched = input.rank === 2;
  if ((!batched && (input.rank !== 1 || between.length > 0)) || input.shape.at(-1) !== features) {
    throw new ShapeError({
      op,
      argument: 'input',
      expected: `shape [N, ${features}]${between.length > 0 ? '' : ` or [${features}]`}, as linearWeight has shape ${formatShape(linearWeight.shape)}`,
      received: formatShape(input.shape),
    });
  }
  const lead = input.shape.slice(0, -1);
  const rowShape = [...lead, ...between];
  if (linearBias) checkShapeIs(op, 'linearBias', linearBias, [classes, ...between]);
  if (weight) checkShapeIs(op, 'weight', weight, [classes]);
  if (target.dtype === 'int32') checkShapeIs(op, 'target', target, rowShape);
  else checkProbabilityShape(op, target, [...lead, classes, ...between], rowShape);
  return { batch: sizeOf(lead), classes, inner: sizeOf(between), features, rowShape };
}

export function checkTensorsOf(
  op: string,
  { input, linearWeight, target, linearBias, weight }: Operands,
): void {
  checkTensor(op, 'input', input);
  checkTensor(op, 'linearWeight', linearWeight);
  checkTensor(op, 'target', target, ['int32', input.dtype]);
  if (linearBias !== undefined) checkTensor(op, 'linearBias', linearBias);
  if (weight !== undefined) checkTensor(op, 'weight', weight);
  const others = { linearWeight, target, linearBias, weight };
  for (const [argument, tensor] of Object.entries(others)) {
    if (!tensor) continue;
    checkDevice(op, argument, tensor, input.device);
    if (argument !== 'target') checkSameDType(op, argument, tensor, input.dtype);
  }
  input.device.check(op);
}
