// Checks of `nn.utils` on any device: PyTorch's golden cases of clip_grad_norm_, hostile gradients, refusals.
import { nn, NonlinError, tensor, Tensor, type Device } from '../src/index.ts';
import { ensure, ensureEqual, ensureRejects, ensureThrows, type Check } from './check.ts';
import { unpack } from './unpack.ts';
import { classOf, largest, SMALLEST_NORMAL, ulp32 } from './ulp.ts';

const { clipGradNorm, clipGradValue, getTotalNorm } = nn.utils;

interface Encoded {
  readonly dtype: 'float32' | 'float64';
  readonly shape: readonly number[];
  readonly b64: string;
}
type Tensors = Readonly<Record<string, Encoded>>;
interface Case {
  readonly id: string;
  readonly attributes: { readonly max_norm: number; readonly norm_type?: number | 'inf' };
  readonly inputs: Tensors;
  readonly outputs: Tensors;
  readonly torch_f32: Tensors;
  readonly noise: Readonly<Record<string, number>>;
}

const [load] = Object.values(
  import.meta.glob<string>('./golden/training/clip_grad_norm.json.gz', {
    query: '?inline',
    import: 'default',
  }),
);
if (!load) throw new Error('no golden file of clip_grad_norm');
const { cases } = JSON.parse(await unpack(await load())) as { cases: readonly Case[] };

function decode(encoded: Encoded | undefined): Float64Array {
  if (!encoded) throw new Error('no such tensor');
  const bytes = Uint8Array.from(atob(encoded.b64), (c) => c.charCodeAt(0)).buffer;
  const Kind = encoded.dtype === 'float32' ? Float32Array : Float64Array;
  return Float64Array.from(new Kind(bytes));
}

/** A parameter with this gradient. */
function withGrad(
  device: Device,
  values: ArrayLike<number>,
  shape: readonly number[] = [values.length],
  dtype: 'float32' | 'float16' = 'float32',
): Tensor {
  const data = Float32Array.from(values);
  const w = tensor(new Float32Array(data.length), { shape, device, dtype, requiresGrad: true });
  w.grad = tensor(data, { shape, device, dtype });
  return w;
}

const gradOf = ({ grad }: Tensor): Tensor => {
  if (!grad) throw new Error('no gradient');
  return grad;
};

function mismatches(name: string, values: ArrayLike<number>, golden: Case): string[] {
  const expected = decode(golden.outputs[name]);
  const torch = decode(golden.torch_f32[name]);
  let m = 0;
  expected.forEach((e, i) => {
    const off = Math.abs((torch[i] ?? NaN) - e);
    if (off < Infinity) m = Math.max(m, off);
  });
  const most = largest(expected);
  const s = most === 0 ? 1 : Math.min(1, most);
  const absolute = 2 ** -22 * s + 2 * m + 4 * (golden.noise[name] ?? 0) + SMALLEST_NORMAL;
  return [...expected].flatMap((e, i) => {
    const value = values[i] ?? NaN;
    const [wanted, own] = [classOf(Math.fround(e)), classOf(value)];
    const same =
      wanted !== 'finite' ? own === wanted : Math.abs(value - e) <= 8 * ulp32(e) + absolute;
    // PyTorch's float32 overflows where the norm does not: the exact one is wanted.
    return same ? [] : [`${name}[${i}] = ${value}, expected ${e}`];
  });
}

async function checkGolden(golden: Case, device: Device): Promise<void> {
  const { max_norm: maxNorm, norm_type: given = 2 } = golden.attributes;
  const params = Object.values(golden.inputs).map((one) =>
    withGrad(device, decode(one), one.shape),
  );
  const normType = given === 'inf' ? Infinity : given;
  const norm = clipGradNorm(params, maxNorm, { normType });
  ensureEqual(norm.shape, [], 'the shape of the norm');
  const [total, ...grads] = await Promise.all([norm, ...params.map(gradOf)].map((t) => t.data()));
  const wrong = mismatches('out', total ?? [], golden);
  grads.forEach((grad, i) => wrong.push(...mismatches(`grad${i}`, grad, golden)));
  ensure(wrong.length === 0, wrong.slice(0, 8).join('\n'));
}

const near = (value: number, expected: number, what: string): void => {
  const off = Math.abs(value - expected);
  ensure(off <= 4 * ulp32(expected), `${what}: ${value}, expected ${expected}`);
};

