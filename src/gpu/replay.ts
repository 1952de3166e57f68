// Puts the launches of a captured step into the queue again, as one op, or into a caller's encoder.
import type { Device } from '../core/device.ts';
import type { Storage } from '../core/storage.ts';
import type { Tensor } from '../core/tensor.ts';
import { rewriteParams } from '../shader/params.ts';
import { isLost, type PooledBuffer } from './buffers.ts';
import { compile, type Compiled } from './compiled.ts';
import type { CommandEncoding, Copy, Op } from './encoder.ts';
import { failed } from './fate.ts';
import type { Launcher, LauncherParts } from './launcher.ts';
import type { Recorded } from './recording.ts';
import { asGpu } from './storage.ts';
import type { Life, Tape } from './tape.ts';
import { unroll } from './unrolled.ts';

/** Where a result is when the commands have run. */
export interface Outcome {
  readonly life: Life;
  readonly offset: number;
  readonly bytes: number;
}

export class Replay {
  readonly #device: Device;
  readonly #launcher: Launcher;
  readonly #parts: LauncherParts;
  readonly #tape: Tape;
  readonly #inputs: readonly Tensor[];
  readonly #outcomes: readonly Outcome[];
  readonly #compiled: Compiled;
  readonly #uniforms: DataView;
  /** Called where a replay does not run. */
  readonly #keepers: readonly (() => void)[];
  readonly #written: readonly Storage[];
  readonly #hosts: readonly (readonly [Storage, Int32Array | null])[];
  readonly #status: PooledBuffer | null;
  /** Buffers of which it is not yet known whether memory was available. */
  #births: readonly PooledBuffer[];
  #groups: readonly (GPUBindGroup | null)[] | null = null;
  /** The batch that the last replay is in. */
  #batch = -1;

