// Every linked shader through Tint: ops run on Dawn's null backend, which checks everything and computes nothing.
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { create } from 'webgpu';
import { BYTES } from '../../src/dtype.ts';
import * as lib from '../../src/gpu/lib.ts';
import { WebGpuDevice } from '../../src/gpu/device.ts';
import { link, type Source } from '../../src/gpu/link.ts';
import {
  IndexOutOfRangeError,
  init,
  nn,
  noGrad,
  optim,
  scope,
  Tensor,
  tensor,
  type Device,
  crossEntropy,
  gumbelSoftmax,
  logSoftmax,
  softmax,
} from '../../src/index.ts';
import { sizeOf } from '../../src/shape.ts';
import {
  argumentsOf,
  callsOf,
  opNames,
  resultOf,
  upload,
  upstreamOf,
  type Upload,
} from '../calls.ts';

const files = import.meta.glob<string>('../../shaders/**/*.wgsl', {
  eager: true,
  query: '?raw',
  import: 'default',
});

let device: Device;
/** The same, planned for as a program on the CPU. */
let software: Device;
let gpu: GPUDevice;
/** Texts of all shader modules made. */
const modules = new Set<string>();
let pipelines = 0;

beforeAll(async () => {
  device = await init({ backend: 'webgpu', gpu: create(['backend=null']) });
  if (!device.gpuDevice) throw new Error('no GPU device');
  gpu = device.gpuDevice;
  software = new WebGpuDevice(gpu, { name: 'null', software: true, owned: false });
  const createModule = gpu.createShaderModule.bind(gpu);
  gpu.createShaderModule = (descriptor) => {
    modules.add(descriptor.code);
    return createModule(descriptor);
  };
  const createPipeline = gpu.createComputePipelineAsync.bind(gpu);
  gpu.createComputePipelineAsync = (descriptor) => {
    pipelines++;
    return createPipeline(descriptor);
  };
});
afterAll(() => {
  software.dispose();
  device.dispose();
});

/** A tensor in a buffer of exactly its size: no padding to read or write past it. */
const borrow: Upload = ({ shape }, dtype, on) => {
  const size = Math.max(4, Math.ceil((sizeOf(shape) * BYTES[dtype]) / 4) * 4);
  const buffer = gpu.createBuffer({ size, usage: 0x80 | 0x08 | 0x04 });
  return Tensor.fromBuffer(buffer, { shape, dtype, device: on });
};

/** Runs representative calls of an op, forward and backward, in one kind of storage. */
async function exercise(
  op: string,
  dtype: 'float32' | 'float16',
  place: Upload,
  on = device,
  numRuns = 30,
): Promise<void> {
  if (op === 'gumbelSoftmax') {
    // Not among the drawn calls: where two categories tie, devices may choose differently.
    scope(() => {
      gumbelSoftmax(place({ shape: [2, 3], dtype: 'float', data: [1, 2, 3, 4, 5, 6] }, dtype, on), {
        hard: true,
      });
    });
  }
  const calls = fc.sample(callsOf(op), { seed: 20, numRuns });
  for (const [i, call] of calls.entries()) {
    scope(() => {
      const args = argumentsOf(call, on, { dtype, grad: true, place });
      const out = resultOf(call, args);
      out.backward(place(upstreamOf(out.shape, i), dtype, on));
      // Without gradients the kernels may differ.
      noGrad(() => resultOf(call, argumentsOf(call, on, { dtype, place })));
      if (out.size === 1)
        resultOf(call, argumentsOf(call, on, { dtype, grad: true, place })).backward();
    });
  }
  await finish(on);
}

/** Throws what the GPU found wrong. Memory is never written here: a class index out of range is to be expected. */
async function finish(on = device): Promise<void> {
  await on.synchronize().catch((error: unknown) => {
    if (!(error instanceof IndexOutOfRangeError)) throw error;
  });
}

/** Files that fill a slot, and need what their kernel defines. */
const FILLERS = [
  'classLabel',
  'logSoftmax',
  'normaliserEach',
  'rowBlocks',
  'rowLanes',
  'rowsByInvocation',
  'rowsByWorkgroup',
];

const STORAGE: [string, Upload][] = [
  ['padded', upload],
  ['unpadded', borrow],
];

