// Plans attention: the result of each row; and in the backward direction first the row sums of gradient times result, then the
// gradients of query, of key and value together, and of the mask.
import { LimitError } from '../../core/errors.ts';
import { BYTES, type DType } from '../../core/dtype.ts';
import {
  opName,
  type Capabilities,
  type Kernel,
  type Launch,
  type Plan,
  type View,
} from '../../core/kernel.ts';
import { fits, inputsOf, outputsOf, type Region } from '../windows/regions.ts';
import {
  batchesOf,
  inputsAt,
  outputsAt,
  placesOf,
  sharedHeads,
  type AttentionArgs,
  type AttentionBackward,
  type AttentionForward,
} from './args.ts';
import { launchBatches, refuse, type Extent, type PlacedTensor } from './batches.ts';
import { isPacked, SLOTS, sumQuadsOf, type AttentionTensors } from './bindings.ts';
import { entryOfRows, entryOfTiles, maskRepeats, type Entry } from './launch.ts';
import { computeAttention } from './reference.ts';

export const attentionKernel: Kernel<AttentionArgs> = {
  name: 'attention',
  float16: 'native',
  // Two rows may share a word. The mask's elements are written one by one.
  widens: (args, output) => {
    if (args.direction === 'forward') return !isPacked(args.valueColumns);
    const at = outputsAt(args);
    if (output === at.value) return !isPacked(args.valueColumns);
    return output === at.query || output === at.key ? !isPacked(args.columns) : true;
  },
  plan,
  cpu: computeAttention,
};

/** Columns that a row may have: its sums are in registers. */
const MOST_COLUMNS = 256;

function plan(
  args: AttentionArgs,
  inputs: readonly View[],
  outputs: readonly View[],
  caps: Capabilities,
): Plan {
  const columns = Math.max(args.columns, args.valueColumns);
  if (columns > MOST_COLUMNS) {
    throw new LimitError({
      op: opName(attentionKernel, args),
      argument: args.columns > MOST_COLUMNS ? 'query' : 'value',
      expected: `rows of at most ${MOST_COLUMNS} on WebGPU`,
      received: `rows of ${columns}`,
    });
  }
  const planned = new AttentionPlan(args, inputs, outputs, caps);
  if (args.direction === 'forward') planned.forward(args);
  else planned.backward(args);
  return planned;
}

class AttentionPlan implements Plan {
  readonly launches: Launch[] = [];
  readonly scratch: number[] = [];
  readonly #args: AttentionArgs;
  readonly #inputs: readonly Region[];
  readonly #outputs: readonly Region[];
  readonly #caps: Capabilities;
  readonly #whole: boolean;

  constructor(
    args: AttentionArgs,
    inputs: readonly View[],
    outputs: readonly View[],
    caps: Capabilities,
  ) {
    this.#args = args;
    this.#inputs = inputsOf(inputs);
    this.#outputs = outputsOf(outputs);
    this.#caps = caps;
    this.#whole = fits([...inputs, ...outputs], caps);
  }

