// Products of single matrices that a plan makes on the way: they run one after another, and share scratch for sums of splits.
import type { Capabilities, Launch } from '../../core/kernel.ts';
import type { MatmulArgs, MatmulPlaces } from './args.ts';
import { planProduct } from './launch.ts';

/** Without batches. */
const SINGLE = { batch: [], aBatch: [], bBatch: [] };

/** Adds products to a plan's launches and scratch. */
export class Products {
  readonly #launches: Launch[];
  readonly #scratch: number[];
  readonly #caps: Capabilities;
  /** The scratch that all of them share, once one has needed it. */
  #splitSums: number | null = null;

  constructor(launches: Launch[], scratch: number[], caps: Capabilities) {
    this.#launches = launches;
    this.#scratch = scratch;
    this.#caps = caps;
  }

  add(
    args: Omit<MatmulArgs, keyof typeof SINGLE> & Partial<MatmulArgs>,
    places: MatmulPlaces,
  ): void {
    const index = this.#splitSums ?? this.#scratch.length;
    const { launches, scratch } = planProduct({ ...SINGLE, ...args }, places, this.#caps, index);
    this.#launches.push(...launches);
    const [bytes] = scratch;
    if (bytes === undefined) return;
    this.#splitSums = index;
    this.#scratch[index] = Math.max(bytes, this.#scratch[index] ?? 0);
  }
}
