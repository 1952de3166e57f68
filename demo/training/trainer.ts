// Takes settings, a task, a device, and gives a training run that reports as it goes, and the model that it trains.
import {
  manualSeed,
  noGrad,
  scope,
  sigmoid,
  softmax,
  type Device,
  type optim,
  type Tensor,
} from 'nonlin';
import type { ActivationChoice } from './activations.ts';
import { restoreCheckpoint, takeCheckpoint, type Checkpoint } from './checkpoint.ts';
import { diagnose, type LayerHealth } from './diagnose.ts';
import { activationsOf, firstWeightsOf, type Looking } from './inside.ts';
import { Learning, read, rowsOf } from './learning.ts';
import type { LossChoice } from './loss.ts';
import { createModel, createModelGently, type Model, type ModelOptions } from './model.ts';
import { createOptimizer } from './optimizers.ts';
import { generator, permutation } from './random.ts';
import { judge, scoreOf, scoreOfPieces, Tally, type Report } from './score.ts';
import type { EpochReport, Score, StepsReport, TestingReport } from './score.ts';
import type { Settings } from './settings.ts';
import type { Task } from './task.ts';

export type { EpochReport, Report, Score, StepsReport, TestingReport } from './score.ts';

export interface TrainerOptions {
  readonly settings: Settings;
  readonly activation: ActivationChoice;
  readonly loss: LossChoice;
  readonly task: Task;
  readonly device: Device;
  /** Lets the host do other work; called between pieces of work on the CPU. At once by default. */
  readonly breathe?: () => Promise<void>;
  /** Where an earlier run of the same options was; by default at its start. */
  readonly from?: Checkpoint;
}

/** Steps between two reports: reading a loss waits for the GPU, so not every step is read at once. */
const STEPS_PER_REPORT = 5;
/** Fewer where they take longer: between reports nothing can be stopped. */
const PATIENCE_MS = 250;
/** Examples tested at once on a GPU, which likes them many. */
const TEST_BATCH = 500;
/** Parameters times examples of one piece of work on the CPU: some 20 ms, so that the host's thread is free again soon. */
const PIECE = 2e6;
/** Examples that layers are diagnosed with. */
const PROBE = 64;

export class Trainer {
  readonly settings: Settings;
  readonly task: Task;
  readonly stepsPerEpoch: number;
  /** Steps of the whole run. */
  readonly steps: number;
  readonly #options: TrainerOptions;
  readonly #model: Model;
  /** One per layer: on the CPU the host breathes between them. */
  readonly #optimizers: readonly optim.Optimizer[];
  readonly #learning: Learning;
  #step: number;

