// Learning rate schedulers against PyTorch's figures, step by step, and what their states and refusals promise.
import { beforeAll, describe, expect, it } from 'vitest';
import { init, optim, OptionError, tensor, type Device } from '../../src/index.ts';
import {
  makeOptimizer,
  renamed,
  scheduleCases,
  type ScheduleCase,
  type SchedulerSpec,
} from '../training-golden.ts';

const { lrScheduler } = optim;
const cases = await scheduleCases();
let device: Device;
beforeAll(async () => {
  device = await init({ backend: 'cpu' });
});

interface Scheduler {
  step(by?: number): void;
  getLastLr(): number[];
  stateDict(): optim.lrScheduler.SchedulerState;
  loadStateDict(state: optim.lrScheduler.SchedulerState): void;
}

const FUNCTIONS: Readonly<Record<string, optim.lrScheduler.LrLambda>> = {
  power: (epoch) => 0.9 ** epoch,
  root: (epoch) => 1 / Math.sqrt(epoch + 1),
};

function build(optimizer: optim.Optimizer, { kind, args, options }: SchedulerSpec): Scheduler {
  const Class: unknown = Reflect.get(lrScheduler, kind);
  if (typeof Class !== 'function') throw new Error(`no ${kind}`);
  const given = args.map((arg): unknown => {
    if (kind === 'SequentialLR' && typeof (arg as readonly unknown[])[0] === 'object') {
      return (arg as SchedulerSpec[]).map((spec) => build(optimizer, spec));
    }
    if (kind !== 'LambdaLR') return arg;
    return Array.isArray(arg) ? arg.map((name: string) => FUNCTIONS[name]) : FUNCTIONS[String(arg)];
  });
  return Reflect.construct(Class, [optimizer, ...given, renamed(options)]) as Scheduler;
}

function start({ optimizer: kind, options, rates }: ScheduleCase): optim.Optimizer {
  const groups = rates.map((lr) => ({
    params: [tensor([0], { device, requiresGrad: true })],
    lr,
  }));
  return makeOptimizer(kind, groups, { lr: 0.1, ...options });
}

type Group = optim.ParamGroup & { momentum?: number; betas?: readonly [number, number] };
const read = ({ paramGroups }: optim.Optimizer): (readonly [number, number])[] =>
  (paramGroups as readonly Group[]).map(({ lr, momentum, betas }) => [
    lr,
    betas?.[0] ?? momentum ?? 0,
  ]);

/** The same numbers, but for the last bits of a float64. */
function expectClose(values: readonly number[], expected: readonly number[], at: string): void {
  expect(values.length, at).toBe(expected.length);
  values.forEach((value, i) => {
    const e = expected[i] ?? NaN;
    const off = Math.abs(value - e);
    expect(off, `${at}: ${value}, expected ${e}`).toBeLessThanOrEqual(1e-12 * Math.abs(e) + 1e-15);
  });
}

const nameOf = ({ optimizer, schedulers }: ScheduleCase): string =>
  `${schedulers.map((spec) => JSON.stringify(spec)).join(' with ')} on ${optimizer}`;

describe('schedules are those of PyTorch', () => {
  it('have golden cases of every scheduler', () => {
    const kinds = new Set(cases.flatMap(({ schedulers }) => schedulers.map(({ kind }) => kind)));
    const all = Object.keys(lrScheduler).filter((name) => name !== 'LRScheduler');
    expect([...kinds].sort()).toEqual(all.sort());
  });

  for (const golden of cases) {
    const advance = (schedulers: readonly Scheduler[], step: number): void => {
      const by = golden.metrics?.[step] ?? golden.epochs?.[step];
      for (const scheduler of schedulers) {
        if (by === undefined) scheduler.step();
        else scheduler.step(by);
      }
    };
    const check = (
      optimizer: optim.Optimizer,
      schedulers: readonly Scheduler[],
      step: number,
    ): void => {
      const at = `after step ${step}`;
      expectClose(read(optimizer).flat(), golden.expected[step]?.flat() ?? [], at);
      if (step > 0) expectClose(schedulers.at(-1)?.getLastLr() ?? [], golden.last[step] ?? [], at);
    };

    it(nameOf(golden), () => {
      const optimizer = start(golden);
      const schedulers = golden.schedulers.map((spec) => build(optimizer, spec));
      check(optimizer, schedulers, 0);
      for (let step = 0; step < golden.steps; step++) {
        advance(schedulers, step);
        check(optimizer, schedulers, step + 1);
      }
    });

    it(`${nameOf(golden)}, gone on from a checkpoint`, () => {
      const first = start(golden);
      const begun = golden.schedulers.map((spec) => build(first, spec));
      const half = 23;
      for (let step = 0; step < half; step++) advance(begun, step);
      // As text: nothing else survives a file.
      const saved: unknown = JSON.parse(
        JSON.stringify([first.stateDict(), begun.map((one) => one.stateDict())]),
      );
      const [state, states] = saved as [
        optim.OptimizerState,
        readonly optim.lrScheduler.SchedulerState[],
      ];
      const second = start(golden);
      const schedulers = golden.schedulers.map((spec) => build(second, spec));
      second.loadStateDict(state);
      schedulers.forEach((one, i) => one.loadStateDict(states[i] ?? {}));
      check(second, schedulers, half);
      for (let step = half; step < golden.steps; step++) {
        advance(schedulers, step);
        check(second, schedulers, step + 1);
      }
    });
  }
});

