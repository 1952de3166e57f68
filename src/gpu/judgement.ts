// Decides from the fates of all buffers that an op uses whether its commands can run, and what its results depend on.
import { OutOfMemoryError, ShaderError, type NonlinError } from '../core/errors.ts';
import type { PooledBuffer } from './buffers.ts';
import type { Command, Op } from './encoder.ts';
import { failed, type Fate } from './fate.ts';
import type { Faults } from './faults.ts';
import type { PipelineEntry } from './pipelines.ts';
import type { Run } from './runs.ts';

/** What the results of an op depend on. */
export interface Judgement {
  /** Fates that are not known yet. */
  readonly open: Fate[];
  /**
   * An object that could make the whole submit invalid: a buffer that the caller may have destroyed, or the op
   * itself. The op then gets a submit of its own.
   */
  alone: object | null;
  /** See `PooledBuffer.noted`. */
  noted: number;
  /** Commands in a caller's encoder whose results the op reads and which may not have run. */
  readonly runs: Run[];
  /** A number for each op, with which the buffers it has written so far are marked. */
  pass: number;
}

/** The number of passes so far. */
let passes = 0;

export function newJudgement(): Judgement {
  return { open: [], alone: null, noted: -1, runs: [], pass: -1 };
}

/**
 * Examines the commands from `begin` up to but not including `end`. Sets `op.error` if they cannot run. An error that
 * is new is reported.
 */
export function judge(
  op: Op,
  commands: readonly Command[],
  begin: number,
  end: number,
  judgement: Judgement,
  faults: Faults,
): void {
  judgement.open.length = judgement.runs.length = 0;
  judgement.alone = null;
  judgement.noted = -1;
  judgement.pass = passes++;
  for (let c = begin; c < end; c++) {
    const command = commands[c];
    if (!command) continue;
    if ('from' in command) {
      look(op, command.from, true, judgement);
      look(op, command.to, command.partial ?? false, judgement);
      command.to.writer = judgement.pass;
      continue;
    }
    if ('encode' in command) {
      for (const entry of command.pipelines) lookAtPipeline(op, entry, judgement, faults);
      for (const buffer of command.births) look(op, buffer, false, judgement);
      for (const buffer of command.reads) look(op, buffer, true, judgement);
      for (const buffer of command.writes) {
        look(op, buffer, false, judgement);
        buffer.writer = judgement.pass;
      }
      continue;
    }
    lookAtPipeline(op, command.pipeline, judgement, faults);
    const { uses } = command.kept;
    const { buffers } = command.bound;
    for (let i = 0; i < buffers.length; i++) {
      const buffer = buffers[i];
      if (!buffer) continue;
      const use = uses[i];
      look(op, buffer, use !== 'write', judgement);
      if (use === 'write' || use === 'update') buffer.writer = judgement.pass;
    }
  }
}

function look(op: Op, buffer: PooledBuffer, reads: boolean, judgement: Judgement): void {
  const { birth, fate, run } = buffer;
  if (birth !== null && consider(op, birth, judgement)) {
    if (birth.error === null) buffer.birth = null;
    else judgement.alone ??= op;
  }
  if (buffer.foreign) {
    judgement.alone = judgement.alone === null || judgement.alone === buffer ? buffer : op;
  }
  // A buffer that the op itself has written so far cannot have failed unless the op has.
  if (!reads || buffer.writer === judgement.pass) return;
  if (buffer.noted > judgement.noted) judgement.noted = buffer.noted;
  if (run !== null) {
    if (run.done) buffer.run = null;
    else if (!judgement.runs.includes(run)) judgement.runs.push(run);
  }
  if (fate !== null && consider(op, fate, judgement) && fate.error === null) buffer.fate = null;
}

function lookAtPipeline(op: Op, entry: PipelineEntry, judgement: Judgement, faults: Faults): void {
  const error = entry.error ?? entry.birth?.error;
  if (error) {
    if (op.error) return;
    const { expected = '', received = '' } = error;
    const details = { op: op.name, expected, received };
    const messages = error instanceof ShaderError ? error.messages : [];
    op.error =
      error instanceof OutOfMemoryError
        ? new OutOfMemoryError(details, { cause: error })
        : new ShaderError(details, { cause: error, messages });
    faults.report(op.error);
  } else if (entry.birth) {
    if (error === null) entry.birth = null;
    else {
      judgement.open.push(entry.birth);
      judgement.alone ??= op;
    }
  }
}

/** Takes a fate into account. Returns false if it is known to have failed. */
export function consider(op: Op, fate: Fate, judgement: Judgement): boolean {
  const { error } = fate;
  if (error) {
    op.error ??= error;
    return false;
  }
  if (error === undefined && !judgement.open.includes(fate)) judgement.open.push(fate);
  return true;
}

/** Calls `visit` with every buffer that the commands write, except status words. */
export function forWritten(
  commands: readonly Command[],
  begin: number,
  end: number,
  visit: (buffer: PooledBuffer) => void,
): void {
  for (let c = begin; c < end; c++) {
    const command = commands[c];
    if (!command) continue;
    if ('from' in command) {
      visit(command.to);
      continue;
    }
    if ('encode' in command) {
      for (const buffer of command.writes) visit(buffer);
      continue;
    }
    const { uses } = command.kept;
    const { buffers } = command.bound;
    for (let i = 0; i < buffers.length; i++) {
      const buffer = buffers[i];
      const use = uses[i];
      if (buffer && use !== 'read' && use !== 'note') visit(buffer);
    }
  }
}

/** Sets the fate of all buffers that the commands write. */
export function mark(
  commands: readonly Command[],
  begin: number,
  end: number,
  fate: Fate | null,
  noted: number,
  run: Run | null = null,
): void {
  forWritten(commands, begin, end, (buffer) => {
    buffer.fate = fate;
    buffer.noted = noted;
    buffer.run = run;
  });
}

/**
 * Skips an op's commands. The buffers they would have written count as failed, unless the op says that they keep
 * their contents.
 */
export function skip(
  op: Op,
  error: NonlinError,
  commands: readonly Command[],
  begin: number,
  end: number,
): void {
  if (op.keeps) op.keeps();
  else mark(commands, begin, end, failed(error), -1);
}
