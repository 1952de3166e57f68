// The 1cycle schedule.
import { OptionError } from '../../core/errors.ts';
import {
  checkBoolean,
  checkNumber,
  checkOneOf,
  checkOptionNames,
} from '../../core/validate-options.ts';
import type { ParamGroup } from '../groups.ts';
import type { Optimizer } from '../optimizer.ts';
import { checkOptimizer, LRScheduler, perGroup, type SchedulerOptions } from './scheduler.ts';

/** Options of `optim.lrScheduler.OneCycleLR`. */
export interface OneCycleLROptions extends SchedulerOptions {
  /** Steps of the cycle; or `epochs` and `stepsPerEpoch`, of which it is the product. */
  totalSteps?: number;
  /** How many epochs there are, where `totalSteps` is not given. */
  epochs?: number;
  /** How many steps an epoch has, where `totalSteps` is not given. */
  stepsPerEpoch?: number;
  /** The share of the cycle in which the rate rises, from 0 to 1. Defaults to 0.3. */
  pctStart?: number;
  /** Along a cosine or a line. Defaults to `'cos'`. */
  annealStrategy?: 'cos' | 'linear';
  /** Whether `momentum`, or the first of `betas`, falls while the rate rises. Defaults to true. */
  cycleMomentum?: boolean;
  /** The lowest momentum, for all groups or for each. Defaults to 0.85. */
  baseMomentum?: number | readonly number[];
  /** The highest momentum, for all groups or for each. Defaults to 0.95. */
  maxMomentum?: number | readonly number[];
  /** The first rate is `maxLr` / `divFactor`. Defaults to 25. */
  divFactor?: number;
  /** The last rate is the first one / `finalDivFactor`. Defaults to 1e4. */
  finalDivFactor?: number;
  /** Whether the rate falls to the first one in as many steps as it rose in, and then to the last. Defaults to false. */
  threePhase?: boolean;
}

const NAMES = [
  'totalSteps',
  'epochs',
  'stepsPerEpoch',
  'pctStart',
  'annealStrategy',
  'cycleMomentum',
  'baseMomentum',
  'maxMomentum',
  'divFactor',
  'finalDivFactor',
  'threePhase',
  'lastEpoch',
];

/** What `stateDict` of a `OneCycleLR` holds of its own. */
export interface OneCycleState {
  totalSteps: number;
  pctStart: number;
  annealStrategy: string;
  cycleMomentum: boolean;
  threePhase: boolean;
  initialLrs: number[];
  maxLrs: number[];
  minLrs: number[];
  baseMomentums: number[];
  maxMomentums: number[];
}

/** A group of an optimizer with momentum: SGD's or RMSprop's, or that of Adam. */
type WithMomentum = ParamGroup & { momentum?: number; betas?: readonly [number, number] };

/**
 * The 1cycle policy (Smith & Topin 2019), as `torch.optim.lr_scheduler.OneCycleLR`: the rate rises from `maxLr / divFactor` to
 * `maxLr`, and falls to `maxLr / divFactor / finalDivFactor`; the momentum goes the other way. Step after every batch.
 * A step past the last throws `OptionError`.
 *
 * @example
 * const scheduler = new optim.lrScheduler.OneCycleLR(optimizer, 0.01, { epochs: 10, stepsPerEpoch: 100 });
 */
export class OneCycleLR extends LRScheduler<OneCycleState> {
  constructor(
    optimizer: Optimizer,
    maxLr: number | readonly number[],
    options: OneCycleLROptions = {},
  ) {
    const op = 'OneCycleLR';
    checkOptimizer(op, optimizer);
    checkOptionNames(op, options, NAMES);
    const { pctStart = 0.3, annealStrategy = 'cos', cycleMomentum = true } = options;
    const { baseMomentum = 0.85, maxMomentum = 0.95, threePhase = false, lastEpoch = -1 } = options;
    const { divFactor = 25, finalDivFactor = 1e4 } = options;
    const totalSteps = stepsOf(op, options);
    checkNumber(op, 'pctStart', pctStart, { min: 0, max: 1 });
    checkOneOf(op, 'annealStrategy', annealStrategy, ['cos', 'linear']);
    checkBoolean(op, 'cycleMomentum', cycleMomentum);
    checkBoolean(op, 'threePhase', threePhase);
    checkNumber(op, 'divFactor', divFactor, { min: 0, above: true });
    checkNumber(op, 'finalDivFactor', finalDivFactor, { min: 0, above: true });
    const groups = optimizer.paramGroups as readonly WithMomentum[];
    if (cycleMomentum && groups.some((group) => !('momentum' in group || 'betas' in group))) {
      throw new OptionError({
        op,
        argument: 'cycleMomentum',
        expected: 'an optimizer with momentum or betas',
        received: 'one without',
        hint: '{ cycleMomentum: false }',
      });
    }
    const range = { min: 0 };
    const maxLrs = perGroup(op, 'maxLr', maxLr, optimizer, range);
    const maxMomentums = perGroup(op, 'maxMomentum', maxMomentum, optimizer, range);
    const baseMomentums = perGroup(op, 'baseMomentum', baseMomentum, optimizer, range);
    const initialLrs = maxLrs.map((lr, i) =>
      lastEpoch === -1 ? lr / divFactor : (groups[i]?.initialLr ?? lr / divFactor),
    );
    checkNumber(op, 'lastEpoch', lastEpoch, { min: -1, max: totalSteps - 1, integer: true });
    if (lastEpoch === -1) {
      groups.forEach((group, i) => {
        const initial = initialLrs[i];
        if (initial !== undefined) group.initialLr = initial;
        const momentum = maxMomentums[i];
        if (cycleMomentum && momentum !== undefined) setMomentum(group, momentum);
      });
    }
    super(op, optimizer, lastEpoch, {
      totalSteps,
      pctStart,
      annealStrategy,
      cycleMomentum,
      threePhase,
      initialLrs,
      maxLrs,
      minLrs: initialLrs.map((lr) => lr / finalDivFactor),
      baseMomentums,
      maxMomentums,
    });
    this.begin();
  }

