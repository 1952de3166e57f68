// Plans tensors that are larger than a binding, part by part: each launch binds windows of the tensors. A part that does
// not lie together in memory, or does not begin where a binding may, goes through a copy.
import { BYTES } from '../../core/dtype.ts';
import type { Binding, Capabilities, Launch, Plan, View } from '../../core/kernel.ts';
import { planCopy, wordsOf } from './copy.ts';
import { denseOf, fits, stretch, type Block, type Region, type RowRegion } from './regions.ts';

/** Some rows of a computation. */
export interface RowPart {
  /** The extents of the part. */
  readonly outer: number;
  readonly inner: number;
  /** Slices and columns ahead of it, and its first row among all. */
  readonly slice: number;
  readonly column: number;
  readonly first: number;
  /** Among the parts. */
  readonly index: number;
  readonly count: number;
}

/** A plan that is put together from plans of parts. */
export class Windows implements Plan {
  readonly launches: Launch[] = [];
  readonly scratch: number[] = [];
  readonly caps: Capabilities;
  /** Scratch of the part being planned, which the next one uses again. */
  readonly #shared: number[] = [];
  #used = 0;
  readonly #written: (readonly [from: Region, to: Region, block: Block])[] = [];

  constructor(caps: Capabilities) {
    this.caps = caps;
  }

  /** Most elements of a part: as many as a binding spans, of float32. */
  get most(): number {
    return Math.floor(this.caps.maxBindingSize / 16) * 4;
  }

  /** Scratch that stays. */
  keep(size: number): Region {
    const index = this.scratch.push(bytesOf(size)) - 1;
    return { of: 'scratch', index, view: { shape: [size], size, dtype: 'float32', padded: true } };
  }

