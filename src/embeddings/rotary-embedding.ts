// Rotary position embedding: pairs of columns turned by angles that depend on the position; function and module.
import { isRecording, record } from '../core/autograd.ts';
import { calling } from '../core/calling.ts';
import { currentDevice } from '../core/current.ts';
import type { Device } from '../core/device.ts';
import { runOne } from '../core/dispatcher.ts';
import { encode, type FloatDType } from '../core/dtype.ts';
import { OptionError, ShapeError } from '../core/errors.ts';
import { allocating } from '../core/memory.ts';
import { undone } from '../core/scope.ts';
import { formatShape } from '../core/shape.ts';
import { fromHost, type Tensor } from '../core/tensor.ts';
import {
  checkBroadcastsTo,
  checkDevice,
  checkOut,
  checkPlacement,
  checkRank,
  checkSameDType,
  checkShapeIs,
  checkTensors,
} from '../core/validate.ts';
import { checkBoolean, checkNumber, checkOptionNames } from '../core/validate-options.ts';
import { defineOp } from '../define/op.ts';
import { warmUp } from '../define/prepare.ts';
import { rotaryKernel, type RotaryArgs } from '../kernels/rotary/plan.ts';
import { Module } from '../nn/module.ts';

/** Options of `rotaryEmbedding`. */
export interface RotaryEmbeddingOptions {
  /** Whether pairs are neighbours, 2j and 2j + 1. By default column j turns with j + h. */
  interleaved?: boolean;
  /** Written instead of a new tensor; may be `x` itself. Only where no gradient is recorded. */
  out?: Tensor;
}

function apply(x: Tensor, cos: Tensor, sin: Tensor, options: RotaryEmbeddingOptions = {}): Tensor {
  const op = 'rotaryEmbedding';
  checkOptionNames(op, options, ['interleaved', 'out']);
  const { interleaved = false, out } = options;
  checkBoolean(op, 'interleaved', interleaved);
  checkTensors(op, { x, cos, sin });
  checkRank(op, { x, cos }, 1);
  checkShapeIs(op, 'sin', sin, cos.shape);
  const [width, pairs] = [x.shape.at(-1) ?? 0, cos.shape.at(-1) ?? 0];
  if (2 * pairs > width) {
    throw new ShapeError({
      op,
      argument: 'cos',
      expected: `at most ${Math.floor(width / 2)} columns, half of those of x`,
      received: `shape ${formatShape(cos.shape)} for x of shape ${formatShape(x.shape)}`,
    });
  }
  const rows = x.shape.slice(0, -1);
  checkBroadcastsTo(op, 'cos', cos, [...rows, pairs]);
  checkOut(op, out, x, isRecording([x]));
  const args = { rows, tableRows: cos.shape.slice(0, -1), ahead: 0, width, pairs, interleaved };
  return turn(x, cos, sin, args, out);
}

/** Arguments are valid by now; the tables may have more rows than are used. */
function turn(
  x: Tensor,
  cos: Tensor,
  sin: Tensor,
  args: Omit<RotaryArgs, 'sign'>,
  out: Tensor | undefined,
): Tensor {
  const like = x.like();
  const output = runOne(rotaryKernel, { ...args, sign: 1 }, [x, cos, sin], out ?? like);
  return record(output, 'rotaryEmbedding', [x], [cos, sin], (upstream, saved) => [
    runOne(rotaryKernel, { ...args, sign: -1 }, [upstream.tensor, ...saved], like),
  ]);
}

/**
 * Rotary position embedding: the first 2h columns of `x`, [..., width], turn in pairs by the angles whose cosines and sines the
 * tables hold, of one shape, with h columns, which broadcasts to [..., h]. A pair (u, v) becomes (u cos - v sin, v cos + u sin):
 * columns j and j + h, or 2j and 2j + 1 if `interleaved`. The other columns pass. The gradient of `x` is turned back; the
 * tables have none.
 *
 * `rotaryEmbedding(query, cos, sin)` of [batch, heads, positions, 64] with tables [positions, 32].
 *
 * @example rotaryEmbedding(x, cos, sin)
 */
export const rotaryEmbedding = /* @__PURE__ */ defineOp(apply, {
  op: 'rotaryEmbedding',
  kind: 'embedding',
  params: { interleaved: false },
  accuracy: { forward: 2, backward: 2 },
  docs: {
    tex: String.raw`(u, v) \mapsto (u \cos\theta - v \sin\theta, \; v \cos\theta + u \sin\theta)`,
    derivative: String.raw`\text{the upstream gradient, rotated by } -\theta`,
    range: String.raw`(-\infty, \infty)`,
    shapes:
      'x [..., width], cos and sin of the same shape, which broadcasts to [..., h], with 2h at most width; the result has the shape of x',
    cite: 'Su, Lu, Pan, Murtadha, Wen & Liu 2021, RoFormer: Enhanced Transformer with Rotary Position Embedding',
    use: 'Apply it to queries and keys of attention: their products then depend on the distance between the positions. By default it pairs the first half of a vector with the second half, as LLaMA in Hugging Face does. With `interleaved` it pairs neighbours, as the paper, GPT-J and torchtune do.',
  },
  prepare: (device: Device, dtype: FloatDType) => {
    const table = fromHost(encode(dtype, new Float32Array(4)), [1, 4], dtype, device);
    warmUp(device, dtype, [[1, 8]], (x) => apply(x, table, table));
    table.dispose();
  },
});

