// Takes the state of the view that trains, and gives its page.
import { html, nothing, type TemplateResult } from 'lit-html';
import { TASKS } from '../../training/config.ts';
import { formatSizes } from '../../training/settings.ts';
import type { Trainer } from '../../training/trainer.ts';
import { earlierLine, type EarlierRun } from './earlier.ts';
import { figures } from './figures.ts';
import { runName, settingsForm, type FormEvents, type FormState } from './form.ts';
import type { History } from './history.ts';
import { layerTable } from './layer-table.ts';
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
  /** What the button says that goes on with a run which failed. */
  readonly resumeLabel: string | undefined;
  /** The runs have ended, and more epochs can follow. */
  readonly canGoOn: boolean;
  /** There is room for the settings beside the rest. */
  readonly wide: boolean;
  readonly history: History;
  /** The runs before these, drawn in grey. */
  readonly earlier: readonly EarlierRun[];
  /** What tells the runs apart. */
  readonly names: readonly string[];
  readonly trainer: Trainer | undefined;
  /** Read aloud. */
  readonly announcement: string;
  readonly charts: HTMLElement;
  readonly gradients: HTMLElement;
  readonly panel: HTMLElement;
  /** What else the task shows of its networks. */
  readonly below: HTMLElement;
  /** What the networks hold: pictures of their units, histograms of their layers. */
  readonly pictures: HTMLElement;
  readonly histograms: HTMLElement;
  /** Where work that takes a while says how far it is. */
  readonly work: HTMLElement;
}

export interface PageActions extends FormEvents, ToolbarActions {
  /** Forgets the runs drawn in grey. */
  readonly clearEarlier: () => void;
}

export function trainPage(state: PageState, actions: PageActions): TemplateResult {
  const { config, run, phase, history, names } = state;
  const { task, runs } = config;
  const { goal, lead } = TASKS[task];
  const shownPhase = !state.ready && phase === 'idle' ? 'loading' : phase;
  const panel = state.loaded ? state.panel : html`<div class="loading"></div>`;
  const several = runs.length > 1 ? 'several' : '';
  const parts = html`<div class="stage of-${task} ${several}">
      ${panel} ${state.charts} ${state.pictures}
    </div>
    ${earlierLine(state.earlier, config, actions.clearEarlier)}
    ${layerTable(history, names, state.gradients)}
    <details class="layers" open ?hidden=${!state.trainer}>
      <summary>Activations of each layer${several ? `, ${runName(run)}` : ''}</summary>
      ${state.histograms}
    </details>
    ${state.loaded ? state.below : nothing} ${epochTable(history, goal)}`;
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
        <details class="settings-fold" .open=${state.wide}>
          <summary><strong>Settings</strong> ${summaryOf(state)}</summary>
          ${settingsForm(state, actions)}
        </details>
      </section>
      <section class="run" aria-labelledby="run-title">
        <h2 id="run-title" class="visually-hidden">Run</h2>
        ${toolbar({
          ...actions,
          phase,
          ready: state.ready || state.lost,
          run: runs.length > 1 ? runName(run) : '',
          resumeLabel: state.resumeLabel,
          canGoOn: state.canGoOn,
        })}
        ${state.loaded ? progressBar(history, phase, state.trainer) : nothing} ${state.work}
        ${figures(history, goal, names)}
        <p id="announcement" class="visually-hidden" role="status">${state.announcement}</p>
        ${parts}
      </section>
    </div>`;
}

/** The settings in a line, for where they are folded away. */
function summaryOf({ config: { runs }, names }: PageState): string {
  const [first] = runs;
  if (!first) return '';
  if (runs.length > 1) return names.join(' · ');
  const { activation, loss, width, layers, sizes, epochs } = first;
  const hidden = sizes ? formatSizes(sizes) : `${layers} × ${width}`;
  return `${activation} · ${loss} · ${hidden} · ${epochs} epochs`;
}
