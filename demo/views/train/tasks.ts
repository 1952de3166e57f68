// In: the name of a task. Out: its data (the digits are fetched once), and the panel that shows its networks.
import { fetchDigits, splitDigits, type Digits } from '../../training/digits.ts';
import type { TaskName } from '../../training/config.ts';
import type { Task } from '../../training/task.ts';
import { autoencoderTask, digitsTask } from '../../training/tasks/digits.ts';
import { regressionTask } from '../../training/tasks/regression.ts';
import { spiralsTask } from '../../training/tasks/spirals.ts';
import type { Panel, PanelEvents } from './panels/panel.ts';

export interface LoadedTask {
  readonly task: Task;
  readonly createPanel: (events: PanelEvents) => Panel;
}

let digits: Promise<{ training: Digits; heldOut: Digits }> | undefined;

function loadDigits() {
  digits ??= fetchDigits(new URL('mnist.bin.gz', document.baseURI)).then(splitDigits);
  digits.catch(() => {
    // what failed once may be tried again
    digits = undefined;
  });
  return digits;
}

export async function loadTask(name: TaskName): Promise<LoadedTask> {
  switch (name) {
    case 'digits': {
      const [split, { DigitsPanel }] = await Promise.all([
        loadDigits(),
        import('./panels/digits-panel.ts'),
      ]);
      return {
        task: digitsTask(split),
        createPanel: (events) => new DigitsPanel(split.heldOut, events),
      };
    }
    case 'autoencoder': {
      const [split, { AutoencoderPanel }] = await Promise.all([
        loadDigits(),
        import('./panels/autoencoder-panel.ts'),
      ]);
      return {
        task: autoencoderTask(split),
        createPanel: (events) => new AutoencoderPanel(split.heldOut, events),
      };
    }
    case 'spirals': {
      const task = spiralsTask();
      const { SpiralsPanel } = await import('./panels/spirals-panel.ts');
      return { task, createPanel: (events) => new SpiralsPanel(task, events) };
    }
    case 'regression': {
      const task = regressionTask();
      const { RegressionPanel } = await import('./panels/regression-panel.ts');
      return { task, createPanel: (events) => new RegressionPanel(task, events) };
    }
  }
}
