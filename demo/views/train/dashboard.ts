// In: the history of runs. Out: figures, charts over the steps, and how each layer is doing.
import { html, nothing, type TemplateResult } from 'lit-html';
import { Plot, SERIES, type Series } from '../../lab/plot.ts';
import type { LayerHealth } from '../../training/diagnose.ts';
import { formatLoss, formatPercent, formatRate } from '../../training/format.ts';
import type { Goal } from '../../training/task.ts';
import { runName } from './form.ts';
import { pick, type History, type Measure } from './history.ts';

const REDRAW_MS = 120;

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

/** The figures of each run. */
export function figures(history: History, goal: Goal, names: readonly string[]): TemplateResult {
  const several = history.runs.length > 1;
  return html`<div class="run-figures ${several ? 'several' : ''}">
    ${history.runs.map(({ test, trainingLoss }, i) => {
      const when = test ? (test.epoch > 0 ? `, epoch ${test.epoch}` : ', untrained') : '';
      const heldOut = test?.heldOut;
      const main =
        goal === 'classes'
          ? figure('main', `Held-out accuracy${when}`, heldOut?.accuracy, formatPercent)
          : figure(
              'main',
              `${goal === 'values' ? 'Squared error from the curve' : 'Squared error per pixel'}${when}`,
              heldOut?.error,
              formatLoss,
            );
      return html`<section class="run-figure c${i + 1}" data-run=${i}>
        ${
          several
            ? html`<h3><span class="key c${i + 1}">${runName(i)}</span> ${names[i] ?? ''}</h3>`
            : nothing
        }
        <dl class="figures">
          ${main} ${figure('held-out-loss', 'Held-out loss', heldOut?.loss, formatLoss)}
          ${figure('training-loss', 'Training loss', trainingLoss, formatLoss)}
          ${
            i === 0 ? figure('speed', 'Steps/s', history.speed.stepsPerSecond, formatRate) : nothing
          }
        </dl>
      </section>`;
    })}
  </div>`;
}

/** A series as steps and their values. */
type Trace = Omit<Series, 'y'> & { readonly values: ReadonlyMap<number, number> };

interface ChartKind {
  readonly title: string;
  readonly plot: Plot;
  readonly element: HTMLElement;
  readonly series: (history: History) => Trace[];
}

