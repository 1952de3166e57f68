// Tensors past the binding limit: every op in windows, the GPU against the CPU, on this adapter and as on hardware.
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { init, OutOfMemoryError, type Device } from '../../src/index.ts';
import { callsOf, opNames, upload, type Call } from '../calls.ts';
import { borrow, requestHardwareLike, requestLimitedDevice } from './gpu-device.ts';
import { differences, outcome } from './judge.ts';
import { settingsFor, type Setting } from './random-calls.ts';

/** 1,024 float32: many tensors that are drawn are larger. */
const LIMIT = 4096;

/**
 * Ops that go over a row more than once, or compare any two of its elements, and so want it in one binding: a longer one is
 * refused.
 */
const WHOLE_ROWS = [
  'sparsemax',
  'multiMarginLoss',
  'multilabelMarginLoss',
  'multilabelSoftMarginLoss',
  'cosineEmbeddingLoss',
  'cosineSimilarity',
  'pairwiseDistance',
  'tripletMarginLoss',
  'tripletMarginWithDistanceLoss',
  'adaptiveLogSoftmaxWithLoss',
  'crossEntropy',
  'focalLoss',
  'nllLoss',
  'ctcLoss',
];

let cpu: Device;
let gpus: Record<Setting['adapter'], Device>;
beforeAll(async () => {
  cpu = await init({ backend: 'cpu' });
  const limits = { maxStorageBufferBindingSize: LIMIT };
  gpus = {
    'as it is': await init({ device: await requestLimitedDevice(limits) }),
    'as hardware': await init({
      device: await requestLimitedDevice(limits, await requestHardwareLike()),
    }),
  };
});
afterAll(() => {
  for (const gpu of Object.values(gpus)) gpu.dispose();
});

describe('every op, in windows', () => {
  for (const op of opNames.filter((name) => name !== 'linearCrossEntropy')) {
    it(op, { timeout: 240_000 }, async () => {
      const setting = settingsFor(op);
      const check = async (call: Call, { dtype, borrowed, seed }: Setting): Promise<void> => {
        const expected = await outcome(call, seed, dtype, cpu);
        for (const [adapter, gpu] of Object.entries(gpus)) {
          const actual = await outcome(call, seed, dtype, gpu, borrowed ? borrow : upload).catch(
            (error: unknown) => {
              if (error instanceof OutOfMemoryError && WHOLE_ROWS.includes(op)) return null;
              throw error;
            },
          );
          if (!actual) continue;
          const wrong = differences(call, dtype, expected, actual);
          if (wrong.length > 0) expect.fail([adapter, ...wrong].join('\n'));
        }
      };
      await fc.assert(fc.asyncProperty(callsOf(op), setting, check), {
        numRuns: 10,
        includeErrorInReport: true,
        interruptAfterTimeLimit: 60_000,
        markInterruptAsFailure: false,
      });
      for (const gpu of Object.values(gpus)) await gpu.synchronize();
    });
  }
});
