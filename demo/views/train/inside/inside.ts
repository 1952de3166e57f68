// Takes the networks that are shown, and gives what is inside one of them as it learns: pictures of its units, histograms
// of its layers. Only what is seen is read, and not at every step.
import { render } from 'lit-html';
import { Latest } from '../../../lab/latest.ts';
import { Visible } from '../../../lab/visible.ts';
import { onTheme } from '../../../shell/theme.ts';
import type { TaskName } from '../../../training/config.ts';
import type { Trainer } from '../../../training/trainer.ts';
import { runName } from '../form.ts';
import { askShown } from '../panels/panel.ts';
import { histogramFigures, histogramsOf, type Seen } from './histograms.ts';
import { picturesOf } from './pictures.ts';
import { UnitPictureBoard } from './unit-pictures.ts';

/** Between two looks: so many times as long as a look takes. Much of that is waiting for steps, so there is a most, too. */
const REST = 3;
const REST_MS = { least: 600, most: 2000 };
/** Held-out examples that layers are looked at with. */
const PROBE = 100;

export class Inside {
  readonly histograms = document.createElement('div');
  readonly #units = new UnitPictureBoard();
  readonly #visible: Visible;
  readonly #untheme: () => void;
  readonly #looking: Latest;
  #trainers: readonly Trainer[] = [];
  #run = 0;
  #task: TaskName = 'digits';
  #first: Seen | undefined;
  #due = 0;

  constructor(failed: (error: unknown) => void) {
    this.#looking = new Latest(
      () =>
        askShown(
          () => this.#trainers,
          (trainers) => this.#look(trainers),
        ),
      failed,
    );
    this.#visible = new Visible(() => this.refresh());
    this.#visible.watch(this.pictures);
    this.#visible.watch(this.histograms);
    this.#untheme = onTheme(() => this.#units.paint());
  }

  get pictures(): HTMLElement {
    return this.#units.element;
  }

  use(task: TaskName, trainers: readonly Trainer[]): void {
    this.#task = task;
    this.#trainers = trainers;
    this.#start();
  }

  /** Looks into another of the networks. */
  select(run: number): void {
    if (run === this.#run) return;
    this.#run = run;
    this.#start();
  }

  /** Looks again, if the last look was long enough ago. */
  tick(): void {
    if (performance.now() >= this.#due) this.refresh();
  }

  refresh(): void {
    if (this.#trainers.length > 0) this.#looking.ask();
  }

  dispose(): void {
    this.#trainers = [];
    this.#visible.dispose();
    this.#untheme();
  }

  #start(): void {
    this.#first = undefined;
    this.#due = 0;
    this.#units.use(picturesOf(this.#task), this.#trainers.length > 1 ? runName(this.#run) : '');
    render('', this.histograms);
    this.refresh();
  }

  async #look(trainers: readonly Trainer[]): Promise<void> {
    const run = this.#run;
    const trainer = trainers[run] ?? trainers[0];
    if (!trainer) return;
    const start = performance.now();
    this.#due = Infinity;
    const same = () => trainers === this.#trainers && run === this.#run;
    try {
      if (this.#visible.has(this.pictures)) {
        const layers = await this.#units.take(trainer);
        if (layers && same()) this.#units.show(layers);
      }
      // the first look is kept, also where nobody sees it: later ones are held against it
      if (same() && (!this.#first || this.#visible.has(this.histograms))) {
        const { heldOut } = trainer.task;
        const count = Math.min(PROBE, heldOut.count);
        const { x } = heldOut.gather(Uint32Array.from({ length: count }, (_, i) => i));
        const now = { step: trainer.step, layers: await trainer.activations(x) };
        if (!same()) return;
        this.#first ??= now;
        const histograms = histogramsOf(this.#first, now);
        render(histogramFigures(histograms, this.#first.step, now.step), this.histograms);
      }
    } finally {
      const end = performance.now();
      this.#due = end + Math.min(REST_MS.most, Math.max(REST_MS.least, REST * (end - start)));
    }
  }
}
