// The small GPT of the demo on the GPU: the same losses as on the CPU, and nothing new after the warm-up.
import { beforeAll, describe, expect, it } from 'vitest';
import { splitText } from '../../demo/writing/text.ts';
import { DEFAULTS } from '../../demo/writing/config.ts';
import { Writer } from '../../demo/writing/writer.ts';
import { init, type Device } from '../../src/index.ts';
import { LONG } from '../parts.ts';
import { requestGpuDevice } from './gpu-device.ts';

const CONFIG = {
  vocabulary: 11,
  context: 16,
  layers: 2,
  width: 32,
  heads: 2,
  dropout: 0.1,
  activation: 'gelu',
  norm: 'layerNorm',
  positions: 'rotary',
} as const;
const SETTINGS = { ...DEFAULTS, steps: 50, batchSize: 4, learningRate: 1e-2, testEvery: 10 };
const SMALL = { config: CONFIG, settings: SETTINGS };
/** As large as that of `npm run gpt`, with learned positions. Ten steps, as the CPU takes seconds for each. */
const LARGE = {
  config: {
    ...CONFIG,
    context: 64,
    layers: 4,
    width: 128,
    heads: 4,
    dropout: 0,
    positions: 'learned',
  },
  settings: { ...SETTINGS, steps: 10, batchSize: 16, learningRate: 1e-3, testEvery: 5 },
} as const;

/** What a run says, and the counts after each test of held-out text. */
async function run(device: Device, { config, settings }: typeof SMALL | typeof LARGE) {
  const text = Int32Array.from({ length: 3000 }, (_, i) => (i * i) % 11);
  const writer = new Writer({
    config,
    settings,
    corpus: splitText(text),
    device,
    // how many losses are read together follows from how long steps take, and the buffers from that
    readMs: 0,
  });
  const losses: number[] = [];
  const tests: number[] = [];
  const counts: { pipelines: number; buffers: number; submits: number }[] = [];
  for await (const report of writer.train()) {
    if (report.kind === 'test') {
      tests.push(report.loss);
      const { pipelinesCompiled, buffersCreated, submits } = device.stats();
      counts.push({ pipelines: pipelinesCompiled, buffers: buffersCreated, submits });
    } else losses.push(...report.losses);
  }
  writer.dispose();
  return { losses, tests, counts };
}

async function runOnCpu(size: typeof SMALL | typeof LARGE) {
  const cpu = await init({ backend: 'cpu' });
  const reference = await run(cpu, size);
  cpu.dispose();
  expect(reference.losses).toHaveLength(size.settings.steps);
  return reference;
}

/** The same curve within 1e-3, and no pipeline and no buffer after the second test of held-out text. */
async function expectSame(
  size: typeof SMALL | typeof LARGE,
  reference: Awaited<ReturnType<typeof run>>,
  tuning: 'hardware' | 'software',
) {
  const device = await init({ device: await requestGpuDevice(), tuning });
  const { losses, tests, counts } = await run(device, size);
  expect(losses).toHaveLength(reference.losses.length);
  losses.forEach((loss, i) => {
    expect(Math.abs(loss - (reference.losses[i] ?? NaN)), `step ${i}`).toBeLessThan(1e-3);
  });
  tests.forEach((loss, i) => {
    expect(Math.abs(loss - (reference.tests[i] ?? NaN))).toBeLessThan(1e-3);
  });
  const [early, late] = [counts[1], counts.at(-1)];
  expect(late?.pipelines).toBe(early?.pipelines);
  expect(late?.buffers).toBe(early?.buffers);
  device.dispose();
}

describe('a small GPT', () => {
  let reference: Awaited<ReturnType<typeof run>>;
  beforeAll(async () => {
    reference = await runOnCpu(SMALL);
    expect(reference.tests.at(-1)).toBeLessThan((reference.tests[0] ?? NaN) - 1);
  });

  for (const [tuning, options] of [
    ['hardware', {}],
    ['software', LONG],
  ] as const) {
    const title = `has the curve of the CPU, by the plan for ${tuning}, without new pipelines or buffers`;
    it(title, options, () => expectSame(SMALL, reference, tuning));
  }
});

it(
  'a GPT of 4 layers of 128, as `npm run gpt` has it, has the curve of the CPU, without new pipelines or buffers',
  { ...LONG, timeout: 900_000 },
  async () => {
    const reference = await runOnCpu(LARGE);
    expect(reference.tests.at(-1)).toBeLessThan(reference.tests[0] ?? NaN);
    await expectSame(LARGE, reference, 'hardware');
  },
);
