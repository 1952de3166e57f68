// Finds out whether commands in a caller's encoder have run, and had what they read: each op's results have a word that
// is 1 until then.
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
  /** Whether they are known to have run. */
  done = false;
  readonly #device: GPUDevice;
  /** Holds a 1 at `offset` until the commands have run, and those whose results they read had run before. */
  readonly buffer: PooledBuffer;
  readonly offset: number;

  constructor(device: GPUDevice, buffer: PooledBuffer, offset: number) {
    this.#device = device;
    this.buffer = buffer;
    this.offset = offset;
  }

  /**
   * Encodes a look at whether they have run by then. Returns the fate of what reads their results, and what to call once
   * the look is submitted.
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
 * The runs of one recording. Its ops share one, but for those that read results of other recordings: these count as run
 * only if the others had run before them, which only the GPU's queue knows.
 */
export class Runs {
  readonly #parts: RunsParts;
  readonly #uniforms: PooledBuffer;
  readonly #offset: number;
  /** Each run with those that it needs; the first needs none. */
  readonly #needs = new Map<Run, readonly Run[]>();
  /** The run of ops that read results of no other recording. */
  readonly own: Run;

  /** From `offset` on, `uniforms` has room for a word for each op and one more, each 1. */
  constructor(parts: RunsParts, uniforms: PooledBuffer, offset: number) {
    this.#parts = parts;
    this.#uniforms = uniforms;
    this.#offset = offset;
    this.own = this.#add([]);
  }

  /** The run of an op that reads results of `read`. */
  of(read: readonly Run[]): Run {
    // What a run of this recording needs already need not be asked again.
    const implied = new Set(read.flatMap((run) => this.#needs.get(run) ?? []));
    const needed = read.filter((run) => run !== this.own && !implied.has(run));
    const [only] = needed;
    if (!only) return this.own;
    if (needed.length === 1 && this.#needs.has(only)) return only;
    for (const [run, needs] of this.#needs) {
      if (needs.length === needed.length && needed.every((other) => needs.includes(other)))
        return run;
    }
    return this.#add(needed);
  }

  /** Encodes, behind the commands, what tells that they have run. */
  mark(encoding: CommandEncoding): void {
    for (const [run, needs] of this.#needs) {
      const [only] = needs;
      if (!only) {
        encoding.end();
        encoding.encoder.clearBuffer(run.buffer.gpu, run.offset, 4);
      } else if (needs.length === 1) {
        copyWord(encoding, only, run);
      } else {
        this.#merge(encoding, needs, run);
      }
    }
  }

  #merge(encoding: CommandEncoding, needs: readonly Run[], run: Run): void {
    const { device, layouts, pipelines } = this.#parts;
    const size = 4 * (1 + needs.length);
    // Not destroyed here: the caller submits at a time of their own; the browser frees it after that.
    const buffer = unpooled(
      device.createBuffer({ size, usage: MARKER_USAGE, label: 'nonlin markers' }),
    );
    const merged = new Run(device, buffer, 0);
    needs.forEach((need, i) => {
      copyWord(encoding, need, new Run(device, buffer, 4 * (1 + i)));
    });
    const { pipeline } = pipelines.compileNow(pipelines.get(allRan, false));
    if (!pipeline) return;
    const group = layouts.createGroup(this.#uniforms, [{ binding, buffer, offset: 0, size }]);
    encoding.dispatch(pipeline, group, 0, allRan.workgroups);
    copyWord(encoding, merged, run);
  }

  #add(needs: readonly Run[]): Run {
    const { device } = this.#parts;
    const run = new Run(device, this.#uniforms, this.#offset + 4 * this.#needs.size);
    this.#needs.set(run, needs);
    return run;
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
