// Takes a device, and gives what every time is a multiple of: a plain copy kernel, and the plainest program that computes
// ten ops, a compute pass for each call, the baseline of overhead and cold start.
import type { Inputs, Library, OpName, Runner } from '../types.ts';

/**
 * A copy of so many vec4 per invocation. Four are on a software adapter as fast as one; 16 would be 14 % faster still,
 * smaller workgroups slower.
 */
const copyOf = (each: number): string => `
@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> z: array<vec4f>;
@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32,
        @builtin(num_workgroups) groups: vec3u) {
  let first = (group.y * groups.x + group.x) * ${256 * each}u + lane;
  for (var k = 0u; k < ${each}u; k++) {
    let i = first + k * 256u;
    if (i < arrayLength(&x)) { z[i] = x[i]; }
  }
}`;

const elementwise = (value: string): string => `
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> z: array<f32>;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= arrayLength(&x)) { return; }
  let v = x[id.x];
  z[id.x] = ${value};
}`;

/** A row per invocation. */
const rows = (value: string, scalar = false): string => `
override columns: u32;
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> z: array<f32>;
${scalar ? '@group(0) @binding(2) var<storage, read> classes: array<u32>;' : ''}
fn log_sum(row: u32) -> f32 {
  var peak = x[row * columns];
  for (var c = 1u; c < columns; c++) { peak = max(peak, x[row * columns + c]); }
  var sum = 0.0;
  for (var c = 0u; c < columns; c++) { sum += exp(x[row * columns + c] - peak); }
  return peak + log(sum);
}
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let count = arrayLength(&x) / columns;
  ${
    scalar
      ? `if (id.x > 0u) { return; }
  var total = 0.0;
  for (var row = 0u; row < count; row++) {
    total += log_sum(row) - x[row * columns + classes[row]];
  }
  z[0] = total / f32(count);`
      : `if (id.x >= count) { return; }
  let log_row = log_sum(id.x);
  for (var c = 0u; c < columns; c++) {
    let v = x[id.x * columns + c] - log_row;
    z[id.x * columns + c] = ${value};
  }`
  }
}`;

const ERF = (t: string): string => `(1.0 - (((((1.061405429 * ${t} - 1.453152027) * ${t})
  + 1.421413741) * ${t} - 0.284496736) * ${t} + 0.254829592) * ${t} * exp(-v * v / 2.0))`;

const SHADERS: Partial<Record<OpName, string>> = {
  relu: elementwise('max(v, 0.0)'),
  leakyRelu: elementwise('select(0.01 * v, v, v > 0.0)'),
  gelu: elementwise(
    `0.5 * v * (1.0 + sign(v) * ${ERF('(1.0 / (1.0 + 0.3275911 * abs(v) * 0.70710678))')})`,
  ),
  geluTanh: elementwise(
    '0.5 * v * (1.0 + tanh(clamp(0.7978845608 * (v + 0.044715 * v * v * v), -15.0, 15.0)))',
  ),
  tanh: elementwise('tanh(clamp(v, -15.0, 15.0))'),
  sigmoid: elementwise('1.0 / (1.0 + exp(-v))'),
  silu: elementwise('v / (1.0 + exp(-v))'),
  softplus: elementwise('max(v, 0.0) + log(1.0 + exp(-abs(v)))'),
  softmax: rows('exp(v)'),
  logSoftmax: rows('v'),
  crossEntropy: rows('', true),
};

export async function load(kind: 'copy' | 'hand-written'): Promise<Library> {
  const adapter = await navigator.gpu.requestAdapter();
  const device = await adapter?.requestDevice({
    requiredLimits: {
      maxStorageBufferBindingSize: adapter.limits.maxStorageBufferBindingSize,
      maxBufferSize: adapter.limits.maxBufferSize,
    },
  });
  if (!device) throw new Error('no WebGPU device');
  return kind === 'copy' ? copyOn(device, 4) : handWrittenOn(device);
}

/** The copy kernel as a library: whatever the op, its input is copied. */
export function copyOn(device: GPUDevice, each: number): Library {
  return {
    prepare: (op, inputs) => prepare(device, op, copyOf(each), 4 * each, inputs),
  };
}

export function handWrittenOn(device: GPUDevice): Library {
  return {
    prepare: (op, inputs) => {
      const code = SHADERS[op];
      if (code === undefined) return null;
      const rowwise = code.includes('columns');
      return prepare(device, op, code, rowwise ? inputs.shape[1] : 1, inputs);
    },
  };
}

async function prepare(
  device: GPUDevice,
  op: OpName,
  code: string,
  perInvocation: number,
  { shape, x, classes }: Inputs,
): Promise<Runner> {
  const STORAGE = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC;
  const bufferOf = (data: Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>): GPUBuffer => {
    const size = Math.max(16, Math.ceil(data.byteLength / 16) * 16);
    const buffer = device.createBuffer({ size, usage: STORAGE });
    device.queue.writeBuffer(buffer, 0, data);
    return buffer;
  };
  const [from, to, chosen] = [bufferOf(x), bufferOf(x), bufferOf(classes)];
  const workgroup = code.includes('@workgroup_size(256)') ? 256 : 64;
  const groups = Math.ceil(x.length / (workgroup * perInvocation));
  const extents = [Math.min(groups, 32768), Math.ceil(groups / 32768)] as const;
  const pipeline = await device.createComputePipelineAsync({
    layout: 'auto',
    compute: {
      module: device.createShaderModule({ code }),
      entryPoint: 'main',
      ...(code.includes('override columns') ? { constants: { columns: shape[1] } } : {}),
    },
  });
  const bindings = code.includes('binding(2)') ? [from, to, chosen] : [from, to];
  const group = device.createBindGroup({
    layout: pipeline.getBindGroupLayout(0),
    entries: bindings.map((buffer, binding) => ({ binding, resource: { buffer } })),
  });
  const run = (calls: number): void => {
    const encoder = device.createCommandEncoder();
    for (let i = 0; i < calls; i++) {
      const pass = encoder.beginComputePass();
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, group);
      pass.dispatchWorkgroups(...extents);
      pass.end();
    }
    device.queue.submit([encoder.finish()]);
  };
  return {
    run,
    sync: () => device.queue.onSubmittedWorkDone(),
    read: async () => {
      run(1);
      const bytes = op === 'crossEntropy' ? 4 : x.byteLength;
      const staging = device.createBuffer({
        size: bytes,
        usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
      });
      const encoder = device.createCommandEncoder();
      encoder.copyBufferToBuffer(to, 0, staging, 0, bytes);
      device.queue.submit([encoder.finish()]);
      await staging.mapAsync(GPUMapMode.READ);
      const data = new Float32Array(staging.getMappedRange().slice(0));
      staging.destroy();
      return [data];
    },
    free: () => {
      for (const buffer of [from, to, chosen]) buffer.destroy();
    },
  };
}