/** Gradients of every size, many tensors, in an order that mixes magnitudes. */
function spread(count: number, scale: number): Float32Array[] {
  return Array.from({ length: count }, (_, k) =>
    Float32Array.from({ length: 1 + ((k * 37) % 300) }, (__, i) =>
      Math.fround(scale * Math.sin(1 + k + i) * 2 ** ((i * 7 + k) % 11)),
    ),
  );
}

function normBy(all: readonly Float32Array[], p: number): number {
  const values = all.flatMap((one) => [...one].map(Math.abs));
  const most = Math.max(...values);
  if (p === Infinity) return most;
  return most * values.reduce((sum, v) => sum + (v / most) ** p, 0) ** (1 / p);
}

const other: readonly Check<Device>[] = [
  {
    name: 'norms of any magnitude, of many tensors, for every p',
    run: async (device) => {
      for (const scale of [1, 1e30, 1e-30]) {
        const all = spread(23, scale);
        const tensors = all.map((values) => tensor(values, { device }));
        for (const p of [1, 2, Infinity, 3, 0.5, 20, 1000]) {
          const norm = await getTotalNorm(tensors, { normType: p }).item();
          const expected = normBy(all, p);
          if (expected > 3.4e38) ensure(norm === Infinity, `p ${p}: ${norm}`);
          else {
            const off = Math.abs(norm / expected - 1);
            ensure(off < (p < 1 ? 2e-6 : 1e-6), `p ${p}, scale ${scale}: ${norm}, not ${expected}`);
          }
        }
      }
      near(
        await getTotalNorm(tensor([3e38, 3e38], { device }), { normType: Infinity }).item(),
        Math.fround(3e38),
        'inf',
      );
      ensureEqual(await getTotalNorm([]).item(), 0, 'of nothing');
      const empty = tensor(new Float32Array(0), { device });
      ensureEqual(await getTotalNorm([empty]).item(), 0, 'of an empty tensor');
    },
  },
  {
    name: 'gradients of 1e30 and float16 are clipped right, and the same bits come each time',
    run: async (device) => {
      const run = async (): Promise<[number, ...number[]]> => {
        const w = withGrad(device, [3e30, -4e30]);
        const norm = await clipGradNorm([w], 1).item();
        return [norm, ...(await gradOf(w).data())];
      };
      const first = await run();
      near(first[0], 5e30, 'the norm');
      near(first[1] ?? NaN, 0.6, 'clipped');
      near(first[2] ?? NaN, -0.8, 'clipped');
      ensureEqual(await run(), first, 'again');
      const all = spread(40, 3);
      const [a, b] = await Promise.all(
        [0, 1].map(() => getTotalNorm(all.map((v) => tensor(v, { device }))).data()),
      );
      ensureEqual(a, b, 'the bits of many');
      const half = withGrad(device, [60000, 60000, 60000], [3], 'float16');
      const mixed = withGrad(device, [0, 0, 0]);
      const norm = clipGradNorm([half, mixed], 3);
      ensureEqual(norm.dtype, 'float32', 'dtype');
      // 60000 is 59,968 or 60,000 in float16: exact.
      near(await norm.item(), 60000 * Math.sqrt(3), 'past float16');
      ensureEqual(
        [...(await gradOf(half).data())].map((v) => v.toFixed(3)),
        ['1.732', '1.732', '1.732'],
        '',
      );
    },
  },
  {
    name: 'parameters without a gradient are left out, and shared memory is scaled once',
    run: async (device) => {
      const free = tensor([1], { device, requiresGrad: true });
      const w = withGrad(device, [3, 4]);
      const v = tensor([0, 0], { device, requiresGrad: true });
      v.grad = gradOf(w).detach();
      ensureEqual(await clipGradNorm([free, w], 50).item(), 5, 'one');
      const norm = await clipGradNorm([free, w, v], 5).item();
      near(norm, Math.sqrt(50), 'both count');
      const [first = NaN] = await gradOf(w).data();
      near(first, (3 * 5) / (Math.sqrt(50) + 1e-6), 'scaled once');
      ensureEqual(await clipGradNorm([free], 1).item(), 0, 'nothing to clip');
      ensureEqual((await clipGradNorm(w, Infinity).item()) > 0, true, 'a single tensor');
    },
  },
  {
    name: 'what is not finite, and where that is an error',
    run: async (device) => {
      const inf = withGrad(device, [1, Infinity]);
      ensureEqual(await clipGradNorm([inf], 1).item(), Infinity, 'norm');
      ensureEqual([...(await gradOf(inf).data())].map(String), ['0', 'NaN'], 'as PyTorch');
      const nan = withGrad(device, [1, NaN]);
      ensure(Number.isNaN(await clipGradNorm([nan], 1, { normType: Infinity }).item()), 'NaN');
      ensureEqual([...(await gradOf(nan).data())].map(String), ['NaN', 'NaN'], 'all of it');
      const strict = withGrad(device, [1, Infinity]);
      const options = { errorIfNonfinite: true };
      if (device.type === 'cpu') {
        ensureThrows(() => clipGradNorm([strict], 1, options), NonlinError);
      } else {
        await ensureRejects(clipGradNorm([strict], 1, options).item(), NonlinError);
      }
      ensureEqual([...(await gradOf(strict).data())].map(String), ['1', 'Infinity'], 'as it was');
      const fine = withGrad(device, [3, 4]);
      ensureEqual(await clipGradNorm([fine], 10, options).item(), 5, 'finite');
    },
  },
  {
    name: 'clipGradValue holds each element, and keeps NaN',
    run: async (device) => {
      const w = withGrad(device, [-3, -0.5, 0, 0.5, 3, Infinity, -Infinity, NaN]);
      const v = withGrad(device, [7], [1], 'float16');
      clipGradValue([w, v], 1);
      const values = [...(await gradOf(w).data())].map(String);
      ensureEqual(values, ['-1', '-0.5', '0', '0.5', '1', '1', '-1', 'NaN'], 'float32');
      ensureEqual(await gradOf(v).array(), [1], 'float16');
      clipGradValue(w, 0);
      ensureEqual((await gradOf(w).data())[0], -0, 'to 0');
    },
  },
  {
    name: 'refusals leave gradients as they were',
    run: async (device) => {
      const w = withGrad(device, [3, 4]);
      const gone = withGrad(device, [1]);
      gradOf(gone).dispose();
      const wild = nn.utils as unknown as Record<string, (...args: unknown[]) => unknown>;
      const bad: [string, unknown[]][] = [
        ['clipGradNorm', [5, 1]],
        ['clipGradNorm', [[5], 1]],
        ['clipGradNorm', ['w', 1]],
        ['clipGradNorm', [[w]]],
        ['clipGradNorm', [[w], -1]],
        ['clipGradNorm', [[w], NaN]],
        ['clipGradNorm', [[w], 1, { normType: 0 }]],
        ['clipGradNorm', [[w], 1, { normType: 'inf' }]],
        ['clipGradNorm', [[w], 1, { errorIfNonfinite: 1 }]],
        ['clipGradNorm', [[w], 1, { p: 2 }]],
        ['clipGradNorm', [[w, gone], 1]],
        ['clipGradValue', [[w], -1]],
        ['clipGradValue', [[w, gone], 1]],
        ['clipGradValue', [null, 1]],
        ['getTotalNorm', [[w], { normType: -2 }]],
        ['getTotalNorm', [[5]]],
      ];
      const before = device.stats().liveBuffers;
      for (const [name, args] of bad) ensureThrows(() => wild[name]?.(...args), NonlinError);
      ensureEqual(device.stats().liveBuffers, before, 'buffers');
      ensureEqual(await gradOf(w).array(), [3, 4], 'the gradient');
    },
  },
];