/** The charts; they are drawn at most so often, and not in a hidden tab. */
export class Charts {
  readonly element = document.createElement('div');
  #charts: ChartKind[] = [];
  #history: History;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(history: History) {
    this.element.className = 'charts';
    this.#history = history;
  }

  /** Empty charts for runs of `steps`. */
  start(history: History, goal: Goal, steps: number): void {
    this.#history = history;
    for (const { plot } of this.#charts) plot.dispose();
    const measure: Measure = goal === 'classes' ? 'accuracy' : 'error';
    const several = history.runs.length > 1;
    const xRange = (): [number, number] => [0, Math.max(1, steps)];
    const scores = (name: Measure) => (now: History) =>
      now.runs.flatMap(({ training, heldOut }, i): Trace[] => {
        const colour = SERIES[i] ?? SERIES[0];
        const run = several ? `${runName(i)} ` : '';
        return [
          { label: `${run}training`, colour, values: pick(training, name), spans: true },
          {
            label: `${run}held out`,
            colour: several ? colour : '--c2',
            values: pick(heldOut, name),
            points: true,
          },
        ];
      });
    const gradients = (now: History) =>
      now.runs.map(({ gradients: norms }, i): Trace => ({
        label: several ? runName(i) : 'first layer',
        colour: SERIES[i] ?? SERIES[0],
        values: norms,
        spans: true,
      }));
    const percent = (value: number) => `${Math.round(100 * value)} %`;
    const zero = (_: number, most: number): [number, number] => [0, most > 0 ? most * 1.05 : 1];
    this.#charts = [
      this.#chart('Loss', { xRange, yRange: zero }, scores('loss')),
      goal === 'classes'
        ? this.#chart('Accuracy', { xRange, yRange: () => [0, 1], yTick: percent }, scores(measure))
        : this.#chart('Squared error', { xRange, yRange: zero }, scores(measure)),
      this.#chart('Gradient norm, first layer', { xRange, logarithmic: true }, gradients),
    ];
    this.element.replaceChildren(...this.#charts.map(({ element }) => element));
    this.draw();
  }

  ask(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      if (!document.hidden) this.draw();
    }, REDRAW_MS);
  }

  draw(): void {
    for (const chart of this.#charts) {
      const traces = chart.series(this.#history);
      const { x, y } = this.#history.columns(traces.map(({ values }) => values));
      const series = traces.map(({ values: _, ...style }, i) => ({ ...style, y: y[i] ?? [] }));
      const now = series.flatMap(({ label, y }) => {
        const last = Array.from(y).findLast((value) => value !== null);
        return typeof last === 'number' ? [`${label} ${Number(last.toPrecision(3))}`] : [];
      });
      const words = now.length > 0 ? `now ${now.join(', ')}` : 'no data yet';
      chart.plot.show({ x, series }, `${chart.title} over the steps: ${words}`);
    }
  }

  dispose(): void {
    clearTimeout(this.#timer);
    for (const { plot } of this.#charts) plot.dispose();
  }

  #chart(
    title: string,
    options: ConstructorParameters<typeof Plot>[1],
    series: ChartKind['series'],
  ): ChartKind {
    const element = document.createElement('figure');
    const caption = document.createElement('figcaption');
    const readout = document.createElement('span');
    readout.className = 'readout';
    const frame = document.createElement('div');
    caption.append(title, readout);
    element.append(caption, frame);
    const read = (text: string) => (readout.textContent = text);
    const plot = new Plot(frame, { ...options, xLabel: 'step', readout: read });
    return { title, plot, element, series };
  }
}

const percentOf = (share: number | undefined) =>
  share === undefined ? '–' : `${Math.round(100 * share)} %`;
/** Bars of gradient norms span so many powers of ten. */
const DECADES = { from: -7, to: 1 };

/** Gradient norm, dead and saturated units, layer by layer. */
export function layerTable(history: History, names: readonly string[]): TemplateResult {
  const layers = Math.max(...history.runs.map(({ health }) => health.length));
  if (layers <= 0) return html``;
  const several = history.runs.length > 1;
  return html`<details class="layers" open>
    <summary>Layers: gradient norm, dead and saturated units</summary>
    <div class="layer-tables">
      ${history.runs.map(
        ({ health }, i) =>
          html`<div class="table-frame">
            <table class="layer-table c${i + 1}" data-run=${i}>
              ${
                several
                  ? html`<caption>
                      <span class="key c${i + 1}">${runName(i)}</span>
                      ${names[i] ?? ''}
                    </caption>`
                  : nothing
              }
              <thead>
                <tr>
                  <th scope="col">Layer</th>
                  <th scope="col">Gradient norm</th>
                  <th scope="col">Dead</th>
                  <th scope="col">Saturated</th>
                </tr>
              </thead>
              <tbody>
                ${health.map(layerRow)}
              </tbody>
            </table>
          </div>`,
      )}
    </div>
    <p class="help">
      On held-out examples. Dead: a unit whose slope is 0 for all of them. Saturated: below 5 % of
      the layer’s steepest for nine of ten. Bars are logarithmic, from 1e-7 to 10.
    </p>
  </details>`;
}

function layerRow({ gradientNorm, dead, saturated }: LayerHealth, i: number): TemplateResult {
  const share = (Math.log10(gradientNorm) - DECADES.from) / (DECADES.to - DECADES.from);
  const width = 100 * Math.min(1, Math.max(0.01, Number.isNaN(share) ? 0 : share));
  return html`<tr
    data-gradient=${gradientNorm}
    data-dead=${dead ?? ''}
    data-saturated=${saturated ?? ''}
  >
    <th scope="row">${i + 1}</th>
    <td class="norm">
      <span class="bar-track"><span class="bar-fill" style="width: ${width}%"></span></span>
      <span>${gradientNorm === 0 ? '0' : gradientNorm.toExponential(1)}</span>
    </td>
    <td>${percentOf(dead)}</td>
    <td>${percentOf(saturated)}</td>
  </tr>`;
}
