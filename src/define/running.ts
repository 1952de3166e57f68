// Updates running statistics as a part of a call: whole or not at all, and where the call itself fails, not at all.
import { noGrad } from '../core/autograd.ts';
import { run } from '../core/dispatcher.ts';
import { sizeOf } from '../core/shape.ts';
import type { Tensor } from '../core/tensor.ts';
import { reduceDims, view } from '../kernels/reduce/sum-to.ts';
import { runningKernel } from '../kernels/running/plan.ts';

/** What is updated: null is not there. */
export interface Running {
  readonly mean: Tensor | null;
  readonly variance: Tensor | null;
  /** The number of batches so far: an int32 scalar, which grows by one. */
  readonly batches?: Tensor | null;
  /** The weight of this batch; null gives each batch the same, by their number. */
  readonly momentum: number | null;
}

/** Adds the mean and the variance of a batch, of several examples' channels those of each. They are disposed. */
export function updateRunning(op: string, running: Running, mean: Tensor, variance: Tensor): void {
  const { batches = null, momentum } = running;
  const pairs = (
    [
      [running.mean, mean],
      [running.variance, variance],
    ] as const
  ).flatMap(([to, seen]) => (to ? [{ to, seen: meanOver(seen, to.size) }] : []));
  const { device } = mean;
  // A batch that has failed leaves them as they were.
  device.begin(op, () => undefined);
  try {
    const statistics = pairs.map(({ to }) => to);
    const counted = batches ? [batches] : [];
    const args = { statistics: pairs.length, counts: batches !== null, momentum };
    const inputs = [...statistics, ...pairs.map(({ seen }) => seen), ...counted];
    if (statistics.length + counted.length > 0)
      noGrad(() => run(runningKernel, args, inputs, [...statistics, ...counted]));
  } finally {
    device.end();
    for (const tensor of [mean, variance, ...pairs.map(({ seen }) => seen)]) tensor.dispose();
  }
}

/** The mean of several channels' numbers over examples. */
function meanOver(seen: Tensor, channels: number): Tensor {
  const batch = channels === 0 ? 1 : sizeOf(seen.shape) / channels;
  if (batch === 1) return seen;
  const all = view(seen, [batch, channels]);
  const mean = reduceDims(all, [0], batch);
  all.dispose();
  return mean;
}