describe('every shader compiles and every launch is valid', () => {
  for (const op of opNames) {
    it(op, { timeout: 60_000 }, async () => {
      const before = device.stats().dispatches;
      for (const dtype of ['float32', 'float16'] as const) {
        for (const [, place] of STORAGE) await exercise(op, dtype, place);
      }
      await exercise(op, 'float32', upload, software, 10);
      // reshape moves nothing.
      if (op !== 'reshape') expect(device.stats().dispatches).toBeGreaterThan(before);
    });
  }

  for (const dtype of ['float32', 'float16'] as const) {
    it(`optimizers in ${dtype}`, async () => {
      const before = pipelines;
      const layer = new nn.Linear(3, 5, { device, dtype });
      const optimizers = [
        new optim.SGD(layer.parameters()),
        new optim.SGD(layer.parameters(), { momentum: 0.9, nesterov: true, weightDecay: 0.1 }),
        new optim.Adam(layer.parameters()),
        new optim.Adam(layer.parameters(), { amsgrad: true, maximize: true }),
        new optim.AdamW(layer.parameters()),
      ];
      for (const optimizer of optimizers) {
        const x = tensor(new Float32Array(6), { shape: [2, 3], dtype, device });
        const y = layer.forward(x);
        y.backward(y.detach());
        optimizer.step();
        optimizer.step();
      }
      await finish();
      expect(pipelines).toBeGreaterThan(before);
    });
  }

  for (const dtype of ['float32', 'float16'] as const) {
    it(`all log-probabilities of an adaptive softmax in ${dtype}`, async () => {
      const module = new nn.AdaptiveLogSoftmaxWithLoss(8, 50, [5, 20], {
        divValue: 2,
        device,
        dtype,
      });
      const x = tensor(new Float32Array(16), { shape: [2, 8], dtype, device });
      const all = module.logProb(x);
      all.backward(all.detach());
      module.predict(x);
      await finish();
    });
  }

  it('rows in chunks', async () => {
    for (const on of [device, software]) {
      const shape = [2, 20_000];
      const x = tensor(new Float32Array(40_000), { shape, device: on, requiresGrad: true });
      const weight = tensor(new Float32Array(20_000), { device: on });
      const classes = tensor(new Int32Array(2), { device: on, dtype: 'int32' });
      for (const rows of [softmax, logSoftmax]) {
        const y = rows(x, { dim: 1 });
        y.backward(y.detach());
      }
      for (const target of [classes, x.detach()]) {
        for (const options of [{ weight }, {}]) {
          crossEntropy(x, target, options).backward();
          noGrad(() => crossEntropy(x, target, options));
        }
      }
      await finish(on);
    }
  });

  for (const [name, file] of Object.entries<Source>(lib)) {
    if (FILLERS.includes(name)) continue;
    it(`${name} of the library stands alone`, async () => {
      gpu.pushErrorScope('validation');
      const module = gpu.createShaderModule({ code: link(file) });
      const { messages } = await module.getCompilationInfo();
      expect(messages.map(({ message, lineNum }) => `${lineNum}: ${message}`)).toEqual([]);
      expect(await gpu.popErrorScope()).toBeNull();
    });
  }

  it('fails where a shader does not compile', async () => {
    gpu.pushErrorScope('validation');
    gpu.createShaderModule({ code: 'fn f() -> f32 { return 1u; }' });
    expect(await gpu.popErrorScope()).not.toBeNull();
  });
});

describe('every file under shaders/', () => {
  const bare = (text: string): string => text.replace(/\/\/[^\n]*/g, '').replace(/\s+/g, '');
  /** A file's functions, but for those in a slot: these are replaced. */
  const functionsOf = (text: string): string[] => {
    const own = text.replace(/^[ \t]*\/\/#slot \w+[^\n]*\n[^]*?^[ \t]*\/\/#end[^\n]*$/gm, '');
    return [...own.matchAll(/^(?:@compute[^\n]*\n)?fn [^]*?^\}/gm)].map(([whole]) => bare(whole));
  };

  it('is found', () => {
    expect(Object.keys(files).length).toBeGreaterThan(20);
  });

  it('has no function that no linked shader has', () => {
    // But for what src/gpu/lengths.ts adds.
    const linked = [...modules].map((code) =>
      bare(code).replace(/if\([^=]*arrayLength[^=]*==0u\)\{return;\}/, ''),
    );
    const unreachable = Object.entries(files).flatMap(([path, text]) => {
      const functions = functionsOf(text);
      if (functions.length === 0) return [path];
      return functions
        .filter((one) => !linked.some((code) => code.includes(one)))
        .map((one) => `${path.replace('../../', '')}: ${one.slice(0, 60)}`);
    });
    expect(unreachable).toEqual([]);
  });

  it('is linked under its own name', () => {
    const named = new Set(Object.values<Source>(lib).map(({ name }) => `../../shaders/${name}`));
    const library = Object.keys(files).filter((path) => path.includes('/lib/'));
    expect(library.filter((path) => !named.has(path))).toEqual([]);
  });

  it('uses none of the built-ins that are inaccurate on some device', () => {
    const loose =
      /(?<![\w.])(exp|exp2|log|log2|pow|tanh|sinh|cosh|sin|cos|tan|atan|asinh|acosh|atanh|mix|smoothstep|pack2x16float|unpack2x16float)\s*\(/g;
    const uses = Object.entries(files).flatMap(([path, text]) => {
      const code = text.replace(/\/\/[^\n]*/g, '');
      return [...code.matchAll(loose)].map(
        (match) => `${path.replace('../../', '')}: ${match[1] ?? ''}`,
      );
    });
    expect(uses).toEqual([]);
  });

  it('never tells NaN by comparing a value with itself', () => {
    const uses = Object.entries(files).filter(([, text]) =>
      /\b(\w+)\s*(?:!=|==)\s*\1\b(?![.[(])/.test(text.replace(/\/\/[^\n]*/g, '')),
    );
    expect(uses.map(([path]) => path)).toEqual([]);
  });
});