  constructor(
    device: Device,
    launcher: Launcher,
    tape: Tape,
    inputs: readonly Tensor[],
    outcomes: readonly Outcome[],
  ) {
    this.#device = device;
    this.#launcher = launcher;
    this.#parts = launcher.parts;
    this.#tape = tape;
    this.#inputs = inputs;
    this.#outcomes = outcomes;
    const lives = outcomes.map(({ life }) => life);
    const compiled = (this.#compiled = compile(tape, lives, this.#parts));
    this.#uniforms = new DataView(compiled.bytes.buffer);
    this.#keepers = [...new Set(tape.commands.flatMap(({ op }) => op.keeps ?? []))];
    this.#written = [...tape.written].filter((storage) => !storage.freed);
    this.#hosts = [...tape.external].map((storage) => [storage, storage.host]);
    const notes = tape.commands.some((one) => 'kept' in one && one.kept.uses.includes('note'));
    this.#status = notes ? this.#parts.readback.status : null;
    this.#births = [compiled.uniforms, ...compiled.buffers];
  }

  /** Whether all that the commands use is still there. */
  get alive(): boolean {
    for (const [storage] of this.#hosts) if (storage.freed) return false;
    for (const { error, birth } of this.#compiled.pipelines)
      if (error ?? birth?.error) return false;
    for (const buffer of this.#births) if (isLost(buffer)) return false;
    return this.#status === null || this.#status === this.#parts.readback.status;
  }

  /** Whether the host knows the same of the memory that was there before. */
  get holds(): boolean {
    for (const [storage, host] of this.#hosts) if (storage.host !== host) return false;
    return true;
  }

  /** Copies inputs in, runs the commands, and copies results out. */
  run(inputs: readonly Tensor[], results: readonly Tensor[]): void {
    const { queue, readback } = this.#parts;
    for (const command of this.#compiled.commands) {
      if (!('kept' in command)) continue;
      for (const { offset, layout, next } of command.changes)
        rewriteParams(this.#uniforms, command.offset + offset, layout, next());
    }
    for (const storage of this.#written) {
      storage.version++;
      storage.forget();
    }
    const { recording } = this.#launcher;
    if (recording) {
      this.#record(recording, inputs, results);
      return;
    }
    // Uniforms of one replay at a time are there, so two are never in one submit.
    if (this.#batch === queue.current) void queue.flush();
    if (this.#status) readback.usesStatus('once');
    const { reads } = this.#compiled;
    const keeps = this.#keepers.length > 0;
    const foreign = inputs.some((input) => bufferOf(input).foreign);
    const apart = keeps && reads.some((buffer) => buffer.foreign);
    // A caller may have destroyed its memory, which a submit of its own tells before anything that keeps is done.
    if (foreign || apart) {
      this.#op(null, (op) => {
        this.#copyIn(op, inputs, (copy) => {
          queue.add(copy);
        });
      });
    }
    if (apart) {
      this.#enqueueOps();
      this.#op(null, (op) => {
        this.#copyOut(op, results, (copy) => {
          queue.add(copy);
        });
      });
      return;
    }
    let own: Op | null = null;
    const fail = (): void => {
      this.#fail(own, results);
    };
    this.#op(keeps ? fail : null, (op) => {
      own = op;
      this.#enqueue(op, foreign ? [] : inputs, results);
    });
  }

  /** Adds the commands of one op to the queue. */
  #op(keeps: (() => void) | null, add: (op: Op) => void): void {
    this.#device.begin('capture', keeps);
    try {
      add(this.#parts.queue.op);
    } finally {
      this.#device.end();
    }
  }

  dispose(): void {
    const { uniforms } = this.#compiled;
    for (const input of this.#inputs) input.dispose();
    this.#tape.arena.dispose();
    uniforms.lastUse = this.#batch;
    this.#parts.queue.destroyLater(uniforms);
  }

  #enqueue(op: Op, inputs: readonly Tensor[], results: readonly Tensor[]): void {
    const { queue } = this.#parts;
    const { pipelines, reads, writes, bytes, changing } = this.#compiled;
    this.#batch = queue.current;
    this.#touch();
    this.#copyIn(op, inputs, (copy) => {
      queue.add(copy);
    });
    this.#births = this.#births.filter(({ birth }) => birth !== null);
    const changed = changing > 0 ? bytes.slice(0, changing) : null;
    const encode = (encoding: CommandEncoding): void => {
      this.#encode(encoding, changed);
    };
    queue.add({ op, pipelines, births: this.#births, reads, writes, encode });
    this.#copyOut(op, results, (copy) => {
      queue.add(copy);
    });
  }

  /** Adds the commands as the function has called them. */
  #enqueueOps(): void {
    const { queue } = this.#parts;
    for (const { op: before, commands } of unroll(this.#compiled)) {
      queue.beginOp(before.name, before.keeps);
      const { op } = queue;
      for (const command of commands) {
        if ('from' in command) {
          queue.add({ ...command, op });
          continue;
        }
        const { entry: pipeline, kept, bound } = command;
        queue.add({ op, pipeline, kept, bound, uniformOffset: queue.addUniforms(kept) });
      }
      queue.endOp();
      this.#touch();
    }
  }

  #touch(): void {
    const { current } = this.#parts.queue;
    for (const buffer of this.#compiled.buffers) buffer.lastUse = current;
  }

  #encode(encoding: CommandEncoding, changed: Uint8Array<ArrayBuffer> | null): void {
    const { commands, uniforms } = this.#compiled;
    if (changed) this.#parts.device.queue.writeBuffer(uniforms.gpu, 0, changed);
    const groups = (this.#groups ??= this.#makeGroups());
    for (let i = 0; i < commands.length; i++) {
      const command = commands[i];
      if (!command) continue;
      if ('from' in command) {
        encoding.copy(command);
        continue;
      }
      const { pipeline } = command.entry;
      const group = groups[i];
      if (!pipeline || !group) continue;
      encoding.dispatch(pipeline, group, command.offset, command.kept.launch.workgroups);
    }
  }

  /** Now, and not earlier: memory that was had only at the second attempt is another GPUBuffer. */
  #makeGroups(): (GPUBindGroup | null)[] {
    const { commands, uniforms } = this.#compiled;
    const known = new Map<string, GPUBindGroup>();
    return commands.map((command) => {
      if ('from' in command) return null;
      const { resources } = command;
      const key = resources
        .map(({ binding, buffer, offset, size }) =>
          [binding.slot, binding.access, buffer.id, offset, size].join(':'),
        )
        .join();
      let group = known.get(key);
      if (!group) known.set(key, (group = this.#parts.layouts.createGroup(uniforms, resources)));
      return group;
    });
  }

  /** A replay has not run: what optimizers write is as it was, all else has failed. */
  #fail(op: Op | null, results: readonly Tensor[]): void {
    for (const keeps of this.#keepers) keeps();
    if (!op?.error) return;
    const fate = failed(op.error);
    const { writes, kept } = this.#compiled;
    const spoiled = [...writes.filter((buffer) => !kept.has(buffer)), ...results.map(bufferOf)];
    for (const buffer of spoiled) {
      buffer.fate = fate;
      buffer.noted = -1;
      buffer.run = null;
    }
  }

  #copyIn(op: Op, inputs: readonly Tensor[], add: (copy: Copy) => void): void {
    inputs.forEach((input, i) => {
      const to = this.#inputs[i];
      const bytes = bytesOf(input);
      if (!to || bytes === 0) return;
      const { buffer: from, offset: fromOffset } = asGpu(input.storage('capture'));
      this.#addCopy({ op, from, fromOffset, to: bufferOf(to), toOffset: 0, bytes }, add);
    });
  }

  #copyOut(op: Op, results: readonly Tensor[], add: (copy: Copy) => void): void {
    this.#outcomes.forEach(({ offset: fromOffset, bytes }, i) => {
      const [from, result] = [this.#compiled.sources[i], results[i]];
      if (!from || !result || bytes === 0) return;
      this.#addCopy({ op, from, fromOffset, to: bufferOf(result), toOffset: 0, bytes }, add);
    });
  }

  #addCopy(copy: Copy, add: (copy: Copy) => void): void {
    copy.from.lastUse = copy.to.lastUse = this.#parts.queue.current;
    add(copy);
  }

  /** Adds the commands to a caller's encoder, which has uniforms of its own. */
  #record(recording: Recorded[], inputs: readonly Tensor[], results: readonly Tensor[]): void {
    const { queue, readback } = this.#parts;
    const add = (command: Recorded): void => {
      const used = 'from' in command ? [command.from, command.to] : command.bound.buffers;
      for (const buffer of used) {
        buffer.lastUse = queue.current;
        buffer.pinned = true;
      }
      recording.push(command);
    };
    const plainOp = (): Op => ({ name: 'capture', keeps: null, error: null });
    if (this.#status) readback.usesStatus('always');
    this.#copyIn(plainOp(), inputs, add);
    for (const { op: before, commands } of unroll(this.#compiled)) {
      const op = { ...before, error: null };
      for (const command of commands) add({ ...command, op });
    }
    this.#copyOut(plainOp(), results, add);
  }
}

function bufferOf(tensor: Tensor): PooledBuffer {
  return asGpu(tensor.storage('capture')).buffer;
}

/** Copies move whole words. */
export function bytesOf({ size, dtype }: Tensor): number {
  return Math.ceil((size * (dtype === 'float16' ? 2 : 4)) / 4) * 4;
}
