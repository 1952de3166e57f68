// The demo's parts that need no page: how losses are drawn, addresses, configurations, checkpoints, diagnoses.
import { init, nn, tensor, type Device } from 'nonlin';
import { beforeAll, describe, expect, it } from 'vitest';
import { places } from '../../demo/lab/curve.ts';
import { findFunctions } from '../../demo/lab/functions.ts';
import { FORMS } from '../../demo/lab/loss-forms.ts';
import { findLossOps, lossCurve } from '../../demo/lab/losses.ts';
import { BY_USE, byUse } from '../../demo/lab/order.ts';
import {
  defaultsOf,
  formatValues,
  numberOption,
  optionsOf,
  parseValues,
  type Values,
} from '../../demo/lab/options.ts';
import { formatAddress, parseAddress } from '../../demo/shell/address.ts';
import { findActivations, type ActivationChoice } from '../../demo/training/activations.ts';
import {
  describeRun,
  formatConfig,
  MOST_RUNS,
  parseConfig,
  TASK_NAMES,
  TASKS,
} from '../../demo/training/config.ts';
import { diagnose } from '../../demo/training/diagnose.ts';
import type { LossChoice } from '../../demo/training/loss.ts';
import { findLosses } from '../../demo/training/losses.ts';
import { DEFAULTS } from '../../demo/training/settings.ts';
import { regressionTask } from '../../demo/training/tasks/regression.ts';
import { spiralsTask } from '../../demo/training/tasks/spirals.ts';
import { Trainer } from '../../demo/training/trainer.ts';
import { catalog } from '../../src/catalog.ts';

let device: Device;
let activations: ActivationChoice[];
let losses: LossChoice[];
beforeAll(async () => {
  device = await init({ backend: 'cpu' });
  activations = await findActivations(device);
  losses = await findLosses(device, 'classes');
});

const named = <T extends { readonly op: string }>(all: readonly T[], op: string): T => {
  const found = all.find((one) => one.op === op);
  if (!found) throw new Error(`no ${op}`);
  return found;
};

describe('the order of use', () => {
  it('has every op of the catalog once', () => {
    expect([...BY_USE].sort()).toEqual(catalog.map(({ op }) => op).sort());
  });

  it('is that of the cards and of the menus', async () => {
    const cards = (await findFunctions()).map(({ op }) => op);
    expect(cards.slice(0, 6)).toEqual(['relu', 'gelu', 'silu', 'sigmoid', 'tanh', 'softmax']);
    const places = cards.map((op) => BY_USE.findIndex((name) => name === op));
    expect(places).toEqual([...places].sort((a, b) => a - b));
    const ofLosses = (await findLossOps()).map(({ op }) => op);
    expect(ofLosses.slice(0, 3)).toEqual([
      'mseLoss',
      'crossEntropy',
      'binaryCrossEntropyWithLogits',
    ]);
    expect(activations.slice(0, 2).map(({ op }) => op)).toEqual(['relu', 'gelu']);
    expect(losses.map(({ op }) => op)[0]).toBe('mseLoss');
  });

  it('puts what the list does not know last', () => {
    const ops = [{ op: 'made up' }, { op: 'tanh' }, { op: 'relu' }];
    expect(byUse(ops).map(({ op }) => op)).toEqual(['relu', 'tanh', 'made up']);
  });
});

