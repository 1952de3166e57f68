// Devices that cannot be had, and calls that prepare what is no op.
import {
  DeviceLostError,
  DeviceUnavailableError,
  DTypeError,
  init,
  nn,
  OptionError,
  relu,
  type InitOptions,
} from '../../src/index.ts';
import { junk, type Refusal } from './refusal.ts';

const refused = (name: string, argument: string, says: string, options: unknown): Refusal => ({
  name: `init with ${name}`,
  op: 'init',
  argument,
  error: OptionError,
  says,
  given: () => () => init(options as InitOptions),
});

const adapterOf = (requestAdapter: () => unknown): GPU => ({ requestAdapter }) as unknown as GPU;
const failing = adapterOf(() => Promise.reject(new Error('the driver is busy')));
const throwing = adapterOf(() => {
  throw new TypeError('not now');
});
const adapter = { info: {}, limits: {}, features: new Set() };
const withoutDevice = adapterOf(() =>
  Promise.resolve({
    ...adapter,
    requestDevice: () => Promise.reject(new TypeError('no such limit')),
  }),
);
const notAnAdapter = adapterOf(() => Promise.resolve({}));

const unavailable = (name: string, gpu: GPU): Refusal => ({
  name: `init on ${name}`,
  op: 'init',
  argument: 'backend',
  error: DeviceUnavailableError,
  given: () => () => init({ backend: 'webgpu', gpu }),
});

/** With what the browser said as their cause; 'auto' has the CPU in their place. */
export const brokenGpus: Readonly<Record<string, GPU>> = {
  'a requestAdapter that rejects': failing,
  'a requestAdapter that throws': throwing,
  'an adapter that refuses a device': withoutDevice,
  'what is no adapter': notAnAdapter,
};

const devices: Refusal[] = [
  ...[null, 5, 'webgpu', {}, []].map((device) =>
    refused(`device = ${JSON.stringify(device)}`, 'device', 'a GPUDevice', { device }),
  ),
  refused('a promise of a device', 'device', 'received a Promise', { device: Promise.resolve() }),
  {
    name: 'init with a device of ours',
    op: 'init',
    argument: 'device',
    error: OptionError,
    given:
      ({ device }) =>
      () =>
        init({ device: junk(device) }),
  },
  ...[null, 5, {}, () => null, { requestAdapter: 1 }].map((gpu, i) =>
    refused(`gpu ${i}`, 'gpu', 'a GPU, such as navigator.gpu', { gpu }),
  ),
  ...['fast', 'High-Performance', '', null, 1].map((powerPreference) =>
    refused(
      `powerPreference = ${JSON.stringify(powerPreference)}`,
      'powerPreference',
      "'low-power' | 'high-performance'",
      { powerPreference },
    ),
  ),
  ...['gpu', null, 1].map((backend) =>
    refused(`backend = ${String(backend)}`, 'backend', "'auto' |", { backend }),
  ),
  refused('unknown options', 'power', 'an unknown option', { power: 'low-power' }),
  ...[null, 'webgpu', []].map((options) =>
    refused(`${JSON.stringify(options)} for its options`, 'options', 'an object', options),
  ),
  ...Object.entries(brokenGpus).map(([name, gpu]) => unavailable(name, gpu)),
  {
    name: 'init with both a device and the CPU',
    op: 'init',
    argument: 'backend',
    error: OptionError,
    on: 'webgpu',
    given:
      ({ device }) =>
      () =>
        init({ backend: 'cpu', device: junk(device.gpuDevice) }),
  },
];

/** A device that is gone, as its owner has it: the GPUDevice under one of ours. */
const gone: Refusal = {
  name: 'init with a device that was destroyed',
  op: 'init',
  argument: 'device',
  error: DeviceLostError,
  says: 'a lost one (destroyed)',
  on: 'webgpu',
  given: () => async () => {
    const { gpuDevice } = await init({ backend: 'webgpu' });
    gpuDevice?.destroy();
    await gpuDevice?.lost;
    return init({ device: junk(gpuDevice) });
  },
};

const prepared: Refusal[] = (
  [
    ['5', 5, {}, 'ops', 'an array of ops'],
    ['an op alone', relu, {}, 'ops', 'an array of ops'],
    ['a number', [5], {}, 'ops[0]', 'received 5'],
    ['null', [relu, null], {}, 'ops[1]', 'received null'],
    ['a module class', [nn.ReLU], {}, 'ops[0]', 'received a function'],
    ['a dtype that has no kernels', [relu], { dtype: 'int32' }, 'dtype', "'float32' | 'float16'"],
    ['null for its options', [relu], null, 'options', 'received null'],
    ['an unknown option', [relu], { dtypes: [] }, 'dtypes', 'an unknown option'],
  ] as const
).map(([name, ops, options, argument, says]) => ({
  name: `prepare of ${name}`,
  op: 'device.prepare',
  argument,
  error: OptionError,
  says,
  given:
    ({ device }) =>
    () =>
      device.prepare(junk(ops), junk(options)),
}));

