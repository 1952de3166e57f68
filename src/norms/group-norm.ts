import { OptionError } from '../core/errors.ts';
import type { Tensor } from '../core/tensor.ts';
import { checkNumber, checkOptionNames } from '../core/validate-options.ts';
import { AffineModule, type AffineOptions } from '../define/channel-norm-module.ts';
import {
  callChannelNorm,
  channelNormOp,
  CHANNEL_OPERANDS,
  checkChannels,
  EPS,
  OF_CHANNELS,
  prepareChannels,
  refuseOneValue,
  type ChannelOperands,
  type ChannelSetting,
  type ChannelSizes,
  type Seen,
} from '../define/channel-norm.ts';
import { defineOp } from '../define/op.ts';
import { resolveParams } from '../define/params.ts';

export interface GroupNormOptions extends ChannelOperands {
  /** At least 0. Defaults to 1e-5. */
  eps?: number;
  /** Written instead of a new tensor; may be the input itself. Only where no gradient is recorded. */
  out?: Tensor;
}

const op = /* @__PURE__ */ channelNormOp('groupNorm');
const specs = { eps: EPS };

function refuseGroups(name: string, channels: number, numGroups: number): never {
  throw new OptionError({
    op: name,
    argument: 'numGroups',
    expected: `a divisor of the number of channels (${channels})`,
    received: String(numGroups),
  });
}

/** Which elements are a row: those of a group of channels of an example. */
export default function groupSetting(
  x: Seen,
  { batch, channels, spatial }: ChannelSizes,
  numGroups: number,
): ChannelSetting {
  checkNumber('groupNorm', 'numGroups', numGroups, { integer: true, min: 1 });
  if (channels % numGroups !== 0) refuseGroups('groupNorm', channels, numGroups);
  const each = channels / numGroups;
  if (batch * each * spatial === 1)
    refuseOneValue('groupNorm', 'more than one value of each group', x.shape);
  const n = each * spatial;
  return {
    layout: { outer: batch * numGroups, n, inner: 1, span: n },
    channels: { groups: numGroups, each, span: spatial },
  };
}

function apply(x: Tensor, numGroups: number, options: GroupNormOptions = {}): Tensor {
  const { eps } = resolveParams('groupNorm', specs, [...CHANNEL_OPERANDS, 'out'], options);
  checkNumber('groupNorm', 'numGroups', numGroups, { integer: true, min: 1 });
  const { weight, bias, out } = options;
  const sizes = checkChannels('groupNorm', x, { weight, bias });
  return callChannelNorm({
    op,
    x,
    ...groupSetting(x, sizes, numGroups),
    operands: { weight: weight ?? null, bias: bias ?? null },
    eps,
    out,
  });
}

/**
 * (x - mean) / sqrt(variance + eps) · weight + bias, where mean and variance are those of a group of neighbouring channels of one
 * example; `x` is [N, C, …], of any size behind the channels, and weight and bias are [C]. `numGroups` divides C. Same shape, dtype
 * and device as `x`. Exact to float32 where a group is far from 0. A group that holds NaN or an infinity is NaN throughout.
 *
 * @example groupNorm(x, 32, { weight, bias })
 */
export const groupNorm = /* @__PURE__ */ defineOp(apply, {
  op: 'groupNorm',
  kind: 'norm',
  params: { eps: EPS.default },
  specs,
  weights: CHANNEL_OPERANDS,
  weightsOf: OF_CHANNELS,
  prepare: /* @__PURE__ */ prepareChannels(
    (x, operands) => apply(x, Math.min(2, x.shape[1] ?? 1), operands),
    [
      [1, 4, 8192],
      [1, 4, 500],
      [4096, 4, 1],
    ],
  ),
  accuracy: { forward: 8, backward: 12 },
  docs: {
    tex: String.raw`\frac{x_{nci} - \mu_{ng}}{\sqrt{\sigma^2_{ng} + \epsilon}} w_c + b_c`,
    derivative: String.raw`\partial y_i / \partial x_j = r w_i \left(\delta_{ij} - \tfrac{1}{n} - \tfrac{1}{n} z_i z_j\right), \quad z = r (x - \mu), \quad r = 1 / \sqrt{\sigma^2 + \epsilon}`,
    range: String.raw`[b_c - \sqrt{n} |w_c|, b_c + \sqrt{n} |w_c|]`,
    shapes: '`x` [N, C, …], `weight` and `bias` [C]; the result has the shape of `x`',
    torch: 'group_norm',
    cite: 'Wu & He 2018, Group Normalization',
    use: 'For images when batches are too small for batchNorm. It normalises each example by itself, in training and in evaluation alike.',
  },
});

/** `groupNorm` as a module with, unless `affine` is false, a learned weight and bias per channel. */
export class GroupNorm extends AffineModule {
  /** Into how many groups channels are divided. */
  readonly numGroups: number;
  /** How many channels there are. */
  readonly numChannels: number;

  constructor(numGroups: number, numChannels: number, options: AffineOptions = {}) {
    const name = 'GroupNorm';
    checkOptionNames(name, options, ['eps', 'affine', 'device', 'dtype']);
    checkNumber(name, 'numGroups', numGroups, { integer: true, min: 1 });
    checkNumber(name, 'numChannels', numChannels, { integer: true, min: 1 });
    if (numChannels % numGroups !== 0) refuseGroups(name, numChannels, numGroups);
    super(name, numChannels, options);
    this.numGroups = numGroups;
    this.numChannels = numChannels;
  }

  override forward(x: Tensor): Tensor {
    const { weight, bias, eps } = this;
    return groupNorm(x, this.numGroups, { weight, bias, eps });
  }
}