describe('the catalog on the page', () => {
  it('has a card that can be called for every activation', async () => {
    // Without what is no function of a row: of indices, of several tensors, or of channels of images.
    const kinds = ['loss', 'embedding', 'attention'];
    const channels = ['batchNorm', 'groupNorm', 'instanceNorm', 'localResponseNorm'];
    const names = catalog
      .filter(({ op, kind }) => !kinds.includes(kind) && !channels.includes(op))
      .map(({ op }) => op);
    const found = (await findFunctions()).map(({ op }) => op);
    expect([...found].sort()).toEqual([...names].sort());
  });

  it('has a card for every loss, with a picture of a fitting form', async () => {
    const found = await findLossOps();
    expect(found.map(({ op }) => op).sort()).toEqual(
      catalog
        .filter(({ kind }) => kind === 'loss')
        .map(({ op }) => op)
        .sort(),
    );
    expect(named(found, 'mseLoss').form).toBe(FORMS.regression);
    expect(named(found, 'crossEntropy').form).toBe(FORMS.classes);
    expect(named(found, 'nllLoss').form).toBe(FORMS.logClasses);
    expect(named(found, 'adaptiveLogSoftmaxWithLoss').form).toBe(FORMS.clusters);
    expect(named(found, 'ctcLoss').form).toBe(FORMS.alignment);
  });

  it('draws every loss at both ends of each of its controls', async () => {
    for (const loss of await findLossOps()) {
      const { form } = loss;
      const x = places(form.range[0], form.range[1], 21);
      const options = [form.setting, ...loss.options];
      for (const option of options) {
        const ends =
          'choices' in option
            ? option.choices
            : 'step' in option
              ? [option.min, option.max]
              : [false, true];
        for (const end of ends) {
          const values = { ...defaultsOf(options), [option.name]: end };
          const words = `${loss.op}, ${option.name} ${end}`;
          const curve = await lossCurve(loss, values, x, device);
          expect(curve.loss, words).toHaveLength(21);
          expect(
            [...curve.loss].some((value) => Number.isFinite(value)),
            words,
          ).toBe(true);
          expect(loss.code(values)).toContain(loss.op);
        }
      }
    }
  });

  it('draws what the options of a loss say', async () => {
    const found = await findLossOps();
    const at = async (op: string, values: Values, x: number) => {
      const loss = named(found, op);
      const curve = await lossCurve(loss, values, Float32Array.of(x, x), device);
      return [curve.loss[0], curve.gradient[0]];
    };
    const p = Math.exp(2) / (Math.exp(2) + 2);
    const close = (pair: (number | undefined)[], loss: number, gradient: number) => {
      expect(pair[0]).toBeCloseTo(loss, 5);
      expect(pair[1]).toBeCloseTo(gradient, 5);
    };
    close(await at('crossEntropy', {}, 2), -Math.log(p), p - 1);
    close(await at('crossEntropy', { target: '1' }, 2), -Math.log((1 - p) / 2), p);
    close(await at('crossEntropy', { weight: 3 }, 2), -3 * Math.log(p), 3 * (p - 1));
    const smoothed = -(0.8 * Math.log(p) + 0.2 * Math.log((1 - p) / 2));
    close(await at('crossEntropy', { labelSmoothing: 0.3 }, 2), smoothed, p - 0.8);
    close(await at('binaryCrossEntropy', { weight: 2, target: 1 }, 0.25), 2 * Math.log(4), -8);
    // class 2 has the cluster's probability times its own in it
    const [cluster, own] = [p, Math.exp(2) / (Math.exp(2) + 1)];
    const rare = -Math.log(cluster) - Math.log(own);
    close(await at('adaptiveLogSoftmaxWithLoss', { target: '2' }, 2), rare, p - 1 + own - 1);
    close(await at('klDiv', { target: 0.3, logTarget: true }, -2), 0.3 * (Math.log(0.3) + 2), -0.3);
    // Batches of embeddings on the circle: the one that turns by x, its partner at 0, and others at an angle.
    const entropy = (own: number, others: readonly number[]) =>
      Math.log(others.reduce((sum, z) => sum + Math.exp(z), Math.exp(own))) - own;
    const [turn, rival] = [0.4, 1.5];
    const slopeOf = (f: (x: number) => number) => (f(turn + 1e-5) - f(turn - 1e-5)) / 2e-5;
    const clip = (x: number) =>
      (entropy(3 * Math.cos(x), [3 * Math.cos(x - rival)]) +
        entropy(3 * Math.cos(x), [3 * Math.cos(rival)]) +
        entropy(3, [3 * Math.cos(rival)]) +
        entropy(3, [3 * Math.cos(x - rival)])) /
      4;
    const settings = { logitScale: 3, rival };
    close(await at('clipLoss', settings, turn), clip(turn), slopeOf(clip));
    const sigmoids = (x: number) =>
      (Math.log1p(Math.exp(-3 * Math.cos(x) - 1)) +
        Math.log1p(Math.exp(-3 - 1)) +
        Math.log1p(Math.exp(3 * Math.cos(x - rival) + 1)) +
        Math.log1p(Math.exp(3 * Math.cos(rival) + 1))) /
      2;
    close(
      await at('sigLipLoss', { ...settings, logitBias: 1 }, turn),
      sigmoids(turn),
      slopeOf(sigmoids),
    );
    // z1 is at x and the angle of the others, z2 at 0 and there too.
    const views = (x: number) => {
      const [near, far, other] = [2 * Math.cos(x), 2 * Math.cos(x - rival), 2 * Math.cos(rival)];
      return (
        (entropy(near, [far, far]) + entropy(near, [other, other]) + 2 * entropy(2, [far, other])) /
        4
      );
    };
    close(await at('ntXentLoss', { temperature: 0.5, rival }, turn), views(turn), slopeOf(views));
    const labelled = (x: number) => {
      const [near, far, other] = [2 * Math.cos(x), 2 * Math.cos(x - rival), 2 * Math.cos(rival)];
      return (entropy(near, [far]) + entropy(near, [other])) / 3;
    };
    const together = { temperature: 0.5, baseTemperature: 0.5, rival };
    close(await at('supConLoss', together, turn), labelled(turn), slopeOf(labelled));
    expect(named(found, 'clipLoss').code(settings)).toContain(
      'clipLoss(image, text, { logitScale: 3 })',
    );
    expect(named(found, 'crossEntropy').code({ weight: 3 })).toContain('weight: tensor([3, 1, 1])');
  });

  it('has losses for each goal', async () => {
    const names = async (goal: 'values' | 'shares') =>
      (await findLosses(device, goal)).map(({ op }) => op);
    expect(await names('values')).toEqual(
      expect.arrayContaining(['mseLoss', 'l1Loss', 'huberLoss']),
    );
    expect(await names('values')).not.toContain('crossEntropy');
    expect(await names('shares')).toEqual(expect.arrayContaining(['mseLoss', 'l1Loss']));
    expect(losses.every(({ separable }) => typeof separable === 'boolean')).toBe(true);
    expect(named(losses, 'crossEntropy').separable).toBe(true);
  });
});

