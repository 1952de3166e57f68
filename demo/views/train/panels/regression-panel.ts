// Takes networks that draw a line through points, and gives the points, the true curve, and each network's line.
import { html, render } from 'lit-html';
import { places } from '../../../lab/curve.ts';
import { Plot, SERIES, type Series } from '../../../lab/plot.ts';
import { REACH, trueCurve, type Regression } from '../../../training/tasks/regression.ts';
import type { Trainer } from '../../../training/trainer.ts';
import { runName } from '../form.ts';
import { PicturePanel, type PanelEvents } from './panel.ts';

const PLACES = places(-REACH, REACH, 121);

export class RegressionPanel extends PicturePanel {
  readonly #task: Regression;
  readonly #frame = document.createElement('div');
  readonly #plot: Plot;
  #lines: Float32Array[] = [];

  constructor(task: Regression, events: PanelEvents) {
    super(events);
    this.#task = task;
    this.element.className = 'regression';
    this.#plot = new Plot(this.#frame, { yRange: () => [-1.6, 4.8] });
    this.render();
  }

  protected override forget(): void {
    this.#lines = [];
  }

  override dispose(): void {
    super.dispose();
    this.#plot.dispose();
  }

  protected override async ask(trainers: readonly Trainer[]): Promise<void> {
    const lines: Float32Array[] = [];
    for (const trainer of trainers) lines.push(await trainer.predict(PLACES));
    if (trainers !== this.trainers) return;
    this.#lines = lines;
    this.#draw();
  }

  #draw(): void {
    const { points } = this.#task;
    const column = (values: readonly (readonly [number, number])[]) => new Map(values);
    const columns = [
      column(points.filter(({ outlier }) => !outlier).map(({ x, y }) => [x, y] as const)),
      column(points.filter(({ outlier }) => outlier).map(({ x, y }) => [x, y] as const)),
      column([...PLACES].map((x) => [x, trueCurve(x)] as const)),
      ...this.#lines.map((line) => column([...PLACES].map((x, i) => [x, line[i] ?? NaN] as const))),
    ];
    const x = [...new Set(columns.flatMap((values) => [...values.keys()]))].sort((a, b) => a - b);
    const styles: Omit<Series, 'y'>[] = [
      { label: 'points', colour: '--control', points: true },
      { label: 'outliers', colour: '--bad', points: true },
      { label: 'true curve', colour: '--muted', dashed: true, spans: true, width: 2 },
      ...this.#lines.map((_, i) => ({
        label: runName(i),
        colour: SERIES[i] ?? SERIES[0],
        spans: true,
        width: 3,
      })),
    ];
    const series = styles.map((style, i) => ({
      ...style,
      y: x.map((at) => columns[i]?.get(at) ?? null),
    }));
    this.#plot.show(
      { x, series },
      `${points.length} points, one in six an outlier, the true curve, and the lines of ${this.names.join(', ') || 'no network yet'}`,
    );
  }

  protected override render(): void {
    render(
      html`<h2>The line of each run</h2>
        <p class="readout">
          <span class="key dashed" style="--key: var(--muted)">true curve</span>
          <span class="key dot" style="--key: var(--bad)">outliers</span>
          ${this.names.map(
            (name, i) => html`<span class="key c${i + 1}">${runName(i)}: ${name}</span>`,
          )}
        </p>
        ${this.#frame}`,
      this.element,
    );
    this.#draw();
  }
}
