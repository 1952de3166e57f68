// Finds out whether commands in a caller's encoder have run, with valid inputs. For the results of each op there is a
// word in memory that is 1 until then.
import allRanText from '../../shaders/kernels/runs/all-ran.wgsl?raw';
import { OptionError } from '../core/errors.ts';
import type { Binding, Launch } from '../core/kernel.ts';
import { program, source } from '../shader/link.ts';
import { unpooled, type PooledBuffer } from './buffers.ts';
import type { CommandEncoding } from './encoder.ts';
import { Fate } from './fate.ts';
import type { Faults } from './faults.ts';
import type { Layouts } from './layouts.ts';
import type { PipelineCache } from './pipelines.ts';

// GPUBufferUsage and GPUMapMode by value: the globals are missing in Node.
const MAP_READ = 0x01;
const COPY_DST = 0x08;
const MARKER_USAGE = 0x80 | 0x04 | COPY_DST; // STORAGE | COPY_SRC | COPY_DST
const GPU_READ = 0x01;

const binding: Binding = { slot: 1, of: 'scratch', index: 0, access: 'write' };
const allRan: Launch = {
  program: /* @__PURE__ */ program(
    'all ran',
    /* @__PURE__ */ source('kernels/runs/all-ran.wgsl', allRanText),
  ),
  entry: 'all_ran',
  bindings: [binding],
  uniforms: /* @__PURE__ */ new ArrayBuffer(0),
  workgroups: [1, 1, 1],
};

/** Commands in a caller's encoder, which run when the caller submits it, if it can be submitted. */
export class Run {
  /** Whether the commands are known to have run. */
  done = false;
  readonly #device: GPUDevice;
  /** The word at `offset` is 1 until these commands have run after all commands whose results they read. */
  readonly buffer: PooledBuffer;
  readonly offset: number;

  constructor(device: GPUDevice, buffer: PooledBuffer, offset: number) {
    this.#device = device;
    this.buffer = buffer;
    this.offset = offset;
  }

  /**
   * Encodes a copy of the word, which shows whether the commands have run by then. Returns the fate of memory that is
   * computed from their results, and a function to call once the copy is submitted.
   */
  look(encoding: CommandEncoding, faults: Faults): { fate: Fate; submitted: () => void } {
    const usage = MAP_READ | COPY_DST;
    const gpu = this.#device.createBuffer({ size: 4, usage, label: 'nonlin marker' });
    const to = unpooled(gpu);
    encoding.copy({ from: this.buffer, fromOffset: this.offset, to, toOffset: 0, bytes: 4 });
    const fate = new Fate();
    fate.doubtful = true;
    const hear = async (): Promise<void> => {
      await gpu.mapAsync(GPU_READ, 0, 4).catch(() => undefined);
      this.done ||= gpu.mapState === 'mapped' && new Uint32Array(gpu.getMappedRange())[0] === 0;
      gpu.destroy();
      const error = this.done ? null : notRun();
      if (error) faults.report(error);
      fate.settle(error);
    };
    return { fate, submitted: () => void hear() };
  }
}

function notRun(): OptionError {
  return new OptionError({
    op: 'device.record',
    argument: 'encoder',
    expected: 'one of this device that was submitted before its results are used',
    received: 'one that has not run',
  });
}

export interface RunsParts {
  readonly device: GPUDevice;
  readonly layouts: Layouts;
  readonly pipelines: PipelineCache;
}

/**
 * The runs of one recording. One is for ops that read only results of this recording. The other is for ops that read
 * results of other recordings; it counts as run only if those ran before it. Only the order on the GPU's queue shows
 * that.
 */
export class Runs {
  /** The run of ops that read no results of other recordings. */
  readonly own: Run;
  readonly #late: Run;
  /** The runs that must come before `#late`. */
  readonly #needed = new Set<Run>();
  readonly #parts: RunsParts;

  /** `uniforms` contains two words at `offset`, both 1. */
  constructor(parts: RunsParts, uniforms: PooledBuffer, offset: number) {
    this.#parts = parts;
    this.own = new Run(parts.device, uniforms, offset);
    this.#late = new Run(parts.device, uniforms, offset + 4);
  }

  /** The run to which an op belongs that reads results of `read`. */
  of(read: readonly Run[]): Run {
    const others = read.filter((run) => run !== this.own);
    for (const run of others) if (run !== this.#late) this.#needed.add(run);
    return others.length > 0 ? this.#late : this.own;
  }

  /** Encodes, after the commands, the write that shows that they have run. */
  mark(encoding: CommandEncoding): void {
    const { buffer, offset } = this.own;
    encoding.end();
    encoding.encoder.clearBuffer(buffer.gpu, offset, 4);
    const [first, ...more] = this.#needed;
    if (first) copyWord(encoding, more.length > 0 ? this.#merge(encoding) : first, this.#late);
  }

  /** Returns a run whose word becomes 0 only if the words of all needed runs are 0. */
  #merge(encoding: CommandEncoding): Run {
    const { device, layouts, pipelines } = this.#parts;
    const size = 4 * (1 + this.#needed.size);
    // This is not destroyed here, because the caller submits at any time. The browser frees it later.
    const buffer = unpooled(
      device.createBuffer({ size, usage: MARKER_USAGE, label: 'nonlin markers' }),
    );
    let offset = 0;
    for (const run of this.#needed) {
      copyWord(encoding, run, new Run(device, buffer, (offset += 4)));
    }
    const { pipeline } = pipelines.compileNow(pipelines.get(allRan, false));
    if (pipeline) {
      const group = layouts.createGroup(this.own.buffer, [{ binding, buffer, offset: 0, size }]);
      encoding.dispatch(pipeline, group, 0, allRan.workgroups);
    }
    return new Run(device, buffer, 0);
  }
}

function copyWord(encoding: CommandEncoding, from: Run, to: Run): void {
  encoding.copy({
    from: from.buffer,
    fromOffset: from.offset,
    to: to.buffer,
    toOffset: to.offset,
    bytes: 4,
  });
}
