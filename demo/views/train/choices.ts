// Takes what can be chosen; an address's parameters, or settings, a task and a device. Gives a configuration; trainers.
import type { Device } from 'nonlin';
import type { ActivationChoice } from '../../training/activations.ts';
import type { Alerts } from '../../shell/alerts.ts';
import { breathe } from '../../training/breathe.ts';
import type { Checkpoint } from '../../training/checkpoint.ts';
import { parseConfig, TASKS, type Config } from '../../training/config.ts';
import type { LossChoice } from '../../training/loss.ts';
import type { Settings } from '../../training/settings.ts';
import type { Goal, Task } from '../../training/task.ts';
import { Trainer } from '../../training/trainer.ts';

export interface Choices {
  readonly activations: readonly ActivationChoice[];
  readonly losses: Readonly<Record<Goal, readonly LossChoice[]>>;
}

/** The configuration that an address names, and what is wrong with it. */
export function configOf(params: URLSearchParams, { activations, losses }: Choices) {
  return parseConfig(params, (task) => ({
    activations: activations.map(({ op }) => op),
    losses: losses[TASKS[task].goal].map(({ op }) => op),
  }));
}

/** The same, with what is wrong said on the page. */
export function configOfAddress(params: URLSearchParams, choices: Choices, alerts: Alerts): Config {
  const { config, faults } = configOf(params, choices);
  if (faults.length > 0) {
    const words = `The address: ${faults.join('; ')}.`;
    alerts.show({ topic: 'query', words, fault: true });
  }
  return config;
}

/** One after the other: drawing a network's first weights takes a while. */
export async function createTrainers(
  runs: readonly Settings[],
  { activations, losses }: Choices,
  task: Task,
  device: Device,
  from: readonly Checkpoint[] = [],
): Promise<Trainer[]> {
  const trainers: Trainer[] = [];
  for (const [i, settings] of runs.entries()) {
    const activation = activations.find(({ op }) => op === settings.activation);
    const loss = losses[task.goal].find(({ op }) => op === settings.loss);
    if (!activation || !loss) throw new Error('a name without its op');
    const known = from[i] ? { from: from[i] } : {};
    const options = { settings, activation, loss, task, device, breathe, ...known };
    trainers.push(await Trainer.create(options));
  }
  return trainers;
}
