// Takes a call, and gives what one takes, in ms: many calls, then one wait, the median of several rounds.
import type { Device } from 'nonlin';
import { checkGoing, type Progress } from '../../lab/going.ts';

const ROUNDS = 7;
/** A round takes at least so long, that the clock and the wait at its end count little. */
const ROUND_MS = 25;
const MOST_CALLS = 256;

/** `calls` does that many and resolves once they are done. */
export async function medianOf(
  calls: (count: number) => Promise<void>,
  progress?: Progress,
): Promise<number> {
  const time = async (count: number) => {
    const start = performance.now();
    await calls(count);
    return performance.now() - start;
  };
  // what is compiled or allocated at first is no part of it
  await time(2);
  let count = 1;
  for (let ms = await time(1); ms < ROUND_MS && count < MOST_CALLS; ms = await time(count)) {
    if (progress) checkGoing(progress);
    count = Math.min(
      MOST_CALLS,
      Math.max(count + 1, Math.ceil((count * ROUND_MS) / Math.max(ms, 0.5))),
    );
  }
  const rounds: number[] = [];
  for (let i = 0; i < ROUNDS; i++) {
    if (progress) checkGoing(progress);
    rounds.push((await time(count)) / count);
  }
  return rounds.sort((a, b) => a - b)[Math.floor(ROUNDS / 2)] ?? NaN;
}

/** Calls of the package on a device. */
export function onDevice(device: Device, run: () => void): (count: number) => Promise<void> {
  return async (count) => {
    for (let i = 0; i < count; i++) run();
    await device.synchronize();
  };
}

const WORKGROUP = 256;
const COPY = `
@group(0) @binding(0) var<storage, read> input: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> output: array<vec4f>;
@compute @workgroup_size(${WORKGROUP}) fn main(
  @builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u,
) {
  let step = groups.x * ${WORKGROUP}u;
  for (var i = id.x; i < arrayLength(&input); i += step) { output[i] = input[i]; }
}`;
/** Packs of four that an invocation copies: which is fastest depends on the GPU, so all are tried. */
const PACKS = [1, 4, 16, 64] as const;
const MOST_WORKGROUPS = 65_535;

/** What others are multiples of: `size` floats read and written by the plainest kernel, four at a time. */
export async function timeCopy(gpu: GPUDevice, size: number, progress: Progress): Promise<number> {
  const packs = Math.ceil(size / 4);
  const buffers = [0, 1].map(() =>
    gpu.createBuffer({ size: 16 * packs, usage: GPUBufferUsage.STORAGE }),
  );
  try {
    const pipeline = await gpu.createComputePipelineAsync({
      layout: 'auto',
      compute: { module: gpu.createShaderModule({ code: COPY }) },
    });
    const group = gpu.createBindGroup({
      layout: pipeline.getBindGroupLayout(0),
      entries: buffers.map((buffer, binding) => ({ binding, resource: { buffer } })),
    });
    const calls = (workgroups: number) => async (count: number) => {
      const encoder = gpu.createCommandEncoder();
      const pass = encoder.beginComputePass();
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, group);
      for (let i = 0; i < count; i++) pass.dispatchWorkgroups(workgroups);
      pass.end();
      gpu.queue.submit([encoder.finish()]);
      await gpu.queue.onSubmittedWorkDone();
    };
    let least = Infinity;
    for (const each of PACKS) {
      const workgroups = Math.ceil(packs / WORKGROUP / each);
      if (workgroups > MOST_WORKGROUPS) continue;
      least = Math.min(least, await medianOf(calls(workgroups), progress));
    }
    return least;
  } finally {
    for (const buffer of buffers) buffer.destroy();
  }
}
