// nonlin/kernels: that its plans are the launches of nonlin's own GPU device, and what it refuses.
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { create } from 'webgpu';
import { encode } from '../../src/core/dtype.ts';
import { sizeOf } from '../../src/core/shape.ts';
import { WebGpuDevice } from '../../src/gpu/device.ts';
import type { Tap } from '../../src/gpu/tap.ts';
import { HARDWARE, SOFTWARE } from '../../src/kernels/tuning.ts';
import { fromHost } from '../../src/core/tensor.ts';
import { codeOf } from '../../src/shader/lengths.ts';
import { init, listNetLoss, type Device, type Tensor } from '../../src/index.ts';
import {
  activationKernel,
  batchNorm,
  coxPhLoss,
  crossEntropy,
  ctcLoss,
  diceLoss,
  DTypeError,
  gaussianNllLoss,
  gelu,
  generalizedBoxIouLoss,
  groupNorm,
  hardware,
  infoNceLoss,
  klDiv,
  layerNorm,
  localResponseNorm,
  mseLoss,
  OptionError,
  OutOfMemoryError,
  pairwiseDistance,
  planOf,
  relu,
  rrelu,
  ShapeError,
  snake,
  softmax,
  software,
  swiglu,
  type PlannedPass,
} from '../../src/kernels.ts';
import { withLimits } from '../low-limits.ts';
import { LONG } from '../parts.ts';
import {
  call,
  casesOf,
  inFloat16,
  inputsOf,
  kernelOps,
  plan,
  titleOf,
  type Case,
} from '../plans.ts';

/** A launch of the device, in plain data; `buffer` is a number for each buffer. */
interface Launched {
  readonly wgsl: string;
  readonly entryPoint: string;
  readonly constants: object;
  readonly uniforms: number[];
  readonly workgroups: readonly number[];
  readonly bindings: {
    binding: number;
    access: string;
    offset: number;
    size: number;
    buffer: number;
  }[];
}

/** Limits at which small tensors go the way of large ones. */
const LOW = { maxStorageBufferBindingSize: 8192, maxStorageBuffersPerShaderStage: 4 };

let device: Device;
let gpu: GPUDevice;

beforeAll(async () => {
  device = await init({ backend: 'webgpu', gpu: create(['backend=null']) });
  if (!device.gpuDevice) throw new Error('no GPU device');
  gpu = device.gpuDevice;
});
afterAll(() => device.dispose());

/** What the device launches while `fn` runs. */
function launchesOf(on: WebGpuDevice, hoist: boolean, fn: () => void): Launched[] {
  const launched: Launched[] = [];
  const ignore = (): void => undefined;
  const tap: Tap = {
    acquired: ignore,
    released: ignore,
    uploaded: ignore,
    called: ignore,
    added: (command) => {
      if ('from' in command) throw new Error('a copy');
      const { launch } = command.kept;
      launched.push({
        wgsl: codeOf(launch.program, launch.entry, hoist),
        entryPoint: launch.entry,
        constants: launch.constants ?? {},
        uniforms: [...new Uint8Array(launch.uniforms)],
        workgroups: launch.workgroups,
        bindings: command.bound.resources.map(({ binding, buffer, offset, size }) => ({
          binding: binding.slot,
          access: binding.access,
          offset,
          size,
          buffer: buffer.id,
        })),
      });
    },
  };
  on.launcher.tap = tap;
  try {
    fn();
  } finally {
    on.launcher.tap = null;
  }
  return launched;
}

/** That launches are those of a plan. Scratch may be any buffer, as large as the pool has it; each other tensor is always the same one. */
function expectLaunches(launched: readonly Launched[], pass: PlannedPass): void {
  const buffers = new Map<string, number>();
  const planned = pass.launches.map(({ label: _label, uniforms, bindings, ...rest }, i) => ({
    ...rest,
    uniforms: [...new Uint8Array(uniforms)],
    bindings: bindings.map(({ tensor, ...binding }, k) => {
      const { size = 0, buffer = -1 } = launched[i]?.bindings[k] ?? {};
      if (tensor.startsWith('scratch')) {
        expect(size).toBeGreaterThanOrEqual(binding.size);
        return { ...binding, size, buffer };
      }
      const known = buffers.get(tensor) ?? buffer;
      buffers.set(tensor, known);
      return { ...binding, buffer: known };
    }),
  }));
  expect(launched).toEqual(planned);
  // The device has the memory of what was repeated for a gradient that comes later.
  const own = [...buffers].filter(([name]) => !name.endsWith('Repeated'));
  expect(new Set(own.map(([, buffer]) => buffer)).size).toBe(own.length);
}

