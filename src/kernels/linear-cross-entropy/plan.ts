// Plans the cross-entropy of a last linear layer, one chunk of classes at a time. The logits are computed, summed up
// per row, computed again, and overwritten with gradients.
import { BYTES } from '../../core/dtype.ts';
import type { Program } from '../../shader/link.ts';
import { statusCode } from '../../gpu/status.ts';
import {
  foldWorkgroups,
  UniformWriter,
  workgroupSize,
  type Binding,
  type Capabilities,
  type Kernel,
  type Launch,
  type BufferSlice,
  type Plan,
  type View,
} from '../../core/kernel.ts';
import { elementwise } from '../pointwise/elements.ts';
import { castArgs } from '../pointwise/identity.ts';
import {
  chunksOf,
  placesOf,
  STATISTICS,
  wantsGradients,
  type Chunk,
  type LinearCrossEntropyArgs,
} from './args.ts';
import { programFor, SLOTS } from './bindings.ts';
import { linearCrossEntropyReference } from './reference.ts';
import type { Matrix } from '../matmul/args.ts';
import { Products } from '../matmul/products.ts';
import { planSum } from '../reduce/sums.ts';

/**
 * Only `linearWeight` may be float16 here: each chunk of it is converted, and so is its gradient. All else is
 * float32.
 */
export const linearCrossEntropyKernel: Kernel<LinearCrossEntropyArgs> = {
  name: 'linearCrossEntropy',
  float16: 'native',
  widens: (args, output) => output !== placesOf(args).outputs.gradLinearWeight,
  plan: (args, inputs, outputs, caps) => new Planner(args, inputs, outputs, caps).plan(),
  cpu: linearCrossEntropyReference,
};

type Entry = 'weigh' | 'gather' | 'finish' | 'factors' | 'gradient';

/** Collects the launches of one call. */
class Planner {
  readonly #args: LinearCrossEntropyArgs;
  readonly #inputs: readonly View[];
  readonly #outputs: readonly View[];
  readonly #caps: Capabilities;
  readonly #rows: number;
  readonly #segments: number;
  readonly #weighted: boolean;
  readonly #chunks: readonly Chunk[];
  readonly #program: Program;
  readonly #launches: Launch[] = [];
  readonly #scratch: number[] = [];
  readonly #matmul: Products;
  /**
   * Scratch for the logits of a chunk and, if the weights are float16, for its weights (later their gradient) as
   * float32.
   */
  readonly #logits: Matrix;
  readonly #wide: Matrix | null;
  /** The chunk whose logits are in memory. */
  #current: Chunk | null = null;

