import { init } from 'nonlin';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { findActivations, type ActivationChoice } from '../../demo/training/activations.ts';
import {
  sliceDigits,
  splitDigits,
  PIXELS,
  toFloats,
  type Digits,
} from '../../demo/training/digits.ts';
import { readDigits } from '../../demo/cli/digits-node.ts';
import type { LossChoice } from '../../demo/training/loss.ts';
import { findLosses } from '../../demo/training/losses.ts';
import { OPTIMIZER_NAMES } from '../../demo/training/optimizers.ts';
import { DEFAULTS, type Settings } from '../../demo/training/settings.ts';
import type { Task } from '../../demo/training/task.ts';
import { digitsTask } from '../../demo/training/tasks/digits.ts';
import { Trainer, type EpochReport, type StepsReport } from '../../demo/training/trainer.ts';

const SMALL: Settings = { ...DEFAULTS, width: 16, batchSize: 20, epochs: 2, learningRate: 0.01 };

let activations: ActivationChoice[];
let losses: LossChoice[];
let heldOut: Digits;
let task: Task;

beforeAll(async () => {
  const device = await init({ backend: 'cpu' });
  activations = await findActivations(device);
  losses = await findLosses(device);
  const digits = splitDigits(await readDigits());
  const training = sliceDigits(digits.training, 0, 210);
  heldOut = sliceDigits(digits.heldOut, 0, 120);
  task = digitsTask({ training, heldOut });
}, 60_000);

function chosen<T extends { readonly op: string }>(choices: readonly T[], op: string): T {
  const choice = choices.find((candidate) => candidate.op === op);
  if (!choice) throw new Error(`${op} is not offered`);
  return choice;
}

async function createTrainer(settings: Settings): Promise<Trainer> {
  const device = await init({ backend: 'cpu' });
  const activation = chosen(activations, settings.activation);
  const loss = chosen(losses, settings.loss);
  return new Trainer({ settings, activation, loss, task, device });
}

async function run(settings: Settings) {
  const trainer = await createTrainer(settings);
  const steps: StepsReport[] = [];
  const epochs: EpochReport[] = [];
  for await (const report of trainer.train()) {
    if (report.kind === 'steps') steps.push(report);
    if (report.kind === 'epoch') epochs.push(report);
  }
  return { trainer, steps, epochs };
}

describe('the choices', () => {
  it('hold what a classifier needs, found in the catalog', () => {
    const names = activations.map(({ op }) => op);
    expect(names).toEqual(
      expect.arrayContaining(['relu', 'leakyRelu', 'prelu', 'sigmoid', 'tanh']),
    );
    expect(losses.map(({ op }) => op)).toEqual(
      expect.arrayContaining([
        'crossEntropy',
        'focalLoss',
        'huberLoss',
        'l1Loss',
        'mseLoss',
        'nllLoss',
      ]),
    );
  });

  it('come with the curve of each elementwise activation', () => {
    const { curve } = chosen(activations, 'relu');
    expect([curve?.x[0], curve?.y[0], curve?.slope[0]]).toEqual([-4, 0, 0]);
    expect([curve?.x.at(-1), curve?.y.at(-1), curve?.slope.at(-1)]).toEqual([4, 4, 1]);
    for (const choice of activations) {
      expect(choice.curve !== undefined, choice.op).toBe(choice.group === 'Elementwise');
    }
  });
});

