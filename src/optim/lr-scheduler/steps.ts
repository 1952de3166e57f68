// Schedulers that multiply the rate: at intervals, at milestones, in every step, linearly, or by a function of the caller's.
import { describe } from '../../core/describe.ts';
import { OptionError } from '../../core/errors.ts';
import { checkFunction, checkNumber, checkOptionNames } from '../../core/validate-options.ts';
import type { Optimizer } from '../optimizer.ts';
import { LRScheduler, type SchedulerOptions } from './scheduler.ts';

/** Options of `optim.lrScheduler.StepLR`. */
export interface StepLROptions extends SchedulerOptions {
  /** The factor. Defaults to 0.1. */
  gamma?: number;
}

/**
 * Multiplies the rate by `gamma` every `stepSize` epochs, as `torch.optim.lr_scheduler.StepLR`.
 *
 * @example
 * const scheduler = new optim.lrScheduler.StepLR(optimizer, 30, { gamma: 0.1 });
 */
export class StepLR extends LRScheduler<{ stepSize: number; gamma: number }> {
  constructor(optimizer: Optimizer, stepSize: number, options: StepLROptions = {}) {
    checkOptionNames('StepLR', options, ['gamma', 'lastEpoch']);
    const { gamma = 0.1, lastEpoch = -1 } = options;
    checkNumber('StepLR', 'stepSize', stepSize, { min: 1, integer: true });
    checkNumber('StepLR', 'gamma', gamma);
    super('StepLR', optimizer, lastEpoch, { stepSize, gamma });
    this.begin();
  }

  protected override rates(): number[] {
    const { stepSize, gamma } = this.own;
    const now = this.lastEpoch !== 0 && this.lastEpoch % stepSize === 0;
    return now ? this.lrs.map((lr) => lr * gamma) : this.lrs;
  }

  protected override closedForm(): number[] {
    const { stepSize, gamma } = this.own;
    return this.baseLrs.map((lr) => lr * gamma ** Math.floor(this.lastEpoch / stepSize));
  }
}

/**
 * Multiplies the rate by `gamma` at each of the `milestones`, as `torch.optim.lr_scheduler.MultiStepLR`; at one that is there
 * twice, twice.
 */
export class MultiStepLR extends LRScheduler<{ milestones: number[]; gamma: number }> {
  constructor(optimizer: Optimizer, milestones: readonly number[], options: StepLROptions = {}) {
    checkOptionNames('MultiStepLR', options, ['gamma', 'lastEpoch']);
    const { gamma = 0.1, lastEpoch = -1 } = options;
    checkMilestones('MultiStepLR', milestones);
    checkNumber('MultiStepLR', 'gamma', gamma);
    super('MultiStepLR', optimizer, lastEpoch, { milestones: [...milestones], gamma });
    this.begin();
  }

  protected override rates(): number[] {
    const { milestones, gamma } = this.own;
    const times = milestones.filter((epoch) => epoch === this.lastEpoch).length;
    return times === 0 ? this.lrs : this.lrs.map((lr) => lr * gamma ** times);
  }

  protected override closedForm(): number[] {
    const { milestones, gamma } = this.own;
    const times = milestones.filter((epoch) => epoch <= this.lastEpoch).length;
    return this.baseLrs.map((lr) => lr * gamma ** times);
  }
}

export function checkMilestones(op: string, milestones: unknown): asserts milestones is number[] {
  if (!Array.isArray(milestones)) {
    throw new OptionError({
      op,
      argument: 'milestones',
      expected: 'an array of epochs',
      received: describe(milestones),
    });
  }
  Array.from<unknown>(milestones).forEach((epoch, i) => {
    checkNumber(op, `milestones[${i}]`, epoch, { min: 0, integer: true });
  });
}

/** Multiplies the rate by `gamma` in every epoch, as `torch.optim.lr_scheduler.ExponentialLR`. */
export class ExponentialLR extends LRScheduler<{ gamma: number }> {
  constructor(optimizer: Optimizer, gamma: number, options: SchedulerOptions = {}) {
    checkOptionNames('ExponentialLR', options, ['lastEpoch']);
    checkNumber('ExponentialLR', 'gamma', gamma);
    super('ExponentialLR', optimizer, options.lastEpoch ?? -1, { gamma });
    this.begin();
  }

