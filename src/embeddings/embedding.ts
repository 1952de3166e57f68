// Rows of a table by index: function and module. The gradient of the table is the same on every run.
import { isRecording, record } from '../core/autograd.ts';
import { currentDevice } from '../core/current.ts';
import { describe } from '../core/describe.ts';
import type { Device } from '../core/device.ts';
import { runOne } from '../core/dispatcher.ts';
import { BYTES, encode, type FloatDType } from '../core/dtype.ts';
import { DTypeError, IndexOutOfRangeError, OptionError, ShapeError } from '../core/errors.ts';
import { allocating } from '../core/memory.ts';
import { nextKey, normalAt } from '../core/random.ts';
import { formatShape, sizeOf } from '../core/shape.ts';
import { fromHost, type Tensor } from '../core/tensor.ts';
import {
  checkDevice,
  checkOut,
  checkPlacement,
  checkShapeIs,
  checkTensor,
} from '../core/validate.ts';
import { checkBoolean, checkNumber, checkOptionNames } from '../core/validate-options.ts';
import { defineOp } from '../define/op.ts';
import { gatherKernel } from '../kernels/embedding/gather.ts';
import { tableGradKernel } from '../kernels/embedding/segments.ts';
import { sortedPairs } from '../kernels/embedding/sort.ts';
import { Module } from '../nn/module.ts';

/** Row indices: an int32 tensor of any shape, or numbers. */
export type Indices = Tensor | readonly number[] | Int32Array;

/** Options of `embedding`. */
export interface EmbeddingOptions {
  /** A row that receives no gradient; from the end where negative. None by default. */
  paddingIdx?: number | null;
  /** Whether a row's gradient is divided by how often the call names the row: the mean of what it receives. Defaults to false. */
  scaleGradByFreq?: boolean;
  /** Written instead of a new tensor. Only where no gradient is recorded. */
  out?: Tensor;
}

/** Rows and columns of a table. */
function checkTable(op: string, weight: Tensor): [rows: number, width: number] {
  const [rows = 0, width = 0] = weight.shape;
  if (weight.rank === 2) return [rows, width];
  throw new ShapeError({
    op,
    argument: 'weight',
    expected: 'shape [rows, width]',
    received: `shape ${formatShape(weight.shape)}`,
  });
}

/** The padding's row, counted from the front. */
function checkPadding(op: string, padding: number | null | undefined, rows: number): number | null {
  if (padding === undefined || padding === null) return null;
  checkNumber(op, 'paddingIdx', padding, { integer: true });
  if (padding < -rows || padding >= rows) {
    throw new OptionError({
      op,
      argument: 'paddingIdx',
      expected:
        rows === 0 ? 'none for a table without rows' : `an integer from ${-rows} to ${rows - 1}`,
      received: String(padding),
    });
  }
  return padding < 0 ? padding + rows : padding;
}

/** Numbers are int32, or they are refused. */
function numbersOf(op: string, indices: unknown): Int32Array<ArrayBuffer> | null {
  if (indices instanceof Int32Array) return Int32Array.from(indices);
  if (!Array.isArray(indices)) return null;
  const wrong = Array.from<unknown>(indices).find(
    (value) => value !== Number(value) || (value | 0) !== value,
  );
  if (wrong === undefined && !indices.includes(undefined))
    return Int32Array.from(indices as number[]);
  throw new DTypeError({
    op,
    argument: 'indices',
    expected: 'integers of 32 bits',
    received: describe(wrong),
  });
}

/** Indices that the host knows; those that only the GPU knows are checked there, and the next read throws. */
function checkIndices(op: string, known: Int32Array | null, rows: number): void {
  const wrong = known?.find((index) => index < 0 || index >= rows);
  if (wrong === undefined) return;
  throw new IndexOutOfRangeError({
    op,
    argument: 'indices',
    expected: rows === 0 ? 'none for a table without rows' : `indices from 0 to ${rows - 1}`,
    received: String(wrong),
  });
}

