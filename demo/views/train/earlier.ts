// Takes the histories of runs that others take the place of, and gives their curves, to be drawn in grey behind those of
// the next, and a line that names them.
import { html, nothing, type TemplateResult } from 'lit-html';
import { describeRun, TASKS, type Config, type TaskName } from '../../training/config.ts';
import { formatLoss, formatPercent } from '../../training/format.ts';
import type { Score } from '../../training/score.ts';
import type { Settings } from '../../training/settings.ts';
import type { History } from './history.ts';

/** More curves than this are a thicket. */
const MOST = 6;

export interface EarlierRun {
  readonly task: TaskName;
  readonly settings: Settings;
  readonly training: ReadonlyMap<number, Score>;
  readonly heldOut: ReadonlyMap<number, Score>;
}

/** Of this page, as long as it is open: leaving the view keeps them. `keep` may keep them for its next load. */
export class EarlierRuns {
  readonly #keep: (runs: readonly EarlierRun[]) => void;
  #runs: readonly EarlierRun[] = [];
  /** Those that were stored: their curves are others than those of the same runs on the page. */
  #copies: ReadonlySet<EarlierRun> = new Set();

  constructor(keep: (runs: readonly EarlierRun[]) => void = () => undefined) {
    this.#keep = keep;
  }

  /** Takes over those of the page before it was loaded again, unless there are some already. */
  revive(runs: readonly EarlierRun[]): void {
    if (this.#runs.length > 0) return;
    this.#runs = runs;
    this.#copies = new Set(runs);
  }

  /** Takes runs that leave the page. One that diverged would leave no room for the others on a chart. */
  add({ task, runs }: Config, history: History): void {
    const found = history.runs.flatMap(({ training, heldOut, diverged }, i) => {
      const settings = runs[i];
      const useful = settings && diverged === undefined && training.size > 1;
      return useful ? [{ task, settings, training, heldOut }] : [];
    });
    if (found.length > 0) this.#change([...this.#runs, ...found].slice(-MOST));
  }

  /** Lets go of runs that are on the page again. */
  remove(history: History): void {
    const back = new Set<unknown>(history.runs.map(({ training }) => training));
    const ends = new Set(history.runs.map(({ training }) => endOf(training)));
    const left = this.#runs.filter((run) =>
      this.#copies.has(run) ? !ends.has(endOf(run.training)) : !back.has(run.training),
    );
    if (left.length < this.#runs.length) this.#change(left);
  }

  clear(task: TaskName): void {
    this.#change(this.#runs.filter((run) => run.task !== task));
  }

  of(task: TaskName): readonly EarlierRun[] {
    return this.#runs.filter((run) => run.task === task);
  }

  #change(runs: readonly EarlierRun[]): void {
    this.#runs = runs;
    this.#keep(runs);
  }
}

/** Tells one run's curve from another's, also where a reload has copied it: no two losses are alike to the last bit. */
const endOf = (training: ReadonlyMap<number, Score>): string =>
  JSON.stringify([...training].at(-1) ?? []);

/** What sets each earlier run apart from the others and from those on the page, in words. */
export function namesOfEarlier(
  earlier: readonly EarlierRun[],
  runs: readonly Settings[],
): string[] {
  const all = [...earlier.map(({ settings }) => settings), ...runs];
  return earlier.map((_, i) => describeRun(all, i));
}

/** Names the grey curves, with how good each was in the end. */
export function earlierLine(
  earlier: readonly EarlierRun[],
  { task, runs }: Config,
  clear: () => void,
): TemplateResult | typeof nothing {
  if (earlier.length === 0) return nothing;
  const classes = TASKS[task].goal === 'classes';
  const names = namesOfEarlier(earlier, runs);
  const words = earlier.map((run, i) => {
    const last = [...run.heldOut.values()].at(-1);
    const end = last && (classes ? formatPercent(last.accuracy) : formatLoss(last.error));
    return `${names[i] ?? ''}${end === undefined ? '' : ` (${end})`}`;
  });
  return html`<p class="earlier">
    <span class="key" style="--key: var(--control)">Earlier runs</span>
    <span id="earlier">${words.join(' · ')}</span>
    <button type="button" class="small quiet" @click=${clear}>Clear them</button>
  </p>`;
}
