// Runs and records norms whose operands have an element per channel, the second dimension of x: groupNorm, instanceNorm and
// batchNorm are layerNorm's rows, of other elements.
import wgsl from '../../shaders/norms/layer-norm.wgsl?raw';
import type { Device } from '../core/device.ts';
import type { FloatDType } from '../core/dtype.ts';
import { OptionError, ShapeError } from '../core/errors.ts';
import { formatShape, sizeOf, type Shape } from '../core/shape.ts';
import type { Tensor } from '../core/tensor.ts';
import { checkRank, checkShapeIs, checkTensors } from '../core/validate.ts';
import {
  KEPT,
  type Channels,
  type NormArgs,
  type NormLayout,
  type NormOp,
} from '../kernels/norm/args.ts';
import { normKernel } from '../kernels/norm/plan.ts';
import { backward, forward } from '../norms/standardise.ts';
import { sqrt } from '../shader/lib.ts';
import { source } from '../shader/link.ts';
import { warmUp } from './prepare.ts';
import { callRows } from './rows.ts';

/** What a channel's elements are multiplied by, and what is added. */
export interface ChannelOperands {
  /** A factor per channel, of shape [C]; null is none. */
  weight?: Tensor | null;
  /** A term per channel, of shape [C]; null is none. */
  bias?: Tensor | null;
}

export const CHANNEL_OPERANDS = ['weight', 'bias'];
export const OF_CHANNELS = 'one element per channel';
export const EPS = { default: 1e-5, min: 0 };

/** The kernel's op: layerNorm's, under a name of its own. */
export function channelNormOp(name: string): NormOp {
  return {
    name,
    source: source(`${name}.wgsl`, wgsl, [sqrt]),
    operands: [
      { name: 'weight', absent: 1, saved: true, term: 'b' },
      { name: 'bias', absent: 0, saved: false, term: 'a' },
    ],
    degree: 2,
    forward,
    backward,
  };
}

export interface ChannelNormCall {
  readonly op: NormOp;
  readonly x: Tensor;
  readonly layout: NormLayout;
  readonly channels: Channels;
  readonly operands: ChannelOperands;
  readonly eps: number;
  readonly out: Tensor | undefined;
  /** Mean and variance of each channel, where they are not those of x. */
  readonly given?: readonly [mean: Tensor, variance: Tensor];
  /** Gets mean and unbiased variance of each row, and disposes them. */
  readonly moments?: ((mean: Tensor, variance: Tensor) => void) | undefined;
}

/** What has a shape. */
export interface Seen {
  readonly shape: Shape;
}

/** How many examples, channels, and elements behind each there are. */
export interface ChannelSizes {
  readonly batch: number;
  readonly channels: number;
  readonly spatial: number;
}

/** Which elements are a row, and which operands each of them has. */
export interface ChannelSetting {
  readonly layout: NormLayout;
  readonly channels: Channels;
}

/** Checks the shapes of x and of what it goes with. */
export function channelSizes(
  op: string,
  x: Seen,
  tensors: Readonly<Record<string, Seen | null | undefined>>,
): ChannelSizes {
  checkRank(op, { x }, 2);
  const [batch = 0, channels = 0, ...rest] = x.shape;
  for (const [name, tensor] of Object.entries(tensors))
    if (tensor) checkShapeIs(op, name, tensor, [channels]);
  return { batch, channels, spatial: sizeOf(rest) };
}

/** Checks x and its operands; gives the number of channels, and of elements behind each. */
export function checkChannels(
  op: string,
  x: Tensor,
  tensors: Readonly<Record<string, Tensor | null | undefined>>,
): ChannelSizes {
  const given = Object.entries(tensors).flatMap(([name, tensor]): [string, Tensor][] =>
    tensor === undefined || tensor === null ? [] : [[name, tensor]],
  );
  checkTensors(op, { x, ...Object.fromEntries(given) });
  return channelSizes(op, x, tensors);
}

/** PyTorch refuses rows of one element, whose result would be 0 whatever they hold. */
export function refuseOneValue(op: string, expected: string, shape: Shape): never {
  throw new ShapeError({ op, argument: 'x', expected, received: `shape ${formatShape(shape)}` });
}

