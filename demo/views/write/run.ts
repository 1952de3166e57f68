// Takes what happened to a run, and gives what is known of it: its curves, figures, and what it wrote.
import { addThinned } from '../../lab/curves.ts';
import type { Checkpoint } from '../../training/checkpoint.ts';
import { Pace } from '../../training/pace.ts';
import type { GptConfig } from '../../writing/config.ts';
import type { StepCost } from '../../writing/writer.ts';
import type { Character, Happening, Source, Started, Steps } from './protocol.ts';
import { LABELS, type Choice } from './settings.ts';

/** Pieces are few and their losses noisy: the curve shows a running mean over about so many steps. */
const SMOOTHING = 20;
/** Earlier pieces of writing that are kept. */
const MOST_EARLIER = 40;

/** `starting`: its text or its device is on the way; `failed`: what was learned since the last copy is lost. */
export type Phase = 'starting' | 'running' | 'paused' | 'done' | 'failed' | 'diverged';

/** What was written at a step. */
export interface Sample {
  readonly step: number;
  /** The characters that it wrote on from. */
  readonly prompt: readonly string[];
  readonly characters: Character[];
  /** Nothing is added any more. */
  whole: boolean;
}

export interface Earlier {
  readonly step: number;
  readonly text: string;
}

/** What another page could show, and train further. */
export interface RunState {
  readonly id: number;
  /** Which of the colours it has. */
  readonly slot: number;
  readonly choice: Choice;
  readonly source: Source;
  /** The name of the file that it began with. */
  readonly loaded: string | undefined;
  phase: Phase;
  /** To be done in all. */
  steps: number;
  step: number;
  readonly training: Map<number, number>;
  readonly heldOut: Map<number, number>;
  mean: number | undefined;
  trainingLoss: number | undefined;
  heldOutLoss: number | undefined;
  cost: StepCost | undefined;
  started: Started | undefined;
  checkpoint: Checkpoint | undefined;
  readonly earlier: Earlier[];
}

export class Run {
  readonly state: RunState;
  /** Of steps alone. */
  readonly pace = new Pace();
  /** Of a run with all that it does beside them. */
  readonly progress = new Pace();
  #since = 0;
  /** Characters written per second, when it last wrote. */
  perSecond: number | undefined;
  sample: Sample | undefined;

  constructor(state: RunState) {
    this.state = state;
  }

  static of(
    init: Pick<RunState, 'id' | 'slot' | 'choice' | 'source' | 'loaded'>,
    steps: number,
  ): Run {
    return new Run({
      ...init,
      phase: 'starting',
      steps,
      step: 0,
      training: new Map(),
      heldOut: new Map(),
      mean: undefined,
      trainingLoss: undefined,
      heldOutLoss: undefined,
      cost: undefined,
      started: undefined,
      checkpoint: undefined,
      earlier: [],
    });
  }

  get letter(): string {
    return String.fromCharCode(65 + (this.state.id % 26));
  }

  /** What sets it apart from others. */
  get name(): string {
    const { choice, started, loaded, source } = this.state;
    const { activation, norm } = started?.config ?? choice;
    const parts = [LABELS[activation], LABELS[norm], loaded ?? choice.size];
    const text = { moby: [], names: ['names'], own: ['own text'] }[source.kind];
    return [...parts, ...text].join(' · ');
  }

  get active(): boolean {
    return this.state.phase === 'running' || this.state.phase === 'starting';
  }

  take(happening: Happening): void {
    const { state } = this;
    switch (happening.kind) {
      case 'started':
        state.started = startedOf(happening);
        this.#rewind(happening.step);
        break;
      case 'trains':
        this.#since = performance.now();
        if (happening.trains) state.phase = 'running';
        else if (state.phase !== 'done') state.phase = 'paused';
        break;
      case 'steps':
        this.#steps(happening);
        break;
      case 'test':
        state.heldOut.set(happening.step, happening.loss);
        state.heldOutLoss = happening.loss;
        break;
      case 'done':
        state.phase = 'done';
        break;
      case 'diverged':
        state.phase = 'diverged';
        break;
      case 'writing': {
        this.#putAway();
        const { step, prompt } = happening;
        this.sample = { step, prompt: Array.from(prompt), characters: [], whole: false };
        break;
      }
      case 'character': {
        const { character, probability, seen, attention } = happening;
        this.sample?.characters.push({ character, probability, seen, attention });
        break;
      }
      case 'written':
        this.perSecond = happening.perSecond;
        if (this.sample) this.sample.whole = true;
        break;
      case 'checkpoint':
        state.checkpoint = happening.checkpoint;
        break;
      case 'opened':
      case 'saved':
      case 'refused':
      case 'failed':
        break;
    }
  }

  #steps({ step, losses, seconds, cost }: Steps): void {
    const { state } = this;
    state.step = step;
    losses.forEach((loss, i) => {
      // the mean of all that there are at first: they fall fast
      const count = Math.min(SMOOTHING, step - losses.length + i + 1);
      state.mean = state.mean === undefined ? loss : state.mean + (loss - state.mean) / count;
    });
    if (state.mean !== undefined) addThinned(state.training, step, state.mean);
    state.trainingLoss = losses.at(-1);
    this.pace.add(losses.length, seconds);
    const now = performance.now();
    this.progress.add(losses.length, (now - this.#since) / 1000);
    this.#since = now;
    state.cost = cost ?? state.cost;
  }

  /** Forgets what came after a step: a run goes on from there. */
  #rewind(step: number): void {
    for (const values of [this.state.training, this.state.heldOut]) {
      for (const at of [...values.keys()]) if (at > step) values.delete(at);
    }
    this.state.step = step;
  }

  /** What was written at another step is shown in short. */
  #putAway(): void {
    const { sample } = this;
    const { earlier } = this.state;
    if (!sample || sample.characters.length === 0) return;
    if (earlier.at(-1)?.step === sample.step) earlier.pop();
    earlier.push({ step: sample.step, text: textOf(sample) });
    // the first ones are the worst, and worth seeing: every other one goes
    if (earlier.length > MOST_EARLIER) {
      const kept = earlier.filter((_, i) => i % 2 === 0);
      earlier.splice(0, earlier.length, ...kept);
    }
  }
}

function startedOf({ config, characters, parameters, length, step }: Started): Started {
  return { config, characters, parameters, length, step };
}

/** Given and written, one by one. */
export const charactersOf = ({ prompt, characters }: Sample): string[] => [
  ...prompt,
  ...characters.map(({ character }) => character),
];

export const textOf = (sample: Sample): string => charactersOf(sample).join('');

/** Characters of the text that a second's steps learn from. */
export function charactersPerSecond(run: Run, batchSize: number): number | undefined {
  const steps = run.pace.stepsPerSecond;
  const context: GptConfig['context'] | undefined = run.state.started?.config.context;
  return steps === undefined || context === undefined ? undefined : steps * batchSize * context;
}
