// In: settings, digits, a device. Out: a training run that reports as it goes, and the model that it trains.
import {
  manualSeed,
  noGrad,
  scope,
  softmax,
  tensor,
  type Device,
  type nn,
  type Tensor,
} from 'nonlin';
import type { ActivationChoice } from './activations.ts';
import { PIXELS, type Digits } from './digits.ts';
import type { LossChoice } from './losses.ts';
import { CLASSES, createModel } from './model.ts';
import { createOptimizer, type Optimizer } from './optimizers.ts';
import { generator, permutation } from './random.ts';
import type { Settings } from './settings.ts';

export interface TrainerOptions {
  readonly settings: Settings;
  readonly activation: ActivationChoice;
  readonly loss: LossChoice;
  readonly training: Digits;
  readonly heldOut: Digits;
  /** Must be the device of the latest `init()`. */
  readonly device: Device;
  /** Lets the host do other work; called between pieces of work on the CPU. At once by default. */
  readonly breathe?: () => Promise<void>;
}

/** Mean loss, and the share of digits that were recognised. */
export interface Score {
  readonly loss: number;
  readonly accuracy: number;
}

/** A few steps done: `score` is over their batches, each before its own step. */
export interface StepsReport {
  readonly kind: 'steps';
  /** Steps done in the whole run. */
  readonly step: number;
  /** Steps done since the report before. */
  readonly since: number;
  /** The current epoch, from 1. */
  readonly epoch: number;
  readonly score: Score;
  /** What the steps took. */
  readonly seconds: number;
}

/** An epoch done (or none yet: epoch 0): `heldOut` is over the held-out digits. */
export interface EpochReport {
  readonly kind: 'epoch';
  readonly step: number;
  readonly epoch: number;
  /** Over the epoch's batches; undefined for epoch 0. */
  readonly training: Score | undefined;
  readonly heldOut: Score;
  /** What the test took. */
  readonly seconds: number;
}

export type Report = StepsReport | EpochReport;

/** Steps between two reports: reading a loss waits for the GPU, so not every step is read at once. */
const STEPS_PER_REPORT = 5;
/** Digits tested at once: on the CPU few, so that the host's thread is free again soon; a GPU likes them many. */
const TEST_BATCH = { cpu: 50, webgpu: 500 };

export class Trainer {
  readonly settings: Settings;
  readonly stepsPerEpoch: number;
  /** Steps of the whole run. */
  readonly steps: number;
  readonly #options: TrainerOptions;
  readonly #model: nn.Sequential;
  readonly #optimizer: Optimizer;
  readonly #random: () => number;

  constructor(options: TrainerOptions) {
    const { settings, activation, device, training } = options;
    this.settings = settings;
    this.#options = options;
    this.stepsPerEpoch = Math.ceil(training.count / settings.batchSize);
    this.steps = this.stepsPerEpoch * settings.epochs;
    manualSeed(settings.seed);
    this.#random = generator(settings.seed);
    this.#model = createModel({ ...settings, activation, device });
    const { optimizer, learningRate } = settings;
    this.#optimizer = createOptimizer(optimizer, this.#model.parameters(), learningRate);
  }

  /** Trains while it is iterated: not asking for the next report pauses, leaving the loop stops. */
  async *train(): AsyncGenerator<Report, void> {
    yield await this.#test(0, 0, undefined);
    let step = 0;
    for (let epoch = 1; epoch <= this.settings.epochs; epoch++) {
      const seen = new Tally();
      for await (const report of this.#epoch(epoch, step)) {
        step = report.step;
        seen.add(report.score, report.since);
        yield report;
      }
      yield await this.#test(step, epoch, seen.score);
    }
  }

