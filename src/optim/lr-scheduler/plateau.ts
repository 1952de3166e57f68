// Lowers the rate where a metric has stopped getting better.
import { capturing } from '../../core/capturing.ts';
import { describe } from '../../core/describe.ts';
import { OptionError } from '../../core/errors.ts';
import { isTensor } from '../../core/is-tensor.ts';
import { checkNumber, checkOneOf, checkOptionNames } from '../../core/validate-options.ts';
import type { Optimizer } from '../optimizer.ts';
import { checkLike, checkOptimizer, perGroup, type SchedulerState } from './scheduler.ts';

/** Options of `optim.lrScheduler.ReduceLROnPlateau`. */
export interface ReduceLROnPlateauOptions {
  /** Whether less or more of the metric is better. Defaults to `'min'`. */
  mode?: 'min' | 'max';
  /** The factor of the rate, below 1. Defaults to 0.1. */
  factor?: number;
  /** Epochs without progress that are let pass. Defaults to 10. */
  patience?: number;
  /** What counts as progress. Defaults to 1e-4. */
  threshold?: number;
  /** Whether `threshold` is a share of the best metric or an amount. Defaults to `'rel'`. */
  thresholdMode?: 'rel' | 'abs';
  /** Epochs after a change in which nothing is counted. Defaults to 0. */
  cooldown?: number;
  /** The lowest rate, for all groups or for each. Defaults to 0. */
  minLr?: number | readonly number[];
  /** A change of the rate no larger than this is left out. Defaults to 1e-8. */
  eps?: number;
}

const NAMES = [
  'mode',
  'factor',
  'patience',
  'threshold',
  'thresholdMode',
  'cooldown',
  'minLr',
  'eps',
];

interface Plateau {
  mode: string;
  factor: number;
  patience: number;
  threshold: number;
  thresholdMode: string;
  cooldown: number;
  minLrs: number[];
  eps: number;
  /** null: none yet. */
  best: number | null;
  numBadEpochs: number;
  cooldownCounter: number;
  lastEpoch: number;
  lastLr: number[];
}

/**
 * Multiplies the rate by `factor` after more than `patience` epochs without progress, as
 * `torch.optim.lr_scheduler.ReduceLROnPlateau`. `step` takes the metric as a number of the host's.
 *
 * @example
 * const scheduler = new optim.lrScheduler.ReduceLROnPlateau(optimizer, { patience: 3 });
 * scheduler.step(await loss.item());
 */
export class ReduceLROnPlateau {
  /** The optimizer whose rates it sets. */
  readonly optimizer: Optimizer;
  #state: Plateau;

  constructor(optimizer: Optimizer, options: ReduceLROnPlateauOptions = {}) {
    const op = 'ReduceLROnPlateau';
    checkOptimizer(op, optimizer);
    checkOptionNames(op, options, NAMES);
    const { mode = 'min', factor = 0.1, patience = 10, threshold = 1e-4 } = options;
    const { thresholdMode = 'rel', cooldown = 0, minLr = 0, eps = 1e-8 } = options;
    checkOneOf(op, 'mode', mode, ['min', 'max']);
    checkNumber(op, 'factor', factor, { min: 0, max: 1 - Number.EPSILON / 2 });
    checkNumber(op, 'patience', patience, { min: 0, integer: true });
    checkNumber(op, 'threshold', threshold);
    checkOneOf(op, 'thresholdMode', thresholdMode, ['rel', 'abs']);
    checkNumber(op, 'cooldown', cooldown, { min: 0, integer: true });
    checkNumber(op, 'eps', eps);
    const minLrs = [...perGroup(op, 'minLr', minLr, optimizer, { min: 0 })];
    this.optimizer = optimizer;
    this.#state = {
      ...{ mode, factor, patience, threshold, thresholdMode, cooldown, minLrs, eps },
      best: null,
      numBadEpochs: 0,
      cooldownCounter: 0,
      lastEpoch: 0,
      lastLr: optimizer.paramGroups.map(({ lr }) => lr),
    };
  }

  /** Epochs so far. */
  get lastEpoch(): number {
    return this.#state.lastEpoch;
  }

  /** Takes the metric of an epoch into account; one that is NaN is no progress. */
  step(metric: number): void {
    capturing()?.refuse('ReduceLROnPlateau.step', 'no metric of the host in a captured step');
    if (typeof metric !== 'number') {
      throw new OptionError({
        op: 'ReduceLROnPlateau.step',
        argument: 'metric',
        expected: 'a number',
        received: describe(metric),
        ...(isTensor(metric) ? { hint: 'await metric.item()' } : {}),
      });
    }
    const state = this.#state;
    state.lastEpoch++;
    if (this.#isBetter(metric)) {
      state.best = metric;
      state.numBadEpochs = 0;
    } else {
      state.numBadEpochs++;
    }
    if (state.cooldownCounter > 0) {
      state.cooldownCounter--;
      state.numBadEpochs = 0;
    }
    if (state.numBadEpochs > state.patience) {
      this.#reduce();
      state.cooldownCounter = state.cooldown;
      state.numBadEpochs = 0;
    }
    state.lastLr = this.optimizer.paramGroups.map(({ lr }) => lr);
  }

  /** The rates after the last step, one for each group. */
  getLastLr(): number[] {
    return [...this.#state.lastLr];
  }

  /** Settings and progress. */
  stateDict(): SchedulerState {
    return { ...structuredClone(this.#state) };
  }

  /** Takes over the state of a scheduler of the same kind. The rates of the groups are in the optimizer's state. */
  loadStateDict(state: SchedulerState): void {
    checkLike(this.#state, state);
    this.#state = structuredClone(state) as unknown as Plateau;
  }

  #isBetter(metric: number): boolean {
    const { mode, thresholdMode, threshold } = this.#state;
    const best = this.#state.best ?? (mode === 'min' ? Infinity : -Infinity);
    if (mode === 'min') {
      return metric < (thresholdMode === 'rel' ? best * (1 - threshold) : best - threshold);
    }
    return metric > (thresholdMode === 'rel' ? best * (threshold + 1) : best + threshold);
  }

  #reduce(): void {
    const { factor, minLrs, eps } = this.#state;
    this.optimizer.paramGroups.forEach((group, i) => {
      const lr = Math.max(group.lr * factor, minLrs[i] ?? 0);
      if (group.lr - lr > eps) group.lr = lr;
    });
  }
}