function tensorsFor(one: Case, on: WebGpuDevice): Record<string, Tensor> {
  const { tensors } = plan(one);
  const wanted = one.gradients ?? inputsOf(one).slice(0, 1);
  return Object.fromEntries(
    inputsOf(one).map((name) => {
      const { shape, dtype } = tensors[name] ?? { shape: [], dtype: 'float32' as const };
      const tensor = fromHost(encode(dtype, new Float64Array(sizeOf(shape))), shape, dtype, on);
      // The device is not to know the values, as an engine's planner does not.
      tensor.storage('test').forget();
      tensor.requiresGrad = wanted.includes(name);
      return [name, tensor];
    }),
  );
}

/** That a plan is what the device launches, forward and backward. */
function compare(one: Case, tuning: typeof hardware, limits: Record<string, number>): void {
  const planned = plan({ ...one, tuning, limits: { ...limitsOf(gpu), ...limits } });
  const on = new WebGpuDevice(withLimits(gpu, limits), {
    name: 'null',
    tuning: tuning === hardware ? HARDWARE : SOFTWARE,
    owned: false,
  });
  try {
    const hoist = tuning === software;
    const tensors = tensorsFor(one, on);
    let result: Tensor | null = null;
    const forward = launchesOf(on, hoist, () => {
      result = call(one, tensors);
    });
    const output = result as Tensor | null;
    if (!output) throw new Error('no result');
    expect(output.shape).toEqual(planned.tensors.output?.shape);
    if (one.fused !== false) {
      expectLaunches(forward, planned.forward);
    }
    expect(output.requiresGrad).toBe(planned.backward !== null);
    if (!planned.backward || (one.scaled && output.size === 1 && output.dtype === 'float32'))
      return;
    const ones = encode(output.dtype, new Float64Array(output.size).fill(1));
    const gradOutput = fromHost(ones, output.shape, output.dtype, on);
    const backward = launchesOf(on, hoist, () => output.backward(gradOutput));
    expectLaunches(backward, planned.backward);
  } finally {
    on.dispose();
  }
}

const limitsOf = ({ limits }: GPUDevice): Record<string, number> =>
  Object.fromEntries(
    Object.keys(Object.getOwnPropertyDescriptors(Object.getPrototypeOf(limits) as object)).flatMap(
      (name) => {
        const value: unknown = Reflect.get(limits, name);
        return typeof value === 'number' ? [[name, value]] : [];
      },
    ),
  );

function compareAll(one: Case, limits: Record<string, number> = {}): void {
  for (const tuning of [hardware, software]) {
    try {
      compare(one, tuning, limits);
    } catch (error) {
      throw new Error(titleOf(one), { cause: error });
    }
  }
}

describe('plans are what the GPU device launches', () => {
  it.each([...kernelOps.keys()])('%s', (op) => {
    for (const one of casesOf(op)) compareAll(one);
  });

  it.each([...kernelOps.keys()])('%s in float16', LONG, (op) => {
    for (const one of casesOf(op)) compareAll(inFloat16(one));
  });

  // Windows over tensors larger than a binding, and fewer storage buffers than a kernel has tensors.
  it.each<[string, Case]>([
    ['an activation', { op: 'gelu', shape: [60, 100] }],
    ['a gated unit', { op: 'geglu', shape: [60, 100] }],
    [
      'a gated unit of two tensors',
      { op: 'swiglu', shape: [60, 100], shapes: { up: [60, 100] }, gradients: ['input', 'up'] },
    ],
    ['a learned tensor', { op: 'prelu', shape: [60, 100], gradients: ['input', 'weight'] }],
    ['softmax', { op: 'softmax', shape: [60, 100], options: { dim: 1 } }],
    [
      'softmax of long rows with a mask',
      { op: 'softmax', shape: [3, 9000], shapes: { mask: [3, 9000] }, options: { dim: 1 } },
    ],
    ['sparsemax', { op: 'sparsemax', shape: [60, 100], options: { dim: 1 } }],
    [
      'layerNorm',
      {
        op: 'layerNorm',
        shape: [60, 100],
        shapes: { weight: [100], bias: [100] },
        gradients: ['input', 'weight', 'bias'],
        options: { normalizedShape: [100] },
      },
    ],
    ['mseLoss', { op: 'mseLoss', shape: [60, 100], gradients: ['input', 'target'] }],
    [
      'mseLoss of what broadcasts',
      {
        op: 'mseLoss',
        shape: [60, 100],
        shapes: { target: [1, 100] },
        gradients: ['input', 'target'],
      },
    ],
    ['crossEntropy', { op: 'crossEntropy', shape: [60, 100], shapes: { weight: [100] } }],
    ['crossEntropy of images', { op: 'crossEntropy', shape: [3, 10, 100] }],
  ])('at low limits: %s', (_, one) => {
    compareAll(one, LOW);
    compareAll(inFloat16(one), LOW);
  });
});