  protected override rates(): number[] {
    const { totalSteps, cycleMomentum, baseMomentums, maxMomentums } = this.own;
    const epoch = this.lastEpoch;
    if (epoch > totalSteps) {
      throw new OptionError({
        op: this.op,
        argument: 'totalSteps',
        expected: `at most ${totalSteps + 1} steps`,
        received: `step ${epoch + 1}`,
      });
    }
    const { from, to, rising, share } = this.#phase(epoch);
    const between = (start: number, end: number): number =>
      this.own.annealStrategy === 'cos'
        ? end + ((start - end) / 2) * (Math.cos(Math.PI * share) + 1)
        : (end - start) * share + start;
    const groups = this.optimizer.paramGroups as readonly WithMomentum[];
    return groups.map((group, i) => {
      if (cycleMomentum) {
        const [low, high] = [baseMomentums[i] ?? 0, maxMomentums[i] ?? 0];
        const [start, end] = rising === null ? [high, high] : rising ? [high, low] : [low, high];
        setMomentum(group, between(start, end));
      }
      return between(from[i] ?? 0, to[i] ?? 0);
    });
  }

  /** Between which rates a step is, and how far. `rising`: null where the momentum stays at its highest. */
  #phase(epoch: number): {
    from: readonly number[];
    to: readonly number[];
    rising: boolean | null;
    share: number;
  } {
    const { totalSteps, pctStart, threePhase, initialLrs, maxLrs, minLrs } = this.own;
    const phases = [
      { end: pctStart * totalSteps - 1, from: initialLrs, to: maxLrs, rising: true },
      ...(threePhase
        ? [
            { end: 2 * pctStart * totalSteps - 2, from: maxLrs, to: initialLrs, rising: false },
            { end: totalSteps - 1, from: initialLrs, to: minLrs, rising: null },
          ]
        : [{ end: totalSteps - 1, from: maxLrs, to: minLrs, rising: false }]),
    ];
    let start = 0;
    for (const { end, ...phase } of phases.slice(0, -1)) {
      if (epoch <= end) return { ...phase, share: shareOf(epoch, start, end) };
      start = end;
    }
    const { end, ...phase } = phases.at(-1) ?? { end: 0, from: [], to: [], rising: null };
    return { ...phase, share: shareOf(epoch, start, end) };
  }
}

/** How far a step is in a phase; a phase of no length is at its end. */
function shareOf(epoch: number, start: number, end: number): number {
  return end === start ? 1 : (epoch - start) / (end - start);
}

function setMomentum(group: WithMomentum, momentum: number): void {
  if (group.betas) group.betas = [momentum, group.betas[1]];
  else group.momentum = momentum;
}

function stepsOf(op: string, { totalSteps, epochs, stepsPerEpoch }: OneCycleLROptions): number {
  const range = { min: 1, integer: true };
  if (totalSteps !== undefined) {
    checkNumber(op, 'totalSteps', totalSteps, range);
    return totalSteps;
  }
  if (epochs === undefined || stepsPerEpoch === undefined) {
    throw new OptionError({
      op,
      argument: 'totalSteps',
      expected: 'totalSteps, or epochs and stepsPerEpoch',
      received: 'neither',
    });
  }
  checkNumber(op, 'epochs', epochs, range);
  checkNumber(op, 'stepsPerEpoch', stepsPerEpoch, range);
  return epochs * stepsPerEpoch;
}
