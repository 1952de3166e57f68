// Takes a library, and gives what its calls ask of WebGPU, counted at the browser's own objects.
import { inputsOf } from './cases.ts';
import { libraryOf } from './libraries/index.ts';
import type { Counts, LibraryName, Memory, OpName, Shape } from './types.ts';

export const counters = { dispatches: 0, submits: 0, buffers: 0, bindGroups: 0, pipelines: 0 };
export const memory = { alive: 0, peak: 0 };

/** Counts from now on. Nothing is timed in a page that counts. */
export function count(): void {
  const passes = GPUComputePassEncoder.prototype;
  const devices = GPUDevice.prototype;
  after(passes, 'dispatchWorkgroups', () => counters.dispatches++);
  after(passes, 'dispatchWorkgroupsIndirect', () => counters.dispatches++);
  // Without commands it only makes the browser look for finished work.
  after(GPUQueue.prototype, 'submit', (_queue, _result, [commands]) => {
    if (Array.isArray(commands) && commands.length > 0) counters.submits++;
  });
  after(devices, 'createBindGroup', () => counters.bindGroups++);
  after(devices, 'createComputePipeline', () => counters.pipelines++);
  after(devices, 'createComputePipelineAsync', () => counters.pipelines++);
  after(devices, 'createBuffer', (_device, buffer) => {
    counters.buffers++;
    memory.alive += (buffer as GPUBuffer).size;
    memory.peak = Math.max(memory.peak, memory.alive);
  });
  const destroyed = new WeakSet<object>();
  after(GPUBuffer.prototype, 'destroy', (buffer) => {
    if (destroyed.has(buffer)) return;
    destroyed.add(buffer);
    memory.alive -= (buffer as GPUBuffer).size;
  });
}

/** Calls `note` after each call of a method. */
function after<T extends object>(
  prototype: T,
  name: keyof T,
  note: (self: object, result: unknown, args: readonly unknown[]) => void,
): void {
  const method = prototype[name] as (this: object, ...args: unknown[]) => unknown;
  Reflect.set(prototype, name, function (this: object, ...args: unknown[]): unknown {
    const result = method.apply(this, args);
    note(this, result, args);
    return result;
  });
}

const CALLS = 20;

/** `ops` on a small shape, after the peak of cross-entropy with gradient on `shape`; for one library in a fresh page. */
export async function measureCounts(
  name: LibraryName,
  ops: readonly OpName[],
  shape: Shape,
): Promise<{ counts: Counts[]; memory: Memory | null }> {
  count();
  const library = await libraryOf(name);
  const before = memory.alive;
  const inputs = inputsOf('crossEntropyGrad', shape);
  const loss = await library.prepare('crossEntropyGrad', inputs);
  let peak: Memory | null = null;
  if (loss) {
    for (let step = 0; step < 3; step++) {
      await loss.run(1);
      await loss.sync();
    }
    peak = { shape, peak: (memory.peak - before) / inputs.x.byteLength };
    loss.free();
  }
  const counts: Counts[] = [];
  for (const op of ops) {
    const runner = await library.prepare(op, inputsOf(op, [64, 100]));
    if (!runner) continue;
    await runner.run(CALLS);
    await runner.sync();
    const start = { ...counters };
    await runner.run(CALLS);
    await runner.sync();
    counts.push({
      op,
      dispatches: (counters.dispatches - start.dispatches) / CALLS,
      submits: (counters.submits - start.submits) / CALLS,
      buffers: (counters.buffers - start.buffers) / CALLS,
      bindGroups: (counters.bindGroups - start.bindGroups) / CALLS,
    });
    runner.free();
  }
  return { counts, memory: peak };
}
