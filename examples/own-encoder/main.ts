// A frame in one submit: a compute pass of one's own, two ops of nonlin, and a render pass that draws their result.
import { gelu, init, mul, Tensor } from 'nonlin';

const COUNT = 64;
const WGSL = `
  @group(0) @binding(0) var<storage, read_write> made: array<f32>;
  @compute @workgroup_size(64)
  fn fill(@builtin(global_invocation_id) id: vec3u) { made[id.x] = f32(id.x) / 8.0 - 4.0; }

  @group(0) @binding(1) var<storage, read> shown: array<f32>;
  @vertex
  fn place(@builtin(vertex_index) i: u32) -> @builtin(position) vec4f {
    return vec4f(f32(i) / 32.0 - 63.0 / 64.0, shown[i] / 4.0, 0.0, 1.0);
  }
  @fragment
  fn colour() -> @location(0) vec4f { return vec4f(1.0); }`;

const device = await init({ backend: 'webgpu' });
const gpu = device.gpuDevice;
const context = document.querySelector('canvas')?.getContext('webgpu');
if (!gpu || !context) throw new Error('no WebGPU here');
const format = navigator.gpu.getPreferredCanvasFormat();
context.configure({ device: gpu, format });
const module = gpu.createShaderModule({ code: WGSL });
const filling = gpu.createComputePipeline({
  layout: 'auto',
  compute: { module, entryPoint: 'fill' },
});
const drawing = gpu.createRenderPipeline({
  layout: 'auto',
  vertex: { module, entryPoint: 'place' },
  fragment: { module, entryPoint: 'colour', targets: [{ format }] },
  primitive: { topology: 'line-strip' },
});
const groupOf = (pipeline: GPUPipelineBase, binding: number, resource: GPUBufferBinding) =>
  gpu.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries: [{ binding, resource }] });

const made = gpu.createBuffer({ size: 4 * COUNT, usage: GPUBufferUsage.STORAGE });
const x = Tensor.fromBuffer(made, { shape: [COUNT] });
const encoder = gpu.createCommandEncoder();

const fill = encoder.beginComputePass();
fill.setPipeline(filling);
fill.setBindGroup(0, groupOf(filling, 0, { buffer: made }));
fill.dispatchWorkgroups(1);
fill.end();

const y = device.record(encoder, () => mul(gelu(x), 0.5)); // nothing is submitted

const draw = encoder.beginRenderPass({
  colorAttachments: [
    { view: context.getCurrentTexture().createView(), loadOp: 'clear', storeOp: 'store' },
  ],
});
draw.setPipeline(drawing);
draw.setBindGroup(0, groupOf(drawing, 1, y.buffer()));
draw.draw(COUNT);
draw.end();
gpu.queue.submit([encoder.finish()]);

const output = document.querySelector('output');
if (output) output.value = `done: ${(await y.data()).join(' ')}`;
