// Takes sizes, and gives time and memory of attention: the one kernel beside products and a softmax, all of this library.
import {
  init,
  matmul,
  mul,
  scaledDotProductAttention,
  scope,
  softmax,
  tensor,
  transpose,
  type Device,
  type Tensor,
} from 'nonlin';
import { normals } from './cases.ts';
import { quantile } from './cell.ts';
import { count, memory } from './counts.ts';
import { takeTurns } from './training/turns.ts';
import type { AttentionRequest, AttentionResult, Pair } from './training/types.ts';

type Form = keyof Pair;
type Inputs = readonly [query: Tensor, key: Tensor, value: Tensor];

const FORMS: Record<Form, (...inputs: Inputs) => Tensor> = {
  fused: (query, key, value) => scaledDotProductAttention(query, key, value),
  composed: (query, key, value) => {
    const scaled = mul(query, 1 / Math.sqrt(query.shape.at(-1) ?? 1));
    const weights = softmax(matmul(scaled, transpose(key, 1, 2)), { dim: 2 });
    return matmul(weights, value);
  },
};

/** Results of the two forms may differ by so much of the largest number. */
const BOUND = 1e-4;
/** More memory than this multiple of query, key, value and result would mean that the forward pass keeps a matrix. */
const MOST_MEMORY = 1.3;

function inputsOf(
  { heads, length, width }: AttentionRequest,
  device: Device,
  grads: boolean,
): Inputs {
  const make = (seed: number): Tensor =>
    tensor(normals(heads * length * width, seed), {
      shape: [heads, length, width],
      device,
      requiresGrad: grads,
    });
  return [make(1), make(2), make(3)];
}

/** Results stay on the device; `upstream` null: no gradients. */
function call(form: Form, inputs: Inputs, upstream: Tensor | null): void {
  scope(() => {
    const result = FORMS[form](...inputs);
    if (upstream) result.backward(upstream);
  });
  for (const input of inputs) {
    input.grad?.dispose();
    input.grad = null;
  }
}

type Times = Pick<AttentionResult, 'forward' | 'both' | 'failures'>;

export async function measureAttention(request: AttentionRequest): Promise<Times> {
  const device = await init({ backend: 'webgpu' });
  const failures = await compare(request, device);
  const timesOf = async (grads: boolean): Promise<Times['forward']> => {
    const inputs = inputsOf(request, device, grads);
    const [upstream] = inputsOf(request, device, false);
    const works = (['fused', 'composed'] as const).map((form) => async (calls: number) => {
      for (let i = 0; i < calls; i++) call(form, inputs, grads ? upstream : null);
      await device.synchronize();
    });
    const [fused = [], composed = []] = await takeTurns(works, request);
    for (const input of [...inputs, upstream]) input.dispose();
    const ratios = composed.map((time, round) => time / (fused[round] ?? NaN));
    return {
      fused: quantile(fused, 0.5),
      composed: quantile(composed, 0.5),
      ratio: quantile(ratios, 0.5),
    };
  };
  const times = { forward: await timesOf(false), both: await timesOf(true), failures };
  device.dispose();
  return times;
}

/** What is wrong where the two forms do not agree. */
async function compare(request: AttentionRequest, device: Device): Promise<string[]> {
  const inputs = inputsOf(request, device, true);
  const [upstream] = inputsOf(request, device, false);
  const read = async (form: Form): Promise<ArrayLike<number>[]> => {
    const result = FORMS[form](...inputs);
    result.backward(upstream);
    const results = [result, ...inputs.map(({ grad }) => grad)];
    const data = await Promise.all(results.map(async (one) => (await one?.data()) ?? []));
    for (const one of results) one?.dispose();
    for (const input of inputs) input.grad = null;
    return data;
  };
  const [fused, composed] = [await read('fused'), await read('composed')];
  for (const input of [...inputs, upstream]) input.dispose();
  return fused.flatMap((own, k) => {
    const other = composed[k] ?? [];
    let [largest, farthest] = [0, 0];
    for (let i = 0; i < own.length; i++) {
      const [a = NaN, b = NaN] = [own[i], other[i]];
      largest = Math.max(largest, Math.abs(b));
      // a NaN stays
      farthest = Math.max(farthest, Math.abs(a - b));
    }
    if (own.length === other.length && farthest <= BOUND * largest) return [];
    return [`attention of ${request.length}: result ${k} off by ${farthest} of ${largest}`];
  });
}

/** In a page of its own: calls are counted from then on. */
export async function measureAttentionMemory(
  request: AttentionRequest,
): Promise<Pick<AttentionResult, 'memory' | 'failures'>> {
  count();
  const bytes = 4 * 4 * request.heads * request.length * request.width;
  const peakOf = async (form: Form, grads: boolean): Promise<number> => {
    // each on a device of its own, so that no buffer of another is left
    memory.alive = 0;
    memory.peak = 0;
    const device = await init({ backend: 'webgpu' });
    const inputs = inputsOf(request, device, grads);
    const [upstream = null] = grads ? inputsOf(request, device, false) : [];
    for (let i = 0; i < 2; i++) {
      call(form, inputs, upstream);
      await device.synchronize();
    }
    device.dispose();
    return memory.peak / bytes;
  };
  const pairOf = async (grads: boolean): Promise<Pair> => ({
    fused: await peakOf('fused', grads),
    composed: await peakOf('composed', grads),
  });
  const [forward, both] = [await pairOf(false), await pairOf(true)];
  const failures =
    forward.fused <= MOST_MEMORY
      ? []
      : [`attention of ${request.length}: ${forward.fused} times query, key, value and result`];
  return { memory: { forward, both }, failures };
}
