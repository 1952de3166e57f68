// The base class of learning rate schedulers: it counts steps and sets the rate of each group of an optimizer.
import { hostWork } from '../../core/capturing.ts';
import { describe } from '../../core/describe.ts';
import { OptionError } from '../../core/errors.ts';
import { checkNumber, checkOptionNames, isPlain } from '../../core/validate-options.ts';
import { Optimizer } from '../optimizer.ts';

/** A scheduler's state: plain values, which JSON keeps. */
export type SchedulerState = Readonly<Record<string, unknown>>;

/** Options that all schedulers have. */
export interface SchedulerOptions {
  /** The last epoch that was trained, to go on from: groups must have their `initialLr`. Defaults to -1, a new start. */
  lastEpoch?: number;
}

interface Progress {
  lastEpoch: number;
  stepCount: number;
  baseLrs: number[];
  lastLr: number[];
}

/**
 * Base of the schedulers that follow the number of steps alone. Rates are computed as PyTorch does: from the rate that a group
 * has (the chainable form, so that several schedulers act on one optimizer), or from the one it began with. `own` holds a
 * scheduler's settings and state.
 */
export abstract class LRScheduler<Own extends object = object> {
  /** The optimizer whose rates it sets. */
  readonly optimizer: Optimizer;
  protected readonly op: string;
  protected own: Own;
  readonly #progress: Progress;

  /** A subclass calls `begin()` when it is ready. */
  protected constructor(op: string, optimizer: Optimizer, lastEpoch: number, own: Own) {
    checkOptimizer(op, optimizer);
    checkNumber(op, 'lastEpoch', lastEpoch, { min: -1, integer: true });
    this.op = op;
    this.optimizer = optimizer;
    this.own = own;
    const baseLrs = optimizer.paramGroups.map((group, i) => {
      if (lastEpoch !== -1 && group.initialLr === undefined) {
        throw new OptionError({
          op,
          argument: 'lastEpoch',
          expected: '-1, or groups with the initialLr that they began with',
          received: `${lastEpoch}, and no paramGroups[${i}].initialLr`,
          hint: 'load the state of the optimizer first',
        });
      }
      return (group.initialLr ??= group.lr);
    });
    this.#progress = { lastEpoch, stepCount: 0, baseLrs, lastLr: [] };
  }

  /** Steps taken so far, the first rate not counted. */
  get lastEpoch(): number {
    return this.#progress.lastEpoch;
  }

  /** The rates that the groups began with. */
  protected get baseLrs(): readonly number[] {
    return this.#progress.baseLrs;
  }

  protected get stepCount(): number {
    return this.#progress.stepCount;
  }

  /** The rates of the groups now. */
  protected get lrs(): number[] {
    return this.optimizer.paramGroups.map(({ lr }) => lr);
  }

  /** The rates in epoch `lastEpoch`, from those in the one before. */
  protected abstract rates(): number[];

  /** The rates in epoch `lastEpoch`, from those at the beginning, where there is a formula for them. */
  protected closedForm(): number[] {
    return this.rates();
  }

  /** Sets the rates of the next epoch. Called after the optimizer's steps of an epoch, or after each, as the schedule counts. */
  step(): void {
    hostWork(() => {
      this.#enter(this.lastEpoch + 1, () => this.rates());
    });
  }

  /** The rates that the last step has set, one for each group. */
  getLastLr(): number[] {
    return [...this.#progress.lastLr];
  }

  /** Settings and progress, without functions. */
  stateDict(): SchedulerState {
    return structuredClone({ ...this.#progress, ...this.own });
  }

  /** Takes over the state of a scheduler of the same kind. The rates of the groups are in the optimizer's state. */
  loadStateDict(state: SchedulerState): void {
    const before = { ...this.#progress, ...this.own };
    checkLike(before, state);
    const after = structuredClone(state) as typeof before;
    for (const name of Object.keys(this.#progress)) {
      Reflect.set(this.#progress, name, Reflect.get(after, name));
    }
    this.own = Object.fromEntries(
      Object.entries(after).filter(([name]) => name in this.own),
    ) as Own;
  }

  /** @internal The first rates. */
  begin(): void {
    this.#progress.stepCount = 0;
    this.step();
  }

  /** @internal Takes the counting of a step back, not its rates: another scheduler goes first. */
  postpone(): void {
    this.#progress.lastEpoch--;
  }

  /** @internal The rates at the beginning, whatever the groups have now. */
  restart(): void {
    this.#enter(0, () => this.closedForm());
  }

  #enter(epoch: number, rates: () => number[]): void {
    const progress = this.#progress;
    const before = progress.lastEpoch;
    progress.lastEpoch = epoch;
    progress.stepCount++;
    try {
      this.setRates(rates());
    } catch (error) {
      progress.lastEpoch = before;
      progress.stepCount--;
      throw error;
    }
  }

  /** @internal For schedulers that count by themselves. */
  protected moveTo(epoch: number): void {
    this.#progress.lastEpoch = epoch;
    this.#progress.stepCount++;
    this.setRates(this.rates());
  }

  protected setRates(rates: readonly number[]): void {
    this.optimizer.paramGroups.forEach((group, i) => {
      group.lr = rates[i] ?? group.lr;
    });
    this.#progress.lastLr = this.lrs;
  }
}

export function checkOptimizer(op: string, optimizer: unknown): asserts optimizer is Optimizer {
  if (optimizer instanceof Optimizer) return;
  throw new OptionError({
    op,
    argument: 'optimizer',
    expected: 'an optimizer, such as new optim.SGD(parameters)',
    received: describe(optimizer),
  });
}

/** One value for each group: a list of as many, or one for all. */
export function perGroup(
  op: string,
  argument: string,
  value: unknown,
  { paramGroups }: Optimizer,
  range: { min?: number },
): number[] {
  const values: unknown[] = Array.isArray(value) ? value : paramGroups.map(() => value);
  if (values.length !== paramGroups.length) {
    throw new OptionError({
      op,
      argument,
      expected: `a number, or one for each of ${paramGroups.length} groups`,
      received: describe(value),
    });
  }
  values.forEach((one, i) => {
    checkNumber(op, Array.isArray(value) ? `${argument}[${i}]` : argument, one, range);
  });
  return values as number[];
}

/** Refuses a state that is not like the one it is to replace: of another kind of scheduler, or of other groups. */
export function checkLike(before: object, state: unknown): asserts state is SchedulerState {
  if (!isPlain(state)) {
    throw new OptionError({
      op: 'loadStateDict',
      argument: 'state',
      expected: 'what stateDict() of a scheduler gives',
      received: describe(state),
    });
  }
  checkOptionNames('loadStateDict', state, Object.keys(before), 'load it into its own kind');
  for (const [name, value] of Object.entries(before)) {
    const given = state[name];
    if (alike(value, given)) continue;
    throw new OptionError({
      op: 'loadStateDict',
      argument: name,
      expected: `a value like ${describe(value)}`,
      received: describe(given),
    });
  }
}

function alike(value: unknown, given: unknown): boolean {
  if (Array.isArray(value)) {
    return (
      Array.isArray(given) &&
      given.length === value.length &&
      value.every((one, i) => alike(one, given[i]))
    );
  }
  // null stands for a number that is not known yet.
  const kind = (one: unknown): string => (one === null ? 'number' : typeof one);
  return kind(value) === kind(given) && !Number.isNaN(given);
}
