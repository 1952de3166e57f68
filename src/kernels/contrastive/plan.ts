// Plans losses of the similarities of all rows with all columns, a chunk of rows at a time: the matrix is never held
// whole. Products are computed, summed up per row (and per column), computed again, and overwritten with gradients, which
// are multiplied into those of the embeddings.
import { BYTES } from '../../core/dtype.ts';
import {
  type BufferSlice,
  type Capabilities,
  type Kernel,
  type Launch,
  type Plan,
  type View,
} from '../../core/kernel.ts';
import type { Source } from '../../shader/link.ts';
import type { Matrix } from '../matmul/args.ts';
import { Products } from '../matmul/products.ts';
import { normalizeRows, type RowsPlace } from '../normalize/plan.ts';
import { planSum } from '../reduce/sums.ts';
import {
  chunksOf,
  columnsOf,
  EPSILON,
  lossesOf,
  sidesOf,
  type Chunk,
  type ContrastiveArgs,
  type TensorName,
} from './args.ts';
import { isSummed, rowsOf, wantsGradients, type SLOTS } from './bindings.ts';
import {
  contrastiveLaunch,
  settingOf,
  type Entry,
  type LaunchSetting,
  type Slices,
} from './launch.ts';
import { contrastiveReference } from './reference.ts';

/** The kernel of a form of loss. Each loss imports its form only, so that bundlers drop the other. */
export function contrastiveKernel(name: string, form: Source): Kernel<ContrastiveArgs> {
  return {
    name,
    float16: 'convert',
    plan: (args, inputs, outputs, caps) => new Planner(args, form, inputs, outputs, caps).plan(),
    cpu: contrastiveReference,
  };
}

/** Collects the launches of one call. */
class Planner {
  readonly #args: ContrastiveArgs;
  readonly #inputs: readonly View[];
  readonly #outputs: readonly View[];
  readonly #caps: Capabilities;
  readonly #chunks: readonly Chunk[];
  readonly #setting: LaunchSetting;
  readonly #launches: Launch[] = [];
  readonly #scratch: number[] = [];
  readonly #matmul: Products;
  readonly #products: Matrix;
  /** What the entries bind, made where a call needs it. */
  readonly #slices: Slices = {};
  /** The columns: an input, or its rows divided by their lengths. */
  readonly #columns: Matrix;
  /** The rows of a chunk, divided by their lengths, and those of their positives; their gradients. */
  readonly #units: Matrix | null;
  readonly #ownUnits: Matrix | null;
  readonly #gradUnits: Matrix | null;
  /** The chunk whose products are in memory. */
  #current: Chunk | null = null;