it("the page's runner is the one that the GPU test runs", () => {
  const read = (path: string) =>
    readFileSync(new URL(`../../docs/${path}`, import.meta.url), 'utf8');
  expect(read('kernels.md')).toContain(`\`\`\`ts\n${read('run-plan.ts')}\`\`\`\n`);
  expect(read('run-plan.ts').trimEnd().split('\n').length).toBeLessThanOrEqual(40);
});

describe('a plan', () => {
  it('names its tensors, with their sizes', () => {
    const { tensors, forward, backward, saved } = planOf(layerNorm, {
      shape: [3, 5],
      shapes: { weight: [5] },
      options: { normalizedShape: [5] },
      gradients: ['input', 'weight'],
    });
    expect(tensors).toEqual({
      input: { shape: [3, 5], dtype: 'float32', bytes: 64 },
      weight: { shape: [5], dtype: 'float32', bytes: 32 },
      output: { shape: [3, 5], dtype: 'float32', bytes: 64 },
      statistics: { shape: [3, 4], dtype: 'float32', bytes: 48 },
      gradOutput: { shape: [3, 5], dtype: 'float32', bytes: 64 },
      gradInput: { shape: [3, 5], dtype: 'float32', bytes: 64 },
      gradWeight: { shape: [5], dtype: 'float32', bytes: 32 },
    });
    expect(forward.reads).toEqual(['input', 'weight']);
    expect(forward.writes).toEqual(['output', 'statistics']);
    expect(backward?.reads).toEqual(['input', 'statistics', 'weight', 'gradOutput']);
    expect(backward?.writes).toEqual(['gradInput', 'gradWeight']);
    expect(saved).toEqual(['input', 'statistics', 'weight']);
  });

  it('gives equal shaders as one string, and nothing but plain data', () => {
    const [a, b] = [planOf(relu, { shape: [70_000] }), planOf(relu, { shape: [80_000] })];
    expect(a.forward.launches[0]?.wgsl).toBe(b.forward.launches[0]?.wgsl);
    expect(structuredClone(a)).toEqual(a);
  });

  it('of a reduced loss writes the gradients forward, unless that is not wanted', () => {
    const fused = planOf(mseLoss, { shape: [4] });
    expect(fused.forward.writes).toEqual(['output', 'gradInput']);
    const apart = planOf(mseLoss, { shape: [4], fused: false });
    expect(apart.forward.writes).toEqual(['output']);
    expect(apart.backward?.writes).toEqual(['gradInput']);
  });

  it('has a status word where a kernel looks at class indices', () => {
    const { tensors } = planOf(crossEntropy, { shape: [4, 10] });
    expect(tensors.status).toEqual({ shape: [4], dtype: 'int32', bytes: 16 });
    expect(planOf(gelu, { shape: [4] }).tensors.status).toBeUndefined();
  });

  it('needs no memory behind the last element where padded is false', () => {
    const { tensors, forward } = planOf(gelu, { shape: [5], padded: false, dtype: 'float16' });
    expect(tensors.input?.bytes).toBe(12);
    expect(forward.launches[0]?.bindings.map(({ size }) => size)).toEqual([12, 12]);
  });

  it('of no elements has no launches', () => {
    const { forward, backward } = planOf(gelu, { shape: [0, 5] });
    expect([forward.launches, backward?.launches]).toEqual([[], []]);
  });

  it('is there for ops of your own', () => {
    const scaled = activationKernel({
      name: 'scaled',
      params: { by: 2 },
      wgsl: `fn forward(x: f32, p: Params) -> f32 { return p.by * x; }
        fn backward(x: f32, grad_output: f32, p: Params) -> f32 { return p.by * grad_output; }`,
      forward: (x, { by }) => by * x,
      backward: (_, gradOutput, { by }) => by * gradOutput,
    });
    const { forward } = planOf(scaled, { shape: [4], options: { by: 3 } });
    expect(forward.launches[0]?.wgsl).toContain('return p.by * x;');
  });
});

