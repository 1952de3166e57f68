// Takes runs that are left, and gives them back: to the view when it is opened again, and to the page when it is
// reloaded in the same tab.
import { TabStore } from '../../lab/tab-store.ts';
import type { Checkpoint } from '../../training/checkpoint.ts';
import type { Config } from '../../training/config.ts';
import type { HistoryState } from './history.ts';

export interface KeptRun {
  readonly config: Config;
  readonly checkpoints: readonly Checkpoint[];
  readonly history: HistoryState;
}

/** Undefined where nothing was learned or loaded. */
export function runOf(
  config: Config | undefined,
  checkpoints: readonly Checkpoint[],
  history: HistoryState,
): KeptRun | undefined {
  const [first] = checkpoints;
  if (!config || !first || (first.step === 0 && history.loaded === undefined)) return undefined;
  return { config, checkpoints, history };
}

const STORED = new TabStore('train');
/** Larger ones are kept in memory only: copying them would hold up the page. */
const MOST_NUMBERS = 1.5e6;

/** Of this page; undefined where it has not kept anything. */
let latest: Promise<KeptRun | undefined> | undefined;

/** Keeps runs in place of those before; undefined: none. */
export function keepRun(run: Promise<KeptRun | undefined>): void {
  latest = run;
  run.then(store).catch(() => {
    // no storage, or it is full: the run outlives the view, not the page
  });
}

/** The runs that were kept last. */
export async function keptRun(): Promise<KeptRun | undefined> {
  return latest ?? load().catch(() => undefined);
}

async function store(run: KeptRun | undefined): Promise<void> {
  if (!run || sizeOf(run) <= MOST_NUMBERS) await STORED.put(run);
}

async function load(): Promise<KeptRun | undefined> {
  return (await STORED.get()) as KeptRun | undefined;
}

function sizeOf({ checkpoints }: KeptRun): number {
  const kept = checkpoints.flatMap(({ model, optimizers }) => [
    ...Object.values(model),
    ...optimizers.flatMap(({ state }) => state.flat()),
  ]);
  return kept.reduce((sum, { values }) => sum + values.length, 0);
}
