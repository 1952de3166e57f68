// Takes the person's wishes and a kind of device, and gives runs: a worker trains one at a time, the others wait as they are.
// It outlives the view, so that leaving one's run is no end of it.
import { TabStore } from '../../lab/tab-store.ts';
import type { Command, Happening, Job, Sampling, Source } from './protocol.ts';
import { Run, type RunState } from './run.ts';
import { configOf, settingsOf, SIZES, type Choice } from './settings.ts';

export const MOST_RUNS = 4;
const STORED = new TabStore('write');
/** Larger models are kept while the page is open: copying them would hold it up. */
const MOST_PARAMETERS = 5e5;

/** What another page needs to go on. */
interface Kept {
  readonly runs: readonly RunState[];
  readonly current: number | undefined;
  readonly own: string;
  readonly sampling: Sampling;
}

/** How long a worker may take to say where its run is, before it is ended. */
const PARTING_MS = 5000;

export interface SessionEvents {
  /** There is something else to show. */
  readonly changed: () => void;
  /** A run could not be begun: what is shown stays. */
  readonly refused: (words: string) => void;
  /** The run ended by an error, and is as it was at its last copy. */
  readonly failed: (words: string) => void;
  /** What a file does not say was found out. */
  readonly found: (run: Run, words: string) => void;
  readonly diverged: (run: Run, step: number) => void;
  readonly saved: (run: Run, file: Uint8Array<ArrayBuffer>) => void;
  /** A run gave way to others. */
  readonly dropped: (run: Run) => void;
}

export class Session {
  /** The newest last. */
  readonly runs: Run[] = [];
  /** Whose model is at hand. */
  current: Run | undefined;
  /** One that is being begun. */
  pending: Run | undefined;
  /** What the worker runs on, in words. */
  device: string | undefined;
  events: SessionEvents | undefined;
  /** The text that the person has put in. */
  own = '';
  sampling: Sampling = { temperature: 0.8, topK: 0, prompt: 'Call me ' };
  #worker: Worker | undefined;
  #backend: 'webgpu' | 'cpu' | undefined;
  /** The run that the worker has. */
  #loaded: Run | undefined;
  #held = false;
  #numbered = 0;
  #kept: () => void = () => undefined;

  /** Takes over what the page had before it was loaded again, unless there are runs already. */
  async revive(): Promise<void> {
    const kept = (await STORED.get()) as Kept | undefined;
    if (!kept || this.runs.length > 0 || this.pending) return;
    for (const state of kept.runs) {
      const phase =
        state.phase === 'running' || state.phase === 'starting' ? 'paused' : state.phase;
      this.runs.push(new Run({ ...state, phase }));
    }
    this.own = kept.own;
    this.sampling = kept.sampling;
    this.current = this.runs.find(({ state }) => state.id === kept.current);
    this.#numbered = 1 + Math.max(-1, ...this.runs.map(({ state }) => state.id));
    this.events?.changed();
  }

