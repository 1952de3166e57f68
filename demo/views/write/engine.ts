// Takes a device, and wishes as they come, and gives what happened: a GPT that trains and, every few seconds, writes. One
// thing at a time. Runs in a worker, so that the page is free whatever a step takes.
import type { Device } from 'nonlin';
import { breathe } from '../../training/breathe.ts';
import { messageOf } from '../../training/format.ts';
import { saveModel } from '../../writing/file.ts';
import { openModel } from '../../writing/foreign.ts';
import { parameterCount } from '../../writing/gpt.ts';
import { write } from '../../writing/sample.ts';
import { splitText, Vocabulary } from '../../writing/text.ts';
import { Writer, type Report } from '../../writing/writer.ts';
import { faultOf, readSource } from './corpus.ts';
import type { Command, Happening, Job, Sampling } from './protocol.ts';

/** Between two pieces of writing it learns for so long, and for as many times as long as it wrote. */
const LEARNING = { leastMs: 2000, times: 3 };
/** A piece of writing has so many characters; fewer where they take longer than this. */
const WRITING = { most: 200, least: 40, mostMs: 2500 };
/** What was learned in so long may be lost with the device. */
const CHECKPOINT_MS = 20_000;

interface Current {
  readonly id: number;
  readonly writer: Writer;
  readonly vocabulary: Vocabulary;
  readonly reports: AsyncGenerator<Report>;
  /** What was found out of its file, in words. */
  readonly note: string | undefined;
}

export class Engine {
  readonly #device: Device;
  readonly #tell: (happening: Happening) => void;
  readonly #tasks: (() => Promise<void>)[] = [];
  readonly #texts = new Map<string, string>();
  #current: Current | undefined;
  #trains = false;
  /** The same once what was wished before is done. */
  #toTrain = false;
  #held = false;
  #writes = false;
  /** Nothing is known of how good the model is. */
  #fresh = false;
  /** Where the run is has to be told. */
  #keeps = false;
  #sampling: Sampling = { temperature: 0.8, topK: 0, prompt: '\n' };
  #wake: () => void = () => undefined;
  #wrote = { at: -Infinity, ms: 0 };
  #kept = 0;
  #ended = false;

  constructor(device: Device, tell: (happening: Happening) => void) {
    this.#device = device;
    this.#tell = tell;
  }

  take(command: Exclude<Command, { kind: 'open' }>): void {
    switch (command.kind) {
      case 'run':
        this.#toTrain = command.job.trains;
        this.#tasks.push(() => this.#run(command.job));
        break;
      case 'pause':
        this.#trains = this.#toTrain = false;
        this.#keeps = true;
        this.#tellTrains();
        break;
      case 'resume':
        this.#trains = this.#toTrain = true;
        this.#tellTrains();
        break;
      case 'hold':
        this.#held = command.held;
        break;
      case 'sampling':
        this.#sampling = command.sampling;
        break;
      case 'write':
        this.#writes = true;
        break;
      case 'save':
        this.#tasks.push(() => this.#save());
        break;
    }
    this.#wake();
  }

