// CTC at the sizes of speech: the GPU against the float64 CPU path, on every variant of the kernel, and what it refuses.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  ctcLoss,
  IndexOutOfRangeError,
  init,
  logSoftmax,
  scope,
  sum,
  tensor,
  Tensor,
  type Device,
} from '../../src/index.ts';
import { randomNumbers } from '../calls.ts';
import { openGpu } from '../open.ts';
import { LONG } from '../parts.ts';
import { storageBuffer } from './gpu-device.ts';

interface Size {
  /** Whether it is left to the long lane. */
  readonly long?: boolean;
  readonly steps: number;
  readonly batch: number;
  readonly classes: number;
  readonly labels: number;
}

/** Logits and labels; lengths differ, the first element's are the longest. */
function problem({ steps, batch, classes, labels }: Size) {
  const random = randomNumbers(steps + labels);
  const integer = (most: number): number => Math.floor(random() * most);
  return {
    logits: Float32Array.from({ length: steps * batch * classes }, () => 6 * random() - 3),
    targets: Int32Array.from({ length: batch * labels }, () => 1 + integer(classes - 1)),
    inputLengths: Array.from({ length: batch }, (_, n) => steps - (n && integer(steps / 5))),
    targetLengths: Array.from({ length: batch }, (_, n) => labels - (n && integer(labels / 2))),
  };
}

interface Outcome {
  readonly losses: ArrayLike<number>;
  readonly mean: number;
  /** Of the log-probabilities, by the mean, and of the logits by each loss. */
  readonly direct: ArrayLike<number>;
  readonly through: ArrayLike<number>;
  readonly dispatches: number;
}

/** Log-probabilities come from the CPU, so that every device starts from the same numbers. */
async function outcome(device: Device, size: Size, logProbs: Float32Array): Promise<Outcome> {
  const { targets, inputLengths, targetLengths, logits } = problem(size);
  const { steps, batch, classes, labels } = size;
  const shape = [steps, batch, classes];
  const kept = scope(() => {
    const y = tensor(targets, { shape: [batch, labels], dtype: 'int32', device });
    const leaf = tensor(logProbs, { shape, device, requiresGrad: true });
    const mean = ctcLoss(leaf, y, inputLengths, targetLengths);
    const before = device.stats().dispatches;
    mean.backward();
    const dispatches = device.stats().dispatches - before;
    const x = tensor(logits, { shape, device, requiresGrad: true });
    const losses = ctcLoss(logSoftmax(x, { dim: -1 }), y, inputLengths, targetLengths, {
      reduction: 'none',
    });
    sum(losses).backward();
    if (!leaf.grad || !x.grad) throw new Error('no gradient');
    return { mean, losses, direct: leaf.grad, through: x.grad, dispatches };
  });
  const { mean, losses, direct, through, dispatches } = kept;
  const result = {
    losses: await losses.data(),
    mean: await mean.item(),
    direct: await direct.data(),
    through: await through.data(),
    dispatches,
  };
  for (const one of [mean, losses, direct, through]) one.dispose();
  return result;
}

const largestError = (a: ArrayLike<number>, b: ArrayLike<number>, relative = false): number => {
  let worst = a.length === b.length ? 0 : Infinity;
  for (let i = 0; i < b.length; i++) {
    const [x = NaN, e = NaN] = [a[i], b[i]];
    const error = Math.abs(x - e) / (relative ? Math.abs(e) : 1);
    if (!(error <= worst)) worst = error;
  }
  return worst;
};

let cpu: Device;
let gpus: Record<'as it is' | 'as hardware' | 'with little memory', Device>;
beforeAll(async () => {
  cpu = await init({ backend: 'cpu' });
  gpus = {
    'as it is': await openGpu(),
    'as hardware': await openGpu({ tuning: 'hardware' }),
    // A few batch elements at a time.
    'with little memory': await openGpu({ limits: { maxStorageBufferBindingSize: 2 ** 21 } }),
  };
});
afterAll(() => {
  for (const device of Object.values(gpus)) device.dispose();
});

