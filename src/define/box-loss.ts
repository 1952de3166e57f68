// Makes a loss of pairs of boxes, 1 less their overlap and a penalty, from the penalty and its gradient, declared in WGSL and
// in float64.
import { run } from '../core/dispatcher.ts';
import type { Device } from '../core/device.ts';
import type { FloatDType } from '../core/dtype.ts';
import { ShapeError } from '../core/errors.ts';
import { formatShape, sizeOf, type Shape } from '../core/shape.ts';
import type { Tensor } from '../core/tensor.ts';
import { checkOut, checkShapeIs, checkTensors } from '../core/validate.ts';
import { checkIsOptions, checkOneOf } from '../core/validate-options.ts';
import { boxesOf, type Boxes, type Penalty } from '../kernels/pair-rows/boxes-reference.ts';
import { pairRows, type PairRowsOp } from '../kernels/pair-rows/plan.ts';
import { source, type Source } from '../shader/link.ts';
import { planGradients, recordFused } from './fused-gradient.ts';
import { defineOp, type Accuracy, type Declared, type OpDocs } from './op.ts';
import { pairArgs, type PairLossCall } from './pair-rows.ts';
import { defaultsOf, layoutOf, resolveParams } from './params.ts';
import { warmUp } from './prepare.ts';
import type { Reduction } from './reduction.ts';

export interface BoxLossDeclaration {
  readonly name: string;
  /**
   * WGSL: `fn penalty(o: Boxes) -> f32`, and `fn penalty_grad(o: Boxes) -> vec4f` by x1, y1, x2 and y2 of the first box. It
   * includes `kernels/pair-rows/boxes.wgsl`, which says what `Boxes` are.
   */
  readonly wgsl: string;
  readonly includes: readonly Source[];
  /** Both in float64. */
  readonly penalty: (boxes: Boxes) => Penalty;
  readonly accuracy?: Accuracy;
  readonly docs?: OpDocs;
}

/** Options of the losses of boxes. */
export interface BoxLossOptions {
  /** Added to areas that are divided by. Above 0; defaults to 1e-7. */
  eps?: number;
  /** `'none'` (default) for the loss of each pair, `'mean'`, which is 0 of no pairs, or `'sum'`. */
  reduction?: Reduction;
  /** Written instead of a new tensor. Only where no gradient is recorded. */
  out?: Tensor;
}

/** A loss of two tensors of boxes (x1, y1, x2, y2), [N, 4] or [4]: of shape [N] or [], or a scalar. */
export interface BoxLoss extends Declared {
  (boxes1: Tensor, boxes2: Tensor, options?: BoxLossOptions): Tensor;
  readonly kind: 'loss';
}

const SPECS = { eps: { default: 1e-7, min: 0, above: true } } as const;
const BOX_REDUCTIONS = ['none', 'mean', 'sum'] as const;

/** A declaration as it is: what is made of it here, and by `plan/pair-rows.ts`. */
export function declareBoxLoss(declaration: BoxLossDeclaration): BoxLossDeclaration {
  return declaration;
}

/** What a call is for the kernel. Throws for what it refuses but for the tensors' dtypes and devices. */
export function boxLossCall(
  declaration: BoxLossDeclaration,
  options: object,
  others: readonly string[],
  boxes1: { readonly shape: Shape },
  boxes2: { readonly shape: Shape },
): PairLossCall {
  const { name } = declaration;
  const params = resolveParams(name, SPECS, ['reduction', ...others], options);
  const { reduction = 'none' } = options as BoxLossOptions;
  checkOneOf(name, 'reduction', reduction, BOX_REDUCTIONS);
  const { shape } = boxes1;
  if (shape.length < 1 || shape.length > 2 || shape.at(-1) !== 4) {
    throw new ShapeError({
      op: name,
      argument: 'boxes1',
      expected: 'shape [N, 4] or [4]',
      received: `shape ${formatShape(shape)}`,
    });
  }
  checkShapeIs(name, 'boxes2', boxes2, shape);
  const rowShape = shape.slice(0, -1);
  const outer = sizeOf(rowShape);
  return {
    params,
    reduction,
    // The mean of nothing is 0 here.
    reduces: reduction === 'mean' && outer === 0 ? 'sum' : reduction,
    layout: { outer, n: 4, inner: 1 },
    shape: reduction === 'none' ? rowShape : [],
  };
}

/** The kernel's op. */
export function boxLossOp({ name, wgsl, includes, penalty }: BoxLossDeclaration): PairRowsOp {
  return {
    name,
    source: source(`${name}.wgsl`, wgsl, includes),
    params: layoutOf(SPECS),
    operands: ['boxes1', 'boxes2'],
    reference: ([first, second], _label, { eps = 0 }, upstream, grads) => {
      if (!first || !second) return NaN;
      const boxes = boxesOf(first, second, eps);
      const { value, grad } = penalty(boxes);
      const { union, iou, dArea, dIntersection } = boxes;
      grads?.[0]?.forEach((_, i, to) => {
        const k = i as 0 | 1 | 2 | 3;
        const overlap = (iou * dArea[k] - (1 + iou) * dIntersection[k]) / (union + eps);
        to[i] = (overlap + grad[k]) * upstream;
      });
      return 1 - iou + value;
    },
  };
}

/** Declares a loss of boxes. The gradient is that of `boxes1`. */
export function defineBoxLoss(declaration: BoxLossDeclaration): BoxLoss {
  const { name, accuracy, docs } = declaration;
  const op = boxLossOp(declaration);

  const apply = (boxes1: Tensor, boxes2: Tensor, options: BoxLossOptions = {}): Tensor => {
    checkIsOptions(name, options);
    const device = checkTensors(name, { boxes1, boxes2 });
    const call = boxLossCall(declaration, options, ['out'], boxes1, boxes2);
    const { shape, dtype } = boxes1;
    const { out } = options;
    const plan = planGradients([boxes1], call.reduction);
    const like = { device, dtype, shape: call.shape };
    checkOut(name, out, like, plan.recording);
    const args = pairArgs(op, call);
    const likes = ([wanted = false]: readonly boolean[]): {
      shape: typeof shape;
      dtype: typeof dtype;
    }[] => (wanted ? [{ shape, dtype }] : []);
    const operands = [boxes1, boxes2];
    return recordFused({
      op: name,
      inputs: [boxes1],
      plan,
      operands,
      outputs: run(pairRows, args(false, plan.fused), operands, [
        out ?? like,
        ...likes(plan.fused),
      ]),
      backward: (saved, gradOutput) =>
        run(pairRows, args(true, plan.needs), [...saved, gradOutput], likes(plan.needs)),
    });
  };

  return defineOp(apply, {
    op: name,
    kind: 'loss',
    docs,
    accuracy,
    params: defaultsOf(SPECS),
    specs: SPECS,
    reductions: BOX_REDUCTIONS,
    prepare: (device: Device, dtype: FloatDType) => {
      for (const reduction of ['mean', 'none'] as const) {
        warmUp(device, dtype, [[1, 4]], (boxes) => apply(boxes, boxes.detach(), { reduction }));
      }
    },
  });
}
