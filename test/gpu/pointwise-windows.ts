// Takes how many calls to draw, and gives a test of each of some elementwise ops whose tensors need several windows: the GPU
// against the CPU device.
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { init, manualSeed, scope, type Device } from '../../src/index.ts';
import { argumentsOf, callsOf, resultOf, upload, type Call, type Upload } from '../calls.ts';
import { openGpu } from '../open.ts';
import { borrow } from './gpu-device.ts';
import { differences } from './judge.ts';
import { inPlace, settingsFor, type Setting } from './random-calls.ts';

export function pointwiseWindowsSuite(draws: number): void {
  describe('elementwise ops in windows', () => {
    // 4,096 float32 at a time, so that most of what is drawn needs several windows.
    const ops = ['leakyRelu', 'prelu', 'div', 'dropout', 'huberLoss'];
    const long: fc.Arbitrary<number[]> = fc.oneof(
      fc.constantFrom(4096, 4097, 8191, 8192, 8195, 12_000).map((n) => [n]),
      fc.tuple(fc.integer({ min: 40, max: 120 }), fc.integer({ min: 40, max: 120 })),
      fc.constantFrom([3, 40, 101], [2, 2050], [5, 4, 3, 200]).map((shape) => [...shape]),
    );
    let cpu: Device;
    let small: Device;
    beforeAll(async () => {
      cpu = await init({ backend: 'cpu' });
      small = await openGpu({ limits: { maxStorageBufferBindingSize: 16_384 } });
    });
    afterAll(() => {
      small.dispose();
    });

    const forward = async (
      call: Call,
      { seed, dtype }: Setting,
      device: Device,
      place: Upload,
    ): Promise<Map<string, number[]>> => {
      manualSeed(seed);
      const out = scope(() => resultOf(call, argumentsOf(call, device, { dtype, place })));
      const values = new Map([['out', [...(await out.data())]]]);
      out.dispose();
      return values;
    };

    for (const op of ops) {
      it(op, { timeout: 120_000 }, async () => {
        let windowed = 0;
        await fc.assert(
          fc.asyncProperty(callsOf(op, 'any', long), settingsFor(op), async (call, setting) => {
            const expected = await forward(call, setting, cpu, upload);
            const place = setting.borrowed ? borrow : upload;
            const actual = await forward(call, setting, small, place);
            const most = Math.max(...Object.values(call.positional).map(({ data }) => data.length));
            if (most > (setting.dtype === 'float16' ? 8192 : 4096)) windowed++;
            const wrong = differences(call, setting.dtype, expected, actual);
            for (const [name, written] of await inPlace(
              call,
              setting.seed,
              setting.dtype,
              small,
              place,
            )) {
              const over = differences(call, setting.dtype, expected, new Map([['out', written]]));
              wrong.push(...over.map((line) => `written over ${name}: ${line}`));
            }
            if (wrong.length > 0) expect.fail(wrong.join('\n'));
          }),
          { numRuns: draws, includeErrorInReport: true },
        );
        await small.synchronize();
        expect(windowed).toBeGreaterThan(0);
      });
    }
  });
}
