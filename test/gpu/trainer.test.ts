// The trainer of the page on the GPU, whose steps are captured: the same bits as steps that are not, batches of another size,
// runs that go on from a checkpoint.
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createModel } from '../../demo/training/model.ts';
import { createOptimizer, type OptimizerName } from '../../demo/training/optimizers.ts';
import { generator, permutation } from '../../demo/training/random.ts';
import { DEFAULTS, type Settings } from '../../demo/training/settings.ts';
import { spiralsTask } from '../../demo/training/tasks/spirals.ts';
import { Trainer, type TrainerOptions } from '../../demo/training/trainer.ts';
import { activationOf, LOSS } from '../../demo/views/home/choices.ts';
import { manualSeed, nn, scope, tensor, type Device, type Tensor } from '../../src/index.ts';
import { openGpu } from '../open.ts';
import { inParts } from '../parts.ts';

const TASK = spiralsTask();
/** Batches of 110 of 600 points: the last of an epoch has 50. */
const SETTINGS: Settings = { ...DEFAULTS, width: 12, layers: 2, batchSize: 110, epochs: 2 };
const STEPS = 12;

const prelu = {
  ...activationOf('relu'),
  op: 'prelu',
  create: (device: Device) => new nn.PReLU({ device }),
};
const CASES = [
  ['relu', activationOf('relu'), 'adam', 0],
  ['prelu', prelu, 'momentum', 0],
  ['tanh', activationOf('tanh'), 'adamw', 0],
  ['relu, gradients clipped', activationOf('relu'), 'sgd', 0.05],
] as const;

describe.each(['software', 'hardware'] as const)('by the plan for %s', (tuning) => {
  let device: Device;
  beforeAll(async () => {
    device = await openGpu({ tuning });
  });
  afterAll(() => {
    device.dispose();
  });

  const bitsOf = async (tensors: readonly Tensor[]): Promise<number[]> => {
    const values = await Promise.all(tensors.map((one) => one.data()));
    return values.flatMap((one) => [...new Uint32Array(Float32Array.from(one).buffer)]);
  };
  const optionsOf = (
    activation: TrainerOptions['activation'],
    optimizer: OptimizerName,
    clipNorm = 0,
  ): TrainerOptions => ({
    settings: { ...SETTINGS, optimizer, clipNorm },
    activation,
    loss: LOSS,
    task: TASK,
    device,
  });

  /** What a trainer learns until it has done some steps. */
  async function train(trainer: Trainer, until = STEPS): Promise<void> {
    for await (const report of trainer.train()) if (report.step >= until) break;
  }

  /** The same steps, none of them captured. */
  async function eager({ settings, activation, loss }: TrainerOptions): Promise<number[]> {
    manualSeed(settings.seed);
    const model = createModel({ ...settings, task: TASK, activation, device });
    const optimizers = model.layers.map(({ linear, activation: unit }) => {
      const parameters = [...linear.parameters(), ...(unit?.parameters() ?? [])];
      return createOptimizer(settings.optimizer, parameters, settings.learningRate);
    });
    for (let epoch = 1; epoch <= settings.epochs; epoch++) {
      const order = permutation(TASK.training.count, generator(settings.seed * 1009 + epoch));
      for (let from = 0; from < order.length; from += settings.batchSize) {
        const batch = TASK.training.gather(order.subarray(from, from + settings.batchSize));
        scope(() => {
          for (const optimizer of optimizers) optimizer.zeroGrad();
          const x = tensor(batch.x, { shape: [batch.count, 2], device });
          const outputs = model.network.forward(x);
          loss.compute(outputs, loss.target(batch.wanted, 2, device)).backward();
          if (settings.clipNorm > 0) {
            nn.utils.clipGradNorm(model.network.parameters(), settings.clipNorm);
          }
          for (const optimizer of optimizers) optimizer.step();
        });
      }
    }
    const bits = await bitsOf(model.network.parameters());
    for (const optimizer of optimizers) optimizer.dispose();
    model.network.dispose();
    return bits;
  }

  for (const [cases, tags] of inParts(CASES, 2)) {
    it.each(cases)(
      '%s: the bits of steps that are not captured',
      tags,
      async (_, activation, optimizer, clipNorm) => {
        const options = optionsOf(activation, optimizer, clipNorm);
        const expected = await eager(options);

        const whole = new Trainer(options);
        const forward = vi.spyOn(whole.network, 'forward');
        await train(whole);
        expect(await bitsOf(whole.network.parameters())).toEqual(expected);
        // Once for each size of a batch, once more where gradients are there for the first time, and for each test.
        expect(forward.mock.calls.length).toBeLessThanOrEqual(3 + 3);
        whole.dispose();

        // Left in the middle of an epoch, looked at, and gone on with by another trainer.
        const first = new Trainer(options);
        await train(first, 5);
        await first.diagnose();
        await first.predict(Float32Array.of(0.5, 0.5));
        const from = await first.checkpoint();
        expect(from.step).toBeGreaterThanOrEqual(5);
        expect(from.step).toBeLessThan(STEPS);
        // Paused and gone on with: the same trainer.
        await train(first);
        expect(await bitsOf(first.network.parameters())).toEqual(expected);
        first.dispose();
        const second = new Trainer({ ...options, from });
        await train(second);
        expect(await bitsOf(second.network.parameters())).toEqual(expected);
        second.dispose();
      },
    );
  }

  it('frees what it has made', async () => {
    await device.synchronize();
    const before = device.stats();
    const trainer = new Trainer(optionsOf(activationOf('relu'), 'adam'));
    await train(trainer);
    trainer.dispose();
    await device.synchronize();
    const { liveBuffers, liveBytes } = device.stats();
    expect({ liveBuffers, liveBytes }).toEqual({
      liveBuffers: before.liveBuffers,
      liveBytes: before.liveBytes,
    });
  });
});
