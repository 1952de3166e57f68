import type { Tensor } from '../core/tensor.ts';
import {
  callChannelNorm,
  channelNormOp,
  CHANNEL_OPERANDS,
  checkChannels,
  checkGiven,
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
import { updateRunning } from '../define/running.ts';
import { reshape } from '../math/reshape.ts';

export interface InstanceNormOptions extends ChannelOperands {
  /** The mean of each channel, of shape [C]; updated where those of `x` are used, and used otherwise. */
  runningMean?: Tensor | null;
  /** The variance of each channel, of shape [C]. */
  runningVar?: Tensor | null;
  /** Whether mean and variance are those of `x`. Defaults to true. */
  useInputStats?: boolean;
  /** The weight of this batch in the running statistics. Defaults to 0.1. */
  momentum?: number;
  /** At least 0. Defaults to 1e-5. */
  eps?: number;
  /** Written instead of a new tensor; may be the input itself. Only where no gradient is recorded. */
  out?: Tensor;
}

const name = 'instanceNorm';
const op = /* @__PURE__ */ channelNormOp(name);
const specs = { useInputStats: true, momentum: 0.1, eps: EPS };
const TENSORS = [...CHANNEL_OPERANDS, 'runningMean', 'runningVar'];

/** Which elements are a row: those of a channel of an example. */
export default function instanceSetting(
  x: Seen,
  { batch, channels, spatial }: ChannelSizes,
): ChannelSetting {
  if (spatial === 1) refuseOneValue(name, 'more than one element behind each channel', x.shape);
  return {
    layout: { outer: batch * channels, n: spatial, inner: 1, span: spatial },
    channels: { groups: channels, each: 1, span: spatial },
  };
}

function apply(x: Tensor, options: InstanceNormOptions = {}): Tensor {
  const { eps, useInputStats, momentum } = resolveParams(name, specs, [...TENSORS, 'out'], options);
  const { runningMean, runningVar, weight, bias, out } = options;
  const tensors = { runningMean, runningVar, weight, bias };
  const sizes = checkChannels(name, x, tensors);
  const common = { op, x, operands: { weight: weight ?? null, bias: bias ?? null }, eps, out };
  if (useInputStats === 0) {
    return callChannelNorm({
      ...common,
      ...overBatch(sizes),
      given: checkGiven(name, runningMean, runningVar),
    });
  }
  const setting = instanceSetting(x, sizes);
  const running = { mean: runningMean ?? null, variance: runningVar ?? null, momentum };
  const updates = x.size > 0 && (running.mean ?? running.variance) !== null;
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

/**
 * (x - mean) / sqrt(variance + eps) · weight + bias, where mean and variance are those of a channel of one example; `x` is
 * [N, C, …], weight and bias are [C]. Running statistics, where they are given, move by `momentum` towards the mean of those of the
 * examples, as a part of the call; without `useInputStats` they are used instead. No gradient goes through them. One element behind
 * each channel is refused. Same shape, dtype and device as `x`. A channel that holds NaN or an infinity is NaN throughout.
 *
 * @example instanceNorm(x, { weight, bias })
 */
export const instanceNorm = /* @__PURE__ */ defineOp(apply, {
  op: name,
  kind: 'norm',
  params: { useInputStats: true, momentum: 0.1, eps: EPS.default },
  specs,
  weights: TENSORS,
  weightsOf: OF_CHANNELS,
  prepare: /* @__PURE__ */ prepareChannels(apply, [
    [1, 2, 16384],
    [1, 2, 1000],
    [4096, 4, 2],
  ]),
  accuracy: { forward: 8, backward: 12 },
  docs: {
    tex: String.raw`\frac{x_{nci} - \mu_{nc}}{\sqrt{\sigma^2_{nc} + \epsilon}} w_c + b_c`,
    derivative: String.raw`\partial y_i / \partial x_j = r w_c \left(\delta_{ij} - \tfrac{1}{n} - \tfrac{1}{n} z_i z_j\right), \quad z = r (x - \mu), \quad r = 1 / \sqrt{\sigma^2 + \epsilon}`,
    range: String.raw`[b_c - \sqrt{n} |w_c|, b_c + \sqrt{n} |w_c|]`,
    shapes:
      '`x` [N, C, …], `weight`, `bias`, `runningMean` and `runningVar` [C]; the result has the shape of `x`',
    torch: 'instance_norm',
    cite: 'Ulyanov, Vedaldi & Lempitsky 2016, Instance Normalization',
    use: 'For networks that generate images or transfer styles. It removes the contrast of each image, and with it a part of its style.',
  },
});

/** An `instanceNorm` module: its learned tensors and running statistics, null where it has none. */
export type InstanceNormModule = TrackingModule & { forward: (x: Tensor) => Tensor };

/** A module for so many dimensions behind the channels; an input without a batch is one example. */
function instanceNormModule(
  name: string,
  spatial: number,
): new (numFeatures: number, options?: TrackingOptions) => InstanceNormModule {
  return class extends TrackingModule {
    constructor(numFeatures: number, options: TrackingOptions = {}) {
      const defaults = { affine: false, trackRunningStats: false };
      super(name, [spatial + 1, spatial + 2], numFeatures, options, defaults);
    }

    override forward(x: Tensor): Tensor {
      this.checkInput(x, (rank) => rank - spatial - 1);
      const { weight, bias, eps, runningMean, runningVar, training } = this;
      const useInputStats = training || runningMean === null;
      const momentum = this.momentum ?? 0;
      const options = { weight, bias, eps, runningMean, runningVar, useInputStats, momentum };
      if (x.rank === spatial + 2) return instanceNorm(x, options);
      return reshape(instanceNorm(reshape(x, [1, ...x.shape]), options), x.shape);
    }
  };
}

/**
 * `instanceNorm` as a module for [N, C, L] and [C, L], with a learned weight and bias if `affine`, and running statistics if
 * `trackRunningStats`: moved in training mode, used in evaluation mode.
 */
export class InstanceNorm1d extends /* @__PURE__ */ instanceNormModule('InstanceNorm1d', 1) {}
/** The same for images, [N, C, H, W] and [C, H, W]. */
export class InstanceNorm2d extends /* @__PURE__ */ instanceNormModule('InstanceNorm2d', 2) {}
/** The same for volumes, [N, C, D, H, W] and [C, D, H, W]. */
export class InstanceNorm3d extends /* @__PURE__ */ instanceNormModule('InstanceNorm3d', 3) {}
