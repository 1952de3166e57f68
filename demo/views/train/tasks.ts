// Takes the name of a task, and gives its data (the digits are fetched once), and the panel that shows its networks.
import type { Progress } from '../../lab/going.ts';
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

function loadDigits(progress: Progress) {
  if (digits) return digits;
  const address = new URL('mnist.bin.gz', document.baseURI);
  const loading = fetchDigits(address, progress).then(splitDigits);
  digits = loading;
  loading.catch(() => {
    // what failed once, or was cancelled, may be tried again
    if (digits === loading) digits = undefined;
  });
  return loading;
}

export async function loadTask(name: TaskName, progress: Progress): Promise<LoadedTask> {
  switch (name) {
    case 'digits': {
      const [split, { DigitsPanel }] = await Promise.all([
        loadDigits(progress),
        import('./panels/digits-panel.ts'),
      ]);
      return {
        task: digitsTask(split),
        createPanel: (events) => new DigitsPanel(split.heldOut, events),
      };
    }
    case 'autoencoder': {
      const [split, { AutoencoderPanel }] = await Promise.all([
        loadDigits(progress),
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
