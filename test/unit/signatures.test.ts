// The functions and classes against PyTorch's signatures: every parameter is here under the name and with the default that the
// table says, or the table has the reason why not.
import { expect, test } from 'vitest';
import { signatures } from '../../scripts/signatures.ts';
import { catalog } from '../../src/catalog.ts';
import * as nonlin from '../../src/index.ts';
import { OptionError, init, optim, tensor, type Tensor } from '../../src/index.ts';
import { apply, argumentsOf, familyOf } from '../calls.ts';

const device = await init({ backend: 'cpu' });

/** The options that a call has, as its refusal of another one lists them. */
function optionsOf(call: (noOption: Readonly<Record<string, unknown>>) => unknown): string[] {
  try {
    call({ noOption: 1 });
  } catch (error) {
    if (!(error instanceof OptionError)) throw error;
    return /one of the options ([\w, ]+)/.exec(error.message)?.[1]?.split(', ') ?? [];
  }
  throw new Error('takes any option');
}

/** What a function or class takes: arguments by their names, then options. */
interface Taken {
  readonly names: readonly string[];
  /** Standard values, as far as they are declared. */
  readonly defaults: Readonly<Record<string, unknown>>;
}

const x = tensor([[1, 2]]);
const parameter = (values: number[]): Tensor => tensor(values, { requiresGrad: true });
const sgd = new optim.SGD([parameter([1])], { lr: 0.1 });
const { lrScheduler } = optim;

/** Numbers that a function of the catalog takes as arguments, besides its tensors. */
const NUMBERS: Readonly<Record<string, readonly string[]>> = {
  groupNorm: ['numGroups'],
  layerNorm: ['normalizedShape'],
  rmsNorm: ['normalizedShape'],
  localResponseNorm: ['size'],
};

/** What the catalog does not have. */
const OTHERS: Readonly<Record<string, readonly [readonly string[], (options: object) => unknown]>> =
  {
    linear: [['input', 'weight'], (o) => nonlin.linear(x, x, o)],
    dropout: [['x'], (o) => nonlin.dropout(x, o)],
    cosineSimilarity: [['x1', 'x2'], (o) => nonlin.cosineSimilarity(x, x, o)],
    pairwiseDistance: [['x1', 'x2'], (o) => nonlin.pairwiseDistance(x, x, o)],
    SGD: [['params'], (o) => new optim.SGD([parameter([1])], { lr: 0.1, ...o })],
    Adam: [['params'], (o) => new optim.Adam([parameter([1])], o)],
    AdamW: [['params'], (o) => new optim.AdamW([parameter([1])], o)],
    RMSprop: [['params'], (o) => new optim.RMSprop([parameter([1])], o)],
    LambdaLR: [['optimizer', 'lrLambda'], (o) => new lrScheduler.LambdaLR(sgd, () => 1, o)],
    StepLR: [['optimizer', 'stepSize'], (o) => new lrScheduler.StepLR(sgd, 1, o)],
    MultiStepLR: [['optimizer', 'milestones'], (o) => new lrScheduler.MultiStepLR(sgd, [1], o)],
    LinearLR: [['optimizer'], (o) => new lrScheduler.LinearLR(sgd, o)],
    ExponentialLR: [['optimizer', 'gamma'], (o) => new lrScheduler.ExponentialLR(sgd, 0.1, o)],
    CosineAnnealingLR: [['optimizer', 'tMax'], (o) => new lrScheduler.CosineAnnealingLR(sgd, 1, o)],
    CosineAnnealingWarmRestarts: [
      ['optimizer', 't0'],
      (o) => new lrScheduler.CosineAnnealingWarmRestarts(sgd, 1, o),
    ],
    OneCycleLR: [
      ['optimizer', 'maxLr'],
      (o) => new lrScheduler.OneCycleLR(sgd, 1, { totalSteps: 2, ...o }),
    ],
    ReduceLROnPlateau: [['optimizer'], (o) => new lrScheduler.ReduceLROnPlateau(sgd, o)],
    SequentialLR: [
      ['optimizer', 'schedulers', 'milestones'],
      (o) => {
        const one = new lrScheduler.StepLR(sgd, 1);
        return new lrScheduler.SequentialLR(sgd, [one, one], [1], o);
      },
    ],
  };

function takenOf(op: string): Taken {
  const other = OTHERS[op];
  if (other) {
    const [names, call] = other;
    const defaults: Record<string, unknown> = {};
    if (op === 'Adam' || op === 'AdamW' || op === 'RMSprop' || op === 'SGD') {
      const made = new optim[op]([parameter([1])], op === 'SGD' ? { lr: 0.1 } : {});
      Object.assign(defaults, made.paramGroups[0], op === 'SGD' ? { lr: undefined } : {});
    }
    return { names: [...names, ...optionsOf(call)], defaults };
  }
  const info = catalog.find((one) => one.op === op);
  if (!info) throw new Error(`no ${op}`);
  const call = familyOf(op).valid(op);
  const options = optionsOf((o) => apply(call, argumentsOf(call, device), o));
  const reduction = info.reductions?.[0];
  return {
    names: [...Object.keys(call.positional), ...(NUMBERS[op] ?? []), ...options],
    defaults: { ...info.params, ...(reduction === undefined ? {} : { reduction }) },
  };
}

/** A default as Python writes it, as a value of ours. */
function valueOf(python: string): unknown {
  const json = python
    .replaceAll("'", '"')
    .replace('True', 'true')
    .replace('False', 'false')
    .replace('None', 'null')
    .replace('(', '[')
    .replace(')', ']');
  return JSON.parse(json);
}

/** Where ours is not PyTorch's, on purpose or because PyTorch says it elsewhere. */
const DIFFERENT = new Set(['rms_norm eps', 'threshold threshold', 'threshold value']);

test.each(signatures())('$torch', ({ torch, op, parameters }) => {
  const { names, defaults } = takenOf(op);
  for (const { torch: parameterName, standard, ours } of parameters) {
    if (ours === null) continue;
    expect(names, parameterName).toContain(ours);
    const own = defaults[ours];
    if (standard === null || standard.startsWith('<') || own === undefined) continue;
    if (DIFFERENT.has(`${torch} ${parameterName}`)) continue;
    expect(own, parameterName).toEqual(valueOf(standard));
  }
});

test('every function that PyTorch has is in the table', () => {
  const known = new Set(signatures().map(({ torch }) => torch));
  const functions = catalog.flatMap(({ docs: { torch } }) =>
    torch === undefined || /^[A-Z]/.test(torch) ? [] : [torch],
  );
  expect(functions.filter((torch) => !known.has(torch))).toEqual([]);
});
