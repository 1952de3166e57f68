// Takes a network's outputs and what was wanted, and gives how good they are, and reports that carry that.
import type { Batch, Task } from './task.ts';

export interface Score {
  /** The mean loss. */
  readonly loss: number;
  /** Of classes: the share of examples that were recognised; otherwise NaN. */
  readonly accuracy: number;
  /** Of values: the mean squared error, whatever the loss; otherwise NaN. */
  readonly error: number;
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

/** A test on the held-out examples that takes a while: how far it is. */
export interface TestingReport {
  readonly kind: 'testing';
  readonly step: number;
  readonly epoch: number;
  /** From 0 to 1. */
  readonly share: number;
}

/** An epoch done (or none yet: epoch 0): `heldOut` is over the held-out examples. */
export interface EpochReport {
  readonly kind: 'epoch';
  readonly step: number;
  readonly epoch: number;
  /** Over the epoch's batches; undefined for epoch 0. */
  readonly training: Score | undefined;
  readonly heldOut: Score;
  /** Of classes: what each held-out example was taken for. */
  readonly verdicts: Verdicts | undefined;
  /** What the test took. */
  readonly seconds: number;
}

export interface Verdicts {
  readonly predicted: Uint8Array;
  readonly wanted: Uint8Array;
  /** The predicted class's output less the right one's: how sure a mistake is; 0 where there is none. */
  readonly margin: Float32Array;
}

export type Report = StepsReport | TestingReport | EpochReport;

/** Scores averaged by weight. */
export class Tally {
  #loss = 0;
  #accuracy = 0;
  #error = 0;
  #weight = 0;

  add(score: Score, weight: number): void {
    this.#loss += score.loss * weight;
    this.#accuracy += score.accuracy * weight;
    this.#error += score.error * weight;
    this.#weight += weight;
  }

  get score(): Score {
    const mean = (sum: number) => sum / this.#weight;
    return { loss: mean(this.#loss), accuracy: mean(this.#accuracy), error: mean(this.#error) };
  }
}

/** A piece of a batch: its score, once that is known. */
export interface Piece {
  readonly score: Promise<Score>;
  readonly count: number;
}

export async function scoreOfPieces(pieces: readonly Piece[]): Promise<Score> {
  const seen = new Tally();
  for (const { score, count } of pieces) seen.add(await score, count);
  return seen.score;
}

/** What the outputs say, as numbers that can be held against what is wanted. */
export function decode({ goal }: Pick<Task, 'goal'>, output: number): number {
  return goal === 'shares' ? 1 / (1 + Math.exp(-output)) : output;
}

export function scoreOf(
  task: Task,
  loss: number,
  outputs: ArrayLike<number>,
  { wanted, count }: Batch,
): Score {
  if (task.goal !== 'classes') {
    let sum = 0;
    for (let i = 0; i < outputs.length; i++) {
      sum += (decode(task, outputs[i] ?? NaN) - (wanted[i] ?? NaN)) ** 2;
    }
    return { loss, accuracy: NaN, error: sum / outputs.length };
  }
  let correct = 0;
  for (let i = 0; i < count; i++) {
    if (largestOf(outputs, i * task.outputs, task.outputs) === wanted[i]) correct++;
  }
  return { loss, accuracy: correct / count, error: NaN };
}

/** Which of `count` numbers from `from` is the largest. */
export function largestOf(values: ArrayLike<number>, from: number, count: number): number {
  let [most, at] = [-Infinity, 0];
  for (let i = 0; i < count; i++) {
    const value = values[from + i] ?? NaN;
    if (value > most) [most, at] = [value, i];
  }
  return at;
}

/** Notes a batch's verdicts at `from`. */
export function judge(
  { outputs: width }: Pick<Task, 'outputs'>,
  outputs: ArrayLike<number>,
  { wanted, count }: Batch,
  verdicts: Verdicts,
  from: number,
): void {
  for (let i = 0; i < count; i++) {
    const predicted = largestOf(outputs, i * width, width);
    const right = wanted[i] ?? 0;
    verdicts.predicted[from + i] = predicted;
    verdicts.wanted[from + i] = right;
    verdicts.margin[from + i] =
      (outputs[i * width + predicted] ?? NaN) - (outputs[i * width + right] ?? NaN);
  }
}
