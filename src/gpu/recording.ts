// Encodes the ops called in `device.record` into the caller's encoder, and finds out whether that encoder ran.
import { OptionError } from '../core/errors.ts';
import { UNIFORM_BYTES } from '../core/kernel.ts';
import { unpooled } from './buffers.ts';
import { CommandEncoding, type Command, type Copy, type Dispatch } from './encoder.ts';
import { Fate, joined } from './fate.ts';
import type { Faults } from './faults.ts';
import { judge, mark, newJudgement, skip } from './judgement.ts';
import type { Layouts } from './layouts.ts';
import type { PipelineCache } from './pipelines.ts';
import type { CommandQueue } from './queue.ts';

// GPUBufferUsage and GPUMapMode by value: the globals are missing in Node.
const MAP_READ = 0x01;
const COPY_DST = 0x08;
const UNIFORM_USAGE = 0x40 | 0x04 | COPY_DST; // UNIFORM | COPY_SRC | COPY_DST
const GPU_READ = 0x01;

/** A command without what is made when all of them are known. */
export type Recorded = Copy | Pick<Dispatch, 'op' | 'kept' | 'bound'>;

export interface RecordingParts {
  readonly device: GPUDevice;
  readonly layouts: Layouts;
  readonly pipelines: PipelineCache;
  readonly queue: CommandQueue;
  readonly faults: Faults;
}

/** Commands in a caller's encoder, which run when the caller submits it, if it can be submitted. */
export class Run {
  /** Whether they are known to have run. */
  done = false;
  readonly #device: GPUDevice;
  /** Holds a 1 at `offset` until the commands after it have run. */
  readonly #buffer: GPUBuffer;
  readonly #offset: number;

  constructor(device: GPUDevice, buffer: GPUBuffer, offset: number) {
    this.#device = device;
    this.#buffer = buffer;
    this.#offset = offset;
  }

  /** Adds to the commands what tells that they have run. */
  mark(encoder: GPUCommandEncoder): void {
    encoder.clearBuffer(this.#buffer, this.#offset, 4);
  }

  /**
   * Encodes a look at whether they have run by then. Returns the fate of what reads their results, and what to call once
   * the look is submitted.
   */
  look(encoding: CommandEncoding, faults: Faults): { fate: Fate; submitted: () => void } {
    const usage = MAP_READ | COPY_DST;
    const gpu = this.#device.createBuffer({ size: 4, usage, label: 'nonlin marker' });
    const to = unpooled(gpu);
    const from = unpooled(this.#buffer);
    encoding.copy({ from, fromOffset: this.#offset, to, toOffset: 0, bytes: 4 });
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

/**
 * Puts commands into a caller's encoder, at once: pipelines are compiled on the spot, and memory is used before it is known
 * whether it could be had. What goes wrong is the fate of all that is written.
 */
export function encodeInto(
  encoder: GPUCommandEncoder,
  recorded: readonly Recorded[],
  { device, layouts, pipelines, queue, faults }: RecordingParts,
): void {
  const commands = recorded.map((item, i): Command => {
    if ('from' in item) return item;
    const pipeline = pipelines.compileNow(pipelines.get(item.kept.launch, false));
    return { ...item, pipeline, uniformOffset: i * UNIFORM_BYTES };
  });
  faults.useBirths();
  const encoded = new Fate();
  const ready: Command[] = [];
  const made = faults.open('device.record');
  let run: Run;
  try {
    const bytes = new Uint8Array(commands.length * UNIFORM_BYTES + 4);
    // Not pooled and never destroyed here: the caller submits at a time of their own; the browser frees it after that.
    const uniforms = unpooled(
      device.createBuffer({ size: bytes.length, usage: UNIFORM_USAGE, label: 'nonlin uniforms' }),
    );
    run = new Run(device, uniforms.gpu, bytes.length - 4);
    bytes[bytes.length - 4] = 1;
    const judgement = newJudgement();
    for (let begin = 0, end = 0; begin < commands.length; begin = end) {
      const op = commands[begin]?.op;
      while (end < commands.length && commands[end]?.op === op) end++;
      if (!op) continue;
      judge(op, commands, begin, end, judgement, faults);
      if (op.error) {
        skip(op, op.error, commands, begin, end);
        continue;
      }
      const fate = joined([...judgement.open, made.fate, encoded]);
      // It is not known when the commands run, so neither is in which period.
      const noted = judgement.noted < 0 ? -1 : Infinity;
      if (op.keeps) void keepIfFailed(fate, op.keeps);
      else mark(commands, begin, end, fate, noted, run);
      for (const command of commands.slice(begin, end)) {
        ready.push(command);
        if ('from' in command) continue;
        bytes.set(command.kept.uniforms, command.uniformOffset);
        command.bound.group = layouts.createGroup(uniforms, command.bound.resources);
      }
    }
    device.queue.writeBuffer(uniforms.gpu, 0, bytes);
  } finally {
    faults.close(made);
  }
  const scopes = faults.open('device.record', {
    argument: 'encoder',
    expected: 'one of this device that is not finished',
    Refused: OptionError,
    fate: encoded,
  });
  try {
    const encoding = new CommandEncoding(encoder);
    for (const command of ready) encode(encoding, command);
    encoding.end();
    run.mark(encoder);
    queue.counts.dispatches += encoding.dispatches;
  } finally {
    faults.close(scopes);
  }
}

function encode(encoding: CommandEncoding, command: Command): void {
  if ('from' in command) {
    encoding.copy(command);
    return;
  }
  const { pipeline, bound, uniformOffset, kept } = command;
  if (!pipeline.pipeline || !bound.group) return;
  encoding.dispatch(pipeline.pipeline, bound.group, uniformOffset, kept.launch.workgroups);
}

async function keepIfFailed(fate: Fate, keeps: () => void): Promise<void> {
  await fate.settled();
  if (fate.error) keeps();
}
