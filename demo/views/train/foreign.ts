// Takes another program's file, and gives the network that is in it, with the task and the settings that it is of: sizes are
// those of its tensors, the activation is what the file says, or the one that fits best.
import type { Device } from 'nonlin';
import type { Progress } from '../../lab/going.ts';
import { TASK_NAMES, TASKS, type Config, type TaskName } from '../../training/config.ts';
import { PIXELS } from '../../training/digits.ts';
import { activationBetween, misfitOf, plainOf, USUAL } from '../../training/fitting.ts';
import { PerceptronError, perceptronOf, withoutTask } from '../../training/perceptron.ts';
import { MOST_WEIGHTS, parseSizes, RANGES, withoutSizes } from '../../training/settings.ts';
import type { Settings } from '../../training/settings.ts';
import type { StateFile } from '../../training/state-file.ts';
import { CLASSES } from '../../training/tasks/digits.ts';
import type { Trainer } from '../../training/trainer.ts';
import { GPT_ELSEWHERE, isGpt } from '../../writing/shapes.ts';
import { createTrainers, type Choices } from './choices.ts';
import { loadTask } from './tasks.ts';

/** What networks of each task lead from, and to. */
const ENDS: Readonly<Record<TaskName, readonly [inputs: number, outputs: number]>> = {
  digits: [PIXELS, CLASSES],
  spirals: [2, 2],
  regression: [1, 1],
  autoencoder: [PIXELS, PIXELS],
};

export interface Opened {
  readonly config: Config;
  readonly trainers: Trainer[];
  /** What was found out of the file, in words. */
  readonly note?: string;
}

/** How many times the misfit of the settings' activation another's may be at most: similar ones differ a little by chance. */
const CLEARLY = 0.9;

/** `own`: a configuration of one run; its settings hold for what the file does not say. */
export async function openForeign(
  file: StateFile,
  own: Config,
  choices: Choices,
  device: Device,
  progress: Progress,
): Promise<Opened | undefined> {
  const taskOf = (inputs: number, outputs: number) =>
    TASK_NAMES.find((name) => ENDS[name][0] === inputs && ENDS[name][1] === outputs);
  if (isGpt(file.tensors)) throw new PerceptronError(GPT_ELSEWHERE);
  const layers =
    file.layers ?? perceptronOf(file.tensors, (...ends) => taskOf(...ends) !== undefined);
  const { sizes } = layers;
  const name = taskOf(sizes[0] ?? 0, sizes.at(-1) ?? 0);
  if (name === undefined) throw withoutTask(sizes);
  const weights = sizes.slice(1).reduce((sum, size, i) => sum + size * (sizes[i] ?? 0), 0);
  if (weights > MOST_WEIGHTS) {
    throw new PerceptronError(`expected at most ${MOST_WEIGHTS} weights, got ${weights}`);
  }
  const [first] = own.runs;
  const settings = first && own.task === name ? first : TASKS[name].settings;
  const shaped = withSizes(settings, sizes.slice(1, -1), name);
  const { task } = await loadTask(name, progress);

  let best: { trainers: Trainer[]; config: Config; toBeat: number } | undefined;
  const known =
    file.between && (await activationBetween(file.between, choices.activations, device));
  const tried =
    known === undefined ? activationsFor(settings.activation, choices, device) : [known];
  for (const [i, activation] of tried.entries()) {
    if (progress.signal.aborted) break;
    progress.report(i / tried.length, `trying ${activation}`);
    const config: Config = { task: name, runs: [{ ...shaped, activation }] };
    const trainers = await createTrainers(config.runs, choices, task, device);
    const drop = (some: readonly Trainer[] = []) => some.forEach((trainer) => trainer.dispose());
    try {
      for (const { network } of trainers) file.into(network, device, layers);
      const [trainer] = trainers;
      const misfit = trainer ? await misfitOf(trainer) : Infinity;
      if (best && misfit >= best.toBeat) drop(trainers);
      else {
        drop(best?.trainers);
        best = {
          trainers,
          config,
          toBeat: activation === settings.activation ? CLEARLY * misfit : misfit,
        };
      }
    } catch (error) {
      drop(trainers);
      drop(best?.trainers);
      throw error;
    }
  }
  if (progress.signal.aborted || !best) {
    for (const trainer of best?.trainers ?? []) trainer.dispose();
    return undefined;
  }
  const { trainers, config } = best;
  const chosen = config.runs[0]?.activation ?? '';
  const others = tried.filter((activation) => activation !== chosen).join(', ');
  const found = `A network of ${sizes.join(' → ')}${known === undefined ? '' : ` with ${known}`}.`;
  if (file.between) return { config, trainers, note: found };
  const fit = ` The file does not name its activation: ${fitting(chosen, chosen === settings.activation)}, of it and ${others}.`;
  return { config, trainers, note: sizes.length > 2 ? found + fit : found };
}

const fitting = (activation: string, own: boolean): string =>
  own
    ? `${activation}, that of the settings, fits the held-out examples as well as any`
    : `${activation} fits the held-out examples best`;

/** Equal widths are settings as the form has them. */
function withSizes(settings: Settings, sizes: readonly number[], task: TaskName): Settings {
  const [width = 0] = sizes;
  const { width: widths, layers } = RANGES;
  const equal =
    task !== 'autoencoder' &&
    sizes.length >= layers.min &&
    sizes.length <= layers.max &&
    width >= widths.min &&
    width <= widths.max &&
    sizes.every((size) => size === width);
  if (equal) return { ...withoutSizes(settings), width, layers: sizes.length };
  // as the address will have them: the same limits hold
  return { ...settings, sizes: parseSizes(sizes.join('-') || 'none') };
}

/** That of the settings first. */
function activationsFor(own: string, choices: Choices, device: Device): string[] {
  const plain = plainOf(choices.activations, device).map(({ op }) => op);
  return [...new Set([own, ...USUAL])].filter((name) => plain.includes(name));
}
