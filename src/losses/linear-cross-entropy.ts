// The cross-entropy of the logits of a last linear layer, with gradients. The logits are never all in memory at once.
import { currentDevice } from '../core/current.ts';
import type { Device } from '../core/device.ts';
import { likesOf, planGradients, recordFused } from '../define/fused-gradient.ts';
import { REDUCTIONS, type Reduction } from '../define/reduction.ts';
import { defineOp } from '../define/op.ts';
import { resolveTemper, TEMPER, type TemperOptions } from '../define/temper.ts';
import { warmUp } from '../define/prepare.ts';
import { run } from '../core/dispatcher.ts';
import { encode, type FloatDType } from '../core/dtype.ts';
import { OptionError } from '../core/errors.ts';
import { castTo } from '../kernels/pointwise/basic.ts';
import { STATISTICS, type LinearCrossEntropyArgs } from '../kernels/linear-cross-entropy/args.ts';
import { linearCrossEntropyKernel } from '../kernels/linear-cross-entropy/plan.ts';
import { mul } from '../math/arithmetic.ts';
import { reshape } from '../math/reshape.ts';
import { Linear } from '../nn/layers.ts';
import { Module } from '../nn/module.ts';
import { formatShape, sizeOf, type Shape } from '../core/shape.ts';
import { fromHost, type Tensor } from '../core/tensor.ts';
import { checkOut, checkPlacement, checkShape, checkTensor } from '../core/validate.ts';
import {
  checkBoolean,
  checkNumber,
  checkOneOf,
  checkOptionNames,
} from '../core/validate-options.ts';
import { checkClassIndices } from '../core/validate-targets.ts';
import { checkShapes, checkTensorsOf, type Operands } from './linear-cross-entropy-checks.ts';

const NAME = 'linearCrossEntropy';
/** The default memory budget, 8 MiB. */
const MEMORY_BUDGET = 2 ** 23;
const OPTIONS = [
  'linearBias',
  'weight',
  'reduction',
  'ignoreIndex',
  'labelSmoothing',
  'memoryBudget',
  ...TEMPER,
  'out',
];

export interface LinearCrossEntropyOptions extends TemperOptions {
  /** One number per logit, of shape [C, d1, …]: added to the product. */
  linearBias?: Tensor;
  /** A factor for each class, of shape [C]. */
  weight?: Tensor;
  /** `'mean'` (default): the sum over the sum of the targets' weights; `'sum'`; `'none'`: one loss per target. */
  reduction?: Reduction;
  /**
   * Targets with this index add nothing to the loss, to the gradient or to the weight of a mean. Defaults to -100.
   */
  ignoreIndex?: number;
  /** From 0 (default) to 1: the share of each target that is spread evenly over all classes. */
  labelSmoothing?: number;
  /**
   * Bytes of logits that are in memory at a time on the GPU; 8 MiB by default. Classes are processed in chunks that
   * fit, of at least 128 classes. A smaller budget needs more launches. If gradients are needed, logits that do not
   * all fit are computed twice.
   */
  memoryBudget?: number;
  /** Written instead of a new tensor. Only where no gradient is recorded. */
  out?: Tensor;
}

type Gradients = Pick<
  LinearCrossEntropyArgs['outputs'],
  'gradInput' | 'gradLinearWeight' | 'gradLinearBias' | 'gradTarget'
>;

/**
 * Runs the kernel with float32 copies of float16 tensors. The kernel itself converts `linearWeight`, chunk by chunk.
 */
function compute(
  args: LinearCrossEntropyArgs,
  tensors: readonly Tensor[],
  outputs: Parameters<typeof run>[3],
): [Tensor, ...Tensor[]] {
  const copies: Tensor[] = [];
  const inputs = tensors.map((tensor, i) => {
    if (i === 1 || tensor.dtype !== 'float16') return tensor;
    const wide = castTo(tensor, 'float32');
    copies.push(wide);
    return wide;
  });
  try {
    return run(linearCrossEntropyKernel, args, inputs, outputs);
  } finally {
    for (const copy of copies) copy.dispose();
  }
}