export const clipChecks: readonly Check<Device>[] = [
  ...cases.map((golden): Check<Device> => ({
    name: golden.id,
    run: (device) => checkGolden(golden, device),
  })),
  ...other,
];

/** Memory of a caller's, which ends with the tensor. */
export const borrowedClipCheck: Check<Device> = {
  name: "gradients in a caller's buffers, two in one",
  run: async (device) => {
    const gpu = device.gpuDevice;
    if (!gpu) throw new Error('not a GPU device');
    const buffer = gpu.createBuffer({ size: 268, usage: 0x80 | 0x08 | 0x04 });
    gpu.queue.writeBuffer(buffer, 0, Float32Array.of(3, 0, 0));
    gpu.queue.writeBuffer(buffer, 256, Float32Array.of(0, 4, 0));
    const params = [0, 256].map((offset) => {
      const w = tensor([0, 0, 0], { device, requiresGrad: true });
      w.grad = Tensor.fromBuffer(buffer, { shape: [3], offset, device });
      return w;
    });
    near(await clipGradNorm(params, 1).item(), 5, 'the norm');
    const [a, b] = await Promise.all(params.map((w) => gradOf(w).data()));
    near(a?.[0] ?? NaN, 0.6, 'the first');
    near(b?.[1] ?? NaN, 0.8, 'the second');
  },
};
