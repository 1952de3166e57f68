// In: the state of the view that trains. Out: its page.
import { html, type TemplateResult } from 'lit-html';
import { TASKS } from '../../training/config.ts';
import type { Trainer } from '../../training/trainer.ts';
import { figures, layerTable } from './dashboard.ts';
import { runName, settingsForm, type FormEvents, type FormState } from './form.ts';
import type { History } from './history.ts';
import { epochTable, progressBar, taskTabs, toolbar, type ToolbarActions } from './run-controls.ts';
import type { Phase } from './session.ts';

export interface PageState extends FormState {
  readonly params: URLSearchParams;
  readonly phase: Phase;
  /** There is a device, and the task's data. */
  readonly ready: boolean;
  readonly loaded: boolean;
  /** The device was lost; to train is to open another. */
  readonly lost: boolean;
  readonly history: History;
  /** What tells the runs apart. */
  readonly names: readonly string[];
  readonly trainer: Trainer | undefined;
  /** Read aloud. */
  readonly announcement: string;
  readonly charts: HTMLElement;
  readonly panel: HTMLElement;
}

export function trainPage(state: PageState, actions: FormEvents & ToolbarActions): TemplateResult {
  const { config, run, phase, history, names } = state;
  const { task } = config;
  const { goal, lead } = TASKS[task];
  const shownPhase = !state.ready && phase === 'idle' ? 'loading' : phase;
  return html`<div class="intro">
      <h1>Train</h1>
      <p class="lead">${lead}</p>
    </div>
    ${taskTabs(task, state.params)}
    <div
      class="train"
      id="app"
      data-phase=${shownPhase}
      data-step=${history.step}
      data-task=${task}
    >
      <section class="settings" aria-labelledby="settings-title">
        <h2 id="settings-title" class="visually-hidden">Settings</h2>
        ${settingsForm(state, actions)}
      </section>
      <section class="run" aria-labelledby="run-title">
        <h2 id="run-title" class="visually-hidden">Run</h2>
        ${toolbar({
          phase,
          ready: state.ready || state.lost,
          run: config.runs.length > 1 ? runName(run) : '',
          ...actions,
        })}
        ${progressBar(history, phase, state.trainer)} ${figures(history, goal, names)}
        <p id="announcement" class="visually-hidden" role="status">${state.announcement}</p>
        ${state.charts} ${layerTable(history, names)} ${epochTable(history, goal)}
      </section>
      ${state.loaded ? state.panel : html`<p class="help loading">Loading the task…</p>`}
    </div>`;
}
