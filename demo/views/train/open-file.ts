// Takes a file that the person chose, and gives its network on the page, or says why it is not there.
import { withProgress } from '../../lab/progress.ts';
import type { Alerts } from '../../shell/alerts.ts';
import type { Config } from '../../training/config.ts';
import { messageOf } from '../../training/format.ts';
import { configOfAddress, type Choices } from './choices.ts';
import type { Experiment } from './experiment.ts';
import { openModel } from './model-file.ts';

/** A file that cannot be read, or does not fit, leaves all as it is. */
export async function openFile(
  file: File,
  experiment: Experiment,
  choices: Choices,
  alerts: Alerts,
): Promise<void> {
  const { device, config, run, work, board } = experiment;
  if (!device) return;
  // what a file of another program does not say is as it is for the run that is chosen
  const own: Config = { ...config, runs: config.runs.slice(run, run + 1) };
  const configOfFile = (params: URLSearchParams | undefined) =>
    params ? configOfAddress(params, choices, alerts) : own;
  try {
    const opened = await withProgress(work, `Loading ${file.name}`, (progress) =>
      openModel(file, configOfFile, choices, device, progress),
    );
    if (!opened || !(await experiment.adopt(opened, file.name))) return;
    const { note } = opened;
    if (note === undefined) board.announcement = `${file.name} is loaded.`;
    else alerts.show({ topic: 'loaded', words: `${file.name}: ${note}`, fault: false });
    await experiment.test();
  } catch (error) {
    const words = `${file.name} could not be loaded: ${messageOf(error)}`;
    alerts.show({ topic: 'error', words, fault: true });
  }
}