function apply(indices: Indices, weight: Tensor, options: EmbeddingOptions = {}): Tensor {
  const op = 'embedding';
  checkOptionNames(op, options, ['paddingIdx', 'scaleGradByFreq', 'out']);
  const numbers = numbersOf(op, indices);
  if (!numbers) checkTensor(op, 'indices', indices, ['int32']);
  checkTensor(op, 'weight', weight);
  const { device, dtype } = weight;
  const given = numbers ? null : (indices as Tensor);
  if (given) checkDevice(op, 'weight', weight, given.device);
  device.check(op);
  const [rows, width] = checkTable(op, weight);
  const padding = checkPadding(op, options.paddingIdx, rows);
  const { scaleGradByFreq = false } = options;
  checkBoolean(op, 'scaleGradByFreq', scaleGradByFreq);
  checkIndices(op, numbers ?? given?.storage(op, 'indices').host ?? null, rows);
  const lead = given?.shape ?? [numbers?.length ?? 0];
  const shape = [...lead, width];
  checkOut(op, options.out, { device, dtype, shape }, isRecording([weight]));

  const places = given ?? fromHost(numbers ?? new Int32Array(), lead, 'int32', device);
  const count = places.size;
  const like = weight.like();
  try {
    const args = { op, rows, width, count };
    const output = runOne(gatherKernel, args, [weight, places], options.out ?? { shape, dtype });
    return record(output, op, [weight], [places], (upstream, [saved]) => {
      if (!saved) return [];
      const sort = { count, rows, padding };
      const { host } = saved.storage(op, 'indices');
      // A CPU kernel sorts by itself.
      const pairs =
        host && count > 0 && device.type === 'webgpu'
          ? fromHost(sortedPairs(host, sort), [count, 2], 'int32', device)
          : null;
      try {
        const args = { ...sort, width, divided: scaleGradByFreq };
        const inputs = [saved, upstream.tensor, ...(pairs ? [pairs] : [])];
        return [runOne(tableGradKernel, args, inputs, like)];
      } finally {
        pairs?.dispose();
      }
    });
  } finally {
    if (!given) places.dispose();
  }
}

/**
 * The rows of `weight`, [rows, width], that `indices` name: an int32 tensor of any shape, or numbers, to which the width is
 * added as the last dimension. The gradient of `weight` is the sum of what each of its rows receives, added up in the order of
 * the positions: the same bits on every run; with `scaleGradByFreq` it is divided by how often the row is named, in this call. The row
 * `paddingIdx` receives none. An index out of range is an
 * `IndexOutOfRangeError`: at once where the host knows the indices, else at the next read.
 *
 * `embedding(tensor([[1, 3]], { dtype: 'int32' }), weight)` has shape [1, 2, width].
 *
 * @example embedding(tensor([1, 3], { dtype: 'int32' }), weight)
 */
export const embedding = /* @__PURE__ */ defineOp(apply, {
  op: 'embedding',
  kind: 'embedding',
  params: {},
  accuracy: { forward: 0, backward: 4 },
  docs: {
    tex: String.raw`y_{k} = W_{i_k}`,
    derivative: String.raw`\partial W_r = \sum_{k: i_k = r} \partial y_k`,
    range: String.raw`(-\infty, \infty)`,
    shapes: 'indices of any shape, weight [rows, width]; result [..., width]',
    torch: 'embedding',
    cite: 'Bengio, Ducharme, Vincent & Jauvin 2003, A Neural Probabilistic Language Model',
    use: 'Looks up the vectors of tokens or categories. The gradient covers the whole table: one step of an optimizer can move all rows, as with a dense gradient in PyTorch.',
  },
  prepare: (device: Device, dtype: FloatDType) => {
    const weight = fromHost(encode(dtype, new Float32Array(4)), [1, 4], dtype, device, true);
    const result = apply([0], weight);
    result.backward(result.detach());
    weight.grad?.dispose();
  },
});

