// Takes what happened to runs, and gives messages with what can be done about it.
import type { Alert } from '../../shell/alerts.ts';
import type { Settings } from '../../training/settings.ts';
import { describeRun, TASKS, type Config } from '../../training/config.ts';
import { runName } from './form.ts';
import type { KeptRun } from './keeping.ts';

/** The largest norm of gradients that is most often chosen. */
const CLIP_NORM = 1;

/** A run was ended by another setting, task or model. */
export function keptAlert({ config, checkpoints, history }: KeptRun, back: () => void): Alert {
  const names = config.runs.map((_, i) => describeRun(config.runs, i)).join(' · ');
  const step = checkpoints[0]?.step ?? 0;
  const what =
    step === 0 ? `the model of ${history.loaded ?? 'a file'}` : `${names}, ${step} steps`;
  return {
    topic: 'kept',
    words: `Your last run is kept (${TASKS[config.task].label}: ${what}).`,
    fault: false,
    action: { label: 'Bring it back', run: back },
  };
}

/** A run's loss is infinite or NaN; `again` trains with another configuration. */
export function divergedAlert(
  config: Config,
  index: number,
  step: number,
  again: (config: Config) => void,
): Alert {
  const { runs } = config;
  const change = (values: Partial<Settings>): Config => ({
    ...config,
    runs: runs.map((run, i) => (i === index ? { ...run, ...values } : run)),
  });
  const learningRate = Number(((runs[index]?.learningRate ?? 0) / 10).toPrecision(3));
  const clips = (runs[index]?.clipNorm ?? 0) > 0;
  const who = runs.length > 1 ? runName(index) : 'The run';
  return {
    topic: 'diverged',
    words: `${who} diverged: at step ${step} its loss was no longer a finite number. A lower learning rate helps${clips ? '' : ', and so may clipping the gradients'}.`,
    fault: true,
    action: {
      label: `Train with a rate of ${learningRate}`,
      run: () => again(change({ learningRate })),
    },
    ...(clips
      ? {}
      : {
          other: {
            label: `Clip gradients at ${CLIP_NORM}`,
            run: () => again(change({ clipNorm: CLIP_NORM })),
          },
        }),
  };
}