  /** Works until it is ended. */
  async live(): Promise<void> {
    while (!this.#ended) {
      try {
        if (!(await this.#act())) await new Promise<void>((resolve) => (this.#wake = resolve));
      } catch (error) {
        this.#drop();
        this.#tell({ kind: 'failed', words: messageOf(error), lost: false });
      }
      // wishes are heard between two pieces of work
      await breathe();
    }
    this.#drop();
  }

  end(): void {
    this.#ended = true;
    this.#wake();
  }

  /** The next piece of work; false where there is none. */
  async #act(): Promise<boolean> {
    const task = this.#tasks.shift();
    if (task) await task();
    else if (this.#keeps) await this.#keep();
    else if (!this.#current || this.#held) return false;
    else if (this.#fresh) await this.#advance(this.#current);
    else if (this.#writes || (this.#trains && this.#isDue())) await this.#write(this.#current);
    else if (this.#trains) await this.#advance(this.#current);
    else return false;
    return true;
  }

  async #run(job: Job): Promise<void> {
    let next: Current;
    try {
      next = await this.#begin(job);
    } catch (error) {
      this.#tell({ kind: 'refused', id: job.id, words: messageOf(error) });
      return;
    }
    await this.#keep();
    this.#drop();
    this.#current = next;
    this.#trains = this.#toTrain;
    this.#fresh = this.#writes = true;
    this.#kept = performance.now();
    const { writer, vocabulary, note } = next;
    this.#tell({
      kind: 'started',
      id: job.id,
      config: writer.model.config,
      characters: vocabulary.characters,
      parameters: parameterCount(writer.model),
      length: this.#texts.get(keyOf(job.source))?.length ?? 0,
      step: writer.step,
      ...(note === undefined ? {} : { note }),
    });
    this.#tellTrains();
  }

  async #begin({ id, source, settings, ...job }: Job): Promise<Current> {
    const device = this.#device;
    const text = this.#texts.get(keyOf(source)) ?? (await readSource(source));
    const file =
      job.file && (await openModel(job.file, { text, context: job.config.context }, device));
    try {
      const { context } = file?.model.config ?? job.config;
      const fault = faultOf(text, context);
      if (fault !== undefined) throw new Error(fault);
      const vocabulary =
        file?.vocabulary ?? (job.characters ? new Vocabulary(job.characters) : Vocabulary.of(text));
      const corpus = splitText(vocabulary.encode(text));
      if (corpus.heldOut.length < context + 2)
        throw new Error('the model knows too little of the text’s characters');
      const config = file?.model.config ?? { ...job.config, vocabulary: vocabulary.size };
      const writer = new Writer({
        ...{ config, settings, corpus, device },
        ...(file ? { model: file.model } : {}),
        ...(job.from ? { from: job.from } : {}),
      });
      this.#texts.set(keyOf(source), text);
      return { id, writer, vocabulary, reports: writer.train(), note: file?.note };
    } catch (error) {
      file?.model.dispose();
      throw error;
    }
  }

  /** Learns, or tests, until there is something to tell. */
  async #advance({ id, writer, reports }: Current): Promise<void> {
    const start = performance.now();
    const report = await reports.next();
    this.#fresh = false;
    if (report.done === true) {
      this.#trains = false;
      this.#writes = true;
      await this.#keep();
      this.#tell({ kind: 'done', id });
      return;
    }
    const { value } = report;
    if (value.kind === 'test') {
      this.#tell({ ...value, id });
    } else {
      const seconds = (performance.now() - start) / 1000;
      this.#tell({ ...value, id, seconds, cost: writer.cost });
      if (!value.losses.every(Number.isFinite)) this.#diverge(id, value.step);
    }
    if (this.#trains && performance.now() - this.#kept > CHECKPOINT_MS) await this.#keep();
  }

  #diverge(id: number, step: number): void {
    this.#drop();
    this.#tell({ kind: 'diverged', id, step });
  }

  /** What is wished meanwhile does not wait. */
  #isInterrupted(): boolean {
    return this.#tasks.length > 0 || this.#writes || this.#held || this.#ended;
  }

  #isDue(): boolean {
    const { at, ms } = this.#wrote;
    return performance.now() - at > Math.max(LEARNING.leastMs, LEARNING.times * ms);
  }

  async #write({ id, writer, vocabulary }: Current): Promise<void> {
    this.#writes = false;
    const given = vocabulary.encode(this.#sampling.prompt);
    const prompt = given.length > 0 ? given : Int32Array.of(0);
    this.#tell({ kind: 'writing', id, step: writer.step, prompt: vocabulary.decode(prompt) });
    const options = () => ({ ...this.#sampling, random: Math.random });
    const start = performance.now();
    let count = 0;
    for await (const drawn of write(writer.model, this.#device, prompt, options)) {
      const { token, ...rest } = drawn;
      this.#tell({ kind: 'character', id, character: vocabulary.decode([token]), ...rest });
      count++;
      await breathe();
      const late = count >= WRITING.least && performance.now() - start > WRITING.mostMs;
      if (count >= WRITING.most || late) break;
      if (this.#isInterrupted()) break;
    }
    const now = performance.now();
    this.#wrote = { at: now, ms: now - start };
    this.#tell({ kind: 'written', id, perSecond: (1000 * count) / (now - start) });
  }

  async #save(): Promise<void> {
    const current = this.#current;
    if (!current) return;
    const { id, writer, vocabulary } = current;
    const file = await saveModel({ model: writer.model, vocabulary });
    this.#tell({ kind: 'saved', id, file: new Uint8Array(file) });
  }

  /** Tells where the run is, so that it can go on from there. */
  async #keep(): Promise<void> {
    this.#keeps = false;
    const current = this.#current;
    if (!current) return;
    const checkpoint = await current.writer.checkpoint();
    this.#tell({ kind: 'checkpoint', id: current.id, checkpoint });
    this.#kept = performance.now();
  }

  #tellTrains(): void {
    const id = this.#current?.id;
    if (id !== undefined) this.#tell({ kind: 'trains', id, trains: this.#trains });
  }

  #drop(): void {
    this.#current?.writer.dispose();
    this.#current = undefined;
    this.#trains = this.#writes = this.#fresh = false;
  }
}

const keyOf = (source: Job['source']): string =>
  source.kind === 'own' ? `own ${source.text}` : source.url;
