// Makes a loss of pairs of rows [N, D] from what their Euclidean distance costs, which a target of each pair decides.
import { at } from '../cpu/rows.ts';
import { encode } from '../core/dtype.ts';
import { ShapeError } from '../core/errors.ts';
import { formatShape } from '../core/shape.ts';
import { fromHost, type Tensor } from '../core/tensor.ts';
import { checkShapeIs, checkTensors } from '../core/validate.ts';
import { checkOneOf } from '../core/validate-options.ts';
import { norm, normGrad } from '../kernels/pair-rows/norm-reference.ts';
import type { PairRowsOp } from '../kernels/pair-rows/plan.ts';
import { rowDistance } from '../kernels/rows/sources.ts';
import { source } from '../shader/link.ts';
import { defineOp, type Accuracy, type Declared, type OpDocs } from './op.ts';
import { comparePairs } from './pair-rows.ts';
import { defaultsOf, layoutOf, resolveParams, type ParamSpecs, type ParamsOf } from './params.ts';
import { warmUpPairs } from './prepare.ts';
import { REDUCTIONS, type RowLossOptions } from './reduction.ts';

export interface DistanceLossDeclaration<S extends ParamSpecs> {
  readonly name: string;
  /**
   * WGSL: `fn loss(distance: f32, label: f32) -> f32`, and `loss_grad`, its derivative by the distance. It includes
   * `kernels/pair-rows/distance.wgsl`; options are in `u.op`.
   */
  readonly wgsl: string;
  readonly params: S;
  /** Both in float64. */
  readonly forward: (distance: number, label: number, params: ParamsOf<S>) => number;
  readonly backward: (distance: number, label: number, params: ParamsOf<S>) => number;
  readonly accuracy?: Accuracy;
  readonly docs?: OpDocs;
}

/** A loss of the distances of the rows of two tensors [N, D], and of a target [N]. */
export interface DistanceLoss<O extends RowLossOptions> extends Declared {
  (x1: Tensor, x2: Tensor, target: Tensor, options?: O): Tensor;
  readonly kind: 'loss';
}

/** Declares a loss of distances; `O` are its options. Where rows are equal their gradient is 0. */
export function defineDistanceLoss<O extends RowLossOptions, const S extends ParamSpecs>(
  declaration: DistanceLossDeclaration<S>,
): DistanceLoss<O> {
  const { name, wgsl, params: specs, forward, backward, accuracy, docs } = declaration;
  const op: PairRowsOp = {
    name,
    source: source(`${name}.wgsl`, wgsl, [rowDistance]),
    // The degree of the norm.
    params: layoutOf({ ...specs, p: 2 }),
    operands: ['x1', 'x2'],
    labels: 'labels',
    powers: true,
    constants: () => ({ kind: 2, pairs: 1 }),
    reference: ([x, y], label, values, upstream, grads) => {
      if (!x || !y) return NaN;
      const params = values as ParamsOf<S>;
      const d = x.map((v, i) => v - at(y, i));
      const distance = norm(d, 2);
      const [gx, gy] = grads ?? [];
      if (gx && gy) {
        normGrad(d, 2, distance, upstream * backward(distance, label, params), gx);
        for (const [i, g] of gx.entries()) gy[i] = -g;
      }
      return forward(distance, label, params);
    },
  };

  const apply = (x1: Tensor, x2: Tensor, target: Tensor, options: object = {}): Tensor => {
    const params = resolveParams(name, specs, ['reduction', 'out'], options);
    const { reduction = 'mean', out } = options as RowLossOptions;
    checkOneOf(name, 'reduction', reduction, REDUCTIONS);
    checkTensors(name, { x1, x2, target });
    const { shape } = x1;
    if (shape.length !== 2) {
      const received = `shape ${formatShape(shape)}`;
      throw new ShapeError({ op: name, argument: 'x1', expected: 'shape [N, D]', received });
    }
    const rowShape = shape.slice(0, 1);
    checkShapeIs(name, 'x2', x2, shape);
    checkShapeIs(name, 'target', target, rowShape);
    return comparePairs({
      op,
      params: { ...params, p: 2 },
      operands: [x1, x2],
      labels: target,
      shape,
      dim: 1,
      rowShape,
      reduction,
      out,
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
