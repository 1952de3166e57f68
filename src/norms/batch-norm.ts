import { calling } from '../core/calling.ts';
import type { Tensor } from '../core/tensor.ts';
import {
  callChannelNorm,
  channelNormOp,
  checkGiven,
  CHANNEL_OPERANDS,
  checkChannels,
  EPS,
  OF_CHANNELS,
  prepareChannels,
  overBatch,
  refuseOneValue,
  type ChannelOperands,
  type ChannelSetting,
  type ChannelSizes,
  type Seen,
} from '../define/channel-norm.ts';
import { TrackingModule, type TrackingOptions } from '../define/channel-norm-module.ts';
import { defineOp } from '../define/op.ts';
import { resolveParams } from '../define/params.ts';
import { updateRunning, type Running } from '../define/running.ts';

export interface BatchNormOptions extends ChannelOperands {
  /** The mean of each channel, of shape [C]; updated in training, used otherwise. */
  runningMean?: Tensor | null;
  /** The variance of each channel, of shape [C]. */
  runningVar?: Tensor | null;
  /** Whether mean and variance are those of `x`. Defaults to false. */
  training?: boolean;
  /** The weight of this batch in the running statistics. Defaults to 0.1. */
  momentum?: number;
  /** At least 0. Defaults to 1e-5. */
  eps?: number;
  /** Written instead of a new tensor; may be the input itself. Only where no gradient is recorded. */
  out?: Tensor;
}

const name = 'batchNorm';
const op = /* @__PURE__ */ channelNormOp(name);
const specs = { training: false, momentum: 0.1, eps: EPS };
const TENSORS = [...CHANNEL_OPERANDS, 'runningMean', 'runningVar'];

/** Which elements are a row, in training: those of a channel over the batch. */
export default function batchSetting(x: Seen, sizes: ChannelSizes): ChannelSetting {
  if (sizes.batch * sizes.spatial === 1)
    refuseOneValue(name, 'more than one value of each channel in training', x.shape);
  return overBatch(sizes);
}

function apply(x: Tensor, options: BatchNormOptions = {}): Tensor {
  return calling(name, () => normalise(x, options));
}

/** The same with a count of batches (see `Running`), for the module. */
function batchNormCounted(
  x: Tensor,
  options: BatchNormOptions,
  counted: Pick<Running, 'batches' | 'momentum'>,
): Tensor {
  return calling(name, () => normalise(x, options, counted));
}

function normalise(
  x: Tensor,
  options: BatchNormOptions,
  counted?: Pick<Running, 'batches' | 'momentum'>,
): Tensor {
  const { eps, training, momentum } = resolveParams(name, specs, [...TENSORS, 'out'], options);
  const { weight, bias, runningMean, runningVar, out } = options;
  const tensors = { runningMean, runningVar, weight, bias };
  const sizes = checkChannels(name, x, tensors);
  const common = {
    op,
    x,
    operands: { weight: weight ?? null, bias: bias ?? null },
    eps,
    out,
  };
  if (training === 1) {
    const setting = batchSetting(x, sizes);
    const running = {
      mean: runningMean ?? null,
      variance: runningVar ?? null,
      batches: counted?.batches ?? null,
      momentum: counted ? counted.momentum : momentum,
    };
    const updates = x.size > 0 && (running.mean ?? running.variance ?? running.batches) !== null;
    return callChannelNorm({
      ...common,
      ...setting,
      moments: updates
        ? (mean, variance) => {
            updateRunning(name, running, mean, variance);
          }
        : undefined,
    });
  }
  const given = checkGiven(name, runningMean, runningVar);
  return callChannelNorm({ ...common, ...overBatch(sizes), given });
}

/**
 * (x - mean) / sqrt(variance + eps) · weight + bias, where in training mean and variance are those of a channel over the batch, and
 * otherwise `runningMean` and `runningVar`; `x` is [N, C, …], the others are [C]. Training moves the running statistics, where they
 * are given, by `momentum` towards those of the batch, as a part of the call; of the variance it is the unbiased one. No gradient
 * goes through them. One value per channel is refused in training. Same shape, dtype and device as `x`. A channel that holds NaN or
 * an infinity is NaN throughout.
 *
 * @example batchNorm(x, { runningMean, runningVar, weight, bias, training: true })
 */
export const batchNorm = /* @__PURE__ */ defineOp(apply, {
  op: name,
  kind: 'norm',
  params: { training: false, momentum: 0.1, eps: EPS.default },
  specs,
  weights: TENSORS,
  weightsOf: OF_CHANNELS,
  prepare: /* @__PURE__ */ prepareChannels(
    (x, operands) => apply(x, { ...operands, training: true }),
    [
      [2, 2, 8192],
      [2, 2, 500],
      [2, 4096, 1],
    ],
  ),
  accuracy: { forward: 8, backward: 12 },
  docs: {
    tex: String.raw`\frac{x_{nci} - \mu_c}{\sqrt{\sigma^2_c + \epsilon}} w_c + b_c`,
    derivative: String.raw`\partial y_i / \partial x_j = r w_c \left(\delta_{ij} - \tfrac{1}{n} - \tfrac{1}{n} z_i z_j\right) \text{ in training, otherwise } r w_c \delta_{ij}, \quad z = r (x - \mu), \quad r = 1 / \sqrt{\sigma^2 + \epsilon}`,
    range: String.raw`(-\infty, \infty)`,
    shapes:
      '`x` [N, C, …], `weight`, `bias`, `runningMean` and `runningVar` [C]; the result has the shape of `x`',
    torch: 'batch_norm',
    cite: 'Ioffe & Szegedy 2015, Batch Normalization',
    use: 'For convolutional networks that are trained with large batches. After training it only multiplies each channel by a factor and adds a term. With small batches its statistics are noisy.',
  },
});

/** A `batchNorm` module for inputs of so many dimensions. */
function batchNormModule(
  name: string,
  ranks: readonly number[],
): new (numFeatures: number, options?: TrackingOptions) => BatchNormModule {
  return class extends TrackingModule {
    constructor(numFeatures: number, options: TrackingOptions = {}) {
      super(name, ranks, numFeatures, options, { affine: true, trackRunningStats: true });
    }

    override forward(x: Tensor): Tensor {
      this.checkInput(x, () => 1);
      const { weight, bias, eps, runningMean, runningVar, training } = this;
      const { numBatchesTracked: batches, momentum } = this;
      // Without running statistics those of the batch are used in evaluation mode too.
      const own = training || runningMean === null;
      const options = { weight, bias, eps, runningMean, runningVar, training: own };
      return batchNormCounted(x, options, { batches, momentum });
    }
  };
}

/** A `batchNorm` module: its learned tensors and running statistics, null where it has none. */
export type BatchNormModule = TrackingModule & { forward: (x: Tensor) => Tensor };

/**
 * `batchNorm` as a module for [N, C] and [N, C, L], with, unless `affine` is false, a learned weight and bias, and, unless
 * `trackRunningStats` is false, running statistics: moved in training mode, used in evaluation mode. A `momentum` of null gives
 * each batch the same weight in them.
 */
export class BatchNorm1d extends /* @__PURE__ */ batchNormModule('BatchNorm1d', [2, 3]) {}
/** The same for images, [N, C, H, W]. */
export class BatchNorm2d extends /* @__PURE__ */ batchNormModule('BatchNorm2d', [4]) {}
/** The same for volumes, [N, C, D, H, W]. */
export class BatchNorm3d extends /* @__PURE__ */ batchNormModule('BatchNorm3d', [5]) {}
