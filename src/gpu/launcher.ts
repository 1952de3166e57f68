// In: kernels and the memory they work on. Out: launches in the device's queue, in a caller's encoder, or only compiled.
import type { Operand } from '../device.ts';
import { OptionError, OutOfMemoryError } from '../errors.ts';
import {
  UNIFORM_BYTES,
  type Capabilities,
  type Kernel,
  type Launch,
  type Plan,
  type View,
} from '../kernel.ts';
import { checkSynchronous } from '../validate-options.ts';
import { unpooled, type BufferPool, type PooledBuffer } from './buffers.ts';
import type { Group, Layouts, Resource } from './layouts.ts';
import type { PipelineCache, PipelineEntry } from './pipelines.ts';
import { Plans, type KeptLaunch } from './plans.ts';
import { encode, type Command, type CommandQueue } from './queue.ts';
import type { Readback } from './readback.ts';
import { STATUS_BYTES } from './status.ts';
import { asGpu } from './storage.ts';

const UNIFORM = 0x40; // GPUBufferUsage.UNIFORM by value: the global is missing in Node

const NO_SCRATCH: readonly PooledBuffer[] = [];
/** Bind groups remembered per launch: one for each set of buffers that takes turns. */
const MOST_GROUPS = 8;

/** A launch for a caller's encoder; bind groups are made when all uniforms are known. */
interface Recorded {
  readonly launch: Launch;
  readonly resources: readonly Resource[];
}

export interface LauncherParts {
  readonly device: GPUDevice;
  readonly capabilities: Capabilities;
  readonly layouts: Layouts;
  readonly pipelines: PipelineCache;
  readonly queue: CommandQueue;
  readonly pool: BufferPool;
  readonly readback: Readback;
}

export class Launcher {
  readonly #parts: LauncherParts;
  readonly #plans = new Plans();
  // Filled anew by each launch.
  readonly #buffers: PooledBuffer[] = [];
  readonly #offsets: number[] = [];
  #recording: (Recorded | Command)[] | null = null;
  #preparing: PipelineEntry[] | null = null;

  constructor(parts: LauncherParts) {
    this.#parts = parts;
  }

  execute<A>(
    kernel: Kernel<A>,
    args: A,
    inputs: readonly Operand[],
    outputs: readonly Operand[],
  ): void {
    const { pool } = this.#parts;
    const { plan, launches } = this.#plans.get(kernel, args, inputs, outputs, this.#plan);
    const scratch =
      plan.scratch.length === 0
        ? NO_SCRATCH
        : plan.scratch.map((bytes) => pool.acquire(kernel.name, bytes));
    for (const kept of launches) this.#launch(kept, inputs, outputs, scratch);
    for (const buffer of scratch) pool.release(buffer);
  }

  copy(command: Extract<Command, { bytes: number }>): void {
    this.#touch(command.from);
    this.#touch(command.to);
    if (this.#recording) this.#recording.push(command);
    else if (!this.#preparing) this.#parts.queue.add(command);
  }

  /** Submits everything that waits, now: for commands that the caller submits next. */
  flushSync(): void {
    this.#parts.queue.flushSync((entry) => {
      this.#parts.pipelines.compileNow(entry);
    });
  }

  /** Runs `fn` with its launches going into a caller's encoder. */
  record<T>(encoder: GPUCommandEncoder, fn: () => T): T {
    if (this.#recording) {
      throw new OptionError({
        op: 'device.record',
        argument: 'fn',
        expected: 'no record inside',
        received: 'one',
      });
    }
    this.flushSync();
    const recorded: (Recorded | Command)[] = [];
    this.#recording = recorded;
    let result: T;
    try {
      result = fn();
    } finally {
      this.#recording = null;
    }
    checkSynchronous('device.record', result);
    if (recorded.length > 0) this.#encode(encoder, recorded);
    return result;
  }

  /** Runs `fn` without launching anything; returns the pipelines it needs. */
  collectPipelines(fn: () => void): PipelineEntry[] {
    const entries: PipelineEntry[] = [];
    this.#preparing = entries;
    try {
      fn();
    } finally {
      this.#preparing = null;
    }
    return entries;
  }

