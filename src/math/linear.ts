// A linear layer with optional bias and activation, in one kernel.
import { isRecording, record } from '../core/autograd.ts';
import { calling } from '../core/calling.ts';
import type { Activation } from '../define/activation.ts';
import type { ParamOptions, ParamSpecs, ParamsOf } from '../define/params.ts';
import { describe } from '../core/describe.ts';
import { run } from '../core/dispatcher.ts';
import { OptionError, ShapeError } from '../core/errors.ts';
import type { MatmulActivation } from '../kernels/matmul/args.ts';
import { matmulKernel } from '../kernels/matmul/plan.ts';
import { reduceDims, view } from '../kernels/reduce/sum-to.ts';
import type { ParamValues } from '../shader/params.ts';
import { formatShape, sizeOf } from '../core/shape.ts';
import type { Tensor } from '../core/tensor.ts';
import { checkOut, checkShapeIs, checkTensors } from '../core/validate.ts';
import { checkOptionNames } from '../core/validate-options.ts';
import { product, productOf } from './matmul.ts';

export interface LinearOptions<S extends ParamSpecs = ParamSpecs> {
  /** One number per output feature, added first; null is none, as PyTorch's None. */
  bias?: Tensor | null;
  /** Applied to the sum in the same kernel. */
  activation?: Activation<S>;
  /** Options of the activation. */
  activationOptions?: ParamOptions<S>;
  /** Written instead of a new tensor. Only where no gradient is recorded. */
  out?: Tensor;
}

/**
 * activation(x weightᵀ + bias) for x [..., in] and weight [out, in], as in PyTorch; one kernel. Gradients for x, weight
 * and bias.
 */
export function linear<S extends ParamSpecs = ParamSpecs>(
  x: Tensor,
  weight: Tensor,
  options: LinearOptions<S> = {},
): Tensor {
  checkOptionNames('linear', options, ['bias', 'activation', 'activationOptions', 'out']);
  const { bias, activation, activationOptions, out } = options;
  const device = checkTensors('linear', bias ? { x, weight, bias } : { x, weight });
  const [features = 0, inputs = 0] = weight.shape;
  if (weight.rank !== 2 || x.rank === 0 || x.shape.at(-1) !== inputs) {
    throw new ShapeError({
      op: 'linear',
      argument: weight.rank === 2 ? 'x' : 'weight',
      expected: 'x of shape [..., in] and weight of shape [out, in]',
      received: `${formatShape(x.shape)} and ${formatShape(weight.shape)}`,
    });
  }
  if (bias) checkShapeIs('linear', 'bias', bias, [features]);
  const named: unknown = activation;
  if (named !== undefined && !(typeof named === 'function' && 'epilogue' in named)) {
    throw new OptionError({
      op: 'linear',
      argument: 'activation',
      expected: 'an elementwise activation such as relu',
      received: describe(named),
    });
  }
  if (!activation && activationOptions !== undefined) {
    throw new OptionError({
      op: 'linear',
      argument: 'activationOptions',
      expected: 'an activation with them',
      received: 'none',
    });
  }
  const params = activation?.epilogue.resolve('linear', activationOptions, []);
  const fused: MatmulActivation | undefined = activation && {
    source: activation.epilogue.source,
    layout: activation.epilogue.layout,
    params: params as ParamValues,
    forward: (value, values) => activation.epilogue.forward(value, values as ParamsOf<S>),
  };
  const tensors = bias ? [x, weight, bias] : [x, weight];
  const recording = isRecording(tensors);
  const shape = [...x.shape.slice(0, -1), features];
  checkOut('linear', out, { device, dtype: x.dtype, shape }, recording);

  const rows = view(x, [sizeOf(x.shape.slice(0, -1)), inputs]);
  const { args } = productOf(
    'linear',
    { tensor: rows, orientation: 'plain' },
    { tensor: weight, orientation: 'transposed' },
  );
  // The activation's gradient needs its input: in float32, whatever is stored.
  const keepInput = recording && fused !== undefined;
  const [output, before] = calling('linear', () =>
    run(
      matmulKernel,
      { ...args, bias: Boolean(bias), keepInput, ...(fused ? { activation: fused } : {}) },
      [rows, ...tensors.slice(1)],
      [
        out ?? { shape, dtype: x.dtype },
        ...(keepInput ? [{ shape, dtype: 'float32' as const }] : []),
      ],
    ),
  );
  const saved = before ? [rows, weight, before] : [rows, weight];
  const recorded = record(
    output,
    'linear',
    tensors,
    saved,
    (upstream, [savedX, savedWeight, z], needs) => {
      if (!savedX || !savedWeight) return [];
      const full =
        activation && z && params
          ? activation.epilogue.gradient(z, upstream.tensor, params)
          : upstream.tensor.detach();
      const grad = view(full, [savedX.shape[0] ?? 0, features]);
      full.dispose();
      const gradRows = needs[0] ? product(grad, savedWeight, 'plain', 'plain', x.dtype) : null;
      const gradX = gradRows && view(gradRows, x.shape);
      gradRows?.dispose();
      const gradWeight = needs[1]
        ? product(grad, savedX, 'transposed', 'plain', savedWeight.dtype)
        : null;
      const sums = needs[2] ? reduceDims(grad, [0], 1, { dtype: x.dtype }) : null;
      const gradBias = sums && view(sums, [features]);
      sums?.dispose();
      grad.dispose();
      return [gradX, gradWeight, gradBias];
    },
  );
  rows.dispose();
  before?.dispose();
  return recorded;
}
