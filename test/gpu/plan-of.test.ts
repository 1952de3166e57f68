// Plans of nonlin/kernels, run on a GPUDevice without any device of nonlin's by the runner of docs/kernels.md, against the CPU device.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runPlan } from '../../docs/run-plan.ts';
import { decode, encode } from '../../src/core/dtype.ts';
import { init, tensor, type Device, type Tensor } from '../../src/index.ts';
import {
  gelu,
  hardware,
  software,
  withBias,
  type KernelOp,
  type KernelPlan,
} from '../../src/kernels.ts';
import { inParts } from '../parts.ts';
import { OWN_CASES } from '../plan-cases.ts';
import { call, inFloat16, inputsOf, plan, titleOf, valuesFor, type Case } from '../plans.ts';
import { requestGpuDevice } from './gpu-device.ts';

let gpu: GPUDevice;
let cpu: Device;
beforeAll(async () => {
  gpu = await requestGpuDevice();
  cpu = await init({ backend: 'cpu' });
});
afterAll(() => gpu.destroy());

const biasedGelu = withBias(gelu) as unknown as KernelOp;

const CASES: Case[] = [
  { op: 'relu', shape: [6, 10] },
  { op: 'gelu', shape: [5, 7], options: { approximate: 'tanh' } },
  { op: 'gelu', shape: [5, 7], padded: false },
  {
    op: 'gelu',
    shape: [6, 12],
    kernel: biasedGelu,
    shapes: { bias: [12] },
    gradients: ['input', 'bias'],
  },
  { op: 'geglu', shape: [6, 10] },
  { op: 'softmax', shape: [6, 12], shapes: { mask: [1, 12] }, options: { dim: 1, scale: 0.5 } },
  { op: 'softmax', shape: [3, 7, 4], options: { dim: 1 } },
  { op: 'sparsemax', shape: [5, 7], options: { dim: 1 } },
  {
    op: 'layerNorm',
    shape: [6, 12],
    shapes: { weight: [12], bias: [12] },
    gradients: ['input', 'weight', 'bias'],
    options: { normalizedShape: [12] },
  },
  { op: 'rmsNorm', shape: [5, 7], options: { normalizedShape: [7] } },
  { op: 'mseLoss', shape: [6, 10] },
  { op: 'mseLoss', shape: [6, 10], shapes: { target: [1, 10] }, gradients: ['input', 'target'] },
  { op: 'mseLoss', shape: [6, 10], shapes: { weight: [6, 10] }, gradients: ['input', 'weight'] },
  { op: 'huberLoss', shape: [6, 10], options: { reduction: 'none' } },
  { op: 'binaryCrossEntropyWithLogits', shape: [6, 10], fused: false },
  {
    op: 'crossEntropy',
    shape: [6, 12],
    shapes: { weight: [12] },
    options: { labelSmoothing: 0.1 },
  },
  { op: 'crossEntropy', shape: [2, 700] },
  { op: 'crossEntropy', shape: [3, 7, 5], options: { reduction: 'none' } },
  {
    op: 'crossEntropy',
    shape: [6, 12],
    dtypes: { target: 'float32' },
    gradients: ['input', 'target'],
  },
  {
    op: 'tripletMarginLoss',
    shape: [6, 12],
    shapes: { negative: [1, 12] },
    gradients: ['anchor', 'negative'],
  },
  { op: 'cosineEmbeddingLoss', shape: [1, 12], shapes: { target: [6] } },
  { op: 'gaussianNllLoss', shape: [6, 12], shapes: { variance: [] } },
  // Of each op with cases of its own, the one of most gradients.
  ...Object.values(OWN_CASES).flatMap((cases) => {
    const count = ({ gradients = ['input'] }: Case): number => gradients.length;
    return [...cases].sort((a, b) => count(b) - count(a)).slice(0, 1);
  }),
];

/** Elements of a plan's tensor, as the CPU device holds them. */
function elements(
  bytes: ArrayBuffer,
  dtype: 'float32' | 'float16' | 'int32',
  size: number,
): number[] {
  return [...decode(dtype, bytes, 0, size)];
}

function expectClose(
  values: readonly number[],
  expected: ArrayLike<number>,
  dtype: string,
  what: string,
): void {
  expect(values).toHaveLength(expected.length);
  const most = dtype === 'float16' ? 2 ** -10 : 2 ** -18;
  values.forEach((value, i) => {
    const wanted = expected[i] ?? NaN;
    const off = Math.abs(value - wanted);
    expect(off, `${what}[${i}]: ${value}, expected ${wanted}`).toBeLessThanOrEqual(
      most * (1 + Math.abs(wanted)),
    );
  });
}

/** Runs a plan, and reads all that it writes. */
async function results(
  planned: KernelPlan,
  inputs: Readonly<Record<string, BufferSource>>,
): Promise<Record<string, ArrayBuffer>> {
  const buffers = runPlan(gpu, planned, inputs);
  const read = async ([name, { bytes }]: [string, { bytes: number }]) => {
    const copy = gpu.createBuffer({
      size: bytes,
      usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
    });
    const encoder = gpu.createCommandEncoder();
    const buffer = buffers.get(name);
    if (!buffer) throw new Error(`no buffer ${name}`);
    encoder.copyBufferToBuffer(buffer, 0, copy, 0, bytes);
    gpu.queue.submit([encoder.finish()]);
    await copy.mapAsync(GPUMapMode.READ);
    return [name, copy.getMappedRange()] as const;
  };
  return Object.fromEntries(await Promise.all(Object.entries(planned.tensors).map(read)));
}

