// Takes the history of runs, and gives their figures as of now.
import { html, nothing, type TemplateResult } from 'lit-html';
import { formatLoss, formatPercent, formatRate } from '../../training/format.ts';
import type { Goal } from '../../training/task.ts';
import { runName } from './form.ts';
import type { History } from './history.ts';

/** What the squared error of a goal is of, as words; whatever loss a run learns by. */
export const ERROR_WORDS: Readonly<Record<Goal, string>> = {
  classes: 'Squared error',
  values: 'Squared error from the curve',
  shares: 'Squared error per pixel',
};

/** A figure with its exact value beside the rounded words. */
function figure(
  name: string,
  words: string,
  value: number | undefined,
  format: (value: number) => string,
): TemplateResult {
  const known = value !== undefined && !Number.isNaN(value);
  return html`<div class=${name === 'main' ? 'main-figure' : ''}>
    <dt>${words}</dt>
    <dd data-figure=${name} data-value=${known ? String(value) : ''}>
      ${known ? format(value) : '–'}
    </dd>
  </div>`;
}

export function figures(history: History, goal: Goal, names: readonly string[]): TemplateResult {
  const several = history.runs.length > 1;
  return html`<div class="run-figures ${several ? 'several' : ''}">
    ${history.runs.map((run, i) => {
      const { test, trainingLoss, speed, diverged } = run;
      const when = whenOf(run, history.loaded);
      const heldOut = diverged === undefined ? test?.heldOut : undefined;
      const main =
        diverged !== undefined
          ? figure('main', `Diverged at step ${diverged}`, undefined, formatLoss)
          : goal === 'classes'
            ? figure('main', `Held-out accuracy${when}`, heldOut?.accuracy, formatPercent)
            : figure('main', `${ERROR_WORDS[goal]}${when}`, heldOut?.error, formatLoss);
      return html`<section class="run-figure c${i + 1}" data-run=${i}>
        ${several ? runHeading(i, names) : nothing}
        <dl class="figures">
          ${main} ${figure('held-out-loss', 'Held-out loss', heldOut?.loss, formatLoss)}
          ${figure('training-loss', 'Training loss', trainingLoss, formatLoss)}
          ${figure('speed', 'Steps/s', speed.stepsPerSecond, formatRate)}
        </dl>
      </section>`;
    })}
  </div>`;
}

/** When a run was tested last, in words. */
function whenOf({ test, epochs }: History['runs'][number], loaded: string | undefined): string {
  if (!test) return '';
  if (test.step === 0) return loaded === undefined ? ', untrained' : ', as loaded';
  const whole = epochs.some(({ step }) => step === test.step);
  return whole ? `, epoch ${test.epoch}` : `, step ${test.step}`;
}

/** The run's letter in its colour, and what sets it apart. */
function runHeading(index: number, names: readonly string[]): TemplateResult {
  return html`<h3 class="run-name">
    <span class="key c${index + 1}">${runName(index)}</span> ${names[index] ?? ''}
  </h3>`;
}