function apply(
  input: Tensor,
  linearWeight: Tensor,
  target: Tensor,
  options: LinearCrossEntropyOptions = {},
): Tensor {
  checkOptionNames(NAME, options, OPTIONS);
  const { linearBias, weight, reduction = 'mean', ignoreIndex = -100, out } = options;
  const { labelSmoothing = 0, memoryBudget = MEMORY_BUDGET } = options;
  checkOneOf(NAME, 'reduction', reduction, REDUCTIONS);
  checkNumber(NAME, 'ignoreIndex', ignoreIndex, { integer: true });
  checkNumber(NAME, 'labelSmoothing', labelSmoothing, { min: 0, max: 1 });
  checkNumber(NAME, 'memoryBudget', memoryBudget, { min: 0, above: true });
  const temper = resolveTemper(NAME, options);
  const operands: Operands = { input, linearWeight, target, linearBias, weight };
  checkTensorsOf(NAME, operands);
  const hard = target.dtype === 'int32';
  if (!hard && ignoreIndex >= 0) {
    throw new OptionError({
      op: NAME,
      argument: 'ignoreIndex',
      expected: 'none for targets that are class probabilities',
      received: String(ignoreIndex),
      hint: `target has shape ${formatShape(target.shape)} and dtype ${target.dtype}`,
    });
  }
  const { rowShape, ...extents } = checkShapes(NAME, operands);
  if (hard) checkClassIndices(NAME, target, extents.classes, ignoreIndex);
  // In the order in which the kernel writes their gradients.
  const inputs = [input, linearWeight, ...(linearBias ? [linearBias] : []), target];
  const plan = planGradients(inputs, reduction);
  const shape = reduction === 'none' ? rowShape : [];
  const { dtype, device } = input;
  checkOut(NAME, out, { device, dtype, shape }, plan.recording);

  // An upstream gradient other than 1 multiplies the gradients written in the forward pass. In float16 these may have
  // underflowed or overflowed, so they are computed again, as they are if none were written.
  const again = plan.recording && (reduction === 'none' || dtype === 'float16');
  const divided = hard && reduction === 'mean';
  const biased = linearBias !== undefined;
  const gradients = (wanted: readonly boolean[]): Gradients => ({
    gradInput: wanted[0] ?? false,
    gradLinearWeight: wanted[1] ?? false,
    gradLinearBias: biased && (wanted[2] ?? false),
    gradTarget: wanted.at(-1) ?? false,
  });
  const args: LinearCrossEntropyArgs = {
    ...extents,
    ignoreIndex: ignoreIndex,
    labelSmoothing,
    reduction,
    temper,
    memoryBudget,
    target: hard ? 'classes' : 'probabilities',
    inputs: {
      linearBias: biased,
      weights: weight !== undefined,
      statistics: false,
      divisor: false,
      gradOutput: false,
    },
    outputs: {
      loss: true,
      ...gradients(plan.fused),
      statistics: again,
      divisor: again && divided,
    },
  };
  const tensors = [input, linearWeight, target, linearBias, weight].filter((t) => t !== undefined);
  const kept = [
    { shape: [STATISTICS, extents.batch * extents.inner], dtype: 'float32' as const },
    ...(divided ? [{ shape: [1], dtype: 'float32' as const }] : []),
  ];
  const likes = likesOf(inputs, plan.needs);
  return recordFused({
    op: NAME,
    inputs,
    plan,
    operands: again ? tensors : [],
    outputs: compute(args, tensors, [
      out ?? { shape, dtype },
      ...likesOf(inputs, plan.fused),
      ...(again ? kept : []),
    ]),
    backward: (saved, gradOutput, fused) => {
      if (!again) return fused.map((grad) => mul(grad, gradOutput));
      const later: LinearCrossEntropyArgs = {
        ...args,
        inputs: { ...args.inputs, statistics: true, divisor: divided, gradOutput: true },
        outputs: { loss: false, ...gradients(plan.needs), statistics: false, divisor: false },
      };
      return compute(later, [...saved, gradOutput], likes);
    },
  });
}

/**
 * Cross-entropy of the logits of a linear layer, `crossEntropy(linear(input, linearWeight, { bias: linearBias }), target)`,
 * without holding all logits: classes are taken in chunks, of which `memoryBudget` bytes are there at a time, and the
 * gradients of a `'mean'` or `'sum'` are written in the forward pass. For large vocabularies.
 *
 * `input` is [N, in] or [in], `linearWeight` [C, in], `target` int32 class indices [N] or class probabilities [N, C]. A
 * `linearWeight` of shape [C, d1, …, in] gives logits [N, C, d1, …] and takes targets [N, d1, …]. Gradients for `input`,
 * `linearWeight`, `linearBias` and class probabilities. A class index out of range throws where the host has the targets;
 * where only the GPU has, its loss is NaN, and the next read throws.
 *
 * @example linearCrossEntropy(hidden, weight, tokens)
 */