  protected override rates(): number[] {
    const { gamma } = this.own;
    return this.lastEpoch === 0 ? this.lrs : this.lrs.map((lr) => lr * gamma);
  }

  protected override closedForm(): number[] {
    const { gamma } = this.own;
    return this.baseLrs.map((lr) => lr * gamma ** this.lastEpoch);
  }
}

/** Options of `optim.lrScheduler.LinearLR`. */
export interface LinearLROptions extends SchedulerOptions {
  /** The factor at the beginning, above 0 and at most 1. Defaults to 1/3. */
  startFactor?: number;
  /** The factor at the end, from 0 to 1. Defaults to 1. */
  endFactor?: number;
  /** Epochs from the one to the other. Defaults to 5. */
  totalIters?: number;
}

/** A factor of the rate that goes from `startFactor` to `endFactor`, as `torch.optim.lr_scheduler.LinearLR`: a warm-up. */
export class LinearLR extends LRScheduler<{
  startFactor: number;
  endFactor: number;
  totalIters: number;
}> {
  constructor(optimizer: Optimizer, options: LinearLROptions = {}) {
    checkOptionNames('LinearLR', options, ['startFactor', 'endFactor', 'totalIters', 'lastEpoch']);
    const { startFactor = 1 / 3, endFactor = 1, totalIters = 5, lastEpoch = -1 } = options;
    checkNumber('LinearLR', 'startFactor', startFactor, { min: 0, above: true, max: 1 });
    checkNumber('LinearLR', 'endFactor', endFactor, { min: 0, max: 1 });
    checkNumber('LinearLR', 'totalIters', totalIters, { min: 1, integer: true });
    super('LinearLR', optimizer, lastEpoch, { startFactor, endFactor, totalIters });
    this.begin();
  }

  protected override rates(): number[] {
    const { startFactor, endFactor, totalIters } = this.own;
    const epoch = this.lastEpoch;
    if (epoch === 0) return this.lrs.map((lr) => lr * startFactor);
    if (epoch > totalIters) return this.lrs;
    const rise = endFactor - startFactor;
    const factor = 1 + rise / (totalIters * startFactor + (epoch - 1) * rise);
    return this.lrs.map((lr) => lr * factor);
  }

  protected override closedForm(): number[] {
    const { startFactor, endFactor, totalIters } = this.own;
    const done = Math.min(totalIters, this.lastEpoch);
    const factor = startFactor + ((endFactor - startFactor) * done) / totalIters;
    return this.baseLrs.map((lr) => lr * factor);
  }
}

/** A factor of the rate at the beginning, from the number of the epoch. */
export type LrLambda = (epoch: number) => number;

/**
 * The rate at the beginning times a function of the epoch, one for all groups or one for each, as
 * `torch.optim.lr_scheduler.LambdaLR`. The functions are not part of its state.
 *
 * @example
 * new optim.lrScheduler.LambdaLR(optimizer, (epoch) => 0.95 ** epoch);
 */
export class LambdaLR extends LRScheduler {
  readonly #lambdas: readonly LrLambda[];

  constructor(
    optimizer: Optimizer,
    lrLambda: LrLambda | readonly LrLambda[],
    options: SchedulerOptions = {},
  ) {
    checkOptionNames('LambdaLR', options, ['lastEpoch']);
    super('LambdaLR', optimizer, options.lastEpoch ?? -1, {});
    const { length } = optimizer.paramGroups;
    const each = typeof lrLambda === 'function' ? Array<LrLambda>(length).fill(lrLambda) : lrLambda;
    if (!Array.isArray(each) || each.length !== length) {
      throw new OptionError({
        op: 'LambdaLR',
        argument: 'lrLambda',
        expected: `a function, or one for each of ${length} groups`,
        received: describe(lrLambda),
      });
    }
    this.#lambdas = each.map((one: LrLambda, i) => {
      checkFunction('LambdaLR', `lrLambda[${i}]`, one);
      return one;
    });
    this.begin();
  }

  protected override rates(): number[] {
    return this.baseLrs.map((lr, i) => {
      const factor = this.#lambdas[i]?.(this.lastEpoch);
      checkNumber(this.op, `lrLambda[${i}](${this.lastEpoch})`, factor);
      return lr * (factor ?? 1);
    });
  }
}
