// Takes the history of runs, and gives charts over the steps: loss, how good the results are, the first layer's gradient
// norm.
import { html, nothing, render, type TemplateResult } from 'lit-html';
import { columnsOf } from '../../lab/curves.ts';
import { Plot, SERIES, type PlotOptions, type Series } from '../../lab/plot.ts';
import type { Settings } from '../../training/settings.ts';
import type { Goal } from '../../training/task.ts';
import { namesOfEarlier, type EarlierRun } from './earlier.ts';
import { ERROR_WORDS } from './figures.ts';
import { runName } from './form.ts';
import { pick, type History, type Measure } from './history.ts';

const REDRAW_MS = 120;
/** More tests than this are a line, fewer are points. */
const MOST_POINTS = 12;

/** A series as steps and their values. */
type Trace = Omit<Series, 'y'> & { readonly values: ReadonlyMap<number, number> };

type Key = TemplateResult | typeof nothing;

interface Chart {
  readonly title: string;
  readonly plot: Plot;
  readonly element: HTMLElement;
  readonly traces: (history: History) => Trace[];
}

/** What there will be to see. */
export interface Extent {
  readonly goal: Goal;
  readonly steps: number;
  readonly epochs: number;
  readonly runs: readonly Settings[];
  /** Drawn in grey behind the runs. */
  readonly earlier: readonly EarlierRun[];
}