/** Options of `nn.Embedding`. */
export interface EmbeddingLayerOptions {
  /** A row that begins as zeros and receives no gradient; from the end where negative. None by default. */
  paddingIdx?: number | null;
  /** Whether a row's gradient is divided by how often a call names the row. Defaults to false. */
  scaleGradByFreq?: boolean;
  /** A table that is there, which is not copied; its device and dtype are the layer's. By default one is drawn. */
  weight?: Tensor;
  /** Whether the table is not learned. Defaults to false. */
  freeze?: boolean;
  /** Defaults to the device of the latest `init()`. */
  device?: Device;
  /** Defaults to `'float32'`. */
  dtype?: FloatDType;
}

const LAYER_OPTIONS = ['paddingIdx', 'scaleGradByFreq', 'weight', 'freeze', 'device', 'dtype'];

/** A learned table of `numEmbeddings` rows of `embeddingDim` numbers, drawn from N(0, 1) as in PyTorch. */
export class Embedding extends Module {
  /** Of shape [numEmbeddings, embeddingDim]. */
  readonly weight: Tensor;
  /** The padding's row, counted from the front. */
  readonly paddingIdx: number | null;
  /** Whether a row's gradient is divided by how often a call names the row. */
  readonly scaleGradByFreq: boolean;

  constructor(numEmbeddings: number, embeddingDim: number, options: EmbeddingLayerOptions = {}) {
    super();
    checkOptionNames('Embedding', options, LAYER_OPTIONS);
    checkNumber('Embedding', 'numEmbeddings', numEmbeddings, { min: 0, integer: true });
    checkNumber('Embedding', 'embeddingDim', embeddingDim, { min: 0, integer: true });
    const {
      paddingIdx,
      scaleGradByFreq = false,
      weight,
      freeze = false,
      device = currentDevice(),
      dtype = 'float32',
    } = options;
    checkBoolean('Embedding', 'freeze', freeze);
    checkBoolean('Embedding', 'scaleGradByFreq', scaleGradByFreq);
    this.scaleGradByFreq = scaleGradByFreq;
    this.paddingIdx = checkPadding('Embedding', paddingIdx, numEmbeddings);
    const shape = [numEmbeddings, embeddingDim] as const;
    if (weight === undefined) {
      checkPlacement('Embedding', device, dtype);
      this.weight = this.parameter('weight', drawTable(shape, this.paddingIdx, device, dtype));
    } else {
      checkTensor('Embedding', 'weight', weight);
      checkShapeIs('Embedding', 'weight', weight, shape);
      this.weight = this.parameter('weight', weight);
    }
    this.weight.requiresGrad = !freeze;
  }

  /** A module of a table that is there, [rows, width], which is not copied. It is not learned unless `freeze` is false. */
  static fromPretrained(
    weight: Tensor,
    options: { freeze?: boolean; paddingIdx?: number | null; scaleGradByFreq?: boolean } = {},
  ): Embedding {
    const op = 'Embedding.fromPretrained';
    checkOptionNames(op, options, ['freeze', 'paddingIdx', 'scaleGradByFreq']);
    checkTensor(op, 'weight', weight);
    const [rows, width] = checkTable(op, weight);
    return new Embedding(rows, width, { freeze: true, ...options, weight });
  }

  override forward(indices: Indices): Tensor {
    const { paddingIdx, scaleGradByFreq } = this;
    return embedding(indices, this.weight, { paddingIdx, scaleGradByFreq });
  }
}

function drawTable(
  shape: readonly [number, number],
  padding: number | null,
  device: Device,
  dtype: FloatDType,
): Tensor {
  const [, width] = shape;
  const bytes = sizeOf(shape) * BYTES[dtype];
  device.checkBytes('Embedding', bytes);
  const values = allocating('Embedding', bytes, () => {
    const key = nextKey();
    const drawn = Float32Array.from({ length: sizeOf(shape) }, (_, i) => normalAt(key, i));
    if (padding !== null) drawn.fill(0, padding * width, (padding + 1) * width);
    return encode(dtype, drawn);
  });
  return fromHost(values, shape, dtype, device);
}
