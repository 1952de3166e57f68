// Checks of `nn.init` on any device: what it writes, how often, and what it refuses.
import { manualSeed, mul, nn, NonlinError, sum, tensor, type Device } from '../src/index.ts';
import type { Tensor } from '../src/index.ts';
import { ensure, ensureEqual, ensureThrows, type Check } from './check.ts';

const { init } = nn;

const blank = (device: Device, shape: readonly number[], dtype?: 'float16'): Tensor =>
  tensor(new Float32Array(shape.reduce((n, d) => n * d, 1)), {
    shape,
    device,
    ...(dtype ? { dtype } : {}),
  });

interface Moments {
  readonly mean: number;
  readonly std: number;
  readonly min: number;
  readonly max: number;
}

async function momentsOf(w: Tensor): Promise<Moments> {
  const values = [...(await w.data())];
  const mean = values.reduce((total, v) => total + v, 0) / values.length;
  const square = values.reduce((total, v) => total + (v - mean) ** 2, 0) / values.length;
  const [min, max] = [Math.min(...values), Math.max(...values)];
  return { mean, std: Math.sqrt(square), min, max };
}

/**
 * Mean and deviation within 5 deviations of their estimates from so many elements: a right generator fails once in 10^6. `kurtosis`:
 * of the distribution, 1.8 for a uniform one, 3 for a normal one.
 */
async function ensureMoments(
  w: Tensor,
  mean: number,
  std: number,
  kurtosis: number,
): Promise<Moments> {
  const found = await momentsOf(w);
  const offMean = (5 * std) / Math.sqrt(w.size);
  const offStd = 5 * std * Math.sqrt((kurtosis - 1) / (4 * w.size));
  ensure(Math.abs(found.mean - mean) <= offMean, `mean ${found.mean}, expected ${mean}`);
  ensure(Math.abs(found.std - std) <= offStd, `deviation ${found.std}, expected ${std}`);
  return found;
}

async function ensureUniform(w: Tensor, bound: number): Promise<void> {
  const { min, max } = await ensureMoments(w, 0, bound / Math.sqrt(3), 1.8);
  ensure(min >= -bound && max <= bound, `from ${min} to ${max}, expected within ${bound}`);
  ensure(max > 0.99 * bound && min < -0.99 * bound, `from ${min} to ${max}: not to ${bound}`);
}

/** The deviation of a distribution over its values, by its density on a fine grid. */
function momentsBy(density: (x: number) => number, a: number, b: number): [number, number, number] {
  let [total, first, second, fourth] = [0, 0, 0, 0];
  const steps = 20_000;
  const at = (k: number): number => a + ((k + 0.5) * (b - a)) / steps;
  for (let k = 0; k < steps; k++) total += density(at(k));
  for (let k = 0; k < steps; k++) first += (at(k) * density(at(k))) / total;
  for (let k = 0; k < steps; k++) {
    const d = at(k) - first;
    second += (d * d * density(at(k))) / total;
    fourth += (d ** 4 * density(at(k))) / total;
  }
  return [first, Math.sqrt(second), fourth / second ** 2];
}

const SHAPE = [200, 50, 2];
const FAN_IN = 100;
const FAN_OUT = 400;