  constructor(
    args: ContrastiveArgs,
    form: Source,
    inputs: readonly View[],
    outputs: readonly View[],
    caps: Capabilities,
  ) {
    const { pairing, columns, features, normalize } = args;
    this.#args = args;
    this.#inputs = inputs;
    this.#outputs = outputs;
    this.#caps = caps;
    this.#matmul = new Products(this.#launches, this.#scratch, caps);
    this.#chunks = chunksOf(args, caps);
    const most = Math.max(0, ...this.#chunks.map(({ count }) => count));
    this.#setting = settingOf(args, form, most, this.#slices, caps);
    this.#products = this.#slices.products = this.#allocate(most * columns);
    const grads = wantsGradients(args);
    const rows = (count: number): Matrix => this.#allocate(count * features);
    this.#units = normalize ? rows(most) : null;
    this.#ownUnits = normalize && pairing === 'own' ? rows(most) : null;
    this.#gradUnits = normalize && grads ? rows(most) : null;
    this.#columns = this.#columnsOf();
    const named: [TensorName, keyof typeof SLOTS][] = [
      ['labels', 'labels'],
      ['scale', 'scale'],
      ['bias', 'bias'],
      ['gradOutput', 'grad_output'],
    ];
    for (const [name, slot] of named)
      if (args.inputs.includes(name)) this.#slices[slot] = this.#input(name);
    if (grads && pairing !== 'logistic') this.#slices.row_lines = this.#allocate(4 * rowsOf(args));
    if (pairing === 'own') {
      this.#slices.own_products = this.#allocate(most);
      if (grads) this.#slices.own_grads = this.#allocate(most);
    }
    if (pairing === 'both') {
      this.#slices.parts = this.#allocate(3 * columns * this.#setting.segments);
      if (grads) this.#slices.column_lines = this.#allocate(4 * columns);
    }
    if (args.outputs.includes('loss')) {
      const loss = this.#output('loss');
      this.#slices.losses = args.reduction === 'none' ? loss : this.#allocate(lossesOf(args).count);
    }
  }

  plan(): Plan {
    const { pairing, outputs, reduction } = this.#args;
    const lost = outputs.includes('loss');
    const grads = wantsGradients(this.#args);
    const alone = pairing === 'logistic';
    const gradient = grads ? this.#gradients() : null;
    if (lost || !alone) {
      for (const [i, chunk] of this.#chunks.entries()) {
        this.#multiply(chunk);
        this.#launch('rows', chunk);
        if (pairing === 'both') this.#launch('columns', chunk, i === 0);
        if (alone) gradient?.(chunk, i === 0);
      }
      if (pairing === 'both') this.#launch('finish_columns', null);
    } else {
      for (const [i, chunk] of this.#chunks.entries()) {
        this.#multiply(chunk);
        gradient?.(chunk, i === 0);
      }
    }
    if (gradient && !alone) {
      // The last chunk is processed first, because its products are still in memory.
      for (const [i, chunk] of [...this.#chunks].reverse().entries()) {
        this.#multiply(chunk);
        gradient(chunk, i === 0);
      }
    }
    if (grads) this.#finishGradients();
    const { losses } = this.#slices;
    if (losses && reduction !== 'none') {
      const { count } = lossesOf(this.#args);
      this.#sum(reduction === 'mean' ? count : 1, count, losses, this.#output('loss'));
    }
    return { launches: this.#launches, scratch: this.#scratch };
  }

  /** Adds a scratch buffer of this many float32. */
  #allocate(count: number): Matrix {
    return { of: 'scratch', index: this.#scratch.push(4 * Math.max(count, 4)) - 1, padded: true };
  }

  #input(name: TensorName): Matrix {
    const index = this.#args.inputs.indexOf(name);
    return { of: 'input', index, padded: this.#inputs[index]?.padded ?? false };
  }

  #output(name: TensorName): Matrix {
    const index = this.#args.outputs.indexOf(name);
    return { of: 'output', index, padded: this.#outputs[index]?.padded ?? false };
  }

  /** The window of some rows of a tensor [rows, features]. */
  #window(whole: Matrix, { first, count }: Chunk): Matrix {
    const { features, rows } = this.#args;
    if (count === rows || features === 0) return whole;
    const align = whole.padded ? 16 : 4;
    const size = Math.ceil((count * features * BYTES.float32) / align) * align;
    return { ...whole, offset: first * features * BYTES.float32, size };
  }

  /** Divides rows by their lengths, or, with an upstream gradient, computes their gradient. */
  #normalize(rows: number, x: RowsPlace, y: RowsPlace, gradOutput?: RowsPlace): void {
    const { features } = this.#args;
    if (rows * features === 0) return;
    const layout = { outer: rows, n: features, inner: 1 };
    const places = { x, y, ...(gradOutput ? { gradOutput } : {}) };
    this.#launches.push(normalizeRows({ p: 2, eps: EPSILON, layout }, places, this.#caps));
  }

  #columnsOf(): Matrix {
    const { normalize, columns, rows, features } = this.#args;
    const name = columnsOf(this.#args);
    if (!normalize) return this.#input(name ?? 'left');
    const units = this.#allocate(columns * features);
    const parts = name ? [name] : sidesOf(this.#args);
    for (const [i, part] of parts.entries()) {
      const x = { place: this.#input(part), first: 0 };
      const y = { place: units, first: i * rows * features };
      this.#normalize(name ? columns : rows, x, y);
    }
    return units;
  }

  /** Rows of a chunk of an input, divided by their lengths into `units` where there are such. */
  #rowsOf(name: TensorName, chunk: Chunk, units: Matrix | null): Matrix {
    const x = this.#input(name);
    if (!units) return this.#window(x, chunk);
    const first = chunk.first * this.#args.features;
    this.#normalize(chunk.count, { place: x, first }, { place: units, first: 0 });
    return units;
  }

  /** The rows of the chunk whose products are in memory, and those of their positives. */
  #left: Matrix | null = null;
  #own: Matrix | null = null;

  /** Computes the products of a chunk, unless they are in memory already. */
  #multiply(chunk: Chunk): void {
    if (this.#current?.at === chunk.at) return;
    this.#current = chunk;
    const { pairing, columns: n, features: k } = this.#args;
    const { own_products: ownProducts } = this.#slices;
    const a = (this.#left = this.#rowsOf(chunk.side, chunk, this.#units));
    this.#matmul.add(
      { m: chunk.count, n, k, a: [k, 1], b: [1, k] },
      { a, b: this.#columns, c: this.#products },
    );
    if (pairing !== 'own' || !ownProducts) return;
    const own = (this.#own = this.#rowsOf('right', chunk, this.#ownUnits));
    const batches = { batch: [chunk.count], aBatch: [k], bBatch: [k] };
    this.#matmul.add(
      { m: 1, n: 1, k, a: [k, 1], b: [1, k], ...batches },
      { a, b: own, c: { ...ownProducts, padded: true } },
    );
  }

  /** What overwrites the products of a chunk with their gradients, and multiplies these into those of the embeddings. */
  #gradients(): (chunk: Chunk, fresh: boolean) => void {
    const { outputs, columns: k, features: n, normalize } = this.#args;
    const by = columnsOf(this.#args);
    const wantsColumns = by !== null && outputs.includes(by);
    const gradColumns = !wantsColumns
      ? null
      : normalize
        ? (this.#gradColumns = this.#allocate(k * n))
        : { ...this.#output(by), padded: this.#output(by).padded };
    if (isSummed(this.#args)) this.#slices.sums = this.#allocate(2 * this.#setting.invocations);
    return (chunk, fresh) => {
      this.#launch('gradient', chunk, fresh);
      this.#current = null;
      const left = this.#left;
      if (!left) return;
      if (outputs.includes(chunk.side)) {
        const whole = this.#output(chunk.side);
        const c = this.#gradUnits ?? this.#window(whole, chunk);
        this.#matmul.add(
          { m: chunk.count, n, k, a: [k, 1], b: [n, 1] },
          { a: this.#products, b: this.#columns, c },
        );
        this.#addOwn(chunk, this.#own, c, true);
        this.#through(chunk.side, chunk);
      }
      if (outputs.includes('right') && this.#own) {
        const c = this.#gradUnits ?? this.#window(this.#output('right'), chunk);
        this.#addOwn(chunk, left, c, false);
        this.#through('right', chunk);
      }
      if (gradColumns) {
        this.#matmul.add(
          { m: k, n, k: chunk.count, a: [1, k], b: [n, 1], accumulate: !fresh },
          { a: this.#products, b: left, c: gradColumns },
        );
      }
    };
  }

  #gradColumns: Matrix | null = null;

  /** Rows times the gradients of their own products: as the gradients of their positives, or added to what is there. */
  #addOwn(chunk: Chunk, rows: Matrix | null, c: Matrix, accumulate: boolean): void {
    const { own_grads: grads } = this.#slices;
    if (!rows || !grads) return;
    const n = this.#args.features;
    const batches = { batch: [chunk.count], aBatch: [1], bBatch: [n] };
    this.#matmul.add(
      { m: 1, n, k: 1, a: [1, 1], b: [n, 1], ...batches, accumulate },
      { a: { ...grads, padded: true }, b: rows, c },
    );
  }

  /** The gradient of a chunk's rows from that of rows divided by their lengths. */
  #through(name: TensorName, { first: row, count }: Chunk): void {
    if (!this.#gradUnits) return;
    const first = row * this.#args.features;
    this.#normalize(
      count,
      { place: this.#input(name), first },
      { place: this.#output(name), first },
      { place: this.#gradUnits, first: 0 },
    );
  }

  /** What is done once all chunks are. */
  #finishGradients(): void {
    const { columns, outputs, features } = this.#args;
    const by = columnsOf(this.#args);
    if (this.#chunks.length === 0) {
      // Without rows all other gradients are sums of no terms.
      const nothing = (m: number, n: number, c: Matrix): void => {
        const places = { a: this.#products, b: this.#products, c };
        this.#matmul.add({ m, n, k: 0, a: [0, 1], b: [1, 0] }, places);
      };
      if (by && outputs.includes(by))
        nothing(columns, features, this.#gradColumns ?? this.#output(by));
      for (const name of ['scale', 'bias'] as const)
        if (outputs.includes(name)) nothing(1, 1, this.#output(name));
    }
    if (this.#gradColumns && by) {
      const at = (place: BufferSlice): RowsPlace => ({ place, first: 0 });
      this.#normalize(columns, at(this.#input(by)), at(this.#output(by)), at(this.#gradColumns));
    }
    const { sums } = this.#slices;
    if (!sums || this.#chunks.length === 0) return;
    const count = this.#setting.invocations;
    const half = { ...sums, size: 4 * count };
    if (outputs.includes('scale'))
      this.#sum(1, count, { ...half, offset: 0 }, this.#output('scale'));
    if (outputs.includes('bias'))
      this.#sum(1, count, { ...half, offset: 4 * count }, this.#output('bias'));
  }

  #sum(divisor: number, n: number, from: BufferSlice, to: BufferSlice): void {
    const layout = { outer: 1, n, inner: 1, divisor };
    const { launches, scratch } = planSum(layout, from, to, this.#scratch.length, this.#caps);
    this.#launches.push(...launches);
    this.#scratch.push(...scratch);
  }

  #launch(entry: Entry, chunk: Chunk | null, fresh = false): void {
    if (this.#args.columns === 0 && entry !== 'rows') return;
    this.#launches.push(contrastiveLaunch(this.#setting, entry, chunk, fresh));
  }
}
