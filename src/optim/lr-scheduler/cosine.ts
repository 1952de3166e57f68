// Schedulers that lower the rate along a cosine, once or again and again.
import { hostWork } from '../../core/capturing.ts';
import { checkNumber, checkOptionNames } from '../../core/validate-options.ts';
import type { Optimizer } from '../optimizer.ts';
import { LRScheduler, type SchedulerOptions } from './scheduler.ts';

/** Options of `optim.lrScheduler.CosineAnnealingLR`. */
export interface CosineAnnealingLROptions extends SchedulerOptions {
  /** The lowest rate. Defaults to 0. */
  etaMin?: number;
}

/**
 * From the rate at the beginning to `etaMin` in `tMax` epochs, along a cosine (Loshchilov & Hutter 2017), and up again, as
 * `torch.optim.lr_scheduler.CosineAnnealingLR`.
 *
 * @example
 * const scheduler = new optim.lrScheduler.CosineAnnealingLR(optimizer, 100);
 */
export class CosineAnnealingLR extends LRScheduler<{ tMax: number; etaMin: number }> {
  constructor(optimizer: Optimizer, tMax: number, options: CosineAnnealingLROptions = {}) {
    checkOptionNames('CosineAnnealingLR', options, ['etaMin', 'lastEpoch']);
    const { etaMin = 0, lastEpoch = -1 } = options;
    checkNumber('CosineAnnealingLR', 'tMax', tMax, { min: 1, integer: true });
    checkNumber('CosineAnnealingLR', 'etaMin', etaMin, { min: 0 });
    super('CosineAnnealingLR', optimizer, lastEpoch, { tMax, etaMin });
    this.begin();
  }

  protected override rates(): number[] {
    const { tMax, etaMin } = this.own;
    const epoch = this.lastEpoch;
    if (epoch === 0) return this.lrs;
    if (this.stepCount === 1) return this.closedForm();
    // From the lowest rate, which has lost the one at the beginning.
    if ((epoch - 1 - tMax) % (2 * tMax) === 0) {
      const share = (1 - Math.cos(Math.PI / tMax)) / 2;
      return this.lrs.map((lr, i) => lr + ((this.baseLrs[i] ?? lr) - etaMin) * share);
    }
    const factor =
      (1 + Math.cos((Math.PI * epoch) / tMax)) / (1 + Math.cos((Math.PI * (epoch - 1)) / tMax));
    return this.lrs.map((lr) => factor * (lr - etaMin) + etaMin);
  }

  protected override closedForm(): number[] {
    const { tMax, etaMin } = this.own;
    const share = 1 + Math.cos((Math.PI * this.lastEpoch) / tMax);
    return this.baseLrs.map((lr) => etaMin + ((lr - etaMin) * share) / 2);
  }
}

/** Options of `optim.lrScheduler.CosineAnnealingWarmRestarts`. */
export interface CosineAnnealingWarmRestartsOptions extends CosineAnnealingLROptions {
  /** How many times longer each period is than the one before. Defaults to 1. */
  tMult?: number;
}

/**
 * From the rate at the beginning to `etaMin` along a cosine, again and again (SGDR, Loshchilov & Hutter 2017): first in `t0`
 * epochs, then in `tMult` times as many each. As `torch.optim.lr_scheduler.CosineAnnealingWarmRestarts`.
 */
export class CosineAnnealingWarmRestarts extends LRScheduler<{
  t0: number;
  tI: number;
  tMult: number;
  etaMin: number;
  tCur: number;
}> {
  constructor(optimizer: Optimizer, t0: number, options: CosineAnnealingWarmRestartsOptions = {}) {
    const op = 'CosineAnnealingWarmRestarts';
    checkOptionNames(op, options, ['tMult', 'etaMin', 'lastEpoch']);
    const { tMult = 1, etaMin = 0, lastEpoch = -1 } = options;
    checkNumber(op, 't0', t0, { min: 1, integer: true });
    checkNumber(op, 'tMult', tMult, { min: 1, integer: true });
    checkNumber(op, 'etaMin', etaMin, { min: 0 });
    super(op, optimizer, lastEpoch, { t0, tI: t0, tMult, etaMin, tCur: lastEpoch });
    this.begin();
  }

  /** `epoch`: where to go instead of to the next one; a fraction is within an epoch, such as `epoch + i / batches`. */
  override step(epoch?: number): void {
    hostWork(() => {
      this.#goTo(epoch);
    });
  }

  #goTo(epoch: number | undefined): void {
    const { own } = this;
    if (epoch === undefined && this.lastEpoch >= 0) {
      own.tCur++;
      if (own.tCur >= own.tI) {
        own.tCur -= own.tI;
        own.tI *= own.tMult;
      }
      this.moveTo(this.lastEpoch + 1);
      return;
    }
    const to = epoch ?? 0;
    checkNumber(this.op, 'epoch', to, { min: 0 });
    const { t0, tMult } = own;
    if (to < t0) {
      own.tI = t0;
      own.tCur = to;
    } else if (tMult === 1) {
      own.tCur = to % t0;
    } else {
      const n = Math.trunc(Math.log((to / t0) * (tMult - 1) + 1) / Math.log(tMult));
      own.tCur = to - (t0 * (tMult ** n - 1)) / (tMult - 1);
      own.tI = t0 * tMult ** n;
    }
    this.moveTo(Math.floor(to));
  }

  /** @internal */
  override restart(): void {
    this.step(0);
  }

  protected override rates(): number[] {
    const { etaMin, tCur, tI } = this.own;
    const share = 1 + Math.cos((Math.PI * tCur) / tI);
    return this.baseLrs.map((lr) => etaMin + ((lr - etaMin) * share) / 2);
  }
}
