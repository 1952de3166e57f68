// The launches of attention for all batches: one, or, where a tensor is larger than a binding, one for each.
import { BYTES } from '../../core/dtype.ts';
import { LimitError } from '../../core/errors.ts';
import type { Capabilities, Launch } from '../../core/kernel.ts';
import { fits, type Region } from '../windows/regions.ts';
import { batchesOf, type AttentionArgs } from './args.ts';
import type { AttentionTensors } from './bindings.ts';
import { launchAttention, type Bound, type Entry, type Part } from './launch.ts';

/** Elements of a tensor that belong to a batch: how many, and where the first is. */
export interface Extent {
  readonly each: number;
  readonly first: (batch: number) => number;
}

/** A tensor of a launch, and what of it belongs to a batch: all where that is null. */
export interface PlacedTensor {
  readonly slot: number;
  readonly region: Region;
  readonly access: 'read' | 'write';
  readonly extent: Extent | null;
}

/** One launch for all batches, or, where a tensor is larger than a binding, one for each; of `step` batches together. */
export function launchBatches(
  op: string,
  args: AttentionArgs,
  entry: Entry,
  has: AttentionTensors,
  placed: readonly PlacedTensor[],
  caps: Capabilities,
  step: number,
): Launch[] {
  const batches = batchesOf(args);
  const launches: Launch[] = [];
  const whole = fits(
    placed.map(({ region }) => region.view),
    caps,
  );
  const count = whole ? batches : step;
  for (let first = 0; first < batches; first += count) {
    const part: Part = { first, count };
    const bound = placed.map(({ slot, region, access, extent }): Bound => {
      if (whole || !extent) return { slot, region, access, from: 0, count: region.view.size };
      // The batches of a part are heads side by side.
      const starts = Array.from({ length: count }, (_, i) => extent.first(first + i));
      const from = Math.min(...starts);
      const end = Math.max(...starts) + extent.each;
      const bytes = (end - from) * BYTES[region.view.dtype] + caps.offsetAlignment;
      if (!fits([region.view], caps) && bytes > caps.maxBindingSize) refuse(op, region, caps);
      return { slot, region, access, from, count: end - from };
    });
    launches.push(launchAttention(args, entry, has, bound, part, caps));
  }
  return launches;
}

/** A matrix of one head that no binding holds. */
export function refuse(op: string, { view }: Region, caps: Capabilities, argument?: string): never {
  throw new LimitError({
    op,
    ...(argument === undefined ? {} : { argument }),
    expected: `matrices of one head of at most ${caps.maxBindingSize} bytes`,
    received: `a tensor of ${view.size * BYTES[view.dtype]} bytes`,
  });
}
