// Takes runs, and gives the figures of the one that is shown, how far it is, and the list of all.
import { html, nothing, type TemplateResult } from 'lit-html';
import { formatDuration, formatLoss, formatRate } from '../../training/format.ts';
import { charactersPerSecond, type Phase, type Run } from './run.ts';
import { SIZES } from './settings.ts';

const STATUS: Readonly<Record<Phase, string>> = {
  starting: 'Starting',
  running: 'Training',
  paused: 'Paused',
  done: 'Finished',
  failed: 'Stopped by an error',
  diverged: 'Diverged',
};

export function progressBar(
  current: Run | undefined,
  pending: Run | undefined,
  device: string | undefined,
): TemplateResult {
  const run = current;
  const { step = 0, steps = 0, phase = 'paused' } = run?.state ?? {};
  const words = pending
    ? 'Loading the text and the device…'
    : run
      ? `${STATUS[phase]}: step ${step.toLocaleString('en')} of ${steps.toLocaleString('en')}`
      : 'Not started';
  const left = phase === 'running' ? run?.progress.secondsFor(steps - step) : undefined;
  const time = left === undefined ? '' : `about ${formatDuration(left)} left`;
  return html`<div class="progress">
    <progress
      id="progress"
      max="1"
      .value=${steps > 0 ? step / steps : 0}
      aria-label="Progress of the training"
    ></progress>
    <p class="progress-text">
      <span id="progress-text">${words}${device === undefined ? '' : ` · on ${device}`}</span>
      <span id="time-left">${time}</span>
    </p>
  </div>`;
}

function figure(
  name: string,
  words: string,
  value: number | undefined,
  format: (value: number) => string,
  more = '',
): TemplateResult {
  return html`<div class=${name === 'held-out-loss' ? 'main-figure' : ''}>
    <dt>${words}</dt>
    <dd data-figure=${name} data-value=${value === undefined ? '' : String(value)}>
      ${value === undefined ? '–' : format(value)}
    </dd>
    ${more === '' ? nothing : html`<dd class="aside">${more}</dd>`}
  </div>`;
}

const whole = (value: number): string => Math.round(value).toLocaleString('en');

export function figures(run: Run | undefined): TemplateResult {
  const state = run?.state;
  const heldOut = state?.heldOutLoss;
  const submits = state?.cost?.submits ?? 0;
  const learned = run && charactersPerSecond(run, SIZES[run.state.choice.size].batchSize);
  return html`<dl class="write-figures">
    ${figure(
      'held-out-loss',
      'Loss on held-out text',
      heldOut,
      formatLoss,
      heldOut === undefined
        ? ''
        : `as unsure as between ${formatRate(Math.exp(heldOut))} characters`,
    )}
    ${figure('training-loss', 'Training loss', state?.trainingLoss, formatLoss)}
    ${figure('speed', 'Steps/s', run?.pace.stepsPerSecond, formatRate)}
    ${figure('learned', 'Characters read/s', learned, whole)}
    ${figure('written', 'Characters written/s', run?.perSecond, formatRate)}
    ${figure(
      'launches',
      'Kernels per step',
      state?.cost?.launches,
      whole,
      submits > 0 ? `in ${submits === 1 ? 'one submit' : `${submits} submits`}` : '',
    )}
  </dl>`;
}

/** Size, and what it learns from, in words. */
export function factsOf(run: Run | undefined): string {
  const started = run?.state.started;
  if (!started) return '';
  const { parameters, characters, length } = started;
  return `${parameters.toLocaleString('en')} learned numbers, ${length.toLocaleString('en')} characters of text, ${characters.length} different ones; a tenth of it is held out`;
}

export interface ListEvents {
  readonly select: (run: Run) => void;
  readonly remove: (run: Run) => void;
}

/** All runs, to be compared and gone back to. */
export function runList(
  runs: readonly Run[],
  current: Run | undefined,
  events: ListEvents,
): TemplateResult | typeof nothing {
  if (runs.length === 0) return nothing;
  return html`<ul class="runs" aria-label="Runs">
    ${runs.map((run) => {
      const { slot, step, heldOutLoss, phase } = run.state;
      const loss = heldOutLoss === undefined ? '–' : formatLoss(heldOutLoss);
      return html`<li
        class="c${slot + 1}"
        data-run=${run.letter}
        data-loss=${heldOutLoss ?? nothing}
      >
        <span class="key">Run ${run.letter}</span>
        <span class="what">${run.name}</span>
        <span class="loss">${loss} at step ${step.toLocaleString('en')}</span>
        ${
          run === current
            ? html`<span class="shown">${STATUS[phase].toLowerCase()}</span>`
            : html`<span class="acts"
                ><button type="button" class="small quiet" @click=${() => events.select(run)}>
                  Go back to it</button
                ><button
                  type="button"
                  class="small quiet"
                  aria-label="Remove run ${run.letter}"
                  @click=${() => events.remove(run)}
                >
                  ×
                </button></span
              >`
        }
      </li>`;
    })}
  </ul>`;
}

/** What it wrote before, the latest first. */
export function earlierTexts(run: Run | undefined): TemplateResult | typeof nothing {
  const earlier = run?.state.earlier ?? [];
  if (earlier.length === 0) return nothing;
  return html`<details class="earlier" open>
    <summary>What it wrote before</summary>
    <ol class="earlier-texts" tabindex="0" aria-label="What it wrote before">
      ${earlier.toReversed().map(
        ({ step, text }) =>
          html`<li>
            <span class="step">step ${step.toLocaleString('en')}</span>
            <span class="words">${text.replaceAll(/\s+/g, ' ')}</span>
          </li>`,
      )}
    </ol>
  </details>`;
}
