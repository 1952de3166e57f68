// Submits the commands of a batch that can run. All others are skipped, and the buffers they would have written count
// as failed.
import type { Batch, QueueParts } from './batch.ts';
import type { PooledBuffer } from './buffers.ts';
import { CommandEncoding, type Command, type Op } from './encoder.ts';
import { joined, type Fate } from './fate.ts';
import type { Scopes } from './faults.ts';
import { consider, judge, mark, newJudgement, skip, type Judgement } from './judgement.ts';
import type { Run } from './runs.ts';

/**
 * Encodes a batch op by op. The whole batch is one submit, except for ops whose submit could fail because of a
 * caller's buffer: each of these has a submit of its own.
 */
export class Submission {
  readonly #parts: QueueParts;
  readonly #batch: Batch;
  readonly #uniforms: PooledBuffer;
  readonly #counts: { dispatches: number; submits: number };
  readonly #judgement = newJudgement();
  #next = 0;
  /** Number of blocks that were written to the uniform buffer, and number of blocks that encoded commands use. */
  #written = 0;
  #begun = 1;
  #encoding: CommandEncoding | null = null;
  #scopes: Scopes | null = null;
  /** The caller's buffer because of which the commands being encoded have a submit of their own. */
  #alone: object | null = null;
  /** For memory that is written inside the open scopes: the combined fate, by the fate of the memory that is read. */
  readonly #fates = new Map<Fate, Fate>();
  readonly #looks = new Map<Run, Fate>();
  /** Functions to call after the next submit. */
  readonly #toTell: (() => void)[] = [];

  constructor(
    parts: QueueParts,
    batch: Batch,
    uniforms: PooledBuffer,
    counts: { dispatches: number; submits: number },
  ) {
    this.#parts = parts;
    this.#batch = batch;
    this.#uniforms = uniforms;
    this.#counts = counts;
  }

  /**
   * Encodes to the end of the batch. If `patient`, it stops before an op that must not run until a fate is known, and
   * returns that fate.
   */
  run(patient: boolean): Fate | null {
    const { commands } = this.#batch;
    let op = commands[this.#next]?.op;
    while (op) {
      let end = this.#next + 1;
      while (commands[end]?.op === op) end++;
      const fate = this.#run(op, end, patient);
      if (fate) {
        this.#submit();
        return fate;
      }
      this.#next = end;
      op = commands[end]?.op;
    }
    this.#submit();
    return null;
  }

  #run(op: Op, end: number, patient: boolean): Fate | null {
    const { commands } = this.#batch;
    const judgement = this.#judgement;
    judge(op, commands, this.#next, end, judgement, this.#parts.faults);
    const { birth } = this.#uniforms;
    if (birth) {
      consider(op, birth, judgement);
      if (birth.error === undefined) judgement.alone ??= op;
    }
    if (!op.error) {
      for (const run of judgement.runs) consider(op, this.#look(run, op), judgement);
    }
    if (op.error) {
      skip(op, op.error, commands, this.#next, end);
      return null;
    }
    // An op that cannot be undone waits until it is known whether its inputs have failed.
    const doubtful = op.keeps && patient && judgement.open.find((fate) => fate.doubtful);
    if (doubtful) return doubtful;
    if (judgement.alone !== this.#alone) this.#submit();
    this.#alone = judgement.alone;
    for (let i = this.#next; i < end; i++) {
      const command = commands[i];
      if (command) this.#encode(command, i);
    }
    mark(commands, this.#next, end, this.#fate(judgement), judgement.noted);
    return null;
  }

  #encode(command: Command, index: number): void {
    const { layouts } = this.#parts;
    if (this.#batch.cuts[this.#begun - 1] === index) {
      this.#submit();
      this.#begun++;
    }
    const encoding = this.#open(command.op);
    if ('from' in command) {
      encoding.copy(command);
      command.encoded?.();
      return;
    }
    if ('encode' in command) {
      command.encode(encoding);
      return;
    }
    const { pipeline, kept, bound, uniformOffset } = command;
    bound.group ??= layouts.bindGroup(this.#uniforms, bound.resources);
    if (!pipeline.pipeline) return;
    encoding.dispatch(pipeline.pipeline, bound.group, uniformOffset, kept.launch.workgroups);
  }

  #open(op: Op): CommandEncoding {
    if (this.#encoding && this.#scopes) {
      if (this.#scopes.op !== op.name) this.#scopes.op = 'submit';
      return this.#encoding;
    }
    const { device, faults } = this.#parts;
    this.#scopes = faults.open(op.name);
    this.#scopes.fate.doubtful = this.#alone !== null;
    const block = this.#batch.blocks[this.#begun - 1];
    if (block && block.used > 0 && this.#written < this.#begun) {
      this.#written = this.#begun;
      device.queue.writeBuffer(this.#uniforms.gpu, 0, block.bytes, 0, block.used);
    }
    return (this.#encoding = new CommandEncoding(device.createCommandEncoder()));
  }

  /** The fate of memory that is computed, from here on, from the results of commands in a caller's encoder. */
  #look(run: Run, op: Op): Fate {
    const known = this.#looks.get(run);
    if (known) return known;
    const { fate, submitted } = run.look(this.#open(op), this.#parts.faults);
    this.#looks.set(run, fate);
    this.#toTell.push(submitted);
    return fate;
  }

  /** The fate of what the last encoded op writes. */
  #fate({ open }: Judgement): Fate | null {
    const own = this.#scopes?.fate ?? null;
    let only: Fate | null = null;
    let several = false;
    for (const fate of open) {
      if (fate === own) continue;
      several = only !== null;
      only = fate;
    }
    if (!own || !only) return own;
    const known = several ? undefined : this.#fates.get(only);
    if (known) return known;
    const fate = joined([...open, own]);
    if (!several) this.#fates.set(only, fate);
    // Memory that is computed from it inside the same scopes has the same fate.
    this.#fates.set(fate, fate);
    return fate;
  }

  #submit(): void {
    const [encoding, scopes] = [this.#encoding, this.#scopes];
    if (!encoding || !scopes) return;
    const { device, faults } = this.#parts;
    encoding.end();
    device.queue.submit([encoding.encoder.finish()]);
    faults.close(scopes);
    for (const tell of this.#toTell) tell();
    this.#toTell.length = 0;
    this.#counts.submits++;
    this.#counts.dispatches += encoding.dispatches;
    this.#encoding = this.#scopes = null;
    this.#fates.clear();
  }
}
