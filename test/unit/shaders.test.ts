// Every linked shader through Tint: ops run on Dawn's null backend, which checks everything and computes nothing.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { create } from 'webgpu';
import { BYTES } from '../../src/core/dtype.ts';
import { HARDWARE, SOFTWARE } from '../../src/kernels/tuning.ts';
import * as lib from '../../src/shader/lib.ts';
import { WebGpuDevice } from '../../src/gpu/device.ts';
import { link, type Source } from '../../src/shader/link.ts';
import { init, Tensor, type Device } from '../../src/index.ts';
import { sizeOf } from '../../src/core/shape.ts';
import { opNames, upload, type Upload } from '../calls.ts';
import { exerciseAdaptive, exerciseChunks, exerciseOp, exerciseOptimizers } from '../exercise.ts';
import { withLowLimits } from '../low-limits.ts';
import { MODES } from '../arithmetic/helpers.ts';
import { rewrite } from '../arithmetic/rewrite.ts';

const files = import.meta.glob<string>('../../shaders/**/*.wgsl', {
  eager: true,
  query: '?raw',
  import: 'default',
});

let device: Device;
/** The same, planned for as a program on the CPU. */
let software: Device;
/** The same, of a device that binds few storage buffers. */
let few: Device;
let gpu: GPUDevice;
/** Texts of all shader modules made. */
const modules = new Set<string>();
let pipelines = 0;

beforeAll(async () => {
  device = await init({ backend: 'webgpu', gpu: create(['backend=null']) });
  if (!device.gpuDevice) throw new Error('no GPU device');
  gpu = device.gpuDevice;
  software = new WebGpuDevice(gpu, { name: 'null', tuning: SOFTWARE, owned: false });
  few = new WebGpuDevice(withLowLimits(gpu, 4), {
    name: 'null',
    tuning: HARDWARE,
    owned: false,
  });
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
  few.dispose();
  software.dispose();
  device.dispose();
});

/** A tensor in a buffer of exactly its size: no padding to read or write past it. */
const borrow: Upload = ({ shape }, dtype, on) => {
  const size = Math.max(4, Math.ceil((sizeOf(shape) * BYTES[dtype]) / 4) * 4);
  const buffer = gpu.createBuffer({ size, usage: 0x80 | 0x08 | 0x04 });
  return Tensor.fromBuffer(buffer, { shape, dtype, device: on });
};

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
        for (const [, place] of STORAGE) await exerciseOp(op, dtype, place, device);
      }
      await exerciseOp(op, 'float32', upload, software, 10);
      // reshape moves nothing.
      if (op !== 'reshape') expect(device.stats().dispatches).toBeGreaterThan(before);
    });
  }

  for (const dtype of ['float32', 'float16'] as const) {
    it(`optimizers in ${dtype}`, async () => {
      const before = pipelines;
      await exerciseOptimizers(dtype, device);
      expect(pipelines).toBeGreaterThan(before);
    });

    it(`all log-probabilities of an adaptive softmax in ${dtype}`, () =>
      exerciseAdaptive(dtype, device));
  }

  it('tensors that share a buffer', () => exerciseOptimizers('float32', few));

  it('rows in chunks', async () => {
    for (const on of [device, software]) await exerciseChunks(on);
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

  it("every shader compiles with hardware's arithmetic", { timeout: 120_000 }, async () => {
    // Each in one of the modes, and each mode for a part of the variants of every kernel.
    for (const [k, code] of [...modules].entries()) {
      const mode = MODES[k % MODES.length];
      if (!mode || k % 7 > 0) continue;
      const text = rewrite(code, mode);
      gpu.pushErrorScope('validation');
      const { messages } = await gpu.createShaderModule({ code: text }).getCompilationInfo();
      modules.delete(text);
      expect(messages.map(({ message }) => message)).toEqual([]);
      expect(await gpu.popErrorScope()).toBeNull();
    }
  });

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
    // But for what src/shader/lengths.ts adds.
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