/** Running statistics that are used instead of those of x. */
export function checkGiven<T>(
  op: string,
  runningMean: T | null | undefined,
  runningVar: T | null | undefined,
): readonly [mean: T, variance: T] {
  if (runningMean && runningVar) return [runningMean, runningVar];
  throw new OptionError({
    op,
    argument: runningMean ? 'runningVar' : 'runningMean',
    expected: 'a tensor where the statistics of x are not used',
    received: 'none',
  });
}

/** How the elements of each channel of [N, C, …] lie in memory. */
function channelRows(batch: number, channels: number, spatial: number): NormLayout {
  const n = batch * spatial;
  if (batch === 1) return { outer: channels, n, inner: 1, span: n };
  if (spatial === 1) return { outer: 1, n, inner: channels, span: n };
  return { outer: channels, n, inner: 1, span: spatial };
}

/** The rows of statistics that are given, or that are those of a channel over the batch. */
export function overBatch({ batch, channels, spatial }: ChannelSizes): ChannelSetting {
  return {
    layout: channelRows(batch, channels, spatial),
    channels: { groups: channels, each: 1, span: batch * spatial },
  };
}

/** What a call is for the kernel. `has`: whether there are a weight and a bias; gradients are in the order of x and of those that there are. */
export function channelArgs(
  {
    op,
    layout,
    channels,
    eps,
    given,
    moments,
  }: ChannelSetting & {
    readonly op: NormOp;
    readonly eps: number;
    readonly given: boolean;
    readonly moments: boolean;
  },
  has: readonly boolean[],
): {
  readonly rows: number;
  readonly forward: (keeps: boolean) => NormArgs;
  readonly backward: (needs: readonly boolean[]) => NormArgs;
} {
  const places = has.map((is, i) => (is ? 1 + Number(i === 1 && has[0] === true) : -1));
  const common = { op, layout, channels, eps, given };
  return {
    rows: layout.outer * layout.inner,
    forward: (keeps) => ({ ...common, direction: 'forward', has, keeps, moments }),
    backward: (needs) => ({
      ...common,
      direction: 'backward',
      has: [has[0] === true, false],
      wants: { x: needs[0] ?? false, operands: places.map((i) => i > 0 && (needs[i] ?? false)) },
    }),
  };
}

export function callChannelNorm(call: ChannelNormCall): Tensor {
  const { op, x, layout, channels, operands, eps, out, given, moments } = call;
  const there = op.operands.flatMap(({ name }): Tensor[] => {
    const tensor = name === 'weight' ? operands.weight : operands.bias;
    return tensor ? [tensor] : [];
  });
  const has = [operands.weight, operands.bias].map(Boolean);
  const setting = { op, layout, channels, eps, given: given !== undefined };
  const { rows, forward, backward } = channelArgs(
    { ...setting, moments: moments !== undefined },
    has,
  );
  return callRows({
    op: op.name,
    kernel: normKernel,
    inputs: [x, ...there],
    ...(given ? { constants: given } : {}),
    out,
    saves: { inputs: has[0] ? [0, 1] : [0], statistics: [rows, KEPT] },
    ...(moments
      ? {
          also: {
            shapes: [[rows], [rows]],
            take: ([mean, variance]) => {
              if (mean && variance) moments(mean, variance);
            },
          },
        }
      : {}),
    forward,
    backward,
  });
}

/** Compiles what calls with rows of each kind of tiling launch. */
export function prepareChannels(
  apply: (x: Tensor, operands: { weight: Tensor; bias: Tensor }) => Tensor,
  shapes: readonly Shape[],
): (device: Device, dtype: FloatDType) => void {
  return (device, dtype) => {
    for (const shape of shapes) {
      const [, c = 1] = shape;
      warmUp(device, dtype, [shape, [c], [c]], (...leaves) => {
        const [x, weight, bias] = leaves as unknown as [Tensor, Tensor, Tensor];
        return apply(x, { weight, bias });
      });
    }
  };
}