  /** The ten probabilities of one digit of 28 × 28 pixels from 0 (paper) to 1 (ink). */
  async predict(pixels: Float32Array): Promise<Float32Array> {
    const probabilities = this.#evaluate(() => {
      const x = tensor(pixels, { shape: [1, PIXELS], device: this.#options.device });
      return softmax(this.#model.forward(x), { dim: 1 });
    });
    const values = await probabilities.data();
    probabilities.dispose();
    return Float32Array.from(values);
  }

  /** Frees the model. */
  dispose(): void {
    this.#model.dispose();
  }

  async *#epoch(epoch: number, first: number): AsyncGenerator<StepsReport, void> {
    const { training } = this.#options;
    const { batchSize } = this.settings;
    const order = permutation(training.count, this.#random);
    let pending: Promise<Score>[] = [];
    let start = performance.now();
    for (let i = 0; i < this.stepsPerEpoch; i++) {
      pending.push(this.#step(order.subarray(i * batchSize, (i + 1) * batchSize)));
      await this.#breathe();
      if (pending.length < STEPS_PER_REPORT && i + 1 < this.stepsPerEpoch) continue;
      const scores = await Promise.all(pending);
      const seen = new Tally();
      for (const score of scores) seen.add(score, 1);
      const seconds = (performance.now() - start) / 1000;
      const since = pending.length;
      yield { kind: 'steps', step: first + i + 1, since, epoch, score: seen.score, seconds };
      pending = [];
      start = performance.now();
    }
  }

  /** One step of the optimizer, sent off; its score is known later. */
  #step(indices: Uint32Array): Promise<Score> {
    const { training, loss, device } = this.#options;
    const batch = gather(training, indices);
    const results = scope(() => {
      this.#optimizer.zeroGrad();
      const x = tensor(batch.pixels, { shape: [indices.length, PIXELS], device });
      const logits = this.#model.forward(x);
      const value = loss.compute(logits, batch.labels);
      value.backward();
      this.#optimizer.step();
      return { value, logits };
    });
    const score = read(results, batch.labels);
    // if the next step throws before this is awaited, that error is the one to show
    score.catch(() => undefined);
    return score;
  }

  async #test(step: number, epoch: number, training: Score | undefined): Promise<EpochReport> {
    const { heldOut, loss, device } = this.#options;
    const start = performance.now();
    const seen = new Tally();
    const size = TEST_BATCH[device.type];
    const everything = Uint32Array.from({ length: heldOut.count }, (_, i) => i);
    for (let from = 0; from < heldOut.count; from += size) {
      const indices = everything.subarray(from, from + size);
      const batch = gather(heldOut, indices);
      const results = this.#evaluate(() => {
        const x = tensor(batch.pixels, { shape: [indices.length, PIXELS], device });
        const logits = this.#model.forward(x);
        return { value: loss.compute(logits, batch.labels), logits };
      });
      seen.add(await read(results, batch.labels), indices.length);
      await this.#breathe();
    }
    const seconds = (performance.now() - start) / 1000;
    return { kind: 'epoch', step, epoch, training, heldOut: seen.score, seconds };
  }

  /** Runs `fn` with the model in evaluation mode and nothing recorded. */
  #evaluate<T>(fn: () => T): T {
    this.#model.eval();
    try {
      return noGrad(() => scope(fn));
    } finally {
      this.#model.train();
    }
  }

  /** The GPU works beside the host's thread; the CPU path is that thread's own work. */
  async #breathe(): Promise<void> {
    if (this.#options.device.type === 'cpu') await this.#options.breathe?.();
  }
}

/** Scores averaged by weight. */
class Tally {
  #loss = 0;
  #accuracy = 0;
  #weight = 0;

  add(score: Score, weight: number): void {
    this.#loss += score.loss * weight;
    this.#accuracy += score.accuracy * weight;
    this.#weight += weight;
  }

  get score(): Score {
    return { loss: this.#loss / this.#weight, accuracy: this.#accuracy / this.#weight };
  }
}

/** The digits at `indices` side by side, pixels from 0 to 1. */
function gather(digits: Digits, indices: Uint32Array) {
  const labels = new Uint8Array(indices.length);
  const pixels = new Float32Array(indices.length * PIXELS);
  indices.forEach((index, i) => {
    labels[i] = digits.labels[index] ?? 0;
    const from = index * PIXELS;
    for (let k = 0; k < PIXELS; k++) pixels[i * PIXELS + k] = (digits.pixels[from + k] ?? 0) / 255;
  });
  return { labels, pixels };
}

async function read(
  { value, logits }: { value: Tensor; logits: Tensor },
  labels: Uint8Array,
): Promise<Score> {
  const [loss, outputs] = await Promise.all([value.item(), logits.data()]);
  value.dispose();
  logits.dispose();
  let correct = 0;
  labels.forEach((label, i) => {
    const row = outputs.subarray(i * CLASSES, (i + 1) * CLASSES);
    if (row.indexOf(Math.max(...row)) === label) correct++;
  });
  return { loss, accuracy: correct / labels.length };
}
