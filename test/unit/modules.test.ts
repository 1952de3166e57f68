// Every op of the catalog has a module class under PyTorch's name, whose forward is the function with the constructor's
// options: the same calls, by both.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { catalog } from '../../src/catalog.ts';
import { init, manualSeed, nn, OptionError, Tensor, type Device } from '../../src/index.ts';
import { argumentsOf, familyOf, resultOf, type Call } from '../calls.ts';

/** PyTorch's names that are not the function's in another case, with or without `Loss`. */
const NAMES: Readonly<Record<string, string>> = {
  binaryCrossEntropy: 'BCELoss',
  binaryCrossEntropyWithLogits: 'BCEWithLogitsLoss',
  klDiv: 'KLDivLoss',
  batchNorm: 'BatchNorm2d',
  instanceNorm: 'InstanceNorm2d',
};
/** PyTorch has functions only. */
const WITHOUT = ['normalize'];
/** Modules that hold tensors of their own, which the function is given; tested beside their ops. */
const OWN_STATE = [
  'prelu',
  'linearCrossEntropy',
  'adaptiveLogSoftmaxWithLoss',
  ...catalog.filter(({ kind }) => kind === 'norm' || kind === 'embedding').map(({ op }) => op),
].filter((op) => !WITHOUT.includes(op));

type ModuleClass = new (options?: object) => { forward: (...inputs: unknown[]) => unknown };

function classOf(op: string): [name: string, Class: ModuleClass] | undefined {
  const wanted = [NAMES[op] ?? op, `${op}Loss`].map((name) => name.toLowerCase());
  const found = Object.entries(nn).find(([name]) => wanted.includes(name.toLowerCase()));
  return found && [found[0], found[1] as unknown as ModuleClass];
}

let device: Device;
beforeAll(async () => {
  device = await init({ backend: 'cpu' });
});
afterAll(() => {
  device.dispose();
});

/** The call as a module makes it: options at construction, required tensors at `forward`. */
function byModule(call: Call, Class: ModuleClass): Tensor {
  const { tensors, options } = argumentsOf(call, device);
  const { training, ...rest } = options as Readonly<Record<string, unknown>>;
  const module = Object.keys(rest).length > 0 ? new Class(rest) : new Class();
  // In PyTorch's modules it is a mode, not an option.
  if (module instanceof nn.Module) module.train(training === true);
  const result: unknown = module.forward(
    ...Object.keys(call.positional).map((name) => tensors[name]),
  );
  if (!(result instanceof Tensor)) throw new Error(`${call.op}'s module returned no tensor`);
  return result;
}

describe('modules', () => {
  it.each(OWN_STATE)('%s has one, tested beside it', (op) => {
    expect(classOf(op)).toBeDefined();
  });

  // Attention is a part of modules.
  const alike = catalog.filter(
    ({ op, kind }) => kind !== 'attention' && ![...OWN_STATE, ...WITHOUT].includes(op),
  );
  for (const { op } of alike) {
    it(op, async () => {
      const found = classOf(op);
      if (!found) throw new Error(`no class of nn stands for ${op}`);
      const full = familyOf(op).valid(op);
      // An elementwise module has no bias: that is the function's fusion.
      const { bias: _bias, ...optional } = full.optional;
      const call = { ...full, optional };
      manualSeed(3);
      const want = await resultOf(call, argumentsOf(call, device)).data();
      manualSeed(3);
      expect([...(await byModule(call, found[1]).data())]).toEqual([...want]);
    });

    it(`${op} refuses options that it does not have`, () => {
      const [, Class] = classOf(op) ?? [];
      if (!Class) throw new Error(`no class of nn stands for ${op}`);
      const call = familyOf(op).valid(op);
      const { tensors } = argumentsOf(call, device);
      const given = Object.keys(call.positional).map((name) => tensors[name]);
      expect(() => new Class({ noSuchOption: 1 }).forward(...given)).toThrow(OptionError);
    });
  }
});