describe('a scheduler', () => {
  const sgd = (): optim.SGD =>
    new optim.SGD([tensor([0], { device, requiresGrad: true })], { lr: 0.5 });

  it('goes on from an epoch where groups know their first rate', () => {
    const optimizer = sgd();
    const refused = () => new lrScheduler.CosineAnnealingLR(optimizer, 10, { lastEpoch: 3 });
    expect(refused).toThrow(OptionError);
    for (const group of optimizer.paramGroups) group.initialLr = 0.5;
    const scheduler = new lrScheduler.CosineAnnealingLR(optimizer, 10, { lastEpoch: 3 });
    expect(scheduler.lastEpoch).toBe(4);
    expectClose(scheduler.getLastLr(), [0.25 * (1 + Math.cos(0.4 * Math.PI))], 'the fourth');
  });

  it('takes no step past the last of a cycle, and is as it was', () => {
    const optimizer = sgd();
    const scheduler = new lrScheduler.OneCycleLR(optimizer, 0.1, { totalSteps: 3 });
    for (let step = 0; step < 3; step++) scheduler.step();
    const before = scheduler.stateDict();
    expect(() => {
      scheduler.step();
    }).toThrow('at most 4 steps');
    expect(scheduler.stateDict()).toEqual(before);
  });

  it('may end at a rate that rounding has made negative, and the optimizer steps', () => {
    const optimizer = sgd();
    const scheduler = new lrScheduler.LinearLR(optimizer, {
      startFactor: 0.3,
      endFactor: 0,
      totalIters: 10,
    });
    for (let step = 0; step < 12; step++) {
      scheduler.step();
      optimizer.step();
    }
    expect(Math.abs(optimizer.lr)).toBeLessThan(1e-15);
  });

  it('refuses what it cannot use', () => {
    const optimizer = sgd();
    const adam = new optim.Adam([tensor([0], { device, requiresGrad: true })]);
    const other = new lrScheduler.StepLR(sgd(), 2);
    const own = new lrScheduler.StepLR(optimizer, 2);
    const plateau = new lrScheduler.ReduceLROnPlateau(optimizer);
    const wild = lrScheduler as unknown as Record<string, new (...args: unknown[]) => unknown>;
    const bad: [string, unknown[], string][] = [
      ['StepLR', [{}, 2], 'optimizer'],
      ['StepLR', [optimizer, 0], 'stepSize'],
      ['StepLR', [optimizer, 1.5], 'stepSize'],
      ['StepLR', [optimizer, 2, { gamma: NaN }], 'gamma'],
      ['StepLR', [optimizer, 2, { decay: 1 }], 'decay'],
      ['StepLR', [optimizer, 2, { lastEpoch: -2 }], 'lastEpoch'],
      ['MultiStepLR', [optimizer, 3], 'milestones'],
      ['MultiStepLR', [optimizer, [3, -1]], 'milestones[1]'],
      ['ExponentialLR', [optimizer], 'gamma'],
      ['CosineAnnealingLR', [optimizer, 0], 'tMax'],
      ['CosineAnnealingWarmRestarts', [optimizer, 3, { tMult: 0 }], 'tMult'],
      ['LinearLR', [optimizer, { startFactor: 0 }], 'startFactor'],
      ['LinearLR', [optimizer, { endFactor: 1.5 }], 'endFactor'],
      ['OneCycleLR', [optimizer, 0.1], 'totalSteps'],
      ['OneCycleLR', [optimizer, 0.1, { epochs: 3 }], 'totalSteps'],
      ['OneCycleLR', [optimizer, 0.1, { totalSteps: 9, pctStart: 2 }], 'pctStart'],
      ['OneCycleLR', [optimizer, [0.1, 0.2], { totalSteps: 9 }], 'maxLr'],
      ['OneCycleLR', [adam, 0.1, { totalSteps: 9, annealStrategy: 'sin' }], 'annealStrategy'],
      ['LambdaLR', [optimizer, 5], 'lrLambda'],
      ['LambdaLR', [optimizer, [() => 1, () => 1]], 'lrLambda'],
      ['LambdaLR', [optimizer, () => 'x'], 'lrLambda[0](0)'],
      ['ReduceLROnPlateau', [optimizer, { factor: 1 }], 'factor'],
      ['ReduceLROnPlateau', [optimizer, { mode: 'low' }], 'mode'],
      ['ReduceLROnPlateau', [optimizer, { minLr: [0, 0] }], 'minLr'],
      ['SequentialLR', [optimizer, [], []], 'schedulers'],
      ['SequentialLR', [optimizer, [own, other], [3]], 'schedulers[1]'],
      ['SequentialLR', [optimizer, [own, plateau], [3]], 'schedulers[1]'],
      ['SequentialLR', [optimizer, [own, own], []], 'milestones'],
    ];
    for (const [kind, args, argument] of bad) {
      const Class = wild[kind];
      if (!Class) throw new Error(kind);
      let thrown: unknown;
      try {
        new Class(...args);
      } catch (error) {
        thrown = error;
      }
      expect(thrown, `${kind} ${argument}`).toBeInstanceOf(OptionError);
      expect(thrown, kind).toMatchObject({ argument });
    }
    const metric = tensor([1], { device });
    expect(() => {
      plateau.step(metric as unknown as number);
    }).toThrow('await metric.item()');
    const others: unknown[] = [null, {}, { ...own.stateDict(), gamma: 'x' }, plateau.stateDict()];
    for (const state of others) {
      expect(() => {
        own.loadStateDict(state as optim.lrScheduler.SchedulerState);
      }).toThrow(OptionError);
    }
  });
});
