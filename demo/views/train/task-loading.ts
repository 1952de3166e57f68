// Takes a task and the panel that is to show it, and gives its data loaded, or a message with a way to try again.
import { withProgress } from '../../lab/progress.ts';
import type { Alerts } from '../../shell/alerts.ts';
import type { TaskName } from '../../training/config.ts';
import { messageOf } from '../../training/format.ts';
import type { TaskPanel } from './task-panel.ts';

export interface Loading {
  readonly alerts: Alerts;
  /** Where it says how far it is. */
  readonly work: HTMLElement;
  readonly signal: AbortSignal;
  readonly again: () => void;
}

export async function loadTaskOf(
  task: TaskName,
  panel: TaskPanel,
  { alerts, work, signal, again }: Loading,
): Promise<void> {
  const failed = (words: string, fault: boolean) => {
    const action = { label: 'Try again', run: again };
    alerts.show({ topic: 'error', words, fault, action });
  };
  try {
    const loaded = await withProgress(
      work,
      'Loading the task’s data',
      (progress) => panel.load(task, progress).then(() => true),
      signal,
    );
    if (!loaded && !signal.aborted) failed('The task was not loaded: cancelled.', false);
  } catch (error) {
    failed(`The task could not be loaded: ${messageOf(error)}`, true);
  }
}