describe('planOf refuses', () => {
  const wrong = (request: object) => () => planOf(gelu, request as { shape: [] });

  it.each([
    ['no shape', wrong({}), ShapeError, 'gelu: shape: expected an array of integers'],
    ['a length below 0', wrong({ shape: [-1] }), ShapeError, 'received [-1]'],
    ['another dtype', wrong({ shape: [4], dtype: 'int32' }), OptionError, 'gelu: dtype'],
    [
      'an option of no op',
      wrong({ shape: [4], options: { approximately: 1 } }),
      OptionError,
      'gelu: approximately',
    ],
    [
      'a wrong option',
      wrong({ shape: [4], options: { approximate: 'erf' } }),
      OptionError,
      "'none' | 'tanh'",
    ],
    ['a misspelt request', wrong({ shape: [4], device: 1 }), OptionError, 'gelu: device'],
    [
      'a gradient of no input',
      wrong({ shape: [4], gradients: ['bias'] }),
      OptionError,
      'gelu: gradients: expected a list of input',
    ],
    [
      'a tensor of no name',
      wrong({ shape: [4], shapes: { bias: [4] } }),
      OptionError,
      'gelu: bias',
    ],
    [
      'a limit that is no number',
      wrong({ shape: [4], limits: { maxStorageBufferBindingSize: '1' } }),
      OptionError,
      'gelu: limits.maxStorageBufferBindingSize',
    ],
    [
      'another tuning',
      wrong({ shape: [4], tuning: 'software' }),
      OptionError,
      'hardware or software of nonlin/kernels',
    ],
    [
      'a row of a norm longer than a binding',
      () => planOf(layerNorm, { shape: [1, 2 ** 26], options: { normalizedShape: [2 ** 26] } }),
      OutOfMemoryError,
      'at most 134217728 bytes per binding',
    ],
    [
      'shapes that do not broadcast',
      () => planOf(klDiv, { shape: [4, 3], shapes: { target: [5, 3] } }),
      ShapeError,
      'klDiv: target',
    ],
    [
      'scores without classes',
      () => planOf(crossEntropy, { shape: [4, 0] }),
      ShapeError,
      'crossEntropy: input: expected at least one class',
    ],
    [
      'a gradient of class indices',
      () => planOf(crossEntropy, { shape: [4, 3], gradients: ['target'] }),
      DTypeError,
      'crossEntropy: gradients',
    ],
    [
      'slopes that are drawn',
      () => planOf(rrelu, { shape: [4], options: { training: true } as never }),
      OptionError,
      'rrelu: training',
    ],
    [
      'a bias beside a learned number',
      () => planOf(snake, { shape: [4], shapes: { alpha: [1] }, options: { alpha: 1 } }),
      OptionError,
      'snake: alpha',
    ],
    [
      'given statistics that are not there',
      () => planOf(batchNorm, { shape: [4, 3] }),
      OptionError,
      'batchNorm: runningMean',
    ],
    [
      'groups that do not divide the channels',
      () => planOf(groupNorm, { shape: [4, 3, 2], options: { numGroups: 2 } }),
      OptionError,
      'groupNorm: numGroups',
    ],
    [
      'halves beside a second tensor',
      () => planOf(swiglu, { shape: [4], shapes: { up: [4] }, options: { dim: 0 } }),
      OptionError,
      'swiglu: dim',
    ],
    [
      'boxes of three numbers',
      () => planOf(generalizedBoxIouLoss, { shape: [2, 3] }),
      ShapeError,
      'generalizedBoxIouLoss: boxes1',
    ],
    [
      'sequences whose labels have no shape',
      () => planOf(ctcLoss, { shape: [5, 2, 4] }),
      ShapeError,
      'ctcLoss: shapes.targets',
    ],
    [
      'negatives of another length',
      () => planOf(infoNceLoss, { shape: [4, 3], shapes: { negatives: [5, 2] } }),
      ShapeError,
      'infoNceLoss: negatives',
    ],
    [
      'times of another length',
      () => planOf(coxPhLoss, { shape: [4], shapes: { time: [5] } }),
      ShapeError,
      'coxPhLoss: time',
    ],
    [
      'a mask of another shape',
      () => planOf(diceLoss, { shape: [4, 3], shapes: { target: [4, 1] } }),
      ShapeError,
      'diceLoss: target',
    ],
    [
      'rows that do not broadcast',
      () => planOf(pairwiseDistance, { shape: [4, 3], shapes: { x2: [2, 3] } }),
      ShapeError,
      'pairwiseDistance: x2',
    ],
    [
      'a window of no channels',
      () => planOf(localResponseNorm, { shape: [1, 4, 4], options: { size: 0 } }),
      OptionError,
      'localResponseNorm: size',
    ],
    [
      'a variance for no element',
      () => planOf(gaussianNllLoss, { shape: [4, 3], shapes: { variance: [3] } }),
      ShapeError,
      'gaussianNllLoss: variance',
    ],
    [
      'a function of nonlin',
      () => planOf(listNetLoss as never, { shape: [4] }),
      OptionError,
      'planOf: op: expected an op of nonlin/kernels, received the function listNetLoss',
    ],
    ['what is no op', () => planOf({} as never, {} as never), OptionError, 'planOf: op'],
  ] as const)('%s', (_, refused, kind, message) => {
    expect(refused).toThrow(kind);
    expect(refused).toThrow(message);
  });

  it('by its types what an op needs or does not have', () => {
    // @ts-expect-error a dimension is needed
    expect(() => planOf(softmax, { shape: [4] })).toThrow('softmax: dim');
    // @ts-expect-error gelu has no mask
    expect(() => planOf(gelu, { shape: [4], shapes: { mask: [4] } })).toThrow('gelu: mask');
  });
});