  /** Scratch until the end of the part. */
  #share(size: number, dtype: View['dtype']): Region {
    let index = this.#shared[this.#used];
    if (index === undefined) this.#shared.push((index = this.scratch.push(0) - 1));
    this.#used++;
    const bytes = Math.ceil((size * BYTES[dtype]) / 16) * 16;
    this.scratch[index] = Math.max(this.scratch[index] ?? 0, bytes);
    const view: View = { shape: [size], size, dtype, padded: true };
    return { of: 'scratch', index, offset: 0, size: Math.max(bytes, 16), view };
  }

  /** Elements to read: where they are, or a copy. One of float16 is float32. */
  read(from: Region, block: Block): Region {
    const there = this.#inPlace(from, block);
    if (there) return there;
    const dtype = from.view.dtype === 'float16' ? 'float32' : from.view.dtype;
    const copy = this.#share(block.runs * block.length, dtype);
    this.launches.push(...planCopy([from, block], [copy, denseOf(block)], this.caps));
    return copy;
  }

  /** The same, in place also where the runs do not lie together; and how far apart they are. */
  readRuns(from: Region, block: Block): { region: Region; stride: number } {
    const { offset, runs, length, stride } = block;
    const region = this.#inPlace(from, stretch(offset, (runs - 1) * stride + length));
    return region ? { region, stride } : { region: this.read(from, block), stride: length };
  }

  /** Where to write elements; they are in their places when the part ends. */
  write(to: Region, block: Block): Region {
    const there = this.#inPlace(to, block);
    if (there) return there;
    const copy = this.#share(block.runs * block.length, to.view.dtype);
    this.#written.push([copy, to, block]);
    return copy;
  }

  #inPlace(region: Region, { offset, runs, length, stride }: Block): Region | null {
    const { view } = region;
    const size = runs * length;
    if (offset === 0 && size === view.size && (runs === 1 || stride === length))
      return fits([view], this.caps) ? region : null;
    const { offsetAlignment, maxBindingSize } = this.caps;
    const start = offset * BYTES[view.dtype];
    const bytes = Math.ceil((size * BYTES[view.dtype]) / 4) * 4;
    const together = runs === 1 || stride === length;
    if (!together || start % offsetAlignment !== 0 || bytes > maxBindingSize) return null;
    // Behind its last element there is padding, or an element of the next part.
    const padded = bytes % 16 === 0 || (view.padded && offset + size === view.size);
    return {
      ...region,
      offset: (region.offset ?? 0) + start,
      size: Math.max(4, padded ? Math.ceil(bytes / 16) * 16 : bytes),
      view: { shape: [size], size, dtype: view.dtype, padded },
    };
  }

  /** Adds the launches of a plan whose tensors are at these places. */
  add(plan: Plan, inputs: readonly Region[], outputs: readonly Region[]): void {
    const scratch = plan.scratch.map((bytes) => this.#share(Math.ceil(bytes / 4), 'float32'));
    for (const launch of plan.launches) {
      const bindings = launch.bindings.map((binding): Binding => {
        if (binding.of === 'status') return binding;
        const list = { input: inputs, output: outputs, scratch }[binding.of];
        const region = list[binding.index];
        if (!region) throw new RangeError(`no operand ${binding.index}`);
        const { slot, access } = binding;
        const size = binding.size ?? region.size;
        const offset = (region.offset ?? 0) + (binding.offset ?? 0);
        const window = size === undefined ? {} : { offset, size };
        return { slot, access, of: region.of, index: region.index, ...window };
      });
      this.launches.push({ ...launch, bindings });
    }
  }

  /** What `plan` writes goes to its place in the end, and its scratch may be used again. Parts may have parts. */
  part(plan: () => void): void {
    const used = this.#used;
    const before = this.#written.length;
    plan();
    for (const [from, to, block] of this.#written.splice(before)) {
      const half = to.view.dtype === 'float16';
      const parts = [[from, denseOf(block)] as const, [to, block] as const];
      const [source = [from, block], target = [to, block]] = half ? parts.map(wordsOf) : parts;
      this.launches.push(...planCopy(source, target, this.caps));
    }
    this.#used = used;
  }

  /**
   * Plans rows part by part: some slices of [outer, each, inner], or some columns of one. `plan` gives what is to be added,
   * or has added it. False, and nothing planned, where a row is longer than a binding.
   */
  rows(
    layout: { readonly outer: number; readonly inner: number },
    inputs: readonly RowRegion[],
    outputs: readonly RowRegion[],
    plan: (part: RowPart, inputs: readonly Region[], outputs: readonly Region[]) => Plan | null,
  ): boolean {
    const { inner } = layout;
    const parts = this.#partsOf(layout, [...inputs, ...outputs]);
    for (const part of parts) {
      const { slice, column } = part;
      const blockOf = (each: number): Block =>
        part.inner === inner
          ? stretch(slice * each * inner, part.outer * each * inner)
          : {
              offset: slice * each * inner + column,
              runs: each,
              length: part.inner,
              stride: inner,
            };
      this.part(() => {
        const ins = inputs.map((r) => (r.each === null ? r : this.read(r, blockOf(r.each))));
        const outs = outputs.map((r) => (r.each === null ? r : this.write(r, blockOf(r.each))));
        const more = plan(part, ins, outs);
        if (more) this.add(more, ins, outs);
      });
    }
    return parts.length > 0;
  }

  #partsOf(
    { outer, inner }: { readonly outer: number; readonly inner: number },
    regions: readonly RowRegion[],
  ): RowPart[] {
    const each = Math.max(1, ...regions.map((region) => region.each ?? 0));
    const slices = Math.floor(this.most / (each * inner));
    let [height, width] = [slices, inner];
    if (slices === 0) {
      const columns = Math.floor(this.most / each);
      if (columns === 0) return [];
      [height, width] = [1, columns < 64 ? columns : Math.floor(columns / 64) * 64];
    } else {
      // So many slices end where a binding may begin, in every tensor.
      const steps = regions.map((r) =>
        r.each === null
          ? 1
          : stepOf(r.each * inner * BYTES[r.view.dtype], this.caps.offsetAlignment),
      );
      const step = Math.max(1, ...steps);
      if (slices >= step) height = Math.floor(slices / step) * step;
    }
    const across = Math.ceil(inner / width);
    const count = Math.ceil(outer / height) * across;
    return Array.from({ length: count }, (_, index) => {
      const slice = Math.floor(index / across) * height;
      const column = (index % across) * width;
      return {
        outer: Math.min(height, outer - slice),
        inner: Math.min(width, inner - column),
        slice,
        column,
        first: slice * inner + column,
        index,
        count,
      };
    });
  }
}

/** An empty plan. */
export const windows = (caps: Capabilities): Windows => new Windows(caps);

const bytesOf = (size: number): number => Math.max(16, Math.ceil(size / 4) * 16);

/** How many pieces of so many bytes it takes to end at a multiple of the alignment, which is a power of two. */
function stepOf(bytes: number, alignment: number): number {
  let step = alignment;
  while (step > 1 && (bytes * step) % (2 * alignment) === 0) step /= 2;
  return step;
}