/** Classes that make tensors of their own, and how. */
const LAYERS: Readonly<Record<string, (options: object) => unknown>> = {
  Linear: (options) => new nn.Linear(2, 2, options),
  PReLU: (options) => new nn.PReLU(options),
  LinearCrossEntropyLoss: (options) => new nn.LinearCrossEntropyLoss(2, 2, options),
  AdaptiveLogSoftmaxWithLoss: (options) => new nn.AdaptiveLogSoftmaxWithLoss(8, 9, [3], options),
};

const layers: Refusal[] = Object.entries(LAYERS).flatMap(([op, make]) =>
  (
    [
      ['device', 'cpu'],
      ['device', null],
      ['device', {}],
      ['dtype', 'int32'],
      ['dtype', 'float64'],
      ['dtype', null],
      ['requiresGrad', true],
    ] as const
  ).map(([argument, value]): Refusal => ({
    name: `${op} with ${argument} = ${JSON.stringify(value)}`,
    op,
    argument,
    error: OptionError,
    given:
      ({ device }) =>
      () =>
        make({ device, [argument]: value }),
  })),
);

const sizes: Refusal[] = [0, -1, 1.5, NaN, '3', null, undefined, Infinity].flatMap((size) =>
  (
    [
      ['Linear', 'inFeatures', () => new nn.Linear(junk(size), 2)],
      ['Linear', 'outFeatures', () => new nn.Linear(2, junk(size))],
      ['LinearCrossEntropyLoss', 'inFeatures', () => new nn.LinearCrossEntropyLoss(junk(size), 2)],
      ['LinearCrossEntropyLoss', 'numClasses', () => new nn.LinearCrossEntropyLoss(2, junk(size))],
      ...(size === undefined
        ? []
        : [['PReLU', 'numParameters', () => new nn.PReLU({ numParameters: junk(size) })] as const]),
    ] as const
  ).map(([op, argument, make]): Refusal => ({
    name: `${op} with ${argument} = ${String(size)} (${typeof size})`,
    op,
    argument,
    error: OptionError,
    given: () => make,
  })),
);

class Mine extends nn.Module {
  constructor(register: 'parameter' | 'buffer' | 'child', value: unknown) {
    super();
    this[register]('part', junk(value));
  }

  override forward(): never {
    throw new Error('not called');
  }
}

const modules: Refusal[] = [
  ...(['parameter', 'buffer', 'child'] as const).flatMap((register) =>
    [undefined, null, 5, {}].map((value): Refusal => ({
      name: `a module's ${register} that is ${JSON.stringify(value)}`,
      op: `Module.${register}`,
      argument: 'part',
      error: DTypeError,
      given: () => () => new Mine(register, value),
    })),
  ),
  ...['no', 1, null].map((mode): Refusal => ({
    name: `train(${JSON.stringify(mode)})`,
    op: 'train',
    argument: 'mode',
    error: OptionError,
    given: () => {
      const module = new nn.ReLU();
      return () => module.train(junk(mode));
    },
  })),
  ...(
    [
      ['mseLoss', (options: never) => new nn.MSELoss(options)],
      ['softmax', (options: never) => new nn.Softmax(options)],
      ['relu', (options: never) => new nn.ReLU(options)],
      ['CosineSimilarity', (options: never) => new nn.CosineSimilarity(options)],
      ['PairwiseDistance', (options: never) => new nn.PairwiseDistance(options)],
      ['CTCLoss', (options: never) => new nn.CTCLoss(options)],
      ['tripletMarginLoss', (options: never) => new nn.TripletMarginLoss(options)],
    ] as const
  ).flatMap(([op, make]) =>
    [5, 'sum', null, []].map((options): Refusal => ({
      name: `a module of ${op} made with ${JSON.stringify(options)}`,
      op,
      argument: 'options',
      error: OptionError,
      given: () => () => make(junk(options)),
    })),
  ),
];

export const setupRefusals: readonly Refusal[] = [
  gone,
  ...devices,
  ...prepared,
  ...layers,
  ...sizes,
  ...modules,
];
