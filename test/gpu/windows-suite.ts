// Takes ops, and gives tests of tensors past the binding limit: every op in windows, the GPU against the CPU, on this adapter
// and as on hardware; and of memory that cannot be had.
import { catalog } from '../../src/catalog.ts';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  init,
  LimitError,
  OutOfMemoryError,
  scope,
  tensor,
  type Device,
  type NonlinError,
} from '../../src/index.ts';
import { argumentsOf, callsOf, resultOf, upload, upstreamOf, type Call } from '../calls.ts';
import { openGpu } from '../open.ts';
import { borrow } from './gpu-device.ts';
import { differences, outcome } from './judge.ts';
import { settingsFor, type Setting } from './random-calls.ts';
import { SIMILARITIES } from './similarity-errors.ts';

/** 1,024 float32: many tensors that are drawn are larger. */
const LIMIT = 4096;

/**
 * Ops that go over a row more than once, or compare any two of its elements, and so want it in one binding: a longer one is
 * refused.
 */
const WHOLE_ROWS = [
  // A head of it.
  'scaledDotProductAttention',
  'sparsemax',
  'entmax15',
  ...catalog.filter(({ kind }) => kind === 'norm').map(({ op }) => op),
  // Its hard form.
  'gumbelSoftmax',
  'multiMarginLoss',
  'multilabelMarginLoss',
  'multilabelSoftMarginLoss',
  'cosineEmbeddingLoss',
  'cosineSimilarity',
  'pairwiseDistance',
  'tripletMarginLoss',
  'tripletMarginWithDistanceLoss',
  'adaptiveLogSoftmaxWithLoss',
  // All columns.
  ...SIMILARITIES,
  'contrastiveLoss',
  'crossEntropy',
  'focalLoss',
  'polyLoss',
  'generalizedCrossEntropy',
  'arcFaceLoss',
  'cosFaceLoss',
  'nllLoss',
  'diceWithLogits',
  'jaccardLoss',
  'tverskyLoss',
  'focalTverskyLoss',
  // All times, in order.
  'coxPhLoss',
  'ctcLoss',
];

const isRefusal = (error: unknown): error is NonlinError =>
  error instanceof OutOfMemoryError || error instanceof LimitError;

/** A device for each plan, with bindings of few bytes; made ahead of the tests of the suite that it is called in. */
export function devicesOfWindows(): {
  cpu: () => Device;
  gpus: () => Record<Setting['adapter'], Device>;
} {
  let cpu: Device;
  let gpus: Record<Setting['adapter'], Device>;
  beforeAll(async () => {
    cpu = await init({ backend: 'cpu' });
    const limits = { maxStorageBufferBindingSize: LIMIT };
    gpus = {
      'as it is': await openGpu({ limits }),
      'as hardware': await openGpu({ tuning: 'hardware', limits }),
    };
  });
  afterAll(() => {
    for (const gpu of Object.values(gpus)) gpu.dispose();
  });
  return { cpu: () => cpu, gpus: () => gpus };
}

export interface WindowDraws {
  /** Calls of each op. */
  readonly draws: number;
  /** Ops whose memory is refused. */
  readonly refused: readonly string[];
}

export function windowsSuite(ops: readonly string[], { draws, refused }: WindowDraws): void {
  const { cpu, gpus } = devicesOfWindows();

  describe('every op, in windows', () => {
    for (const op of ops.filter((name) => name !== 'linearCrossEntropy')) {
      it(op, { timeout: 240_000 }, async () => {
        const setting = settingsFor(op);
        const check = async (call: Call, { dtype, borrowed, seed }: Setting): Promise<void> => {
          const expected = await outcome(call, seed, dtype, cpu());
          for (const [adapter, gpu] of Object.entries(gpus())) {
            const actual = await outcome(call, seed, dtype, gpu, borrowed ? borrow : upload).catch(
              (error: unknown) => {
                if (!isRefusal(error) || !WHOLE_ROWS.includes(op)) throw error;
                expect(error.op).toBe(op);
                return null;
              },
            );
            if (!actual) continue;
            const wrong = differences(call, dtype, expected, actual);
            if (wrong.length > 0) expect.fail([adapter, ...wrong].join('\n'));
          }
        };
        await fc.assert(fc.asyncProperty(callsOf(op), setting, check), {
          // The same calls each time: those of `npm run test:fuzz` are others each time.
          seed: 1,
          numRuns: draws,
          includeErrorInReport: true,
          interruptAfterTimeLimit: 60_000,
          markInterruptAsFailure: false,
        });
        for (const gpu of Object.values(gpus())) await gpu.synchronize();
      });
    }
  });

  describe('memory that cannot be had', () => {
    it.each(refused)('is told of %s, not of its kernels', async (op) => {
      const device = await openGpu({ limits: { maxBufferSize: 2 ** 28 } });
      const most = (bytes: number): void => {
        Object.assign(device.gpuDevice?.limits ?? {}, { maxBufferSize: bytes });
      };
      const named = new Set<string>();
      const attempt = (run: () => unknown): void => {
        most(255);
        try {
          run();
        } catch (error) {
          if (!(error instanceof OutOfMemoryError)) throw error;
          named.add(error.op);
        }
        most(2 ** 28);
      };
      for (const call of fc.sample(callsOf(op), { numRuns: 3, seed: 1 })) {
        scope(() => {
          const args = argumentsOf(call, device, { grad: true });
          attempt(() => resultOf(call, args));
          const out = resultOf(call, args);
          if (!out.requiresGrad) return;
          const { shape, data } = upstreamOf(out.shape, 1);
          const upstream = tensor([...data], { shape, dtype: out.dtype, device });
          attempt(() => {
            out.backward(upstream);
          });
        });
      }
      // A sum of gradients is of no op.
      named.delete('backward');
      if (op !== 'reshape') expect([...named]).toEqual([op]);
      device.dispose();
    });
  });
}