describe('options', () => {
  it('have sliders within what the op takes', () => {
    expect(numberOption('slope', 0.01, { min: 0 })).toMatchObject({ min: 0, max: 1, step: 0.01 });
    expect(numberOption('beta', 1, { min: 0, above: true }).min).toBeGreaterThan(0);
    expect(numberOption('value', 0)).toMatchObject({ min: -1, max: 1 });
    expect(numberOption('count', 3, { integer: true }).step).toBe(1);
  });

  it('are kept in an address where they are not the default', () => {
    const options = optionsOf({
      params: { slope: 0.1, kind: 'none', full: false },
      specs: { kind: { choices: ['none', 'tanh'] } },
    });
    const values = { ...defaultsOf(options), kind: 'tanh', full: true };
    const text = formatValues('op', options, values).join(',');
    expect(text).toBe('op.kind:tanh,op.full:true');
    expect(parseValues('op', options, text)).toEqual({ kind: 'tanh', full: true });
    expect(parseValues('op', options, 'op.slope:x,other.slope:1,op.kind:no,op.gone:2')).toEqual({});
  });
});

describe('addresses', () => {
  it('name a view and its parameters', () => {
    const address = parseAddress('#/train?task=spirals&vs=activation:relu');
    expect(address.view).toBe('train');
    expect(formatAddress(address)).toBe('#/train?task=spirals&vs=activation:relu');
    expect(parseAddress('').view).toBe('home');
    expect(parseAddress('#/nowhere').view).toBe('home');
    // of the page before it had views
    expect(parseAddress('', '?epochs=3').view).toBe('train');
    expect(parseAddress('', '?epochs=3').params.get('epochs')).toBe('3');
  });
});

describe('configurations', () => {
  const choices = () => ({
    activations: ['relu', 'tanh', 'sigmoid', 'gelu', 'silu'],
    losses: ['crossEntropy', 'mseLoss', 'l1Loss', 'huberLoss', 'binaryCrossEntropyWithLogits'],
  });
  const parse = (query: string) => parseConfig(new URLSearchParams(query), choices);
  const format = (query: string) => {
    const entries = Object.entries(formatConfig(parse(query).config));
    return decodeURIComponent(
      new URLSearchParams(
        entries.filter((entry): entry is [string, string] => entry[1] !== undefined),
      ).toString(),
    );
  };

  it.each([
    '',
    'task=spirals&width=24',
    'activation=sigmoid&layers=6&vs=activation:relu',
    'optimizer=sgd&vs=optimizer:adam,learningRate:0.5;width:7,layers:2',
    'task=regression&vs=none',
    'sizes=256-64',
    'sizes=none&vs=activation:relu',
    'sizes=256-64&vs=width:128,layers:1',
    'task=regression&activation=relu',
  ])('"%s" is itself after a round', (query) => {
    expect(parse(query).faults).toEqual([]);
    const sorted = (text: string) => text.split('&').sort();
    expect(sorted(format(query))).toEqual(sorted(query));
  });

  it('are at most so many runs, and faults are named', () => {
    const { config, faults } = parse(
      'width=no&activation=none&vs=layers:2;layers:3;layers:4;layers:99',
    );
    expect(config.runs.map(({ layers }) => layers)).toEqual([1, 2, 3].slice(0, MOST_RUNS));
    expect(faults.join()).toContain('Width: expected');
    expect(faults.join()).toContain('activation: expected one of');
    expect(parse('sizes=8-x').faults.join()).toContain('Hidden layers: expected');
    expect(parse('optimizer=sgd').config.runs[0]?.learningRate).toBe(0.2);
  });

  it('worth a look are all without fault, and named by their differences', () => {
    for (const task of TASK_NAMES) {
      for (const { query } of TASKS[task].examples) expect(parse(query).faults, query).toEqual([]);
    }
    const { runs } = parse('activation=sigmoid&layers=6&vs=activation:relu').config;
    expect(runs.map((_, i) => describeRun(runs, i))).toEqual(['sigmoid', 'relu']);
  });
});