  /** Keeps what there is for the page's next load. */
  async #store(): Promise<void> {
    const runs = this.runs
      .map(({ state }) => state)
      .filter(({ started }) => started && started.parameters <= MOST_PARAMETERS);
    const { own, sampling } = this;
    const kept: Kept = { runs, current: this.current?.state.id, own, sampling };
    await STORED.put(kept);
  }

  /** Begins a run beside those that there are. */
  start(choice: Choice, source: Source): void {
    this.#begin(this.#new(choice, source, undefined), true);
  }

  /** The same with the model of a file, which does not train by itself. */
  open(name: string, file: Uint8Array<ArrayBuffer>, choice: Choice, source: Source): void {
    this.#begin(this.#new(choice, source, name), false, file);
  }

  pause(): void {
    this.#send({ kind: 'pause' });
  }

  /** Goes on with the run that is shown. */
  resume(): void {
    const run = this.current;
    if (!run) return;
    if (this.#loaded === run) this.#send({ kind: 'resume' });
    else this.#begin(run, true);
  }

  /** The same after its end, for so many steps more. */
  more(steps: number): void {
    const run = this.current;
    if (!run) return;
    run.state.steps = run.state.step + steps;
    this.#begin(run, true);
  }

  /** Shows another run, which waits. */
  select(run: Run): void {
    if (run !== this.current) this.#begin(run, false);
  }

  remove(run: Run): void {
    if (run === this.current) return;
    this.runs.splice(this.runs.indexOf(run), 1);
    this.#store().catch(() => undefined);
    this.events?.changed();
  }

  save(): void {
    this.#ready();
    this.#send({ kind: 'save' });
  }

  /** Writes now, once more. */
  write(): void {
    if (this.#ready()) this.#send({ kind: 'write' });
  }

  sample(sampling: Sampling): void {
    this.sampling = sampling;
    this.#send({ kind: 'sampling', sampling });
  }

  hold(held: boolean): void {
    this.#held = held;
    this.#send({ kind: 'hold', held });
  }

  /** Runs go on there; one that trains waits until it is told to. */
  async useBackend(backend: 'webgpu' | 'cpu'): Promise<void> {
    const before = this.#backend;
    this.#backend = backend;
    if (before === undefined || before === backend || !this.#worker) return;
    const kept = new Promise<void>((resolve) => (this.#kept = resolve));
    this.#send({ kind: 'pause' });
    if (this.#loaded) await Promise.race([kept, wait(PARTING_MS)]);
    this.#part('paused');
    this.events?.changed();
  }

  #new(choice: Choice, source: Source, loaded: string | undefined): Run {
    const taken = new Set(this.runs.map(({ state }) => state.slot));
    const free = Array.from({ length: MOST_RUNS }, (_, i) => i).find((i) => !taken.has(i));
    // the colour of the one that has to give way
    const slot = free ?? this.#oldest()?.state.slot ?? 0;
    return Run.of({ id: this.#numbered++, slot, choice, source, loaded }, choice.steps);
  }

  #oldest(): Run | undefined {
    return this.runs.find((run) => run !== this.current);
  }

  /** False where the worker had to be told of the run first: it writes by itself then. */
  #ready(): boolean {
    const run = this.current;
    if (!run || this.#loaded === run) return true;
    this.#begin(run, false);
    return false;
  }

  #begin(run: Run, trains: boolean, file?: Uint8Array<ArrayBuffer>): void {
    const { choice, source, started, checkpoint, steps, id } = run.state;
    const settings = { ...settingsOf(choice), steps };
    const config = started?.config ?? configOf(choice);
    this.pending = run;
    const job: Job = {
      ...{ id, config, settings, source, trains },
      ...(started ? { characters: started.characters } : {}),
      ...(checkpoint ? { from: checkpoint } : {}),
      ...(file ? { file } : {}),
    };
    this.#send({ kind: 'run', job });
    this.events?.changed();
  }

  #send(command: Command): void {
    if (!this.#worker) {
      // there is nothing to pause, and what is set is told to the next one
      if (command.kind !== 'run') return;
      const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
      this.#worker = worker;
      worker.addEventListener('message', ({ data }: MessageEvent<Happening>) => {
        if (worker === this.#worker) this.#take(data);
      });
      worker.addEventListener('error', (event) => {
        event.preventDefault();
        if (worker === this.#worker) this.#fail(event.message || 'the worker did not start');
      });
      worker.postMessage({
        kind: 'open',
        backend: this.#backend ?? 'cpu',
      } satisfies Command);
      worker.postMessage({ kind: 'sampling', sampling: this.sampling } satisfies Command);
      worker.postMessage({ kind: 'hold', held: this.#held } satisfies Command);
    }
    this.#worker.postMessage(command);
  }

  #take(happening: Happening): void {
    if (happening.kind === 'opened') this.device = happening.name;
    else if (happening.kind === 'failed') this.#fail(happening.words);
    else if (happening.kind === 'refused') this.#refuse(happening.words);
    else {
      if (happening.kind === 'started') this.#show(happening.id);
      const run = this.#find(happening.id);
      run?.take(happening);
      if (run && happening.kind === 'started' && happening.note !== undefined) {
        this.events?.found(run, happening.note);
      }
      if (happening.kind === 'checkpoint') {
        this.#kept();
        this.#store().catch(() => {
          // no storage, or it is full: the runs outlive the view, not the page
        });
      }
      if (run && happening.kind === 'saved') this.events?.saved(run, happening.file);
      if (run && happening.kind === 'diverged') {
        this.#loaded = undefined;
        this.events?.diverged(run, happening.step);
      }
    }
    this.events?.changed();
  }

  #find(id: number): Run | undefined {
    return this.runs.find(({ state }) => state.id === id);
  }

  /** The run that was to begin has begun. */
  #show(id: number): void {
    const run = this.pending;
    if (run?.state.id !== id) return;
    this.pending = undefined;
    const before = this.current;
    if (before && before !== run && before.active) before.state.phase = 'paused';
    this.current = this.#loaded = run;
    if (this.runs.includes(run)) return;
    this.runs.push(run);
    const oldest = this.runs.length > MOST_RUNS ? this.#oldest() : undefined;
    if (!oldest) return;
    this.runs.splice(this.runs.indexOf(oldest), 1);
    this.events?.dropped(oldest);
  }

  #refuse(words: string): void {
    this.pending = undefined;
    this.events?.refused(words);
  }

  #fail(words: string): void {
    this.#part('failed');
    this.events?.failed(words);
    this.events?.changed();
  }

  /** Ends the worker; the run that it had is at its last copy. */
  #part(phase: 'paused' | 'failed'): void {
    this.#worker?.terminate();
    this.#worker = this.#loaded = this.pending = this.device = undefined;
    const run = this.current;
    if (run && (run.active || run.state.phase === 'paused')) run.state.phase = phase;
    if (run?.sample) run.sample.whole = true;
  }
}

/** Steps that a finished run can be given on top: half as many as it had. */
export const stepsMore = ({ state: { choice } }: Run): number => SIZES[choice.size].steps / 2;

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

let only: Session | undefined;

/** The page's, with what it had before it was loaded again. */
export async function theSession(): Promise<Session> {
  if (!only) {
    only = new Session();
    await only.revive().catch(() => undefined);
  }
  return only;
}
