// Takes runs, and gives their losses over the steps, one beside the other: on the text that they learn from, and on text that
// is held out.
import { columnsOf } from '../../lab/curves.ts';
import { Plot, SERIES, type Series } from '../../lab/plot.ts';
import type { Run } from './run.ts';

export const colourOf = (run: Run): string => SERIES[run.state.slot] ?? SERIES[0];

/** No more than a few times a second: drawing costs more than a step of a small model. */
const REDRAW_MS = 200;

export class LossChart {
  readonly element = document.createElement('figure');
  readonly #readout = document.createElement('p');
  readonly #plot: Plot;
  #runs: readonly Run[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    this.element.className = 'losses-over-steps';
    const caption = document.createElement('figcaption');
    const title = document.createElement('span');
    title.textContent = 'Loss';
    const legend = document.createElement('span');
    legend.className = 'legend';
    for (const [name, words] of [
      ['key', 'training'],
      ['key dashed', 'held out'],
    ] as const) {
      const key = document.createElement('span');
      key.className = name;
      key.style.setProperty('--key', 'var(--muted)');
      key.textContent = words;
      legend.append(key);
    }
    caption.append(title, legend);
    const frame = document.createElement('div');
    frame.id = 'losses';
    this.#readout.className = 'readout';
    this.element.append(caption, frame, this.#readout);
    this.#plot = new Plot(frame, {
      xLabel: 'step',
      yRange: (least, most) => [Math.max(0, least - 0.1), most + 0.1],
      xRange: (_, most) => [0, Math.max(1, most)],
      readout: (text) => (this.#readout.textContent = brief(text)),
    });
    this.#draw();
  }

  show(runs: readonly Run[]): void {
    this.#runs = runs;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      if (!document.hidden) this.#draw();
    }, REDRAW_MS);
  }

  dispose(): void {
    clearTimeout(this.#timer);
    this.#plot.dispose();
  }

  #draw(): void {
    const curves = this.#runs.flatMap((run) => {
      const { training, heldOut } = run.state;
      const style = { colour: colourOf(run), spans: true };
      return [
        { ...style, label: `${run.letter} training`, values: training, width: 1 },
        { ...style, label: `${run.letter} held out`, values: heldOut, dashed: true },
      ];
    });
    const { x, y } = columnsOf(curves.map(({ values }) => values));
    const series = curves.map(({ values: _, ...style }, i): Series => ({
      ...style,
      y: y[i] ?? [],
    }));
    const now = this.#runs.flatMap(({ letter, state: { heldOutLoss } }) =>
      heldOutLoss === undefined ? [] : [`${letter} ${heldOutLoss.toFixed(3)}`],
    );
    const words = now.length > 0 ? `held out now ${now.join(', ')}` : 'no data yet';
    this.#plot.show({ x, series }, `Loss over the steps: ${words}`);
  }
}

/** Without what has no value there. */
const brief = (text: string): string =>
  text
    .split('  ')
    .filter((part) => !part.endsWith('–'))
    .join('  ');
