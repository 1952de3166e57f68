// Tensors past the binding limit, a call of one op in three; every op, several calls of each: test/hostile/random-windows.test.ts.
import { describe, expect, it } from 'vitest';
import { ctcLoss, logSoftmax, tensor, type Device } from '../../src/index.ts';
import { opNames } from '../calls.ts';
import { devicesOfWindows, windowsSuite } from './windows-suite.ts';

windowsSuite(
  opNames.filter((_, i) => i % 3 === 0),
  { draws: 1, refused: opNames.filter((_, i) => i % 6 === 0) },
);

describe('ctcLoss of more batch elements than a binding spans', () => {
  const { cpu, gpus } = devicesOfWindows();
  const [steps, batch, classes, labels] = [12, 41, 16, 4];
  const noise = (size: number, seed: number): number[] =>
    Array.from({ length: size }, (_, i) => Math.sin(seed + i * 12.9898));
  const call = async (device: Device, reduction: 'none' | 'mean'): Promise<number[][]> => {
    const logits = tensor(noise(steps * batch * classes, 1), {
      shape: [steps, batch, classes],
      device,
      requiresGrad: true,
    });
    const integers = (values: number[], shape: number[]) =>
      tensor(values, { shape, dtype: 'int32', device });
    const loss = ctcLoss(
      logSoftmax(logits, { dim: 2 }),
      integers(
        Array.from({ length: batch * labels }, (_, i) => 1 + ((i * 7) % (classes - 1))),
        [batch, labels],
      ),
      integers(
        Array.from({ length: batch }, (_, i) => steps - (i % 3)),
        [batch],
      ),
      integers(
        Array.from({ length: batch }, (_, i) => labels - (i % 2)),
        [batch],
      ),
      { reduction },
    );
    loss.backward(tensor(noise(loss.size, 5), { shape: loss.shape, device }));
    return [[...(await loss.data())], [...((await logits.grad?.data()) ?? [])]];
  };

  it.each(['none', 'mean'] as const)('goes by some of them, reduction %s', async (reduction) => {
    const want = await call(cpu(), reduction);
    for (const gpu of Object.values(gpus())) {
      const got = await call(gpu, reduction);
      want.forEach((values, i) => {
        expect(got[i]?.length).toBe(values.length);
        values.forEach((value, k) => {
          expect(Math.abs((got[i]?.[k] ?? NaN) - value)).toBeLessThan(1e-5 * (1 + Math.abs(value)));
        });
      });
    }
  });
});