const SIZES: Record<string, Size> = {
  'T=150, N=16, C=40, S=30': { steps: 150, batch: 16, classes: 40, labels: 30 },
  'T=500, N=16, C=40, S=30': { steps: 500, batch: 16, classes: 40, labels: 30, long: true },
  // More states than workgroup memory takes.
  'T=600, N=2, C=12, S=520': { steps: 600, batch: 2, classes: 12, labels: 520 },
};

describe('ctcLoss is that of the float64 CPU path', () => {
  for (const [name, size] of Object.entries(SIZES)) {
    it(name, { timeout: 120_000, ...(size.long ? LONG : {}) }, async () => {
      const { logits } = problem(size);
      const shape = [size.steps, size.batch, size.classes];
      const x = tensor(logits, { shape, device: cpu });
      const logProbs = Float32Array.from(await logSoftmax(x, { dim: -1 }).data());
      const expected = await outcome(cpu, size, logProbs);
      expect(Array.from(expected.losses).every(Number.isFinite)).toBe(true);
      for (const [adapter, device] of Object.entries(gpus)) {
        if (adapter === 'with little memory' && size.steps > 500) continue;
        const before = device.stats().liveBuffers;
        const actual = await outcome(device, size, logProbs);
        const errors = {
          losses: largestError(actual.losses, expected.losses, true),
          mean: largestError([actual.mean], [expected.mean], true),
          direct: largestError(actual.direct, expected.direct) * size.batch * size.labels,
          through: largestError(actual.through, expected.through),
        };
        // Losses within 4 ULP, gradients (of posteriors, which are up to 1) within 2^-17: seen are 1 ULP and 3.2e-6.
        expect(errors.losses, adapter).toBeLessThan(2 ** -21);
        expect(errors.mean, adapter).toBeLessThan(2 ** -21);
        expect(errors.direct, adapter).toBeLessThan(2 ** -17);
        expect(errors.through, adapter).toBeLessThan(2 ** -17);
        // The gradient of the mean was written with it.
        expect(actual.dispatches).toBe(0);
        expect(device.stats().liveBuffers).toBe(before);
      }
    });
  }
});

describe('scores beside which float32, and float64, lose all others', () => {
  /** Every other step is hardly possible, whatever its class, and at step 4 only the blank is. */
  const steps = 9;
  const logProbs = Float32Array.from({ length: steps * 4 }, (_, i) => {
    const [t, c] = [Math.floor(i / 4), i % 4];
    if (t === 4) return c === 0 ? -0.75 : -Infinity;
    return t % 2 === 0 ? -1e30 * (1 + 2 ** -20 * (c > 0 ? 1 : 0)) : -1 - c;
  });
  const gradientOf = async (device: Device): Promise<number[]> => {
    const grad = scope(() => {
      const x = tensor(logProbs, { shape: [steps, 1, 4], device, requiresGrad: true });
      const y = tensor([[1, 2, 3]], { dtype: 'int32', device });
      ctcLoss(x, y, [steps], [3]).backward();
      return x.grad;
    });
    const values = [...((await grad?.data()) ?? [])];
    grad?.dispose();
    return values;
  };
  /** The gradient of the mean over labels: (e^x - share) / 3. */
  const share = (gradient: readonly number[], t: number, c: number): number =>
    Math.exp(logProbs[4 * t + c] ?? NaN) - 3 * (gradient[4 * t + c] ?? NaN);

  for (const adapter of ['cpu', 'as it is', 'as hardware'] as const) {
    it(`shares of paths add up to 1 at each step, ${adapter}`, async () => {
      const gradient = await gradientOf(adapter === 'cpu' ? cpu : gpus[adapter]);
      for (let t = 0; t < steps; t++) {
        const shares =
          t === 4 ? [share(gradient, t, 0)] : [0, 1, 2, 3].map((c) => share(gradient, t, c));
        expect(
          shares.reduce((a, b) => a + b),
          `step ${t}`,
        ).toBeCloseTo(1, 4);
        for (const one of shares) expect(one).toBeGreaterThan(-1e-4);
      }
    });
  }
});

