// Takes the reports of runs as they come, and gives their figures now, and columns of numbers for charts.
import { addThinned } from '../../lab/curves.ts';
import type { LayerHealth } from '../../training/diagnose.ts';
import { Pace } from '../../training/pace.ts';
import type { EpochReport, Report, Score } from '../../training/trainer.ts';

/** Batches are small and their scores noisy: the curve shows a running mean over about so many reports. */
const SMOOTHING = 6;

export type Measure = keyof Score;

interface RunHistory {
  readonly training: Map<number, Score>;
  readonly heldOut: Map<number, Score>;
  readonly gradients: Map<number, number>;
  readonly epochs: EpochReport[];
  readonly speed: Pace;
  mean: Score | undefined;
  trainingLoss: number | undefined;
  test: EpochReport | undefined;
  health: readonly LayerHealth[];
  /** The step at which its loss was no number any more. */
  diverged: number | undefined;
}

/** All of a history but its speeds, as a browser can store it. */
export interface HistoryState {
  readonly runs: readonly Omit<RunHistory, 'speed'>[];
  readonly loaded: string | undefined;
  readonly step: number;
  readonly epoch: number;
  readonly seconds: number;
}

const smooth = (mean: Score | undefined, score: Score): Score => {
  if (!mean) return score;
  const step = (a: number, b: number) => a + (b - a) / SMOOTHING;
  return {
    loss: step(mean.loss, score.loss),
    accuracy: step(mean.accuracy, score.accuracy),
    error: step(mean.error, score.error),
  };
};

/** What is known of runs that go side by side. */
export class History {
  readonly runs: readonly RunHistory[];
  /** Of all runs together, for steps of one. */
  readonly pace = new Pace();
  /** How far a test is that takes a while. */
  testing: number | undefined;
  step = 0;
  epoch = 0;
  seconds = 0;
  /** The file that the networks came from. */
  loaded: string | undefined;

  constructor(count: number) {
    this.runs = Array.from({ length: count }, () => ({
      training: new Map(),
      heldOut: new Map(),
      gradients: new Map(),
      epochs: [],
      speed: new Pace(),
      mean: undefined,
      trainingLoss: undefined,
      test: undefined,
      health: [],
      diverged: undefined,
    }));
  }

  static from({ runs, ...state }: HistoryState): History {
    const history = new History(runs.length);
    Object.assign(history, state);
    runs.forEach((run, i) => Object.assign(history.runs[i] ?? {}, run));
    return history;
  }

  get state(): HistoryState {
    const runs = this.runs.map(({ speed: _, ...run }) => run);
    const { loaded, step, epoch, seconds } = this;
    return { runs, loaded, step, epoch, seconds };
  }

  report(index: number, report: Report): void {
    const run = this.runs[index];
    if (!run) return;
    const first = index === 0;
    this.testing = report.kind === 'testing' ? report.share : undefined;
    if (report.kind === 'testing') return;
    this.seconds += report.seconds;
    if (first) {
      this.step = report.step;
      this.epoch = report.epoch;
    }
    if (report.kind === 'steps') {
      run.mean = smooth(run.mean, report.score);
      addThinned(run.training, report.step, run.mean);
      run.trainingLoss = report.score.loss;
      run.speed.add(report.since, report.seconds);
      this.pace.add(first ? report.since : 0, report.seconds);
    } else {
      run.test = report;
      run.heldOut.set(report.step, report.heldOut);
      if (report.training) run.trainingLoss = report.training.loss;
      const known = run.epochs.some(({ epoch }) => epoch === report.epoch);
      if (report.epoch > 0 && !known) run.epochs.push(report);
      this.pace.add(0, report.seconds);
    }
  }

  /** Forgets what came after a step: a run goes on from there. */
  rewind(step: number): void {
    for (const run of this.runs) {
      for (const values of [run.training, run.heldOut, run.gradients]) {
        for (const at of [...values.keys()]) if (at > step) values.delete(at);
      }
      while ((run.epochs.at(-1)?.step ?? 0) > step) run.epochs.pop();
    }
    for (const run of this.runs) run.diverged = undefined;
    this.step = step;
  }

  health(index: number, layers: readonly LayerHealth[], step: number): void {
    const run = this.runs[index];
    if (!run) return;
    run.health = layers;
    addThinned(run.gradients, step, layers[0]?.gradientNorm ?? NaN);
  }
}

export function pick(scores: ReadonlyMap<number, Score>, measure: Measure): Map<number, number> {
  return new Map([...scores].map(([step, score]) => [step, score[measure]]));
}
