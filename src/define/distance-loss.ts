// Makes a loss of pairs of rows [N, D] from what their Euclidean distance costs, which a target of each pair decides.
import { at } from '../cpu/rows.ts';
import { encode } from '../core/dtype.ts';
import { ShapeError } from '../core/errors.ts';
import { formatShape, rowLayout, type Shape } from '../core/shape.ts';
import { fromHost, type Tensor } from '../core/tensor.ts';
import { checkShapeIs, checkTensors } from '../core/validate.ts';
import { checkIsOptions, checkOneOf } from '../core/validate-options.ts';
import { norm, normGrad } from '../kernels/pair-rows/norm-reference.ts';
import type { PairRowsOp } from '../kernels/pair-rows/plan.ts';
import { rowDistance } from '../kernels/rows/sources.ts';
import { source } from '../shader/link.ts';
import { defineOp, type Accuracy, type Declared, type OpDocs } from './op.ts';
import { comparePairs, type PairLossCall } from './pair-rows.ts';
import { defaultsOf, layoutOf, resolveParams, type ParamSpecs, type ParamsOf } from './params.ts';
import { warmUpPairs } from './prepare.ts';
import { REDUCTIONS, type RowLossOptions } from './reduction.ts';

/** What has a shape. */
interface Seen {
  readonly shape: Shape;
}

export interface DistanceLossDeclaration<S extends ParamSpecs = ParamSpecs> {
  readonly name: string;
  /**
   * WGSL: `fn loss(distance: f32, label: f32) -> f32`, and `loss_grad`, its derivative by the distance. It includes
   * `kernels/pair-rows/distance.wgsl`; options are in `u.op`.
   */
  readonly wgsl: string;
  readonly params: S;
  /** Both in float64. */
  forward(distance: number, label: number, params: ParamsOf<S>): number;
  backward(distance: number, label: number, params: ParamsOf<S>): number;
  readonly accuracy?: Accuracy;
  readonly docs?: OpDocs;
}

/** A loss of the distances of the rows of two tensors [N, D], and of a target [N]. */
export interface DistanceLoss<O extends RowLossOptions> extends Declared {
  (x1: Tensor, x2: Tensor, target: Tensor, options?: O): Tensor;
  /** Its family. */
  readonly kind: 'loss';
}

/** A declaration as it is, with its types: what is made of it here, and by `plan/pair-rows.ts`. */
export function declareDistanceLoss<const S extends ParamSpecs>(
  declaration: DistanceLossDeclaration<S>,
): DistanceLossDeclaration<S> {
  return declaration;
}

/** The kernel's op. */
export function distanceLossOp(declaration: DistanceLossDeclaration): PairRowsOp {
  const { name, wgsl, params: specs } = declaration;
  return {
    name,
    source: source(`${name}.wgsl`, wgsl, [rowDistance]),
    // The degree of the norm.
    params: layoutOf({ ...specs, p: 2 }),
    operands: ['x1', 'x2'],
    labels: 'labels',
    powers: true,
    constants: () => ({ kind: 2, pairs: 1 }),
    reference: ([x, y], label, params, upstream, grads) => {
      if (!x || !y) return NaN;
      const d = x.map((v, i) => v - at(y, i));
      const distance = norm(d, 2);
      const [gx, gy] = grads ?? [];
      if (gx && gy) {
        normGrad(d, 2, distance, upstream * declaration.backward(distance, label, params), gx);
        for (const [i, g] of gx.entries()) gy[i] = -g;
      }
      return declaration.forward(distance, label, params);
    },
  };
}

/** What a call is for the kernel. Throws for what it refuses but for the tensors' dtypes and devices. */
export function distanceLossCall(
  { name, params: specs }: DistanceLossDeclaration,
  options: object,
  others: readonly string[],
  [x1, x2, target]: readonly [Seen, Seen, Seen],
): PairLossCall {
  const params = resolveParams(name, specs, ['reduction', ...others], options);
  const { reduction = 'mean' } = options as RowLossOptions;
  checkOneOf(name, 'reduction', reduction, REDUCTIONS);
  const { shape } = x1;
  if (shape.length !== 2) {
    const received = `shape ${formatShape(shape)}`;
    throw new ShapeError({ op: name, argument: 'x1', expected: 'shape [N, D]', received });
  }
  const rowShape = shape.slice(0, 1);
  checkShapeIs(name, 'x2', x2, shape);
  checkShapeIs(name, 'target', target, rowShape);
  return {
    params: { ...params, p: 2 },
    reduction,
    reduces: reduction,
    layout: rowLayout(shape, 1),
    shape: reduction === 'none' ? rowShape : [],
  };
}

/** Declares a loss of distances; `O` are its options. Where rows are equal their gradient is 0. */
export function defineDistanceLoss<O extends RowLossOptions>(
  declaration: DistanceLossDeclaration,
): DistanceLoss<O> {
  const { name, params: specs, accuracy, docs } = declaration;
  const op = distanceLossOp(declaration);

  const apply = (x1: Tensor, x2: Tensor, target: Tensor, options: object = {}): Tensor => {
    checkIsOptions(name, options);
    checkTensors(name, { x1, x2, target });
    const call = distanceLossCall(declaration, options, ['out'], [x1, x2, target]);
    const { params, reduction } = call;
    return comparePairs({
      ...{ op, params, reduction },
      operands: [x1, x2],
      labels: target,
      shape: x1.shape,
      dim: 1,
      rowShape: target.shape,
      out: (options as RowLossOptions).out,
    });
  };

  return defineOp(apply, {
    op: name,
    kind: 'loss',
    params: defaultsOf(specs),
    specs,
    accuracy,
    docs,
    prepare: (device, dtype) => {
      const target = fromHost(encode(dtype, [1, 0]), [2], dtype, device);
      const shapes = [3, 4, 64].map((n) => [2, n]);
      for (const reduction of ['mean', 'none'] as const)
        warmUpPairs(device, dtype, shapes, (a, b) => apply(a, b, target, { reduction }));
    },
  });
}
