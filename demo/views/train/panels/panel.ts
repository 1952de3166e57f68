// In: nothing. Out: what a task shows of its networks, below the charts.
import type { Report, Trainer } from '../../../training/trainer.ts';

export interface Panel {
  readonly element: HTMLElement;
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