async function check(one: Case): Promise<void> {
  const planned = plan({ limits: gpu.limits as never, ...one });
  const dtypeOf = (name: string) => planned.tensors[name]?.dtype ?? 'float32';
  const classes = one.shape[one.shape.length > 1 ? 1 : 0] ?? 1;
  const data: Record<string, number[]> = {};
  const names = inputsOf(one);
  for (const name of [...names, ...(planned.backward ? ['gradOutput'] : [])]) {
    const { shape, dtype } = planned.tensors[name] ?? { shape: [], dtype: 'float32' };
    data[name] = valuesFor(name, shape, dtype, classes);
  }
  gpu.pushErrorScope('validation');
  const written = await results(
    planned,
    Object.fromEntries(
      Object.entries(data).map(([name, values]) => {
        const { bytes } = planned.tensors[name] ?? { bytes: 0 };
        const { buffer } = encode(dtypeOf(name), values);
        const padded = new Uint8Array(bytes);
        padded.set(new Uint8Array(buffer as ArrayBuffer));
        return [name, padded];
      }),
    ),
  );
  expect((await gpu.popErrorScope())?.message).toBeUndefined();

  const wanted = one.gradients ?? names.slice(0, 1);
  const leaves: Record<string, Tensor> = Object.fromEntries(
    names.map((name) => {
      const { shape } = planned.tensors[name] ?? { shape: [] };
      const requiresGrad = wanted.includes(name);
      return [
        name,
        tensor(data[name] ?? [], { shape, dtype: dtypeOf(name), device: cpu, requiresGrad }),
      ];
    }),
  );
  const output = call(one, leaves);
  const read = (name: string): number[] => {
    const { shape, dtype } = planned.tensors[name] ?? { shape: [], dtype: 'float32' };
    const size = shape.reduce((product, d) => product * d, 1);
    return elements(written[name] ?? new ArrayBuffer(0), dtype, size);
  };
  expectClose(read('output'), await output.data(), dtypeOf('output'), 'output');
  if (!planned.backward) return;
  const { shape } = planned.tensors.gradOutput ?? { shape: [] };
  output.backward(tensor(data.gradOutput ?? [], { shape, dtype: output.dtype, device: cpu }));
  for (const name of wanted) {
    const grad = `grad${name.charAt(0).toUpperCase()}${name.slice(1)}`;
    const expected = await leaves[name]?.grad?.data();
    expectClose(read(grad), expected ?? [], dtypeOf(grad), grad);
  }
  if (planned.tensors.status)
    expect(new Uint32Array(written.status ?? new ArrayBuffer(4))[0]).toBe(0);
}

describe.each([
  ['hardware', hardware],
  ['software', software],
] as const)('on a bare GPUDevice, planned for %s', (_, tuning) => {
  for (const [cases, options] of inParts(CASES, 3)) {
    const named = cases.map((one): [string, Case] => [titleOf(one), one]);
    it.each(named)('%s', options, async (_title, one) => {
      await check({ ...one, tuning });
      await check({ ...inFloat16(one), tuning });
    });
  }
});

describe('on a bare GPUDevice of low limits', () => {
  const limits = {
    maxStorageBufferBindingSize: 8192,
    maxStorageBuffersPerShaderStage: 4,
    maxComputeWorkgroupStorageSize: 16_384,
  };

  it.each<[string, Case]>([
    ['gelu', { op: 'gelu', shape: [30, 100] }],
    ['softmax', { op: 'softmax', shape: [30, 100], options: { dim: 1 } }],
    [
      'mseLoss',
      {
        op: 'mseLoss',
        shape: [30, 100],
        shapes: { target: [1, 100] },
        gradients: ['input', 'target'],
      },
    ],
    ['crossEntropy', { op: 'crossEntropy', shape: [30, 100], shapes: { weight: [100] } }],
  ])('%s in windows, of few buffers', async (_, one) => {
    await check({ ...one, limits });
  });
});

it('a loss that is reduced has written its gradient forward, for a gradOutput of 1', async () => {
  const one: Case = { op: 'crossEntropy', shape: [6, 12] };
  const planned = { ...plan(one), backward: null };
  const input = valuesFor('input', [6, 12], 'float32', 12);
  const target = valuesFor('target', [6], 'int32', 12);
  const { gradInput = new ArrayBuffer(0) } = await results(planned, {
    input: Float32Array.from(input),
    target: Int32Array.from([...target, 0, 0]),
  });
  const x = tensor(input, { shape: [6, 12], device: cpu, requiresGrad: true });
  call(one, { input: x, target: tensor(target, { dtype: 'int32', device: cpu }) }).backward();
  const expected = (await x.grad?.data()) ?? [];
  expectClose(elements(gradInput, 'float32', 72), expected, 'float32', 'gradInput');
});

it('a class out of range is noted in the status word', async () => {
  const { status = new ArrayBuffer(16) } = await results(
    plan({ op: 'crossEntropy', shape: [1, 3] }),
    {
      input: Float32Array.of(1, 2, 3, 0),
      target: Int32Array.of(3, 0, 0, 0),
    },
  );
  const [flag, , value, bound] = new Int32Array(status);
  expect([flag, value, bound]).toEqual([1, 3, 3]);
});