  /** Plans a call; throws before anything is allocated or recorded. */
  readonly #plan = <A>(
    kernel: Kernel<A>,
    args: A,
    inputs: readonly View[],
    outputs: readonly View[],
  ): Plan => {
    const { capabilities } = this.#parts;
    const plan = kernel.plan(args, inputs, outputs, capabilities);
    checkBindings(kernel.name, plan, inputs, outputs, capabilities);
    return plan;
  };

  #launch(
    kept: KeptLaunch,
    inputs: readonly Operand[],
    outputs: readonly Operand[],
    scratch: readonly PooledBuffer[],
  ): void {
    const { pipelines, queue } = this.#parts;
    const { launch } = kept;
    if (this.#recording) {
      const resources = this.#resources(launch, inputs, outputs, scratch);
      for (const { buffer } of resources) this.#touch(buffer);
      this.#recording.push({ launch, resources });
      return;
    }
    kept.pipeline ??= pipelines.get(launch);
    if (this.#preparing) {
      this.#preparing.push(kept.pipeline);
      return;
    }
    // May close the batch: uniforms and lastUse belong to the one that the command is in.
    const uniformOffset = queue.addUniforms(kept);
    const group = this.#group(kept, inputs, outputs, scratch);
    queue.add({ pipeline: kept.pipeline, group, uniformOffset, workgroups: launch.workgroups });
  }

  /** The bind group of a launch: one of its latest, or the cached or new one for these buffers. */
  #group(
    kept: KeptLaunch,
    inputs: readonly Operand[],
    outputs: readonly Operand[],
    scratch: readonly PooledBuffer[],
  ): Group {
    const { layouts, queue, readback } = this.#parts;
    const { launch, groups } = kept;
    const { bindings } = launch;
    const [buffers, offsets] = [this.#buffers, this.#offsets];
    buffers.length = offsets.length = bindings.length;
    for (let i = 0; i < bindings.length; i++) {
      const binding = bindings[i];
      if (!binding) continue;
      let buffer: PooledBuffer;
      let offset = binding.offset ?? 0;
      if (binding.of === 'status') {
        readback.usesStatus('once');
        buffer = readback.status;
      } else if (binding.of === 'scratch') {
        buffer = at(scratch, binding.index);
      } else {
        const operand = at(binding.of === 'input' ? inputs : outputs, binding.index);
        const storage = asGpu(operand.storage);
        buffer = storage.buffer;
        offset += storage.offset;
      }
      buffer.lastUse = queue.current;
      buffers[i] = buffer;
      offsets[i] = offset;
    }
    if (kept.generation !== layouts.generation) {
      groups.length = 0;
      kept.generation = layouts.generation;
    }
    for (const known of groups) {
      if (sameItems(known.buffers, buffers) && sameItems(known.offsets, offsets))
        return known.group;
    }
    const resources = this.#resources(launch, inputs, outputs, scratch);
    const group = layouts.bindGroup(queue.uniforms, resources);
    groups.unshift({ buffers: [...buffers], offsets: [...offsets], group });
    if (groups.length > MOST_GROUPS) groups.pop();
    return group;
  }

  #encode(encoder: GPUCommandEncoder, recorded: readonly (Recorded | Command)[]): void {
    const { device, pipelines, layouts, queue } = this.#parts;
    // Not pooled and never destroyed here: the caller submits at a time of their own; the browser frees it after that.
    const uniforms = unpooled(
      device.createBuffer({
        size: recorded.length * UNIFORM_BYTES,
        usage: UNIFORM,
        mappedAtCreation: true,
      }),
    );
    const bytes = new Uint8Array(uniforms.gpu.getMappedRange());
    const commands = recorded.map((item, i): Command => {
      if (!('launch' in item)) return item;
      const { launch, resources } = item;
      bytes.set(new Uint8Array(launch.uniforms), i * UNIFORM_BYTES);
      return {
        pipeline: pipelines.compileNow(pipelines.get(launch, false)),
        group: layouts.createGroup(uniforms, resources),
        uniformOffset: i * UNIFORM_BYTES,
        workgroups: launch.workgroups,
      };
    });
    uniforms.gpu.unmap();
    queue.dispatches += encode(encoder, commands);
  }

  /** The memory that a launch's bindings stand for. */
  #resources(
    { bindings }: Launch,
    inputs: readonly Operand[],
    outputs: readonly Operand[],
    scratch: readonly PooledBuffer[],
  ): Resource[] {
    const { readback } = this.#parts;
    return bindings.map((binding) => {
      const { of, index, offset = 0, size } = binding;
      if (of === 'status') {
        readback.usesStatus(this.#recording ? 'always' : 'once');
        return { binding, buffer: readback.status, offset: 0, size: STATUS_BYTES };
      }
      if (of === 'scratch') {
        const buffer = at(scratch, index);
        return { binding, buffer, offset, size: size ?? buffer.size };
      }
      const operand = at(of === 'input' ? inputs : outputs, index);
      const storage = asGpu(operand.storage);
      return {
        binding,
        buffer: storage.buffer,
        offset: storage.offset + offset,
        size: size ?? boundBytes(operand),
      };
    });
  }

  /** Notes that the commands now being collected use a buffer. */
  #touch(buffer: PooledBuffer): void {
    buffer.lastUse = this.#parts.queue.current;
    if (this.#recording) buffer.pinned = true;
  }
}

function checkBindings(
  op: string,
  { launches, scratch }: Plan,
  inputs: readonly View[],
  outputs: readonly View[],
  { maxBindingSize }: Capabilities,
): void {
  for (const { bindings } of launches) {
    for (const { of, index, size } of bindings) {
      const operand = of === 'input' ? inputs[index] : of === 'output' ? outputs[index] : undefined;
      const bytes = size ?? (operand ? boundBytes(operand) : (scratch[index] ?? 0));
      if (bytes > maxBindingSize) {
        throw new OutOfMemoryError({
          op,
          expected: `at most ${String(maxBindingSize)} bytes per binding on this device`,
          received: `${String(bytes)} bytes`,
        });
      }
    }
  }
}

/** Bytes of a tensor to bind. An empty one still needs a binding of one element. */
function boundBytes({ dtype, size, padded }: View): number {
  const bytes = size * (dtype === 'float16' ? 2 : 4);
  return padded ? Math.max(Math.ceil(bytes / 16), 1) * 16 : Math.max(Math.ceil(bytes / 4), 1) * 4;
}

function at<T>(list: readonly T[], index: number): T {
  const item = list[index];
  if (item === undefined) throw new RangeError(`no operand ${String(index)}`);
  return item;
}

function sameItems<T>(a: readonly T[], b: readonly T[]): boolean {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
