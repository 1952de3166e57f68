// Launches that bind more storage buffers than a device takes: how they are planned, what their shaders become, and what is
// refused.
import { describe, expect, it } from 'vitest';
import { planMerged } from '../../src/gpu/merge.ts';
import { HARDWARE } from '../../src/kernels/tuning.ts';
import { windows } from '../../src/kernels/windows/windows.ts';
import { program, source } from '../../src/shader/link.ts';
import { redirect } from '../../src/gpu/redirect.ts';
import { init, LimitError } from '../../src/index.ts';
import type { Binding, Capabilities, Launch, Plan } from '../../src/core/kernel.ts';

const CAPS: Capabilities = {
  maxBindingSize: 4096,
  maxWorkgroups: 65535,
  offsetAlignment: 256,
  maxInvocations: 128,
  maxWorkgroupSizeX: 128,
  maxWorkgroupStorage: 16384,
  maxStorageBuffers: 4,
  tuning: HARDWARE,
  windows,
};

const own = program('own', source('own.wgsl', ''));

/** A launch of `reads` inputs, `writes` outputs and the status word. */
function launchOf(reads: number, writes: number): Launch {
  const bindings: Binding[] = [];
  for (let index = 0; index < reads; index++)
    bindings.push({ slot: bindings.length + 1, of: 'input', index, access: 'read' });
  for (let index = 0; index < writes; index++)
    bindings.push({ slot: bindings.length + 1, of: 'output', index, access: 'write' });
  bindings.push({ slot: 15, of: 'status', index: 0, access: 'write' });
  return {
    program: own,
    entry: 'main',
    bindings,
    uniforms: new Uint32Array([7, 8, 9, 10]).buffer,
    workgroups: [1, 1, 1],
  };
}

describe('a plan within few storage buffers', () => {
  const made = (
    launch: Launch,
    bytes: (binding: Binding) => number,
    caps: Capabilities = CAPS,
  ): Plan => planMerged(() => ({ launches: [launch], scratch: [16] }), bytes, caps);

  it('is the same where they are enough', () => {
    const launch = launchOf(2, 1);
    expect(made(launch, () => 64)).toEqual({ launches: [launch], scratch: [16] });
  });

  it('shares a buffer among the smallest tensors, copied there ahead', () => {
    const sizes = [1024, 16, 32, 512];
    const { launches, scratch } = made(launchOf(4, 1), ({ of, index }) =>
      of === 'input' ? (sizes[index] ?? 0) : 2048,
    );
    // Six are two too many: three share one.
    expect(launches.map(({ program: { label } }) => label)).toEqual([
      'copy words',
      'copy words',
      'copy words',
      'own',
    ]);
    expect(launches.slice(0, 3).map(({ bindings }) => bindings[0]?.index)).toEqual([1, 2, 3]);
    const last = launches[3];
    expect(last?.bindings.map(({ of, index }) => `${of}${index}`)).toEqual([
      'input0',
      'output0',
      'status0',
      'scratch1',
    ]);
    // Where each begins, in words, then the launch's own.
    expect([...new Uint32Array(last?.uniforms ?? new ArrayBuffer(0))]).toEqual([
      0, 4, 12, 0, 7, 8, 9, 10,
    ]);
    expect(scratch).toEqual([16, 560, 16]);
  });

  it('copies back what is written', () => {
    const { launches } = made(launchOf(1, 5), () => 64);
    const labels = launches.map(({ program: { label } }) => label);
    const copies = labels.filter((label) => label === 'copy words').length;
    expect(labels.indexOf('own')).toBe(copies / 2);
    expect(launches[labels.indexOf('own')]?.bindings.length).toBeLessThanOrEqual(4);
    // Each of them, to where it was.
    const back = launches.slice(labels.indexOf('own') + 1).map(({ bindings }) => bindings[1]);
    const into = launches.slice(0, labels.indexOf('own')).map(({ bindings }) => bindings[0]);
    expect(back.map((b) => b && `${b.of}${b.index}`)).toEqual(
      into.map((b) => b && `${b.of}${b.index}`),
    );
  });

  it('asks for smaller windows where what is shared is larger than a binding', () => {
    const asked: number[] = [];
    const plan = planMerged(
      (caps) => {
        asked.push(caps.maxBindingSize);
        return { launches: [launchOf(4, 2)], scratch: [] };
      },
      () => asked.at(-1) ?? 0,
      CAPS,
    );
    // All four inputs share a buffer.
    expect(asked).toEqual([4096, 2048, 1024]);
    for (const { bindings } of plan.launches) expect(bindings.length).toBeLessThanOrEqual(4);
    expect(Math.max(...plan.scratch)).toBeLessThanOrEqual(4096);
  });

  it('stays as it is where nothing helps, to be refused', () => {
    const launch = launchOf(5, 1);
    expect(made(launch, () => 4096).launches).toEqual([launch]);
  });
});

