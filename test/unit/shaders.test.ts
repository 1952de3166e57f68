// Every linked shader through Tint: ops run on Dawn's null backend, which checks everything and computes nothing.
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { create } from 'webgpu';
import { minifyWgsl } from '../../scripts/wgsl-minify.mjs';
import { BYTES } from '../../src/core/dtype.ts';
import { HARDWARE, SOFTWARE } from '../../src/kernels/tuning.ts';
import * as lib from '../../src/shader/lib.ts';
import { WebGpuDevice } from '../../src/gpu/device.ts';
import { link, type Program, type Source } from '../../src/shader/link.ts';
import {
  add,
  init,
  matmul,
  relu,
  tensor,
  Tensor,
  transpose,
  zeros,
  type Device,
} from '../../src/index.ts';
import { sizeOf } from '../../src/core/shape.ts';
import { opNames, upload, type Upload } from '../calls.ts';
import {
  exerciseAdaptive,
  exerciseChunks,
  exerciseNorms,
  exerciseOp,
  exerciseOptimizers,
  exerciseTables,
  exerciseTransformers,
} from '../exercise.ts';
import { withLowLimits } from '../low-limits.ts';
import { LONG } from '../parts.ts';
import { MODES } from '../arithmetic/helpers.ts';
import { rewrite } from '../arithmetic/rewrite.ts';
import { declaredNames, freeNames, includedNames, requiredNames } from '../wgsl-names.ts';

/** Programs of which a shader was made. */
const programs = vi.hoisted(() => {
  // Files share their modules: those that were loaded with the module below as it is are loaded again.
  vi.resetModules();
  return new Set<Program>();
});
vi.mock(import('../../src/shader/link.ts'), async (importOriginal) => {
  const original = await importOriginal();
  return {
    ...original,
    shaderOf: (program, entry) => {
      programs.add(program);
      return original.shaderOf(program, entry);
    },
  };
});

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

/** Calls of an op where others of the same kernels are made in more. */
const FEW = 10;