/** Options of `nn.RotaryEmbedding`. */
export interface RotaryEmbeddingLayerOptions {
  /** Positions that there are angles for. Defaults to 4096. */
  maxPositions?: number;
  /** The angle of position t for pair j is t · base^(-2j / dim). Defaults to 10000. */
  base?: number;
  /** Whether pairs are neighbours. Defaults to false. */
  interleaved?: boolean;
  /** Defaults to the device of the latest `init()`. */
  device?: Device;
  /** Defaults to `'float32'`. */
  dtype?: FloatDType;
}

const LAYER_OPTIONS = ['maxPositions', 'base', 'interleaved', 'device', 'dtype'];

/**
 * `rotaryEmbedding` of [..., positions, width] by angles of its own: the first `dim` columns turn, position t and pair j by
 * t · base^(-2j / dim). There is no state: the tables follow from the options.
 */
export class RotaryEmbedding extends Module {
  /** The length of what is rotated. */
  readonly dim: number;
  /** How many positions there are angles of. */
  readonly maxPositions: number;
  readonly #interleaved: boolean;
  readonly #tables: readonly [cos: Tensor, sin: Tensor];

  constructor(dim: number, options: RotaryEmbeddingLayerOptions = {}) {
    super();
    const op = 'RotaryEmbedding';
    checkOptionNames(op, options, LAYER_OPTIONS);
    checkNumber(op, 'dim', dim, { min: 2, integer: true });
    if (dim % 2 !== 0) {
      throw new OptionError({
        op,
        argument: 'dim',
        expected: 'an even number',
        received: String(dim),
      });
    }
    const { maxPositions = 4096, base = 10_000, interleaved = false } = options;
    const { device = currentDevice(), dtype = 'float32' } = options;
    checkNumber(op, 'maxPositions', maxPositions, { min: 1, integer: true });
    checkNumber(op, 'base', base, { min: 0, above: true });
    checkBoolean(op, 'interleaved', interleaved);
    checkPlacement(op, device, dtype);
    this.dim = dim;
    this.maxPositions = maxPositions;
    this.#interleaved = interleaved;
    const pairs = dim / 2;
    const shape = [maxPositions, pairs];
    device.checkBytes(op, 4 * maxPositions * pairs);
    const tableOf = (of: (angle: number) => number): Tensor => {
      const values = allocating(op, 4 * maxPositions * pairs, () => {
        const speeds = Float64Array.from({ length: pairs }, (_, j) => base ** ((-2 * j) / dim));
        return Float64Array.from({ length: maxPositions * pairs }, (_, i) =>
          of(Math.floor(i / pairs) * (speeds[i % pairs] ?? NaN)),
        );
      });
      return fromHost(encode(dtype, values), shape, dtype, device);
    };
    this.#tables = undone(() => [tableOf(Math.cos), tableOf(Math.sin)] as const);
  }

  override forward(x: Tensor): Tensor {
    return this.from(0, x);
  }

  /** The same for rows whose first is at position `offset`: queries and keys that follow others. */
  from(offset: number, x: Tensor): Tensor {
    const op = 'RotaryEmbedding';
    const [cos, sin] = this.#tables;
    checkTensors(op, { x });
    checkRank(op, { x }, 2);
    const positions = x.shape.at(-2) ?? 0;
    checkNumber(op, 'offset', offset, { min: 0, max: this.maxPositions, integer: true });
    if (offset + positions > this.maxPositions) {
      throw new ShapeError({
        op,
        argument: 'x',
        expected: `at most ${this.maxPositions - offset} positions from ${offset} on`,
        received: `shape ${formatShape(x.shape)}`,
      });
    }
    const [width, pairs] = [x.shape.at(-1) ?? 0, this.dim / 2];
    if (width < this.dim) {
      throw new ShapeError({
        op,
        argument: 'x',
        expected: `at least ${this.dim} columns`,
        received: `shape ${formatShape(x.shape)}`,
      });
    }
    checkDevice(op, 'x', x, cos.device);
    checkSameDType(op, 'x', x, cos.dtype);
    const rows = x.shape.slice(0, -1);
    const args = { rows, tableRows: [positions], ahead: offset, width, pairs };
    return calling(op, () =>
      turn(x, cos, sin, { ...args, interleaved: this.#interleaved }, undefined),
    );
  }

  override dispose(): void {
    super.dispose();
    for (const table of this.#tables) table.dispose();
  }
}
