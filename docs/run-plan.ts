import type { KernelPlan } from 'nonlin/kernels';

/** Runs a plan: makes a buffer for each tensor, writes the inputs, submits both passes. Gives the buffers by name. */
export function runPlan(device: GPUDevice, plan: KernelPlan, inputs: Record<string, BufferSource>) {
  const { STORAGE, UNIFORM, COPY_SRC, COPY_DST } = GPUBufferUsage;
  const { COMPUTE: visibility } = GPUShaderStage;
  const buffers = new Map<string, GPUBuffer>();
  for (const [name, { bytes: size }] of Object.entries(plan.tensors)) {
    const buffer = device.createBuffer({ size, usage: STORAGE | COPY_SRC | COPY_DST });
    if (inputs[name]) device.queue.writeBuffer(buffer, 0, inputs[name]);
    buffers.set(name, buffer);
  }
  const encoder = device.createCommandEncoder();
  for (const { launches, scratch } of [plan.forward, ...(plan.backward ? [plan.backward] : [])]) {
    const own = scratch.map((size) => device.createBuffer({ size, usage: STORAGE }));
    own.forEach((buffer, i) => buffers.set(`scratch ${i}`, buffer));
    const pass = encoder.beginComputePass();
    for (const { wgsl, entryPoint, constants, bindings, uniforms, workgroups } of launches) {
      const uniform = device.createBuffer({ size: uniforms.byteLength, usage: UNIFORM | COPY_DST });
      device.queue.writeBuffer(uniform, 0, uniforms);
      const types: GPUBindGroupLayoutEntry[] = [{ binding: 0, visibility, buffer: {} }];
      const entries: GPUBindGroupEntry[] = [{ binding: 0, resource: { buffer: uniform } }];
      for (const { binding, tensor, access, ...range } of bindings) {
        const type = access === 'read' ? 'read-only-storage' : 'storage';
        const buffer = buffers.get(tensor) ?? uniform; // each tensor has one
        types.push({ binding, visibility, buffer: { type } });
        entries.push({ binding, resource: { buffer, ...range } });
      }
      const group = device.createBindGroupLayout({ entries: types });
      const layout = device.createPipelineLayout({ bindGroupLayouts: [group] });
      const compute = { module: device.createShaderModule({ code: wgsl }), entryPoint, constants };
      pass.setPipeline(device.createComputePipeline({ layout, compute }));
      pass.setBindGroup(0, device.createBindGroup({ layout: group, entries }));
      pass.dispatchWorkgroups(...workgroups);
    }
    pass.end();
  }
  device.queue.submit([encoder.finish()]);
  return buffers;
}
