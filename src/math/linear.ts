// A linear layer with optional bias and activation, in one kernel.
import { isRecording, record } from '../core/autograd.ts';
import { calling } from '../core/calling.ts';
import type { FusedActivation, FusedLearned } from '../define/activation.ts';
import type { ParamSpecs, ParamsOf } from '../define/params.ts';
import { describe } from '../core/describe.ts';
import { run } from '../core/dispatcher.ts';
import { OptionError, ShapeError } from '../core/errors.ts';
import type { MatmulActivation } from '../kernels/matmul/args.ts';
import { matmulKernel } from '../kernels/matmul/plan.ts';
import { reduceDims, view } from '../kernels/reduce/sum-to.ts';
import { formatShape, sizeOf, type Shape } from '../core/shape.ts';
import type { Tensor } from '../core/tensor.ts';
import { checkOut, checkShapeIs, checkTensor, checkTensors } from '../core/validate.ts';
import { checkOptionNames } from '../core/validate-options.ts';
import { product, productOf } from './matmul.ts';

/**
 * `activation` is applied to the sum in the same kernel, with `activationOptions`. For `prelu` these are `{ weight }`, which gets a
 * gradient: one number, or one per output feature where the result is a matrix; prelu is a kernel of its own for other weights.
 */
export type LinearOptions<S extends ParamSpecs = ParamSpecs> = FusedActivation<S> & {
  /** One number per output feature, added first; null is none, as PyTorch's None. */
  bias?: Tensor | null;
  /** Written instead of a new tensor. Only where no gradient is recorded. */
  out?: Tensor;
};

/** What is done with the sums, and how its gradients are had from them and gradOutput; that of a learned tensor if it is wanted. */
interface Fused {
  readonly activation: MatmulActivation;
  readonly gradient?: (z: Tensor, gradOutput: Tensor) => Tensor;
  readonly learnedGradients?: (
    z: Tensor,
    learned: Tensor,
    gradOutput: Tensor,
    wanted: boolean,
  ) => readonly [Tensor, Tensor | null];
}

/**
 * activation(x weightᵀ + bias) for x [..., in] and weight [out, in], as in PyTorch; one kernel. Gradients for x, weight
 * and bias.
 *
 * @example linear(x, weight, { bias, activation: relu })
 */
export function linear<S extends ParamSpecs = ParamSpecs>(
  x: Tensor,
  weight: Tensor,
  options: LinearOptions<S> = {},
): Tensor {
  checkOptionNames('linear', options, ['bias', 'activation', 'activationOptions', 'out']);
  const { bias, out } = options;
  const learned = learnedOf(options);
  const device = checkTensors('linear', {
    ...{ x, weight },
    ...(bias ? { bias } : {}),
    ...(learned ? { 'activationOptions.weight': learned } : {}),
  });
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
  const shape = [...x.shape.slice(0, -1), features];
  if (learned && isLearned(options) && !(learned.size === 1 || isPerColumn(learned, shape))) {
    const sums = linear(x, weight, { bias: bias ?? null });
    const result = options.activation(sums, learned, out ? { out } : {});
    sums.dispose();
    return result;
  }
  const fused = fusedOf(options);
  const tensors = [x, weight, ...(bias ? [bias] : []), ...(learned ? [learned] : [])];
  const recording = isRecording(tensors);
  checkOut('linear', out, { device, dtype: x.dtype, shape }, recording);

  const rows = view(x, [sizeOf(x.shape.slice(0, -1)), inputs]);
  const { args } = productOf(
    'linear',
    { tensor: rows, orientation: 'plain' },
    { tensor: weight, orientation: 'transposed' },
  );
  // The activation's gradient needs its input: in float32, whatever is stored.
  const keepInput = recording && fused !== null;
  const [output, before] = calling('linear', () =>
    run(
      matmulKernel,
      {
        ...{ ...args, bias: Boolean(bias), keepInput },
        ...(fused ? { activation: fused.activation } : {}),
      },
      [rows, ...tensors.slice(1)],
      [
        out ?? { shape, dtype: x.dtype },
        ...(keepInput ? [{ shape, dtype: 'float32' as const }] : []),
      ],
    ),
  );
  const saved = [
    ...[rows, weight],
    ...(before ? [before] : []),
    ...(before && learned ? [learned] : []),
  ];
  const recorded = record(
    output,
    'linear',
    tensors,
    saved,
    (upstream, [savedX, savedWeight, z, savedLearned], needs) => {
      if (!savedX || !savedWeight) return [];
      const of = { bias: bias ? 2 : -1, learned: learned ? tensors.length - 1 : -1 };
      const { tensor: gradOutput } = upstream;
      const wanted = needs[of.learned] ?? false;
      const [full, gradLearned] = throughActivation(fused, z, savedLearned, gradOutput, wanted);
      const grad = view(full, [savedX.shape[0] ?? 0, features]);
      full.dispose();
      const gradRows = needs[0] ? product(grad, savedWeight, 'plain', 'plain', x.dtype) : null;
      const gradX = gradRows && view(gradRows, x.shape);
      gradRows?.dispose();
      const [gradWeight, gradBias] = parameterGradients(grad, savedX, {
        weight: needs[1] ?? false,
        bias: needs[of.bias] ?? false,
      });
      grad.dispose();
      return [gradX, gradWeight, ...(bias ? [gradBias] : []), ...(learned ? [gradLearned] : [])];
    },
  );
  rows.dispose();
  before?.dispose();
  return recorded;
}

