// Takes the state of a run, and gives its buttons, progress, the table of epochs, and the tabs of tasks.
import { html, nothing, type TemplateResult } from 'lit-html';
import { guard } from 'lit-html/directives/guard.js';
import { formatAddress } from '../../shell/address.ts';
import { TASK_NAMES, TASKS, type TaskName } from '../../training/config.ts';
import { formatDuration, formatLoss, formatPercent } from '../../training/format.ts';
import type { Goal } from '../../training/task.ts';
import type { Trainer } from '../../training/trainer.ts';
import { runName } from './form.ts';
import type { History } from './history.ts';
import type { Phase } from './session.ts';

const STATUS: Readonly<Record<Phase, string>> = {
  idle: 'Not started',
  running: 'Training',
  paused: 'Paused',
  done: 'Finished',
  stopped: 'Stopped',
  failed: 'Stopped by an error',
};

/** Links to the tasks, and to what is worth a look in this one. */
export function taskTabs(task: TaskName, params: URLSearchParams): TemplateResult {
  const backend = params.get('backend');
  const link = (query: string) => {
    const own = new URLSearchParams(query);
    if (backend !== null) own.set('backend', backend);
    return formatAddress({ view: 'train', params: own });
  };
  return html`<div class="tasks">
    <nav class="task-tabs" aria-label="Tasks">
      ${TASK_NAMES.map(
        (name) =>
          html`<a href=${link(`task=${name}`)} aria-current=${name === task ? 'true' : nothing}
            >${TASKS[name].label}</a
          >`,
      )}
    </nav>
    <p class="examples">
      Try:
      ${TASKS[task].examples.map(({ label, query }) => html`<a href=${link(query)}>${label}</a>`)}
    </p>
  </div>`;
}

export interface ToolbarState {
  readonly phase: Phase;
  readonly ready: boolean;
  /** The name of the run that is saved, where there are several. */
  readonly run: string;
  /** What the button says that goes on with a run which failed. */
  readonly resumeLabel: string | undefined;
  /** The runs have ended, and more epochs can follow. */
  readonly canGoOn: boolean;
}

export interface ToolbarActions {
  readonly pause: () => void;
  readonly resume: () => void;
  readonly goOn: () => void;
  readonly stop: () => void;
  readonly reset: () => void;
  readonly save: () => void;
  readonly open: (file: File) => void;
}

export function toolbar(state: ToolbarState & ToolbarActions): TemplateResult {
  const { phase, ready, run, resumeLabel, canGoOn } = state;
  const active = phase === 'running' || phase === 'paused';
  const trained = ['done', 'stopped', 'paused'].includes(phase);
  return html`<div class="toolbar">
    <button id="train" type="submit" form="settings" class="primary" ?disabled=${active || !ready}>
      Train
    </button>
    ${
      canGoOn
        ? html`<button id="go-on" type="button" ?disabled=${!ready} @click=${state.goOn}>
            Five more epochs
          </button>`
        : resumeLabel === undefined
          ? html`<button id="pause" type="button" ?disabled=${!active} @click=${state.pause}>
              ${phase === 'paused' ? 'Resume' : 'Pause'}
            </button>`
          : html`<button id="resume" type="button" ?disabled=${!ready} @click=${state.resume}>
              ${resumeLabel}
            </button>`
    }
    <button id="stop" type="button" ?disabled=${!active} @click=${state.stop}>Stop</button>
    <button id="reset" type="button" ?disabled=${phase === 'idle'} @click=${state.reset}>
      Reset
    </button>
    <span class="files">
      <button id="save" type="button" class="quiet" ?disabled=${!trained} @click=${state.save}>
        Save ${run === '' ? 'model' : run}
      </button>
      <label class="button quiet ${active || !ready ? 'disabled' : ''}">
        Load model
        <input
          id="load"
          class="visually-hidden"
          type="file"
          accept=".safetensors,.onnx"
          ?disabled=${active || !ready}
          @change=${(event: Event) => {
            const input = event.currentTarget as HTMLInputElement;
            const file = input.files?.[0];
            input.value = '';
            if (file) state.open(file);
          }}
        />
      </label>
    </span>
  </div>`;
}

export function progressBar(
  history: History,
  phase: Phase,
  trainer: Trainer | undefined,
): TemplateResult {
  const steps = trainer?.steps ?? 0;
  const { step, epoch, seconds, pace, testing } = history;
  const diverged = history.runs.every((run) => run.diverged !== undefined);
  const now = diverged ? 'Diverged' : STATUS[phase];
  const status =
    trainer && step > 0
      ? `${now}: epoch ${Math.max(1, epoch)} of ${trainer.settings.epochs}, step ${step} of ${steps}`
      : history.loaded === undefined
        ? now
        : `Loaded: ${history.loaded}`;
  const test = testing === undefined ? '' : `, testing ${Math.round(100 * testing)} %`;
  const words = phase === 'running' ? `${status}${test}` : status;
  let time = '';
  if (phase === 'running') {
    const left = pace.secondsFor(steps - step);
    time = left === undefined ? '' : `about ${formatDuration(left)} left`;
  } else if (phase === 'done') {
    time = `took ${formatDuration(seconds)}`;
  }
  return html`<div class="progress">
    <progress
      id="progress"
      max="1"
      .value=${steps > 0 ? step / steps : 0}
      aria-labelledby="run-title"
    ></progress>
    <p class="progress-text">
      <span id="progress-text">${words}</span>
      <span id="time-left">${time}</span>
    </p>
  </div>`;
}

/** The figures of each epoch, run by run. */
export function epochTable(history: History, goal: Goal): TemplateResult {
  const several = history.runs.length > 1;
  const judged = goal === 'classes' ? 'accuracy' : 'squared error';
  const rows = history.runs.flatMap(({ epochs }, run) => epochs.map((report) => ({ run, report })));
  if (rows.length === 0) return html``;
  const value = (score: { accuracy: number; error: number } | undefined) =>
    score === undefined
      ? '–'
      : goal === 'classes'
        ? formatPercent(score.accuracy)
        : formatLoss(score.error);
  return html`<details class="epochs">
    <summary>Figures of each epoch</summary>
    <div class="table-frame" tabindex="0" role="region" aria-label="Figures of each epoch">
      <table>
        <thead>
          <tr>
            <th scope="col">Epoch</th>
            ${several ? html`<th scope="col">Run</th>` : nothing}
            <th scope="col">Training loss</th>
            <th scope="col">Held-out loss</th>
            <th scope="col">Training ${judged}</th>
            <th scope="col">Held-out ${judged}</th>
          </tr>
        </thead>
        <tbody id="epoch-rows">
          ${guard([history, rows.length], () =>
            rows.map(
              ({ run, report: { epoch, training, heldOut } }) =>
                html`<tr>
                  <th scope="row">${epoch}</th>
                  ${several ? html`<td>${runName(run)}</td>` : nothing}
                  <td>${training ? formatLoss(training.loss) : '–'}</td>
                  <td>${formatLoss(heldOut.loss)}</td>
                  <td>${value(training)}</td>
                  <td>${value(heldOut)}</td>
                </tr>`,
            ),
          )}
        </tbody>
      </table>
    </div>
  </details>`;
}