describe('a run', () => {
  const settings = {
    ...DEFAULTS,
    activation: 'tanh',
    width: 8,
    batchSize: 50,
    epochs: 2,
    learningRate: 0.01,
  };
  const make = (
    from?: Awaited<ReturnType<Trainer['checkpoint']>>,
    others: Partial<typeof DEFAULTS> = {},
  ) =>
    new Trainer({
      settings: { ...settings, ...others },
      activation: named(activations, settings.activation),
      loss: named(losses, settings.loss),
      task: spiralsTask(),
      device,
      ...(from ? { from } : {}),
    });
  const finish = async (trainer: Trainer) => {
    let last = NaN;
    for await (const report of trainer.train()) {
      if (report.kind === 'epoch') last = report.heldOut.loss;
    }
    return last;
  };

  it.each([5, 12, 15])(
    'goes on from a checkpoint at step %i as if nothing had been',
    async (at) => {
      const straight = await finish(make());
      const first = make();
      for await (const report of first.train()) if (report.step >= at) break;
      const checkpoint = await first.checkpoint();
      first.dispose();
      const second = make(checkpoint);
      expect(second.step).toBe(checkpoint.step);
      expect(await finish(second)).toBe(straight);
    },
  );

  it('moves no further in a step than its rate times the norm that gradients are clipped to', async () => {
    const [clipNorm, learningRate] = [0.01, 0.5];
    const trainer = make(undefined, { optimizer: 'sgd', learningRate, clipNorm, batchSize: 600 });
    const values = async () =>
      Object.values((await trainer.checkpoint()).model).flatMap((kept) => [...kept.values]);
    const before = await values();
    for await (const report of trainer.train()) if (report.step === 1) break;
    const after = await values();
    const moved = Math.hypot(...after.map((value, i) => value - (before[i] ?? NaN)));
    expect(moved).toBeCloseTo(learningRate * clipNorm, 6);
    trainer.dispose();
  });

  it('counts verdicts that agree with its accuracy', async () => {
    for await (const report of make().train()) {
      if (report.kind !== 'epoch' || !report.verdicts) continue;
      const { predicted, wanted, margin } = report.verdicts;
      const right = predicted.filter((label, i) => label === wanted[i]).length;
      expect(right / wanted.length).toBeCloseTo(report.heldOut.accuracy, 6);
      margin.forEach((value, i) => expect(value > 0).toBe(predicted[i] !== wanted[i]));
    }
  });

  it('finds curves and outliers in the data of the regression', () => {
    const { points, heldOut } = regressionTask();
    const outliers = points.filter(({ outlier }) => outlier);
    expect(outliers).toHaveLength(40);
    expect(heldOut.count).toBe(201);
  });
});

describe('a diagnosis', () => {
  it('tells dead from living units and vanishing from large gradients', async () => {
    const [first, second] = [new nn.Linear(2, 4, { device }), new nn.Linear(4, 2, { device })];
    const unit = new nn.ReLU();
    // two units never fire, two always do
    first.loadStateDict({
      weight: tensor(new Float32Array(8), { shape: [4, 2], device }),
      bias: tensor([-1, -1, 1, 1], { device }),
    });
    const layers = [
      { linear: first, activation: unit },
      { linear: second, activation: undefined },
    ];
    const network = new nn.Sequential(first, unit, second);
    const batch = spiralsTask().heldOut.gather(Uint32Array.from([0, 1, 2, 3]));
    const model = { network, layers, parameterCount: 22 };
    const health = await diagnose(model, named(losses, 'crossEntropy'), batch, true, device);
    expect(health.map(({ dead }) => dead)).toEqual([0.5, undefined]);
    expect(health[0]?.saturated).toBe(0.5);
    expect(health[1]?.gradientNorm).toBeGreaterThan(0);
    // no gradient is left behind
    expect(network.parameters().every(({ grad }) => grad === null)).toBe(true);
  });
});