export const linearCrossEntropy = /* @__PURE__ */ defineOp(apply, {
  op: NAME,
  kind: 'loss',
  docs: {
    tex: String.raw`-w_y \log \frac{e^{z_y}}{\sum_c e^{z_c}}, \quad z = W x + b`,
    derivative: String.raw`\sum_c w_y (\mathrm{softmax}(z)_c - \delta_{cy}) W_c`,
    range: String.raw`[0, \infty)`,
    shapes:
      'input [N, in] or [in], linearWeight [C, d1, …, in], linearBias [C, d1, …], target (int32) [N, d1, …] or probabilities [N, C, d1, …], weight [C]; result: a scalar, or [N, d1, …] with reduction `none`',
    torch: 'linear_cross_entropy',
    cite: 'Hsu et al. 2024, Liger Kernel; Wijmans et al. 2024, Cut Your Losses in Large-Vocabulary Language Models',
    use: 'The last linear layer of a language model and crossEntropy in one call, for when the logits of all classes do not fit into memory. If the logits need more than memoryBudget, the gradient costs a third more multiplications than linear and crossEntropy.',
  },
  accuracy: { forward: 8, backward: 8 },
  params: {},
  prepare: (device: Device, dtype: FloatDType) => {
    const target = fromHost(encode('int32', [0]), [1], 'int32', device);
    for (const reduction of REDUCTIONS) {
      const shapes = [
        [1, 2],
        [2, 2],
      ];
      warmUp(device, dtype, shapes, (input, linearWeight) => {
        apply(input.detach(), linearWeight.detach(), target, { reduction });
        return apply(input, linearWeight, target, { reduction });
      });
    }
  },
});

/** Options of `nn.LinearCrossEntropyLoss`. */
export interface LinearCrossEntropyLossOptions extends Omit<
  LinearCrossEntropyOptions,
  'linearBias' | 'out'
> {
  /** The dimensions d1, ...: each class has one logit at each position. None by default. */
  outFeatures?: Shape;
  /** Whether to add a learned bias. Defaults to false, as in PyTorch. */
  bias?: boolean;
  /** Defaults to the device of the latest `init()`. */
  device?: Device;
  /** Defaults to `'float32'`. */
  dtype?: FloatDType;
}

/**
 * A linear layer and the cross-entropy of its logits; `linearCrossEntropy` as a module. `forward(input, target)`. Its
 * parameters are `linear.weight` [C · d1 · …, inFeatures] and, with `bias`, `linear.bias`, as in PyTorch.
 */
export class LinearCrossEntropyLoss extends Module {
  /** The layer that makes the logits. */
  readonly linear: Linear;
  readonly #shape: Shape;
  readonly #options: LinearCrossEntropyOptions;

  constructor(inFeatures: number, numClasses: number, options: LinearCrossEntropyLossOptions = {}) {
    super();
    const layer = ['outFeatures', 'bias', 'device', 'dtype'];
    const own = OPTIONS.filter((name) => name !== 'linearBias' && name !== 'out');
    checkOptionNames('LinearCrossEntropyLoss', options, [...layer, ...own]);
    const { outFeatures = [], bias = false, ...others } = options;
    const { device = currentDevice(), dtype = 'float32', ...rest } = others;
    const op = 'LinearCrossEntropyLoss';
    checkNumber(op, 'inFeatures', inFeatures, { min: 1, integer: true });
    checkNumber(op, 'numClasses', numClasses, { min: 1, integer: true });
    checkShape(op, 'outFeatures', outFeatures);
    checkBoolean(op, 'bias', bias);
    checkPlacement(op, device, dtype);
    if (rest.weight !== undefined) checkTensor(op, 'weight', rest.weight);
    this.#shape = [numClasses, ...outFeatures];
    this.#options = rest;
    const linear = new Linear(inFeatures, sizeOf(this.#shape), { bias, device, dtype });
    this.linear = this.child('linear', linear);
    // A class weight is part of the state, as in PyTorch.
    if (rest.weight !== undefined) this.buffer('weight', rest.weight);
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    const { weight, bias } = this.linear;
    const flat = this.#shape.length === 1;
    return linearCrossEntropy(
      input,
      flat ? weight : reshape(weight, [...this.#shape, weight.shape[1] ?? 0]),
      target,
      {
        ...this.#options,
        ...(bias ? { linearBias: flat ? bias : reshape(bias, this.#shape) } : {}),
      },
    );
  }
}