describe('a shader whose tensors share a buffer', () => {
  const shader = `alias V = vec4f;
struct Uniforms { n: u32 }
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read> x: array<V>;
@group(0)@binding(2)var<storage,read>index:array<i32>;
@group(0) @binding(3) var<storage, read_write> out: array<u32>;
fn main() {
  let v = x[u32(index[x_of(index[0])])].x;
  out[index[1]] = (out[u.n] & 0xffffu) | u32(v == 1.0);
  if (out[0] == out[1]) { a.x[2] = ax[3]; }
}`;
  const text = redirect(shader, { read: [1, 2], write: [3] });

  it('reads and writes them by functions', () => {
    expect(text).toContain(
      'let v = merged_load_x(u32(merged_load_index(x_of(merged_load_index(0))))).x;',
    );
    expect(text).toContain(
      'merged_store_out(merged_load_index(1), (merged_load_out(u.n) & 0xffffu) | u32(v == 1.0));',
    );
    expect(text).toContain('if (merged_load_out(0) == merged_load_out(1)) { a.x[2] = ax[3]; }');
  });

  it('knows where they begin by its uniforms', () => {
    expect(text).toContain('struct Uniforms{merged_at:array<vec4u,1>, n: u32 }');
    expect(text).toContain('fn merged_load_x(i:u32)->V{let at=u.merged_at[0].x+i*4u;');
    expect(text).toContain('fn merged_load_index(i:u32)->i32{let at=u.merged_at[0].y+i;');
    expect(text).toContain('fn merged_store_out(i:u32,v:u32){let at=u.merged_at[0].z+i;');
  });

  it('is refused where it has no such array', () => {
    expect(() => redirect(shader, { read: [1, 9], write: [] })).toThrow('an array at binding 9');
  });
});

describe('a device below what kernels count on', () => {
  it.each([
    ['maxComputeInvocationsPerWorkgroup', 32, 64],
    ['maxComputeWorkgroupSizeX', 32, 64],
    ['maxComputeWorkgroupStorageSize', 2048, 4096],
    ['maxStorageBuffersPerShaderStage', 3, 4],
  ])('is refused for its %s', async (name, value, needed) => {
    const limits = {
      maxComputeInvocationsPerWorkgroup: 128,
      maxComputeWorkgroupSizeX: 128,
      maxComputeWorkgroupStorageSize: 16384,
      maxStorageBuffersPerShaderStage: 4,
      [name]: value,
    };
    const createComputePipeline = (): void => {};
    const opened = init({ device: { limits, createComputePipeline } as unknown as GPUDevice });
    await expect(opened).rejects.toThrow(LimitError);
    await expect(opened).rejects.toThrow(
      `init: device: expected ${name} of at least ${needed}, received ${name} of ${value}`,
    );
    const gpu = { requestAdapter: () => Promise.resolve({ limits, info: {} }) } as unknown as GPU;
    await expect(init({ backend: 'webgpu', gpu })).rejects.toThrow(
      `received an adapter with ${name} of ${value}`,
    );
    expect((await init({ gpu })).type).toBe('cpu');
  });
});
