// Plans kernels and adds their launches to the device's queue or to a caller's encoder, or only compiles them.
import type { Operand } from '../core/device.ts';
import { OptionError } from '../core/errors.ts';
import {
  opName,
  type DeviceCapabilities,
  type DeviceKernel,
  type Launch,
  type Plan,
  type View,
} from '../core/kernel.ts';
import { checkFunction, checkHas, checkSynchronous } from '../core/validate-options.ts';
import { boundBytes, bytesOf, checkBindings } from './bindings.ts';
import type { BufferPool, PooledBuffer } from './buffers.ts';
import type { Copy } from './encoder.ts';
import type { Faults } from './faults.ts';
import type { Layouts, Resource } from './layouts.ts';
import { planMerged } from './merge.ts';
import type { PipelineCache, PipelineEntry } from './pipelines.ts';
import { Plans, type KeptGroup, type KeptLaunch } from './plans.ts';
import type { CommandQueue } from './queue.ts';
import { encodeInto, type Recorded } from './recording.ts';
import type { Readback } from './readback.ts';
import { STATUS_BYTES } from './status.ts';
import { asGpu } from './storage.ts';
import type { Tap } from './tap.ts';

const NO_SCRATCH: readonly PooledBuffer[] = [];
/** Number of bind groups remembered per launch: one for each set of buffers, if several sets are used in turn. */
const MOST_GROUPS = 8;

export interface LauncherParts {
  readonly device: GPUDevice;
  readonly capabilities: DeviceCapabilities;
  readonly layouts: Layouts;
  readonly pipelines: PipelineCache;
  readonly queue: CommandQueue;
  readonly faults: Faults;
  readonly pool: BufferPool;
  readonly readback: Readback;
}

export class Launcher {
  /** Told of every call, launch and copy. */
  tap: Tap | null = null;
  readonly #parts: LauncherParts;
  readonly #plans = new Plans();
  // One object that each launch fills again.
  readonly #buffers: PooledBuffer[] = [];
  readonly #offsets: number[] = [];
  #recording: Recorded[] | null = null;
  #preparing: PipelineEntry[] | null = null;

  constructor(parts: LauncherParts) {
    this.#parts = parts;
  }

  get parts(): LauncherParts {
    return this.#parts;
  }

  /** The commands of a caller's encoder, while they are collected. */
  get recording(): Recorded[] | null {
    return this.#recording;
  }

  execute<A>(
    kernel: DeviceKernel<A>,
    args: A,
    inputs: readonly Operand[],
    outputs: readonly Operand[],
  ): void {
    const { pool } = this.#parts;
    const { plan, launches } = this.#plans.get(kernel, args, inputs, outputs, this.#plan);
    this.tap?.called(args, inputs, outputs);
    const scratch =
      plan.scratch.length === 0
        ? NO_SCRATCH
        : plan.scratch.map((bytes) => pool.acquire(opName(kernel, args), bytes));
    for (const kept of launches) this.#launch(kept, inputs, outputs, scratch);
    for (const buffer of scratch) pool.release(buffer);
  }

  copy(copy: Omit<Copy, 'op'>): void {
    const { queue } = this.#parts;
    this.#touch(copy.from);
    this.#touch(copy.to);
    const command = { ...copy, op: queue.op };
    this.tap?.added(command);
    if (this.#recording) this.#recording.push(command);
    else if (!this.#preparing) queue.add(command);
  }

  /** Runs `fn` with its launches going into a caller's encoder. */
  record<T>(encoder: GPUCommandEncoder, fn: () => T): T {
    checkHas('device.record', 'encoder', encoder, 'beginComputePass', 'a GPUCommandEncoder');
    checkFunction('device.record', 'fn', fn);
    if (this.#recording) {
      throw new OptionError({
        op: 'device.record',
        argument: 'fn',
        expected: 'no record inside',
        received: 'one',
      });
    }
    const { queue } = this.#parts;
    queue.flushSync();
    const recorded: Recorded[] = [];
    this.#recording = recorded;
    let result: T;
    try {
      result = fn();
    } finally {
      this.#recording = null;
    }
    checkSynchronous('device.record', result);
    if (recorded.length > 0) encodeInto(encoder, recorded, this.#parts);
    return result;
  }

  /** Runs `fn` without launching anything. Returns the pipelines that it needs. */
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

  /** Plans a call. Throws before anything is allocated or recorded. */
  readonly #plan = <A>(
    kernel: DeviceKernel<A>,
    args: A,
    inputs: readonly View[],
    outputs: readonly View[],
  ): Plan => {
    const { capabilities } = this.#parts;
    const make = (caps: DeviceCapabilities): Plan => kernel.plan(args, inputs, outputs, caps);
    const plan = planMerged(
      make,
      (binding, of) => bytesOf(binding, of, inputs, outputs),
      capabilities,
    );
    checkBindings(opName(kernel, args), plan, inputs, outputs, capabilities);
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
      const bound = this.#bound(kept, inputs, outputs, scratch);
      for (const buffer of bound.buffers) this.#touch(buffer);
      const command = { op: queue.op, kept, bound };
      this.tap?.added(command);
      this.#recording.push(command);
      return;
    }
    const { pipeline } = kept;
    const failed = pipeline?.error ?? pipeline?.birth?.error;
    const entry = (kept.pipeline = pipeline && !failed ? pipeline : pipelines.get(launch));
    if (this.#preparing) {
      this.#preparing.push(entry);
      return;
    }
    const uniformOffset = queue.addUniforms(kept);
    const bound = this.#group(kept, inputs, outputs, scratch);
    const command = { op: queue.op, pipeline: entry, kept, bound, uniformOffset };
    this.tap?.added(command);
    queue.add(command);
  }

  /** The buffers of a launch with their bind group, from one of its latest calls or new. */
  #group(
    kept: KeptLaunch,
    inputs: readonly Operand[],
    outputs: readonly Operand[],
    scratch: readonly PooledBuffer[],
  ): KeptGroup {
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
      if (sameItems(known.buffers, buffers) && sameItems(known.offsets, offsets)) return known;
    }
    const bound = this.#bound(kept, inputs, outputs, scratch);
    groups.unshift(bound);
    if (groups.length > MOST_GROUPS) groups.pop();
    return bound;
  }

  #bound(
    { launch }: KeptLaunch,
    inputs: readonly Operand[],
    outputs: readonly Operand[],
    scratch: readonly PooledBuffer[],
  ): KeptGroup {
    const resources = this.#resources(launch, inputs, outputs, scratch);
    return {
      buffers: resources.map(({ buffer }) => buffer),
      offsets: resources.map(({ offset }) => offset),
      resources,
      group: null,
    };
  }

  /** The buffers that a launch's bindings refer to. */
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

  /** Records that the open batch uses a buffer. */
  #touch(buffer: PooledBuffer): void {
    buffer.lastUse = this.#parts.queue.current;
    if (this.#recording) buffer.pinned = true;
  }
}

function at<T>(list: readonly T[], index: number): T {
  const item = list[index];
  if (item === undefined) throw new RangeError(`no operand ${index}`);
  return item;
}

function sameItems<T>(a: readonly T[], b: readonly T[]): boolean {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
