// Runs and records norms whose operands have an element per channel, the second dimension of x: groupNorm, instanceNorm and
// batchNorm are layerNorm's rows, of other elements.
import wgsl from '../../shaders/norms/layer-norm.wgsl?raw';
import type { Device } from '../core/device.ts';
import type { FloatDType } from '../core/dtype.ts';
import { OptionError, ShapeError } from '../core/errors.ts';
import { formatShape, sizeOf, type Shape } from '../core/shape.ts';
import type { Tensor } from '../core/tensor.ts';
import { checkRank, checkShapeIs, checkTensors } from '../core/validate.ts';
import { KEPT, type Channels, type NormLayout, type NormOp } from '../kernels/norm/args.ts';
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

/** Checks x and its operands; gives the number of channels, and of elements behind each. */
export function checkChannels(
  op: string,
  x: Tensor,
  rank: number,
  tensors: Readonly<Record<string, Tensor | null | undefined>>,
): { batch: number; channels: number; spatial: number } {
  const given = Object.entries(tensors).flatMap(([name, tensor]): [string, Tensor][] =>
    tensor === undefined || tensor === null ? [] : [[name, tensor]],
  );
  checkTensors(op, { x, ...Object.fromEntries(given) });
  checkRank(op, { x }, rank);
  const [batch = 0, channels = 0, ...rest] = x.shape;
  for (const [name, tensor] of given) checkShapeIs(op, name, tensor, [channels]);
  return { batch, channels, spatial: sizeOf(rest) };
}

/** PyTorch refuses rows of one element, whose result would be 0 whatever they hold. */
export function refuseOneValue(op: string, expected: string, shape: Shape): never {
  throw new ShapeError({ op, argument: 'x', expected, received: `shape ${formatShape(shape)}` });
}

/** Running statistics that are used instead of those of x. */
export function checkGiven(
  op: string,
  runningMean: Tensor | null | undefined,
  runningVar: Tensor | null | undefined,
): readonly [mean: Tensor, variance: Tensor] {
  if (runningMean && runningVar) return [runningMean, runningVar];
  throw new OptionError({
    op,
    argument: runningMean ? 'runningVar' : 'runningMean',
    expected: 'a tensor where the statistics of x are not used',
    received: 'none',
  });
}

/** How the elements of each channel of [N, C, …] lie in memory. */
export function channelRows(batch: number, channels: number, spatial: number): NormLayout {
  const n = batch * spatial;
  if (batch === 1) return { outer: channels, n, inner: 1, span: n };
  if (spatial === 1) return { outer: 1, n, inner: channels, span: n };
  return { outer: channels, n, inner: 1, span: spatial };
}

export function callChannelNorm(call: ChannelNormCall): Tensor {
  const { op, x, layout, channels, operands, eps, out, given, moments } = call;
  const there = op.operands.flatMap(({ name }): Tensor[] => {
    const tensor = name === 'weight' ? operands.weight : operands.bias;
    return tensor ? [tensor] : [];
  });
  // Gradients are in the order of the inputs: x, and the operands that there are.
  const has = [operands.weight, operands.bias].map(Boolean);
  const places = has.map((is, i) => (is ? 1 + Number(i === 1 && has[0] === true) : -1));
  const rows = layout.outer * layout.inner;
  const common = { op, layout, channels, eps, given: given !== undefined };
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
    forward: (keeps) => ({
      ...common,
      direction: 'forward' as const,
      has,
      keeps,
      moments: moments !== undefined,
    }),
    backward: (needs) => ({
      ...common,
      direction: 'backward' as const,
      has: [has[0] === true, false],
      wants: { x: needs[0] ?? false, operands: places.map((i) => i > 0 && (needs[i] ?? false)) },
    }),
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