describe('what only the GPU knows', () => {
  const logProbs = Float32Array.from({ length: 5 * 3 * 4 }, () => Math.log(0.25));
  /** int32 numbers that were never on the host, as far as the device knows. */
  const unseen = (device: Device, values: number[], shape: number[]): Tensor => {
    const gpu = device.gpuDevice;
    if (!gpu) throw new Error('no GPU');
    const buffer = storageBuffer(gpu, Int32Array.from(values));
    return Tensor.fromBuffer(buffer, { shape, dtype: 'int32', device });
  };
  interface Given {
    readonly targets: number[];
    readonly inputLengths?: number[];
    readonly targetLengths?: number[];
    readonly shape?: number[];
  }
  const losses = async (device: Device, given: Given): Promise<[number[], number[]]> => {
    const { targets, inputLengths = [5, 5, 5], targetLengths = [2, 2, 2] } = given;
    const results = scope(() => {
      const x = tensor(logProbs, { shape: [5, 3, 4], device, requiresGrad: true });
      const y = unseen(device, targets, given.shape ?? [3, 2]);
      const lengths = [inputLengths, targetLengths].map((values) => unseen(device, values, [3]));
      const [steps, labels] = lengths;
      if (!steps || !labels) throw new Error('no lengths');
      const out = ctcLoss(x, y, steps, labels, { reduction: 'none' });
      out.backward(tensor([1, 1, 1], { device }));
      return [out, x.grad] as const;
    });
    const [out, grad] = results;
    if (!grad) throw new Error('no gradient');
    // The first read after a fault throws it.
    await expect(out.data()).rejects.toThrow(IndexOutOfRangeError);
    const values = [...(await out.data())];
    const gradients = [...(await grad.data())];
    out.dispose();
    grad.dispose();
    return [values, gradients];
  };

  const faults: [string, string, Given][] = [
    ['a label', 'targets', { targets: [1, 2, 1, 4, 3, 1] }],
    ['a label far out', 'targets', { targets: [1, 2, 2 ** 31 - 1, 1, 3, 1] }],
    ['a negative label', 'targets', { targets: [1, 2, 1, -1, 3, 1] }],
    ['an input length', 'inputLengths', { targets: [1, 2, 1, 3, 3, 1], inputLengths: [5, 6, 5] }],
    [
      'a negative input length',
      'inputLengths',
      { targets: [1, 2, 1, 3, 3, 1], inputLengths: [5, -1, 5] },
    ],
    ['a target length', 'targetLengths', { targets: [1, 2, 1, 3, 3, 1], targetLengths: [2, 3, 2] }],
    [
      'a negative target length',
      'targetLengths',
      { targets: [1, 2, 1, 3, 3, 1], targetLengths: [2, -2, 2] },
    ],
  ];
  for (const adapter of ['as it is', 'as hardware'] as const) {
    for (const [name, argument, given] of faults) {
      it(`${name} out of range gives NaN and is reported, ${adapter}`, async () => {
        const device = gpus[adapter];
        const [values, gradients] = await losses(device, given);
        expect(values.map(Number.isNaN)).toEqual([false, true, false]);
        // [steps, batch, classes]
        expect(gradients.map(Number.isNaN)).toEqual(
          gradients.map((_, i) => Math.floor(i / 4) % 3 === 1),
        );
        await expect(
          (async () => {
            const x = tensor(logProbs, { shape: [5, 3, 4], device });
            const y = unseen(device, given.targets, [3, 2]);
            const steps = unseen(device, given.inputLengths ?? [5, 5, 5], [3]);
            const labels = unseen(device, given.targetLengths ?? [2, 2, 2], [3]);
            await ctcLoss(x, y, steps, labels).data();
          })(),
        ).rejects.toThrow(`ctcLoss: ${argument}: expected`);
      });
    }

    it(`sequences one after another that are longer than the targets, ${adapter}`, async () => {
      const given = { targets: [1, 2, 1, 3, 3], targetLengths: [2, 2, 2], shape: [5] };
      const [values] = await losses(gpus[adapter], given);
      expect(values.map(Number.isNaN)).toEqual([false, false, true]);
    });
  }
});