/** The gradients of the sums z and of the learned tensor. */
function throughActivation(
  fused: Fused | null,
  z: Tensor | undefined,
  learned: Tensor | undefined,
  gradOutput: Tensor,
  wanted: boolean,
): readonly [Tensor, Tensor | null] {
  if (z && learned && fused?.learnedGradients)
    return fused.learnedGradients(z, learned, gradOutput, wanted);
  return [(z && fused?.gradient?.(z, gradOutput)) ?? gradOutput.detach(), null];
}

/** The wanted gradients, gradᵀ x and the sums of the columns of grad; both in one launch. */
function parameterGradients(
  grad: Tensor,
  x: Tensor,
  wanted: { readonly weight: boolean; readonly bias: boolean },
): [weight: Tensor | null, bias: Tensor | null] {
  const { dtype } = x;
  const { shape, args } = productOf(
    'linear',
    { tensor: grad, orientation: 'transposed' },
    { tensor: x, orientation: 'plain' },
  );
  const features = [args.m];
  // A product without results has no launch that could sum on the way.
  const rowSums = wanted.weight && wanted.bias && sizeOf(shape) > 0;
  const [weight = null, sums = null] = wanted.weight
    ? run(
        matmulKernel,
        { ...args, rowSums },
        [grad, x],
        [{ shape, dtype }, ...(rowSums ? [{ shape: features, dtype }] : [])],
      )
    : [];
  if (!wanted.bias || sums) return [weight, sums];
  const reduced = reduceDims(grad, [0], 1, { dtype });
  const bias = view(reduced, features);
  reduced.dispose();
  return [weight, bias];
}

/** Whether an activation's learned tensor has one number per column of results that are a matrix. */
const isPerColumn = ({ rank, size }: Tensor, [rows, columns, ...others]: Shape): boolean =>
  rank === 1 && rows !== undefined && columns === size && others.length === 0;

function isLearned<S extends ParamSpecs>(
  options: LinearOptions<S>,
): options is FusedLearned & LinearOptions<S> {
  const named: unknown = options.activation;
  return typeof named === 'function' && 'learned' in named;
}

/** What is done with sums of a shape; null where they are the result. */
function fusedOf<S extends ParamSpecs>(options: LinearOptions<S>): Fused | null {
  if (isLearned(options)) {
    const { learned } = options.activation;
    const { weight } = options.activationOptions;
    const each = weight.size === 1 ? 'one' : 'columns';
    return {
      activation: { ...learned, params: {}, learned: each },
      learnedGradients: (z, savedWeight, gradOutput, wanted) => {
        const along = view(savedWeight, each === 'one' ? [] : [savedWeight.size]);
        const [gradZ, sums] = learned.gradients(z, along, gradOutput, wanted);
        along.dispose();
        const gradWeight = sums && view(sums, savedWeight.shape);
        sums?.dispose();
        return [gradZ, gradWeight];
      },
    };
  }
  const { activation, activationOptions } = options;
  const named: unknown = activation;
  if (named !== undefined && !(typeof named === 'function' && 'epilogue' in named)) {
    throw new OptionError({
      op: 'linear',
      argument: 'activation',
      expected: 'an elementwise activation such as relu',
      received: describe(named),
    });
  }
  if (!activation) {
    if (activationOptions === undefined) return null;
    throw new OptionError({
      op: 'linear',
      argument: 'activationOptions',
      expected: 'an activation with them',
      received: 'none',
    });
  }
  const { source, layout, resolve, forward, gradient } = activation.epilogue;
  const params = resolve('linear', activationOptions, []);
  return {
    activation: {
      ...{ source, layout, params: params },
      forward: (value, values) => forward(value, values as ParamsOf<S>),
    },
    gradient: (z, gradOutput) => gradient(z, gradOutput, params),
  };
}

/** The learned tensor of an activation that has one, checked. */
function learnedOf<S extends ParamSpecs>(options: LinearOptions<S>): Tensor | null {
  if (!isLearned(options)) return null;
  const given = options.activationOptions as { weight?: Tensor } | undefined;
  checkOptionNames('linear', given ?? {}, ['weight']);
  const weight: unknown = given?.weight;
  checkTensor('linear', 'activationOptions.weight', weight);
  return weight;
}
