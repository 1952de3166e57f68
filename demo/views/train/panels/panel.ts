// What a task shows of its networks, below the charts.
import { Latest } from '../../../lab/latest.ts';
import type { Report, Trainer } from '../../../training/trainer.ts';

export interface Panel {
  readonly element: HTMLElement;
  /** What else there is, further down on the page. */
  readonly below?: HTMLElement;
  /** The runs to show from now on, with names that tell them apart; none while there is no model. */
  use(trainers: readonly Trainer[], names: readonly string[]): void;
  report(index: number, report: Report): void;
  /** Asks the networks again; called now and then while they learn. */
  refresh(): void;
  dispose(): void;
}

export interface PanelEvents {
  readonly failed: (error: unknown) => void;
}

/** Asks networks for a picture; that some are gone is no fault once others, or none, are shown. */
export async function askShown(
  shown: () => readonly Trainer[],
  ask: (trainers: readonly Trainer[]) => Promise<void>,
): Promise<void> {
  const trainers = shown();
  try {
    await ask(trainers);
  } catch (error) {
    if (trainers === shown()) throw error;
  }
}

/** A panel of pictures that networks are asked for, now and then. */
export abstract class PicturePanel implements Panel {
  readonly element = document.createElement('section');
  protected trainers: readonly Trainer[] = [];
  protected names: readonly string[] = [];
  readonly #drawing: Latest;

  constructor({ failed }: PanelEvents) {
    this.#drawing = new Latest(
      () =>
        askShown(
          () => this.trainers,
          (trainers) => this.ask(trainers),
        ),
      failed,
    );
  }

  /** Lets go of what other networks have answered. */
  protected abstract forget(): void;
  protected abstract render(): void;
  /** Asks `trainers`, and draws if they are still those shown. */
  protected abstract ask(trainers: readonly Trainer[]): Promise<void>;

  use(trainers: readonly Trainer[], names: readonly string[]): void {
    this.trainers = trainers;
    this.names = names;
    this.forget();
    this.render();
    this.refresh();
  }

  report(): void {
    // pictures are drawn on refresh
  }

  refresh(): void {
    this.#drawing.ask();
  }

  dispose(): void {
    this.trainers = [];
  }
}
