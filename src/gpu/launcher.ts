// In: kernels and the memory they work on. Out: launches in the device's queue, in a caller's encoder, or only compiled.
import type { Operand } from '../device.ts';
import { OptionError, OutOfMemoryError } from '../errors.ts';
import {
  UNIFORM_BYTES,
  type Binding,
  type Capabilities,
  type Kernel,
  type Launch,
  type Plan,
} from '../kernel.ts';
import { checkSynchronous } from '../validate.ts';
import { unpooled, type BufferPool, type PooledBuffer } from './buffers.ts';
import type { Layouts, Resource } from './layouts.ts';
import type { PipelineCache, PipelineEntry } from './pipelines.ts';
import { encode, type Command, type CommandQueue } from './queue.ts';
import type { Readback } from './readback.ts';
import { STATUS_BYTES } from './status.ts';
import { asGpu } from './storage.ts';

const UNIFORM = 0x40; // GPUBufferUsage.UNIFORM by value: the global is missing in Node

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
    const { capabilities, pool } = this.#parts;
    const plan = kernel.plan(args, inputs, outputs, capabilities);
    // Before anything is allocated or recorded.
    checkBindings(kernel.name, plan, inputs, outputs, capabilities);
    const scratch = plan.scratch.map((bytes) => pool.acquire(kernel.name, bytes));
    for (const launch of plan.launches) {
      this.#launch(
        launch,
        launch.bindings.map((binding) => this.#resource(binding, inputs, outputs, scratch)),
      );
    }
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

  #launch(launch: Launch, resources: readonly Resource[]): void {
    const { pipelines, queue, layouts } = this.#parts;
    if (this.#recording) {
      this.#recording.push({ launch, resources });
      return;
    }
    const pipeline = pipelines.get(launch);
    if (this.#preparing) {
      this.#preparing.push(pipeline);
      return;
    }
    const uniformOffset = queue.addUniforms(launch.uniforms);
    const group = layouts.bindGroup(queue.uniforms, resources);
    // Only now: adding the uniforms may have closed the batch.
    for (const { buffer } of resources) this.#touch(buffer);
    queue.add({ pipeline, group, uniformOffset, workgroups: launch.workgroups });
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

  /** The memory a binding stands for. */
  #resource(
    binding: Binding,
    inputs: readonly Operand[],
    outputs: readonly Operand[],
    scratch: readonly PooledBuffer[],
  ): Resource {
    const { of, index, offset = 0, size } = binding;
    if (of === 'status') {
      const { readback } = this.#parts;
      readback.usesStatus(this.#recording ? 'always' : 'once');
      return { binding, buffer: readback.status, offset: 0, size: STATUS_BYTES };
    }
    if (of === 'scratch') {
      const buffer = at(scratch, index);
      this.#touch(buffer);
      return { binding, buffer, offset, size: size ?? buffer.size };
    }
    const operand = at(of === 'input' ? inputs : outputs, index);
    const storage = asGpu(operand.storage);
    this.#touch(storage.buffer);
    return {
      binding,
      buffer: storage.buffer,
      offset: storage.offset + offset,
      size: size ?? boundBytes(operand),
    };
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
  inputs: readonly Operand[],
  outputs: readonly Operand[],
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
function boundBytes({ dtype, size, padded }: Operand): number {
  const bytes = size * (dtype === 'float16' ? 2 : 4);
  return padded ? Math.max(Math.ceil(bytes / 16), 1) * 16 : Math.max(Math.ceil(bytes / 4), 1) * 4;
}

function at<T>(list: readonly T[], index: number): T {
  const item = list[index];
  if (item === undefined) throw new RangeError(`no operand ${String(index)}`);
  return item;
}