/** The charts; they are drawn at most so often, and not in a hidden tab. */
export class Charts {
  readonly element = document.createElement('div');
  /** The first layer's gradient norm, which belongs to the table of layers. */
  readonly gradients = document.createElement('div');
  #charts: Chart[] = [];
  #history: History;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(history: History) {
    this.element.className = 'charts';
    this.gradients.className = 'charts';
    this.#history = history;
  }

  /** Empty charts for runs of that extent. */
  start(history: History, { goal, steps, epochs, runs, earlier }: Extent): void {
    this.#history = history;
    for (const { plot } of this.#charts) plot.dispose();
    const several = history.runs.length > 1;
    const nameOf = (run: number, what: string) => (several ? `${runName(run)} ${what}` : what);
    const colourOf = (run: number) => SERIES[run] ?? SERIES[0];
    const training = (measure: Measure) => (now: History) =>
      now.runs.map((run, i): Trace => ({
        label: nameOf(i, 'training'),
        colour: colourOf(i),
        values: pick(run.training, measure),
        spans: true,
      }));
    const heldOut = (measure: Measure, alone: boolean) => (now: History) =>
      now.runs.map((run, i): Trace => ({
        label: nameOf(i, 'held out'),
        colour: several || alone ? colourOf(i) : '--c2',
        values: pick(run.heldOut, measure),
        ...(alone
          ? { spans: true }
          : epochs > MOST_POINTS
            ? { spans: true, dashed: true }
            : { points: true }),
      }));
    const names = namesOfEarlier(earlier, runs);
    const named = earlier.map((run, i) => ({ run, label: `earlier (${names[i] ?? ''})` }));
    // values of another loss are of another size
    const ofLoss = named.filter(({ run }) => runs.some(({ loss }) => loss === run.settings.loss));
    const before = (measure: Measure, of: 'training' | 'heldOut' = 'training'): Trace[] =>
      (measure === 'loss' ? ofLoss : named).map(({ run, label }) => ({
        label,
        colour: '--control',
        width: 1.25,
        values: pick(run[of], measure),
        spans: true,
      }));
    const both = (measure: Measure) => (now: History) => [
      ...before(measure),
      ...training(measure)(now),
      ...heldOut(measure, false)(now),
    ];
    const gradients = (now: History) =>
      now.runs.map((run, i): Trace => ({
        label: several ? runName(i) : 'first layer',
        colour: colourOf(i),
        // no logarithm shows 0
        values: new Map([...run.gradients].filter(([, norm]) => norm > 0)),
        spans: true,
      }));
    const longest = Math.max(1, steps, ...earlier.flatMap(({ training }) => [...training.keys()]));
    const xRange = (): [number, number] => [0, longest];
    const linear = { xRange, yRange: fromZero };
    const logarithmic = { xRange, logarithmic: true, yRange: decades, yTick: power };
    const key = keyOf(several, epochs);
    this.#charts = [
      createChart('Loss', linear, both('loss'), key),
      goal === 'classes'
        ? createChart(
            'Accuracy',
            { xRange, yRange: () => [0, 1], yTick: percent },
            both('accuracy'),
          )
        : goal === 'shares'
          ? createChart(ERROR_WORDS[goal], linear, both('error'))
          : // the error on noisy points would hide how near the curve is
            createChart(ERROR_WORDS[goal], logarithmic, (now) => [
              ...before('error', 'heldOut'),
              ...heldOut('error', true)(now),
            ]),
      createChart('Gradient norm, first layer', logarithmic, gradients),
    ];
    const elements = this.#charts.map(({ element }) => element);
    this.element.replaceChildren(...elements.slice(0, -1));
    this.gradients.replaceChildren(...elements.slice(-1));
    this.draw();
  }

  ask(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      if (!document.hidden) this.draw();
    }, REDRAW_MS);
  }

  draw(): void {
    for (const { title, plot, traces } of this.#charts) {
      const found = traces(this.#history);
      const { x, y } = columnsOf(found.map(({ values }) => values));
      const series = found.map(({ values: _, ...style }, i) => ({ ...style, y: y[i] ?? [] }));
      const now = series.flatMap(({ label, y }) => {
        const last = Array.from(y).findLast((value) => value !== null);
        return typeof last === 'number' ? [`${label} ${Number(last.toPrecision(3))}`] : [];
      });
      const words = now.length > 0 ? `now ${now.join(', ')}` : 'no data yet';
      plot.show({ x, series }, `${title} over the steps: ${words}`);
    }
  }

  dispose(): void {
    clearTimeout(this.#timer);
    for (const { plot } of this.#charts) plot.dispose();
  }
}

function createChart(
  title: string,
  options: PlotOptions,
  traces: Chart['traces'],
  key: Key = nothing,
): Chart {
  const element = document.createElement('figure');
  const caption = document.createElement('figcaption');
  const legend = document.createElement('span');
  legend.className = 'legend';
  render(key, legend);
  const frame = document.createElement('div');
  const readout = document.createElement('p');
  readout.className = 'readout';
  caption.append(title, legend);
  element.append(caption, frame, readout);
  const read = (text: string) => (readout.textContent = brief(text));
  const plot = new Plot(frame, { ...options, xLabel: 'step', readout: read });
  return { title, plot, element, traces };
}

/** Without what has no value there, and as short as can be: it lies over the chart. */
function brief(text: string): string {
  const known = text.split('  ').filter((part) => !part.endsWith('–'));
  return known.length > 1 ? known.join('  ').replaceAll('Run ', '') : '';
}

/** How training and held-out values are told apart. */
function keyOf(several: boolean, epochs: number): Key {
  const [training, heldOut] = several
    ? ['var(--muted)', 'var(--muted)']
    : ['var(--c1)', 'var(--c2)'];
  const shape = epochs > MOST_POINTS ? 'dashed' : 'dot';
  return html`<span class="key" style="--key: ${training}">training</span>
    <span class="key ${shape}" style="--key: ${heldOut}">held out</span>`;
}

const percent = (value: number) => `${Math.round(100 * value)} %`;
const power = (value: number) =>
  value >= 0.01 && value <= 100 ? String(value) : value.toExponential(0);
const fromZero = (_: number, most: number): [number, number] => [0, most > 0 ? most * 1.05 : 1];

/** Whole powers of ten, two of them at least. */
function decades(least: number, most: number): [number, number] {
  if (!(least > 0)) return [1e-3, 1];
  const from = Math.floor(Math.log10(least));
  const to = Math.ceil(Math.log10(most));
  return [10 ** Math.min(from, to - 2), 10 ** to];
}