export const initChecks: readonly Check<Device>[] = [
  {
    name: 'uniform_, within its bounds',
    run: async (device) => {
      const w = blank(device, SHAPE);
      ensure(init.uniform_(w) === w, 'it returns the tensor');
      const { min, max } = await ensureMoments(w, 0.5, 1 / Math.sqrt(12), 1.8);
      ensure(min >= 0 && max < 1, `from ${min} to ${max}`);
      await ensureUniform(init.uniform_(w, { a: -3, b: 3 }), 3);
    },
  },
  {
    name: 'normal_ and truncNormal_',
    run: async (device) => {
      const w = blank(device, SHAPE);
      await ensureMoments(init.normal_(w), 0, 1, 3);
      const { max } = await ensureMoments(init.normal_(w, { mean: 5, std: 0.25 }), 5, 0.25, 3);
      ensure(max > 5.75, `no value beyond three deviations: ${max}`);
      const ranges = [
        { mean: 0, std: 1, a: -2, b: 2 },
        { mean: 1, std: 2, a: -1, b: 1.5 },
        { mean: 0, std: 1, a: 5, b: 8 },
        { mean: 0, std: 1, a: -8, b: -5 },
        { mean: 2, std: 0.02, a: -2, b: 2 },
      ];
      for (const range of ranges) {
        const { mean, std, a, b } = range;
        const from = Math.max(a, mean - 9 * std);
        const to = Math.min(b, mean + 9 * std);
        const [m, s, k] = momentsBy((x) => Math.exp(-(((x - mean) / std) ** 2) / 2), from, to);
        const { min, max } = await ensureMoments(init.truncNormal_(w, range), m, s, k);
        ensure(min >= a && max <= b, `from ${min} to ${max}`);
      }
    },
  },
  {
    name: 'xavier and kaiming, by the fans of the shape',
    run: async (device) => {
      const w = blank(device, SHAPE);
      const xavier = Math.sqrt(2 / (FAN_IN + FAN_OUT));
      await ensureUniform(init.xavierUniform_(w), Math.sqrt(3) * xavier);
      await ensureUniform(init.xavierUniform_(w, { gain: 2 }), 2 * Math.sqrt(3) * xavier);
      await ensureMoments(init.xavierNormal_(w, { gain: 5 / 3 }), 0, (5 / 3) * xavier, 3);
      await ensureUniform(init.kaimingUniform_(w), Math.sqrt(6 / FAN_IN));
      const a = Math.sqrt(5);
      await ensureUniform(init.kaimingUniform_(w, { a }), 1 / Math.sqrt(FAN_IN));
      await ensureMoments(
        init.kaimingNormal_(w, { mode: 'fanOut', nonlinearity: 'relu' }),
        0,
        Math.sqrt(2 / FAN_OUT),
        3,
      );
      const tanh = { nonlinearity: 'tanh' } as const;
      await ensureMoments(init.kaimingNormal_(w, tanh), 0, 5 / 3 / Math.sqrt(FAN_IN), 3);
    },
  },
  {
    name: 'orthogonal_, of both shapes and more dimensions',
    run: async (device) => {
      for (const shape of [
        [6, 20],
        [20, 6],
        [7, 7],
        [4, 3, 2],
        [1, 5],
      ]) {
        const [rows = 0] = shape;
        const w = init.orthogonal_(blank(device, shape), { gain: 2 });
        const columns = w.size / rows;
        const y = await w.data();
        const wide = rows <= columns;
        const n = wide ? rows : columns;
        const at = (i: number, k: number): number =>
          y[wide ? i * columns + k : k * columns + i] ?? NaN;
        for (let i = 0; i < n; i++) {
          for (let j = 0; j < n; j++) {
            let product = 0;
            for (let k = 0; k < w.size / n; k++) product += at(i, k) * at(j, k);
            const off = Math.abs(product - (i === j ? 4 : 0));
            ensure(off < 1e-5, `[${shape.join()}]: vectors ${i} and ${j} have product ${product}`);
          }
        }
      }
      // Both signs, evenly: a factorisation alone would give one of them.
      const signs = await Promise.all(
        Array.from({ length: 64 }, async () => {
          const w = init.orthogonal_(blank(device, [1, 1]));
          return w.item();
        }),
      );
      const positive = signs.filter((s) => s === 1).length;
      ensure(positive > 8 && positive < 56, `${positive} of 64 are 1`);
    },
  },
  {
    name: 'sparse_, eye_, dirac_, constants',
    run: async (device) => {
      const w = init.sparse_(blank(device, [100, 40]), 0.255, { std: 2 });
      const y = await w.data();
      for (let column = 0; column < 40; column++) {
        let zeros = 0;
        for (let row = 0; row < 100; row++) if (y[row * 40 + column] === 0) zeros++;
        ensureEqual(zeros, 26, `zeros in column ${column}`);
      }
      const kept = [...y].filter((v) => v !== 0);
      const std = Math.sqrt(kept.reduce((s, v) => s + v * v, 0) / kept.length);
      ensure(Math.abs(std - 2) < 0.15, `deviation ${std}`);
      const rows = new Set([...y.keys()].filter((i) => y[i] === 0).map((i) => Math.floor(i / 40)));
      ensure(rows.size > 90, `zeros in ${rows.size} rows only`);
      ensureEqual(
        await init.eye_(blank(device, [2, 3])).array(),
        [
          [1, 0, 0],
          [0, 1, 0],
        ],
        'eye_',
      );
      ensureEqual(
        await init.dirac_(blank(device, [4, 2, 3]), { groups: 2 }).array(),
        [
          [
            [0, 1, 0],
            [0, 0, 0],
          ],
          [
            [0, 0, 0],
            [0, 1, 0],
          ],
          [
            [0, 1, 0],
            [0, 0, 0],
          ],
          [
            [0, 0, 0],
            [0, 1, 0],
          ],
        ],
        'dirac_',
      );
      const flat = [...(await init.dirac_(blank(device, [3, 2, 2, 3])).data())];
      // In the middle, [1, 1], of outputs 0 and 1.
      ensureEqual(
        flat.flatMap((v, i) => (v === 1 ? [i] : [])),
        [4, 22],
        'dirac_ of four dimensions',
      );
      ensureEqual(await init.constant_(blank(device, [3]), -0.5).array(), [-0.5, -0.5, -0.5], '');
      ensureEqual(await init.constant_(blank(device, [1]), NaN).item(), NaN, 'NaN');
      ensureEqual(await init.ones_(blank(device, [2], 'float16')).array(), [1, 1], 'ones_');
      ensureEqual(await init.zeros_(init.ones_(blank(device, [2]))).array(), [0, 0], 'zeros_');
      init.normal_(blank(device, [0, 3]));
      init.orthogonal_(blank(device, [0, 3]));
    },
  },
  {
    name: 'in place: the tensor stays a leaf, its dtype too, and graphs that saved it end',
    run: async (device) => {
      const w = tensor([1, 2], { device, dtype: 'float16', requiresGrad: true });
      const loss = sum(mul(w, w));
      init.uniform_(w);
      ensure(w.requiresGrad && w.node === null && w.dtype === 'float16', 'a leaf');
      ensureThrows(() => loss.backward(), NonlinError);
      manualSeed(3);
      const first = await init.normal_(w).array();
      const second = await init.normal_(w).array();
      manualSeed(3);
      ensureEqual(await init.normal_(w).array(), first, 'after the same seed');
      ensure(JSON.stringify(first) !== JSON.stringify(second), 'each call draws others');
    },
  },
  {
    name: 'gains are those of PyTorch',
    run: async () => {
      const gain = init.calculateGain;
      ensureEqual(gain('linear'), 1, 'linear');
      ensureEqual(gain('conv2d'), 1, 'conv2d');
      ensureEqual(gain('sigmoid'), 1, 'sigmoid');
      ensureEqual(gain('tanh'), 5 / 3, 'tanh');
      ensureEqual(gain('relu'), Math.sqrt(2), 'relu');
      ensureEqual(gain('leakyRelu'), Math.sqrt(2 / 1.0001), 'leakyRelu');
      ensureEqual(gain('leakyRelu', 1), 1, 'leakyRelu of slope 1');
      ensureEqual(gain('selu'), 0.75, 'selu');
    },
  },
  {
    name: 'refusals leave the tensor as it was',
    run: async (device) => {
      const w = tensor(
        [
          [1, 2],
          [3, 4],
        ],
        { device },
      );
      const vector = tensor([1], { device });
      const whole = tensor([1], { device, dtype: 'int32' });
      const wild = init as unknown as Record<string, (...args: unknown[]) => unknown>;
      const bad: [string, unknown[]][] = [
        ['uniform_', [5]],
        ['uniform_', [whole]],
        ['uniform_', [w, { a: 2, b: 1 }]],
        ['uniform_', [w, { a: NaN }]],
        ['uniform_', [w, { b: Infinity }]],
        ['uniform_', [w, { c: 1 }]],
        ['normal_', [w, { std: -1 }]],
        ['truncNormal_', [w, { a: 1, b: 0 }]],
        ['truncNormal_', [w, { std: 0 }]],
        ['constant_', [w]],
        ['constant_', [w, '1']],
        ['eye_', [vector]],
        ['dirac_', [w]],
        ['dirac_', [blank(device, [3, 1, 1]), { groups: 2 }]],
        ['sparse_', [vector, 0.5]],
        ['sparse_', [w, 1.5]],
        ['sparse_', [w]],
        ['xavierUniform_', [vector]],
        ['xavierNormal_', [w, { gain: 'tanh' }]],
        ['kaimingUniform_', [vector]],
        ['kaimingUniform_', [w, { mode: 'fan' }]],
        ['kaimingNormal_', [w, { nonlinearity: 'gelu' }]],
        ['orthogonal_', [vector]],
        ['orthogonal_', [w, { gain: NaN }]],
        ['calculateGain', ['gelu']],
        ['calculateGain', ['leakyRelu', 'x']],
      ];
      for (const [name, args] of bad) ensureThrows(() => wild[name]?.(...args), NonlinError);
      ensureEqual(
        await w.array(),
        [
          [1, 2],
          [3, 4],
        ],
        'the tensor',
      );
    },
  },
];