describe('every shader compiles and every launch is valid', () => {
  for (const op of opNames) {
    it(op, { timeout: 60_000 }, async () => {
      const before = device.stats().dispatches;
      for (const dtype of ['float32', 'float16'] as const) {
        await exerciseOp(op, dtype, upload, device);
        await exerciseOp(op, dtype, borrow, device, FEW);
      }
      await exerciseOp(op, 'float32', upload, software, FEW);
      // reshape moves nothing.
      if (op !== 'reshape') expect(device.stats().dispatches).toBeGreaterThan(before);
    });

    it(`${op}, more calls of tensors without padding`, { timeout: 60_000, ...LONG }, async () => {
      for (const dtype of ['float32', 'float16'] as const)
        await exerciseOp(op, dtype, borrow, device);
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

    it(`layers of transformers in ${dtype}`, () => exerciseTransformers(dtype, device));

    it(`norms that keep something in ${dtype}`, () => exerciseNorms(dtype, device));
  }

  it('large products and copies as software adapters have them', async () => {
    gpu.pushErrorScope('validation');
    const x = zeros([101, 103], { device: software });
    matmul(x, transpose(x, 0, 1));
    await software.synchronize();
    expect(await gpu.popErrorScope()).toBeNull();
  });

  it('tensors that share a buffer', () => exerciseOptimizers('float32', few));

  it("ops in a caller's encoder that read results of two others", async () => {
    for (const on of [device, software]) {
      const x = tensor([-1, 2], { device: on });
      const [y, z] = [gpu.createCommandEncoder(), gpu.createCommandEncoder()].map((encoder) =>
        on.record(encoder, () => relu(x)),
      );
      if (!y || !z) throw new TypeError('two results');
      const encoder = gpu.createCommandEncoder();
      gpu.pushErrorScope('validation');
      on.record(encoder, () => add(y, z));
      gpu.queue.submit([encoder.finish()]);
      expect(await gpu.popErrorScope()).toBeNull();
    }
  });

  it('tables, whole and in windows', async () => {
    const narrow = new WebGpuDevice(withLowLimits(gpu, 8, 2048), {
      name: 'null',
      tuning: HARDWARE,
      owned: false,
    });
    for (const on of [device, software, narrow]) await exerciseTables(on);
    narrow.dispose();
  });

  it('rows in chunks', async () => {
    for (const on of [device, software]) await exerciseChunks(on);
  });

  for (const [name, file] of Object.entries<Source>(lib)) {
    // Others are parts of kernels.
    if ([file, ...file.includes].some(({ text }) => requiredNames(text).length > 0)) continue;
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

  it('shaders compile when they are minified', { timeout: 120_000 }, async () => {
    for (const [k, code] of [...modules].entries()) {
      if (k % 5 > 0) continue;
      const text = minifyWgsl(code);
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

  it('passes no pointer to a part of a variable to a function, of which Firefox makes SPIR-V that drivers crash on', () => {
    const pointers = Object.entries(files).flatMap(([path, text]) =>
      [...text.replace(/\/\/.*/g, '').matchAll(/(\w+)\([^()]*&(?:\(\*\w+\)|\w+)[.[]/g)]
        .filter(([, name = '']) => !/^(atomic\w+|arrayLength|workgroupUniformLoad)$/.test(name))
        .map(([found]) => `${path}: ${found}`),
    );
    expect(pointers).toEqual([]);
  });

  it('has no function that no linked shader has', () => {
    // But for what src/shader/lengths.ts adds.
    const linked = [...modules].map((code) =>
      bare(code).replace(/if\([^=]*arrayLength[^=]*==0u\)\{return;\}/, ''),
    );
    const unreachable = Object.entries(files).flatMap(([path, text]) => {
      const functions = functionsOf(text);
      // A kernel may consist of slots and of files that it includes.
      if (functions.length === 0) return text.includes('//#slot') ? [] : [path];
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

  it('says what it requires of the shader that it becomes part of', () => {
    const root = '../../shaders/';
    const included = (path: string, known = new Set<string>()): Set<string> => {
      for (const name of includedNames(files[path] ?? '')) {
        if (known.has(name)) continue;
        known.add(name);
        included(root + name, known);
      }
      return known;
    };
    const wrong = Object.entries(files).flatMap(([path, text]) => {
      // The options of an op, which its kernel declares for all.
      const known = new Set(['Params']);
      for (const name of included(path))
        for (const one of declaredNames(files[root + name] ?? '')) known.add(one);
      const used = [...freeNames(text)].filter((name) => !known.has(name)).sort();
      const said = requiredNames(text).sort();
      return used.join() === said.join()
        ? []
        : [`${path}: uses ${used.join(', ')}; says it requires ${said.join(', ')}`];
    });
    expect(wrong).toEqual([]);
  });

  it('is linked with what it requires', () => {
    const missing = new Set<string>();
    const visit = (file: Source, declared: ReadonlySet<string>, label: string): void => {
      for (const name of requiredNames(file.text))
        if (!declared.has(name)) missing.add(`${label}: ${file.name} requires ${name}`);
      for (const one of file.includes) visit(one, declared, label);
    };
    expect(programs.size).toBeGreaterThan(100);
    for (const { label, kernel, slots } of programs) {
      const declared = declaredNames(link(kernel, slots));
      for (const file of [kernel, ...Object.values(slots)])
        if (typeof file !== 'string') visit(file, declared, label);
    }
    expect([...missing]).toEqual([]);
  });

  it('never adds two products of one factor that a compiler may merge', () => {
    // Mesa makes fma(a, b + c, d) of fma(a, b, fma(a, c, d)), unless the inner one has another use: of ln2 in two parts one.
    const merged = Object.entries(files).flatMap(([path, text]) =>
      functionsOf(text)
        .filter((body) => {
          if (/\bfma\((\w+),[^,]+,fma\(\1,/.test(body)) return true;
          return [...body.matchAll(/\blet(\w+)=fma\((\w+),/g)].some(([, sum = '', factor = '']) => {
            const uses = body.match(new RegExp(`\\b${sum}\\b`, 'g'))?.length ?? 0;
            const again = new RegExp(`\\bfma\\(${factor},[^;]*,${sum}\\)`);
            return uses === 1 && again.test(body);
          });
        })
        .map((body) => `${path.replace('../../', '')}: ${body.slice(0, 60)}`),
    );
    expect(merged).toEqual([]);
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

// Tint takes others too; Firefox does not.
it('the options of an op begin at a multiple of 16 bytes in a uniform block', () => {
  const blocks = Object.entries(files).flatMap(([path, text]) => {
    const members = /struct Uniforms \{([^}]*?)\bop: Params/.exec(text)?.[1];
    return members === undefined ? [] : [[path, members] as const];
  });
  expect(blocks.length).toBeGreaterThan(5);
  for (const [path, members] of blocks) {
    // vectors of four need no counting: they are aligned themselves
    const last = members.slice(members.lastIndexOf('vec4u') + 1);
    const scalars = last.match(/^\s*\w+: [uif]32,/gm) ?? [];
    expect(scalars.length % 4, path).toBe(0);
  }
});
