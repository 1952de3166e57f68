// Sums and means of many elements against float64: within 2 ULP, whatever the elements, on this adapter and as on hardware.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mean, mseLoss, noGrad, sum, tensor, type Device, type Tensor } from '../../src/index.ts';
import { randomNumbers } from '../calls.ts';
import { ulp32 } from '../ulp.ts';
import { openGpu } from '../open.ts';
import { inParts } from '../parts.ts';

const MOST = 2;
const N = 2 ** 24;

const random = randomNumbers(24);
/** Constants are the hard ones: every rounding goes the same way. */
const DATA: Readonly<Record<string, (i: number) => number>> = {
  uniform: () => random(),
  'of either sign': () => random() - 0.25,
  constant: () => 0.1,
  'another constant': () => 5 / 3,
  rising: (i) => i,
  'with a large one first': (i) => (i === 0 ? 1e6 : random()),
};

/** `Float32Array.from` goes by an iterator, which takes ten times as long. */
function numbers(f: (i: number) => number): Float32Array {
  const values = new Float32Array(N);
  for (let i = 0; i < N; i++) values[i] = f(i);
  return values;
}

function total(values: Float32Array): number {
  let [high, low] = [0, 0];
  for (const value of values) {
    const next = high + value;
    low += value - (next - high);
    high = next;
  }
  return high + low;
}

const offBy = (got: number, want: number): number => Math.abs(got - want) / ulp32(want);

/** The result of `fn`, and nothing left behind. */
async function resultOf(fn: () => Tensor): Promise<number> {
  const result = noGrad(fn);
  const value = await result.item();
  result.dispose();
  return value;
}

for (const adapter of ['as it is', 'as hardware'] as const) {
  describe(`sums, the adapter ${adapter}`, () => {
    let device: Device;
    beforeAll(async () => {
      device = await openGpu(adapter === 'as it is' ? {} : { tuning: 'hardware' });
    });
    afterAll(() => {
      device.dispose();
    });

    for (const [kinds, options] of inParts(Object.entries(DATA), 3)) {
      it.each(kinds)('mean and sum of 2^24 numbers: %s', options, async (_, f) => {
        const values = numbers(f);
        const want = total(values);
        const x = tensor(values, { device });
        expect(offBy(await resultOf(() => mean(x)), want / N)).toBeLessThanOrEqual(MOST);
        expect(offBy(await resultOf(() => sum(x)), want)).toBeLessThanOrEqual(MOST);
        x.dispose();
      });
    }

    it('a count that float32 does not hold', async () => {
      const n = N + 3;
      const values = new Float32Array(n).fill(0.7);
      const x = tensor(values, { device });
      expect(offBy(await resultOf(() => mean(x)), total(values) / n)).toBeLessThanOrEqual(1);
      x.dispose();
    });

    it('mseLoss of 2^24 numbers, with its gradient', async () => {
      const [a, b] = [numbers(random), numbers(random)];
      const squares = a.map((value, i) => {
        const d = Math.fround(value - (b[i] ?? NaN));
        return Math.fround(d * d);
      });
      // Each square has roundings of its own, which is not what is looked at here; they go either way.
      const want = total(squares) / N;
      const input = tensor(a, { device, requiresGrad: true });
      const target = tensor(b, { device });
      const loss = mseLoss(input, target);
      loss.backward();
      expect(offBy(await loss.item(), want)).toBeLessThanOrEqual(MOST);
      let exact = 0;
      for (let i = 0; i < N; i++) exact += ((a[i] ?? NaN) - (b[i] ?? NaN)) ** 2;
      expect(offBy(await loss.item(), exact / N)).toBeLessThanOrEqual(MOST);
      for (const one of [input, target, loss, input.grad]) one?.dispose();
    });

    it('a few long rows, and columns', async () => {
      const shape = [4, N / 4];
      const values = new Float32Array(N).fill(0.1);
      const x = tensor(values, { shape, device });
      const rows = noGrad(() => mean(x, { dim: 1 }));
      for (const value of await rows.data())
        expect(offBy(value, Math.fround(0.1))).toBeLessThanOrEqual(MOST);
      rows.dispose();
      const y = tensor(values, { shape: [N / 4, 4], device });
      const columns = noGrad(() => sum(y, { dim: 0 }));
      for (const value of await columns.data())
        expect(offBy(value, Math.fround(0.1) * (N / 4))).toBeLessThanOrEqual(MOST);
      for (const one of [x, y, columns]) one.dispose();
    });

    it('sums past the largest number are infinite, not NaN', async () => {
      const x = tensor(new Float32Array(5000).fill(3e38), { device });
      expect(await resultOf(() => sum(x))).toBe(Infinity);
      const y = tensor([Infinity, 1, 2], { device });
      expect(await resultOf(() => mean(y))).toBe(Infinity);
      const z = tensor([Infinity, -Infinity], { device });
      expect(await resultOf(() => mean(z))).toBeNaN();
      for (const one of [x, y, z]) one.dispose();
    });
  });
}
