// Schedulers one after another.
import { hostWork } from '../../core/capturing.ts';
import { describe } from '../../core/describe.ts';
import { OptionError } from '../../core/errors.ts';
import { checkOptionNames } from '../../core/validate-options.ts';
import type { Optimizer } from '../optimizer.ts';
import { checkLike, checkOptimizer, LRScheduler, type SchedulerState } from './scheduler.ts';
import { checkMilestones } from './steps.ts';

interface Progress {
  lastEpoch: number;
  milestones: number[];
  lastLr: number[];
}

/**
 * Schedulers of one optimizer, one after another, as `torch.optim.lr_scheduler.SequentialLR`: each but the first begins at one
 * of the `milestones`.
 *
 * @example
 * const warmup = new optim.lrScheduler.LinearLR(optimizer, { totalIters: 5 });
 * const decay = new optim.lrScheduler.CosineAnnealingLR(optimizer, 95);
 * const scheduler = new optim.lrScheduler.SequentialLR(optimizer, [warmup, decay], [5]);
 */
export class SequentialLR {
  /** The optimizer whose rates the schedulers set. */
  readonly optimizer: Optimizer;
  readonly #schedulers: readonly LRScheduler[];
  #state: Progress;

  constructor(
    optimizer: Optimizer,
    schedulers: readonly LRScheduler[],
    milestones: readonly number[],
    options: object = {},
  ) {
    const op = 'SequentialLR';
    checkOptionNames(op, options, []);
    checkOptimizer(op, optimizer);
    const given: unknown = schedulers;
    if (!Array.isArray(given) || given.length === 0) {
      throw new OptionError({
        op,
        argument: 'schedulers',
        expected: 'an array of schedulers',
        received: describe(given),
      });
    }
    given.forEach((scheduler: unknown, i) => {
      if (scheduler instanceof LRScheduler && scheduler.optimizer === optimizer) return;
      throw new OptionError({
        op,
        argument: `schedulers[${i}]`,
        expected: 'a scheduler of this optimizer that follows the number of steps',
        received:
          scheduler instanceof LRScheduler ? 'one of another optimizer' : describe(scheduler),
      });
    });
    checkMilestones(op, milestones);
    if (milestones.length !== schedulers.length - 1) {
      throw new OptionError({
        op,
        argument: 'milestones',
        expected: `one less than schedulers, ${schedulers.length - 1}`,
        received: String(milestones.length),
      });
    }
    this.optimizer = optimizer;
    this.#schedulers = [...schedulers];
    for (const group of optimizer.paramGroups) group.lr = group.initialLr ?? group.lr;
    for (const scheduler of schedulers) scheduler.postpone();
    const [first] = schedulers;
    first?.begin();
    this.#state = { lastEpoch: 0, milestones: [...milestones], lastLr: first?.getLastLr() ?? [] };
  }

  /** Steps taken so far. */
  get lastEpoch(): number {
    return this.#state.lastEpoch;
  }

  /** Sets the rates of the next epoch. */
  step(): void {
    hostWork(() => {
      this.#step();
    });
  }

  #step(): void {
    const state = this.#state;
    const epoch = state.lastEpoch + 1;
    const index = state.milestones.filter((milestone) => milestone <= epoch).length;
    const scheduler = this.#schedulers[index];
    if (index > 0 && state.milestones[index - 1] === epoch) scheduler?.restart();
    else scheduler?.step();
    state.lastEpoch = epoch;
    state.lastLr = scheduler?.getLastLr() ?? [];
  }

  /** The rates that the last step has set, one for each group. */
  getLastLr(): number[] {
    return [...this.#state.lastLr];
  }

  /** Its own progress and the state of each scheduler. */
  stateDict(): SchedulerState {
    const schedulers = this.#schedulers.map((scheduler) => scheduler.stateDict());
    return { ...structuredClone(this.#state), schedulers };
  }

  /** Takes over the state of schedulers of the same kinds. Nothing is changed unless everything fits. */
  loadStateDict(state: SchedulerState): void {
    const { schedulers, ...own } = Object(state) as Record<string, unknown>;
    checkLike(this.#state, own);
    if (!Array.isArray(schedulers) || schedulers.length !== this.#schedulers.length) {
      throw new OptionError({
        op: 'loadStateDict',
        argument: 'schedulers',
        expected: `the state of ${this.#schedulers.length} schedulers`,
        received: describe(schedulers),
      });
    }
    const before = this.#schedulers.map((scheduler) => scheduler.stateDict());
    before.forEach((one, i) => {
      checkLike(one, schedulers[i]);
    });
    this.#schedulers.forEach((scheduler, i) => {
      scheduler.loadStateDict(schedulers[i] as SchedulerState);
    });
    this.#state = structuredClone(own) as unknown as Progress;
  }
}