  /** Tiles have rows and keys; where there are none, what adds up nothing is as good. */
  get #byTiles(): boolean {
    return this.#caps.tuning.attentionByTiles && this.#args.rows * this.#args.keys > 0;
  }

  forward(args: AttentionForward): void {
    const { rows, valueColumns, keeps } = args;
    if (valueColumns === 0 && !keeps) return;
    const has = this.#tensors({
      newResult: this.#outputs[0]?.view.dtype,
      newStatistics: keeps,
    });
    const entry = this.#byTiles
      ? entryOfTiles('forward_tiles', args)
      : entryOfRows('forward_rows', Math.ceil(rows / 4), this.#caps);
    this.#add(entry, has, [
      ...this.#operands(),
      ...this.#sinks(),
      ...this.#ofRows(SLOTS.newResult, this.#outputs[0], valueColumns, 'write'),
      ...this.#ofRows(SLOTS.newStatistics, keeps ? this.#outputs[1] : undefined, 4, 'write'),
    ]);
  }

  backward(args: AttentionBackward): void {
    const { rows, keys, columns, valueColumns, wants } = args;
    const batches = batchesOf(args);
    const at = inputsAt(args);
    const to = outputsAt(args);
    const output = (index: number): Region | undefined => this.#outputs[index];
    const upstream = this.#inputs[at.gradOutput];
    // Statistics with the row sums.
    const size = batches * rows * 4;
    const view: View = { shape: [size], size, dtype: 'float32', padded: true };
    this.scratch.push(Math.max(16, size * BYTES.float32));
    const statistics: Region = { of: 'scratch', index: 0, view };
    const gradOutput = upstream?.view.dtype;
    this.#add(
      entryOfRows('backward_delta', rows, this.#caps),
      this.#tensors({
        result: this.#inputs[at.result]?.view.dtype,
        gradOutput,
        statistics: true,
        newStatistics: true,
        gradSinks: wants.sinks,
      }),
      [
        ...this.#sinks(),
        ...this.#ofRows(SLOTS.result, this.#inputs[at.result], valueColumns, 'read'),
        ...this.#ofRows(SLOTS.gradOutput, upstream, valueColumns, 'read'),
        ...this.#ofRows(SLOTS.statistics, this.#inputs[at.statistics], 4, 'read'),
        ...this.#ofRows(SLOTS.newStatistics, statistics, 4, 'write'),
        ...this.#ofRows(SLOTS.gradSinks, output(to.sinks), 1, 'write'),
      ],
    );
    const reads = [
      ...this.#operands(),
      ...this.#ofRows(SLOTS.gradOutput, upstream, valueColumns, 'read'),
      ...this.#ofRows(SLOTS.statistics, statistics, 4, 'read'),
    ];
    const base = { gradOutput, statistics: true, sinks: undefined };
    if (wants.query) {
      const has = this.#tensors({ ...base, gradQuery: output(to.query)?.view.dtype });
      const entry = this.#byTiles
        ? entryOfTiles('backward_query_tiles', args)
        : entryOfRows('backward_query', Math.ceil(rows / 4), this.#caps);
      this.#add(entry, has, [
        ...reads,
        ...this.#ofRows(SLOTS.gradQuery, output(to.query), columns, 'write'),
      ]);
    }
    const { key, value } = wants;
    // What makes weights of scores takes registers as well.
    const plain = args.mask === null && args.softcap === null && args.dropout === null;
    const large = Math.max(columns, valueColumns) > 64 || !plain;
    if (this.#byTiles && key && value && large) {
      // The sums of both would take too many registers.
      this.#keys(args, { key: false, value }, base, reads, keys);
      this.#keys(args, { key, value: false }, base, reads, keys);
    } else if (key || value) {
      this.#keys(args, { key, value }, base, reads, keys);
    }
    if (wants.mask) this.#mask(args, base, reads);
  }

  #keys(
    args: AttentionBackward,
    wanted: { readonly key: boolean; readonly value: boolean },
    base: Partial<AttentionTensors>,
    reads: readonly PlacedTensor[],
    keys: number,
  ): void {
    const { columns, valueColumns } = args;
    const to = outputsAt(args);
    const key = wanted.key ? this.#outputs[to.key] : undefined;
    const value = wanted.value ? this.#outputs[to.value] : undefined;
    const shared = sharedHeads(args);
    const has = this.#tensors({
      ...base,
      gradKey: key?.view.dtype,
      gradValue: value?.view.dtype,
    });
    const place = (slot: number, region: Region | undefined, each: number): PlacedTensor[] =>
      region
        ? [
            {
              slot,
              region,
              access: 'write',
              extent: { each, first: (batch) => Math.floor(batch / shared) * each },
            },
          ]
        : [];
    const entry = this.#byTiles
      ? entryOfTiles('backward_key_tiles', args, wanted)
      : entryOfRows('backward_key', Math.ceil(keys / 4) / shared, this.#caps);
    this.#add(
      entry,
      has,
      [
        ...reads,
        ...place(SLOTS.gradKey, key, keys * columns),
        ...place(SLOTS.gradValue, value, keys * valueColumns),
      ],
      shared,
    );
  }

  #mask(
    args: AttentionBackward,
    base: Partial<AttentionTensors>,
    reads: readonly PlacedTensor[],
  ): void {
    const region = this.#outputs[outputsAt(args).mask];
    if (!region) return;
    const repeats = maskRepeats(args);
    if (!this.#whole && repeats > 1) refuse(this.#op, region, this.#caps, 'attnMask');
    const each = args.maskRows * args.maskKeys;
    const extent: Extent = { each, first: (batch) => Math.floor(batch / repeats) * each };
    this.#add(
      entryOfRows('backward_mask', each / repeats, this.#caps),
      this.#tensors({ ...base, gradMask: true }),
      [...reads, { slot: SLOTS.gradMask, region, access: 'write', extent }],
    );
  }

  #tensors(some: Partial<AttentionTensors>): AttentionTensors {
    const { columns, valueColumns, softcap, dropout } = this.#args;
    const at = inputsAt(this.#args);
    const dtype = (index: number): DType | undefined => this.#inputs[index]?.view.dtype;
    return {
      columns,
      valueColumns,
      query: dtype(0) ?? 'float32',
      mask: dtype(at.mask),
      sinks: dtype(at.sinks),
      result: undefined,
      gradOutput: undefined,
      newResult: undefined,
      statistics: false,
      newStatistics: false,
      gradQuery: undefined,
      gradKey: undefined,
      gradValue: undefined,
      gradMask: false,
      gradSinks: false,
      softcap: softcap !== null,
      dropout: dropout !== null,
      sumQuads: this.#byTiles ? 1 : sumQuadsOf(Math.max(columns, valueColumns)),
      ...some,
    };
  }

  /** Query, key, value and mask. */
  #operands(): PlacedTensor[] {
    const args = this.#args;
    const { rows, keys, columns, valueColumns, maskRows, maskKeys } = args;
    const place = (
      slot: number,
      index: number,
      each: number,
      of: 'query' | 'key' | 'value' | 'mask',
    ): PlacedTensor[] => {
      const region = this.#inputs[index];
      const extent: Extent = { each, first: (batch) => placesOf(args, batch)[of] };
      return region ? [{ slot, region, access: 'read', extent }] : [];
    };
    return [
      ...place(SLOTS.query, 0, rows * columns, 'query'),
      ...place(SLOTS.key, 1, keys * columns, 'key'),
      ...place(SLOTS.value, 2, keys * valueColumns, 'value'),
      ...place(SLOTS.mask, inputsAt(args).mask, maskRows * maskKeys, 'mask'),
    ];
  }

  #sinks(): PlacedTensor[] {
    const region = this.#inputs[inputsAt(this.#args).sinks];
    return region ? [{ slot: SLOTS.sinks, region, access: 'read', extent: null }] : [];
  }

  /** A tensor of so many elements for each row of each batch. */
  #ofRows(
    slot: number,
    region: Region | undefined,
    columns: number,
    access: 'read' | 'write',
  ): PlacedTensor[] {
    const each = this.#args.rows * columns;
    return region
      ? [{ slot, region, access, extent: { each, first: (batch) => batch * each } }]
      : [];
  }

  get #op(): string {
    return opName(attentionKernel, this.#args);
  }

  #add(entry: Entry, has: AttentionTensors, placed: readonly PlacedTensor[], step = 1): void {
    this.launches.push(
      ...launchBatches(this.#op, this.#args, entry, has, placed, this.#caps, step),
    );
  }
}
