// Encodes the ops that are called in `device.record` into the caller's encoder, and finds out whether that encoder
// ran.
import { OptionError } from '../core/errors.ts';
import { UNIFORM_BYTES } from '../core/kernel.ts';
import { unpooled, type PooledBuffer } from './buffers.ts';
import { CommandEncoding, type Copy, type Dispatch } from './encoder.ts';
import { Fate, joined } from './fate.ts';
import type { Faults } from './faults.ts';
import { forWritten, judge, mark, newJudgement, skip } from './judgement.ts';
import type { CommandQueue } from './queue.ts';
import { Runs, type Run, type RunsParts } from './runs.ts';

// GPUBufferUsage by value: the global is missing in Node.
const UNIFORM_USAGE = 0x40 | 0x04 | 0x08; // UNIFORM | COPY_SRC | COPY_DST

/** A command without the objects that are made when all commands are known. */
export type Recorded = Copy | Pick<Dispatch, 'op' | 'kept' | 'bound'>;

export interface RecordingParts extends RunsParts {
  readonly queue: CommandQueue;
  readonly faults: Faults;
}

/**
 * Encodes commands into a caller's encoder immediately. Pipelines are compiled synchronously, and memory is used
 * before it is known whether its allocation succeeded. The fate of everything that is written includes these errors.
 */
export function encodeInto(
  encoder: GPUCommandEncoder,
  recorded: readonly Recorded[],
  parts: RecordingParts,
): void {
  const { device, layouts, pipelines, queue, faults } = parts;
  const commands = recorded.map((item, i): Copy | Dispatch => {
    if ('from' in item) return item;
    const pipeline = pipelines.compileNow(pipelines.get(item.kept.launch, false));
    return { ...item, pipeline, uniformOffset: i * UNIFORM_BYTES };
  });
  faults.useBirths();
  const encoded = new Fate();
  const ready: (Copy | Dispatch)[] = [];
  const made = faults.open('device.record');
  let runs: Runs;
  try {
    const markers = commands.length * UNIFORM_BYTES;
    const bytes = new Uint8Array(markers + 8);
    new Uint32Array(bytes.buffer, markers).fill(1);
    // This buffer is neither pooled nor destroyed here, because the caller submits at any time. The browser frees it
    // later.
    const uniforms = unpooled(
      device.createBuffer({ size: bytes.length, usage: UNIFORM_USAGE, label: 'nonlin uniforms' }),
    );
    runs = new Runs(parts, uniforms, markers);
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
      // It is not known when the commands run, so the period of their errors is not known either.
      const noted = judgement.noted < 0 ? -1 : Infinity;
      const run = runs.of(judgement.runs);
      if (op.keeps) {
        void whenFailed(fate, op.keeps);
        if (run !== runs.own) void whenFailed(fate, spoil(commands, begin, end, run));
      } else mark(commands, begin, end, fate, noted, run);
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
    runs.mark(encoding);
    encoding.end();
    queue.counts.dispatches += encoding.dispatches;
  } finally {
    faults.close(scopes);
  }
}

function encode(encoding: CommandEncoding, command: Copy | Dispatch): void {
  if ('from' in command) {
    encoding.copy(command);
    return;
  }
  const { pipeline, bound, uniformOffset, kept } = command;
  if (!pipeline.pipeline || !bound.group) return;
  encoding.dispatch(pipeline.pipeline, bound.group, uniformOffset, kept.launch.workgroups);
}

/**
 * If an op updates tensors in place from results of another recording, its results are useless if that recording has
 * not run. This marks the tensors, and returns a function that removes the marks.
 */
function spoil(
  commands: readonly (Copy | Dispatch)[],
  begin: number,
  end: number,
  run: Run,
): () => void {
  const before = new Map<PooledBuffer, Run | null>();
  forWritten(commands, begin, end, (buffer) => {
    if (buffer.run === run) return;
    before.set(buffer, buffer.run);
    buffer.run = run;
  });
  return () => {
    for (const [buffer, earlier] of before) if (buffer.run === run) buffer.run = earlier;
  };
}

async function whenFailed(fate: Fate, tell: () => void): Promise<void> {
  await fate.settled();
  if (fate.error) tell();
}
