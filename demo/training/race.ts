// Takes a task and networks that differ in activation or loss, and gives their training side by side, with how each is doing.
import type { Device } from 'nonlin';
import type { ActivationChoice } from './activations.ts';
import { breathe } from './breathe.ts';
import type { LossChoice } from './loss.ts';
import type { Settings } from './settings.ts';
import type { Task } from './task.ts';
import { Trainer } from './trainer.ts';

/** Between two pictures: often enough to seem to move, and most of the time is left for learning. */
const PICTURE_MS = 150;

/** One of the networks. */
export interface Entrant<Name extends string = string> {
  readonly name: Name;
  readonly activation: ActivationChoice;
  readonly loss: LossChoice;
}

/** How one of the networks is doing. */
export interface Standing<Name extends string = string> {
  readonly name: Name;
  /** Of the second class at each of the places; undefined before the first picture, and where no places are given. */
  readonly shares: Float32Array | undefined;
  /** On examples that it has not seen; undefined before the first test. */
  readonly accuracy: number | undefined;
  /** Loss and accuracy on the latest examples that it has seen; undefined before any. */
  readonly loss: number | undefined;
  readonly training: number | undefined;
}

export interface RaceOptions<Name extends string = string> {
  readonly device: Device;
  readonly task: Task;
  readonly settings: Settings;
  readonly entrants: readonly Entrant<Name>[];
  /** Inputs of which each picture shows the answers, of a task with two classes. */
  readonly places?: Float32Array;
}

export interface RaceEvents<Name extends string = string> {
  /** New standings, of a step of so many. */
  readonly moved: (standings: readonly Standing<Name>[], step: number, steps: number) => void;
  readonly ended: () => void;
  readonly failed: (error: unknown) => void;
}

type Latest = Pick<Standing, 'accuracy' | 'loss' | 'training'>;

export class Race<Name extends string = string> {
  readonly #options: RaceOptions<Name>;
  readonly #events: RaceEvents<Name>;
  #stopped = false;
  #gate: { readonly opened: Promise<void>; readonly open: () => void } | undefined;

  /** Starts at once. */
  constructor(options: RaceOptions<Name>, events: RaceEvents<Name>) {
    this.#options = options;
    this.#events = events;
    this.#run().catch((error: unknown) => {
      // of a race that nobody watches any more, or whose device is gone
      if (!this.#stopped) events.failed(error);
    });
  }

  pause(): void {
    let open = (): void => undefined;
    const opened = new Promise<void>((resolve) => (open = resolve));
    this.#gate ??= { opened, open };
  }

  resume(): void {
    this.#gate?.open();
    this.#gate = undefined;
  }

  stop(): void {
    this.#stopped = true;
    this.resume();
  }

  async #run(): Promise<void> {
    const { device, task, settings, entrants } = this.#options;
    const trainers: Trainer[] = [];
    try {
      for (const { name, activation, loss } of entrants) {
        const own = { ...settings, activation: name };
        const options = { settings: own, activation, loss, task, device, breathe };
        trainers.push(await Trainer.create(options));
      }
      await this.#learn(trainers);
    } finally {
      for (const trainer of trainers) trainer.dispose();
    }
  }

  async #learn(trainers: readonly Trainer[]): Promise<void> {
    const latest = trainers.map((): Latest => ({
      accuracy: undefined,
      loss: undefined,
      training: undefined,
    }));
    const going = new Map(trainers.map((trainer, i) => [i, trainer.train()]));
    let drawn = -Infinity;
    while (going.size > 0) {
      for (const [i, reports] of going) {
        await this.#gate?.opened;
        if (this.#stopped) return;
        const { done, value } = await reports.next();
        const before = latest[i];
        if (done) going.delete(i);
        else if (!before || value.kind === 'testing') continue;
        else if (value.kind === 'epoch')
          latest[i] = { ...before, accuracy: value.heldOut.accuracy };
        else latest[i] = { ...before, loss: value.score.loss, training: value.score.accuracy };
      }
      if (going.size > 0 && performance.now() - drawn < PICTURE_MS) continue;
      const standings: Standing<Name>[] = [];
      for (const [i, trainer] of trainers.entries()) {
        const shares = await this.#sharesOf(trainer);
        if (this.#stopped) return;
        const [entrant, now] = [this.#options.entrants[i], latest[i]];
        if (entrant && now) standings.push({ name: entrant.name, shares, ...now });
      }
      drawn = performance.now();
      const [first] = trainers;
      this.#events.moved(standings, first?.step ?? 0, first?.steps ?? 0);
    }
    this.#events.ended();
  }

  async #sharesOf(trainer: Trainer): Promise<Float32Array | undefined> {
    const { places } = this.#options;
    if (!places) return undefined;
    const answers = await trainer.predict(places);
    return answers.filter((_, k) => k % 2 === 1);
  }
}