  constructor(
    args: LinearCrossEntropyArgs,
    inputs: readonly View[],
    outputs: readonly View[],
    caps: Capabilities,
  ) {
    const half = inputs[1]?.dtype === 'float16';
    this.#args = args;
    this.#inputs = inputs;
    this.#outputs = outputs;
    this.#caps = caps;
    this.#matmul = new Products(this.#launches, this.#scratch, caps);
    this.#rows = args.batch * args.inner;
    this.#chunks = chunksOf(args, half, caps);
    this.#program = programFor(args);
    this.#weighted = args.target === 'probabilities' || args.labelSmoothing > 0;
    const largest = this.#chunks[0]?.count ?? 0;
    // If there are too few rows to keep the GPU busy, several invocations share a row of a chunk.
    const wanted = Math.ceil(caps.tuning.logitsInvocations / Math.max(this.#rows, 1));
    this.#segments = Math.max(1, Math.min(256, wanted, Math.ceil(largest / 32)));
    this.#logits = this.#allocate(this.#rows * largest);
    this.#wide = half ? this.#allocate(largest * args.inner * args.features) : null;
  }

  plan(): Plan {
    const { inputs, outputs } = this.#args;
    const statistics = inputs.statistics
      ? this.#input('statistics')
      : outputs.statistics
        ? this.#output('statistics')
        : this.#allocate(STATISTICS * this.#rows);
    const divisor = this.#divisor();
    if (outputs.loss) this.#losses(statistics, divisor);
    if (wantsGradients(this.#args)) this.#gradients(statistics, divisor);
    return { launches: this.#launches, scratch: this.#scratch };
  }

  /** Adds a scratch buffer of this many float32. */
  #allocate(count: number): Matrix {
    return { of: 'scratch', index: this.#scratch.push(4 * count) - 1, padded: true };
  }

  #input(name: keyof LinearCrossEntropyArgs['inputs']): BufferSlice {
    return { of: 'input', index: placesOf(this.#args).inputs[name] };
  }

  #output(name: keyof LinearCrossEntropyArgs['outputs']): BufferSlice {
    return { of: 'output', index: placesOf(this.#args).outputs[name] };
  }

  /** The window of a tensor [classes, ...] that belongs to a chunk. */
  #window(whole: BufferSlice, { first, count }: Chunk): { place: Matrix; view: View } {
    const tensor = (whole.of === 'input' ? this.#inputs : this.#outputs)[whole.index];
    if (!tensor) throw new RangeError('no such tensor');
    const each = tensor.size / this.#args.classes;
    const { dtype, padded } = tensor;
    const view = { shape: [count * each], size: count * each, dtype, padded };
    if (each === 0 || count === this.#args.classes) return { place: { ...whole, padded }, view };
    const offset = first * each * BYTES[dtype];
    const align = padded ? 16 : 4;
    const size = Math.ceil((view.size * BYTES[dtype]) / align) * align;
    return { place: { ...whole, padded, offset, size }, view };
  }

  /** Converts between a window of a float16 tensor and float32 scratch memory. */
  #cast(from: BufferSlice, to: BufferSlice, views: readonly [from: View, to: View]): void {
    const [source, target] = views;
    const { launches } = elementwise.plan(castArgs(source.shape), [source], [target], this.#caps);
    for (const launch of launches) {
      const bindings = launch.bindings.map(({ slot, access, of, ...part }): Binding => {
        const place = of === 'input' ? from : to;
        const size = part.size ?? place.size;
        const offset = (place.offset ?? 0) + (part.offset ?? 0);
        const window = size === undefined ? {} : { offset, size };
        return { slot, access, of: place.of, index: place.index, ...window };
      });
      this.#launches.push({ ...launch, bindings });
    }
  }

  /** The weights of a chunk as float32. */
  #weights(chunk: Chunk): Matrix {
    const { place, view } = this.#window({ of: 'input', index: 1 }, chunk);
    if (!this.#wide) return place;
    this.#cast(place, this.#wide, [view, { ...view, dtype: 'float32', padded: true }]);
    return this.#wide;
  }

  /** Computes the logits of a chunk, unless they are in memory already. */
  #makeLogits(chunk: Chunk): Matrix {
    if (this.#current?.first === chunk.first) {
      return this.#wide ?? this.#window({ of: 'input', index: 1 }, chunk).place;
    }
    this.#current = chunk;
    const { batch, inner, features, inputs } = this.#args;
    const weights = this.#weights(chunk);
    const bias = inputs.linearBias ? this.#window(this.#input('linearBias'), chunk).place : null;
    this.#matmul.add(
      {
        m: batch,
        n: chunk.count * inner,
        k: features,
        a: [features, 1],
        b: [1, features],
        bias: inputs.linearBias,
      },
      {
        a: { of: 'input', index: 0, padded: this.#inputs[0]?.padded ?? false },
        b: weights,
        c: this.#logits,
        ...(bias ? { bias } : {}),
      },
    );
    return weights;
  }

  /** The divisor of the sum over rows, if it depends on targets that only the GPU knows. */
  #divisor(): BufferSlice | null {
    const { reduction, target, inputs, outputs } = this.#args;
    if (inputs.divisor) return this.#input('divisor');
    if (reduction !== 'mean' || target !== 'classes') return null;
    const divisor = outputs.divisor ? this.#output('divisor') : this.#allocate(1);
    const weights = this.#allocate(this.#rows);
    this.#launch('weigh', { row_weights: weights });
    this.#sum(1, this.#rows, 1, weights, divisor);
    return divisor;
  }

  #sum(
    divisor: number,
    n: number,
    inner: number,
    from: BufferSlice,
    to: BufferSlice,
    by?: BufferSlice,
  ): void {
    const layout = { outer: 1, n, inner, divisor };
    const { launches, scratch } = planSum(layout, from, to, this.#scratch.length, this.#caps, by);
    this.#launches.push(...launches);
    this.#scratch.push(...scratch);
  }

  #losses(statistics: BufferSlice, divisor: BufferSlice | null): void {
    const { reduction, target } = this.#args;
    const parts = this.#allocate(STATISTICS * this.#rows * this.#segments);
    for (const chunk of this.#chunks) {
      this.#makeLogits(chunk);
      this.#launch('gather', { logits: this.#logits, parts }, chunk);
    }
    const loss = this.#output('loss');
    const losses = reduction === 'none' ? loss : this.#allocate(this.#rows);
    this.#launch('finish', { parts, joined: statistics, losses });
    if (reduction === 'none') return;
    const count = reduction === 'mean' && target === 'probabilities' ? this.#rows : 1;
    this.#sum(count, this.#rows, 1, losses, loss, divisor ?? undefined);
  }

  #gradients(statistics: BufferSlice, divisor: BufferSlice | null): void {
    const { batch, inner, features, outputs } = this.#args;
    const factors = this.#allocate(4 * this.#rows);
    this.#launch('factors', { statistics, row_factors: factors, ...(divisor ? { divisor } : {}) });
    const input: Matrix = { of: 'input', index: 0, padded: this.#inputs[0]?.padded ?? false };
    const gradInput: Matrix = { ...this.#output('gradInput'), padded: true };
    // The last chunk is processed first, because its logits are still in memory.
    for (const [i, chunk] of [...this.#chunks].reverse().entries()) {
      const weights = this.#makeLogits(chunk);
      this.#launch('gradient', { logits: this.#logits, factors_of: factors }, chunk);
      this.#current = null;
      const columns = chunk.count * inner;
      if (outputs.gradLinearBias) {
        const { place } = this.#window(this.#output('gradLinearBias'), chunk);
        this.#sum(1, batch, columns, this.#logits, place);
      }
      if (outputs.gradInput) {
        this.#matmul.add(
          {
            m: batch,
            n: features,
            k: columns,
            a: [columns, 1],
            b: [features, 1],
            accumulate: i > 0,
          },
          { a: this.#logits, b: weights, c: gradInput },
        );
      }
      if (outputs.gradLinearWeight) {
        const { place, view } = this.#window(this.#output('gradLinearWeight'), chunk);
        this.#matmul.add(
          { m: columns, n: features, k: batch, a: [1, columns], b: [features, 1] },
          { a: this.#logits, b: input, c: this.#wide ?? place },
        );
        if (this.#wide)
          this.#cast(this.#wide, place, [{ ...view, dtype: 'float32', padded: true }, view]);
      }
    }
  }

  #launch(
    entry: Entry,
    own: Readonly<Record<string, BufferSlice>>,
    { first, count }: Chunk = { first: 0, count: 0 },
  ): void {
    if (this.#rows === 0) return;
    const { target, inputs, outputs, classes, inner, reduction, temper } = this.#args;
    const elements = this.#rows * count;
    const size = workgroupSize(entry === 'gradient' ? 256 : 64, this.#caps);
    const needed = entry === 'gather' ? this.#rows * this.#segments : this.#rows;
    const workgroups: [number, number, number] =
      entry === 'gradient'
        ? [Math.min(Math.ceil(elements / size / 4), this.#caps.maxWorkgroups), 1, 1]
        : foldWorkgroups(Math.ceil(needed / size), this.#caps);
    const shared: Record<string, BufferSlice> = {
      target: { of: 'input', index: 2 },
      ...(inputs.weights ? { weights: this.#input('weights') } : {}),
      ...(entry === 'finish' && target === 'classes' ? { status: { of: 'status', index: 0 } } : {}),
      ...(entry === 'factors' && inputs.gradOutput
        ? { grad_output: this.#input('gradOutput') }
        : {}),
      ...(entry === 'gradient' && outputs.gradTarget
        ? { grad_target: this.#output('gradTarget') }
        : {}),
    };
    const bindings = Object.entries({ ...shared, ...own }).map(([name, place]): Binding => {
      const [slot, access] = SLOTS[name as keyof typeof SLOTS];
      return { slot, access, of: place.of, index: place.index };
    });
    const mean = reduction === 'mean' && target === 'probabilities';
    this.#launches.push({
      program: this.#program,
      entry,
      constants: {
        workgroup_size: size,
        ...(entry === 'weigh' ? {} : { weighted: Number(this.#weighted) }),
      },
      bindings,
      uniforms: new UniformWriter(16)
        .u32(classes, inner, this.#rows, first, count, this.#segments)
        .u32(workgroups[0] * size, elements, statusCode('linearCrossEntropy'))
        .i32(this.#args.ignoreIndex)
        .f32(this.#args.labelSmoothing, mean ? 1 / this.#rows : 1)
        .f32(temper?.softcap ?? 0, temper?.inverse ?? 1, temper?.zLoss ?? 0, 0).buffer,
      workgroups,
    });
  }
}