describe('the trainer', () => {
  // Reports come after some steps or some time: on a busy machine time would decide which steps they are of.
  beforeEach(() => {
    vi.spyOn(performance, 'now').mockReturnValue(0);
  });
  afterEach(() => {
    vi.restoreAllMocks();
  });

  it('reports every step and epoch, and learns', async () => {
    const { trainer, steps, epochs } = await run(SMALL);
    expect(trainer.stepsPerEpoch).toBe(11);
    expect(steps.map(({ step }) => step)).toEqual([5, 10, 11, 16, 21, 22]);
    expect(steps.reduce((sum, { since }) => sum + since, 0)).toBe(trainer.steps);
    expect(epochs.map(({ epoch, step }) => [epoch, step])).toEqual([
      [0, 0],
      [1, 11],
      [2, 22],
    ]);
    expect(epochs[0]?.training).toBeUndefined();
    // untrained: ln 10, and no better than chance
    expect(epochs[0]?.heldOut.loss).toBeCloseTo(Math.log(10), 0);
    expect(epochs[2]?.heldOut.loss).toBeLessThan(1.5);
    expect(epochs[2]?.heldOut.accuracy).toBeGreaterThan(0.55);
    expect(epochs[2]?.training?.loss).toBeLessThan(epochs[1]?.training?.loss ?? 0);
  });

  it('gives the same run for the same seed, another for another', async () => {
    const losses = async (seed: number) =>
      (await run({ ...SMALL, epochs: 1, seed })).steps.map(({ score }) => score.loss);
    const first = await losses(1);
    expect(await losses(1)).toEqual(first);
    expect(await losses(2)).not.toEqual(first);
  });

  it('gives the same run where its layers are made one by one', async () => {
    const device = await init({ backend: 'cpu' });
    const settings = { ...SMALL, layers: 3, epochs: 1 };
    const options = {
      settings,
      activation: chosen(activations, 'prelu'),
      loss: chosen(losses, 'crossEntropy'),
      task,
      device,
    };
    let breaths = 0;
    const breathe = async () => {
      breaths++;
    };
    const lossesOf = async (trainer: Trainer) => {
      const all: number[] = [];
      for await (const report of trainer.train()) {
        if (report.kind === 'steps') all.push(report.score.loss);
      }
      return all;
    };
    const gently = await Trainer.create({ ...options, breathe });
    expect(breaths).toBe(3);
    expect(await lossesOf(gently)).toEqual(await lossesOf(new Trainer(options)));
  });

  it('says how far a test is that takes a while, and can be left there', async () => {
    const device = await init({ backend: 'cpu' });
    let now = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => (now += 200));
    const trainer = new Trainer({
      settings: { ...SMALL, width: 256, layers: 8 },
      activation: chosen(activations, 'relu'),
      loss: chosen(losses, 'crossEntropy'),
      task,
      device,
    });
    const shares: number[] = [];
    for await (const report of trainer.train()) {
      if (report.kind !== 'testing') break;
      shares.push(report.share);
      if (shares.length === 5) break;
    }
    vi.restoreAllMocks();
    expect(shares).toHaveLength(5);
    expect(shares).toEqual([...shares].sort((a, b) => a - b));
    expect(shares.at(-1)).toBeLessThan(1);
    trainer.dispose();
  });

  it('predicts probabilities, also between steps, without changing the run', async () => {
    const pixels = toFloats(heldOut.pixels.subarray(0, PIXELS));
    const undisturbed = (await run({ ...SMALL, epochs: 1 })).steps.at(-1)?.score.loss;
    const trainer = await createTrainer({ ...SMALL, epochs: 1 });
    let last: number | undefined;
    for await (const report of trainer.train()) {
      const probabilities = await trainer.predict(pixels);
      expect(probabilities).toHaveLength(10);
      expect(probabilities.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 6);
      if (report.kind === 'steps') last = report.score.loss;
    }
    expect(last).toBe(undisturbed);
  });

  it('frees what it makes', async () => {
    const device = await init({ backend: 'cpu' });
    const trainer = new Trainer({
      settings: SMALL,
      activation: chosen(activations, 'relu'),
      loss: chosen(losses, 'crossEntropy'),
      task,
      device,
    });
    const live: number[] = [];
    for await (const report of trainer.train()) {
      if (report.kind !== 'epoch') continue;
      await trainer.diagnose();
      await trainer.predict(new Float32Array(PIXELS));
      await trainer.checkpoint();
      live.push(device.stats().liveBuffers);
    }
    // gradients and optimizer state come with the first step; nothing after that
    expect(live[2]).toBe(live[1]);
    trainer.dispose();
    expect(device.stats().liveBuffers).toBe(0);
  });

  it('stops when the loop is left', async () => {
    const trainer = await createTrainer(SMALL);
    for await (const report of trainer.train()) if (report.step >= 5) break;
    expect(await trainer.predict(new Float32Array(PIXELS))).toHaveLength(10);
    trainer.dispose();
    await expect(trainer.predict(new Float32Array(PIXELS))).rejects.toThrow('disposed');
  });

  it('lets the host breathe after each step on the CPU', async () => {
    let breaths = 0;
    const device = await init({ backend: 'cpu' });
    const trainer = new Trainer({
      settings: { ...SMALL, epochs: 1 },
      activation: chosen(activations, 'relu'),
      loss: chosen(losses, 'crossEntropy'),
      task,
      device,
      breathe: async () => {
        breaths++;
      },
    });
    for await (const _ of trainer.train());
    expect(breaths).toBeGreaterThanOrEqual(trainer.steps);
  });

  it(
    'learns with every activation, loss and optimizer on offer',
    { timeout: 120_000 },
    async () => {
      const variants: Settings[] = [
        ...activations
          .filter(({ group }) => group !== 'Row-wise')
          .map(({ op }) => ({ ...SMALL, activation: op })),
        ...losses.map(({ op }) => ({ ...SMALL, loss: op })),
        ...OPTIMIZER_NAMES.map((optimizer) => ({ ...SMALL, optimizer, learningRate: 0.01 })),
        { ...SMALL, layers: 2 },
      ];
      for (const settings of variants) {
        const { epochs, trainer } = await run({ ...settings, epochs: 1 });
        const name = [settings.activation, settings.loss, settings.optimizer].join(' ');
        const [first, last] = epochs.map(({ heldOut }) => heldOut.loss);
        expect(last, name).toBeLessThan(first ?? NaN);
        trainer.dispose();
      }
    },
  );
});