  constructor(options: TrainerOptions, model = createModel(modelOptions(options))) {
    const { settings, device, task, from } = options;
    this.settings = settings;
    this.task = task;
    this.#options = options;
    this.stepsPerEpoch = Math.ceil(task.training.count / settings.batchSize);
    this.steps = this.stepsPerEpoch * settings.epochs;
    this.#model = model;
    const { optimizer, learningRate } = settings;
    this.#optimizers = model.layers.map(({ linear, activation }) => {
      const parameters = [...linear.parameters(), ...(activation?.parameters() ?? [])];
      return createOptimizer(optimizer, parameters, learningRate);
    });
    this.#step = from?.step ?? 0;
    if (from) restoreCheckpoint(from, model.network, this.#optimizers, device);
    this.#learning = new Learning({
      ...options,
      model,
      optimizers: this.#optimizers,
      clipNorm: settings.clipNorm,
      pieceSize: this.#pieceSize(),
    });
  }

  /** As the constructor, but lets the host do other work meanwhile. Not several at a time: they draw from one seed. */
  static async create(options: TrainerOptions): Promise<Trainer> {
    const { breathe } = options;
    if (!breathe) return new Trainer(options);
    return new Trainer(options, await createModelGently(modelOptions(options), breathe));
  }

  /** Steps done. */
  get step(): number {
    return this.#step;
  }

  get device(): Device {
    return this.#options.device;
  }

  /** The network, for its state. */
  get network(): Model['network'] {
    return this.#model.network;
  }

  /** Trains while it is iterated: not asking for the next report pauses, leaving the loop stops. */
  async *train(): AsyncGenerator<Report, void> {
    // also where a run goes on from the end of an epoch, whose test may be what was lost
    if (this.#step % this.stepsPerEpoch === 0) {
      yield yield* this.test(this.#step / this.stepsPerEpoch, undefined);
    }
    while (this.#step < this.steps) {
      const epoch = Math.floor(this.#step / this.stepsPerEpoch) + 1;
      const seen = new Tally();
      for await (const report of this.#epoch(epoch)) {
        seen.add(report.score, report.since);
        yield report;
      }
      yield yield* this.test(epoch, seen.score);
    }
  }

  /** What the model makes of rows of inputs now: probabilities of classes, values, or shares. */
  async predict(x: Float32Array): Promise<Float32Array> {
    const { inputs, outputs } = this.task;
    const count = x.length / inputs;
    const size = Math.min(count, this.#pieceSize());
    const all = new Float32Array(count * outputs);
    for (let from = 0; from < count; from += size) {
      if (from > 0) await this.#breathe();
      const piece = x.subarray(from * inputs, (from + size) * inputs);
      const results = this.#evaluate(() => this.#answer(piece));
      all.set(await results.data(), from * outputs);
      results.dispose();
    }
    return all;
  }

  /** How the layers are doing, on held-out examples. */
  async diagnose(): Promise<LayerHealth[]> {
    const { loss, activation, task, device } = this.#options;
    const count = Math.min(PROBE, this.#pieceSize(), task.heldOut.count);
    const batch = task.heldOut.gather(Uint32Array.from({ length: count }, (_, i) => i));
    const elementwise = activation.group === 'Elementwise';
    return diagnose(this.#model, loss, batch, elementwise, device, () => this.#breathe());
  }

  /** What each hidden layer makes of rows of inputs now: row after row, one number for each of its units. */
  activations(x: Float32Array): Promise<Float32Array[]> {
    return activationsOf(this.#model, x, this.task.inputs, this.#looking);
  }

  /** The weights of the first layer's first `most` units now. */
  firstWeights(most: number): Promise<Float32Array> {
    return firstWeightsOf(this.#model, most, this.#looking);
  }

  checkpoint(): Promise<Checkpoint> {
    return takeCheckpoint(this.#step, this.#model.network, this.#optimizers);
  }

  /** Loss and score over the held-out examples; yields where that takes a while. */
  async *test(
    epoch: number,
    training: Score | undefined,
  ): AsyncGenerator<TestingReport, EpochReport, undefined> {
    const { heldOut } = this.task;
    const start = performance.now();
    let said = start;
    const seen = new Tally();
    const size = Math.min(TEST_BATCH, this.#pieceSize());
    const { count } = heldOut;
    const verdicts =
      this.task.goal === 'classes'
        ? {
            predicted: new Uint8Array(count),
            wanted: new Uint8Array(count),
            margin: new Float32Array(count),
          }
        : undefined;
    const everything = Uint32Array.from({ length: count }, (_, i) => i);
    for (let from = 0; from < count; from += size) {
      const batch = heldOut.gather(everything.subarray(from, from + size));
      const { loss, outputs } = await read(this.#evaluate(() => this.#learning.forward(batch)));
      seen.add(scoreOf(this.task, loss, outputs, batch), batch.count);
      if (verdicts) judge(this.task, outputs, batch, verdicts, from);
      await this.#breathe();
      if (performance.now() - said > PATIENCE_MS) {
        said = performance.now();
        const share = Math.min(1, (from + size) / count);
        yield { kind: 'testing', step: this.#step, epoch, share };
      }
    }
    const seconds = (performance.now() - start) / 1000;
    const [step, score] = [this.#step, seen.score];
    return { kind: 'epoch', step, epoch, training, heldOut: score, verdicts, seconds };
  }

  /** Frees the model. */
  dispose(): void {
    this.#learning.dispose();
    for (const optimizer of this.#optimizers) optimizer.dispose();
    this.#model.network.dispose();
  }

  async *#epoch(epoch: number): AsyncGenerator<StepsReport, void> {
    const { training } = this.task;
    const { batchSize, seed } = this.settings;
    // an order of its own for each epoch, so that a run can go on from any step
    const order = permutation(training.count, generator(seed * 1009 + epoch));
    let pending: Promise<Score>[] = [];
    let start = performance.now();
    for (let i = this.#step % this.stepsPerEpoch; i < this.stepsPerEpoch; i++) {
      const indices = order.subarray(i * batchSize, (i + 1) * batchSize);
      pending.push(scoreOfPieces(await this.#learning.step(indices)));
      this.#step++;
      const due = pending.length >= STEPS_PER_REPORT || performance.now() - start > PATIENCE_MS;
      if (!due && i + 1 < this.stepsPerEpoch) continue;
      const scores = await Promise.all(pending);
      const seen = new Tally();
      for (const score of scores) seen.add(score, 1);
      const seconds = (performance.now() - start) / 1000;
      const since = pending.length;
      yield { kind: 'steps', step: this.#step, since, epoch, score: seen.score, seconds };
      pending = [];
      start = performance.now();
    }
  }

  #answer(x: Float32Array): Tensor {
    const { goal } = this.task;
    const outputs = this.#model.network.forward(rowsOf(this.task, x, this.device));
    if (goal === 'classes') return softmax(outputs, { dim: 1 });
    return goal === 'shares' ? sigmoid(outputs) : outputs;
  }

  get #looking(): Looking {
    return {
      device: this.device,
      evaluate: (fn) => this.#evaluate(fn),
      breathe: () => this.#breathe(),
      pieceSize: this.#pieceSize(),
    };
  }

  #pieceSize(): number {
    if (this.#options.device.type !== 'cpu') return Infinity;
    return Math.max(1, Math.floor(PIECE / this.#model.parameterCount));
  }

  /** Runs `fn` with the model in evaluation mode and nothing recorded. */
  #evaluate<T>(fn: () => T): T {
    this.#model.network.eval();
    try {
      return noGrad(() => scope(fn));
    } finally {
      this.#model.network.train();
    }
  }

  /** The GPU works beside the host's thread; the CPU path is that thread's own work. */
  async #breathe(): Promise<void> {
    if (this.#options.device.type === 'cpu') await this.#options.breathe?.();
  }
}

/** A seed decides a model's first weights. */
function modelOptions({ settings, activation, device, task }: TrainerOptions): ModelOptions {
  manualSeed(settings.seed);
  return { ...settings, task, activation, device };
}
