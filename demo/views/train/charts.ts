// In: the scores of a run as they come. Out: two charts, of loss and of accuracy, over the steps.
import uPlot from 'uplot';
import { formatLoss, formatPercent } from './format.ts';
import type { Report, Score } from './trainer.ts';

const REDRAW_MS = 80;
/** Batches are small and their scores noisy: the curve shows a running mean over about so many reports. */
const SMOOTHING = 6;
const AXIS_FONT = '12px system-ui, sans-serif';

type Column = (number | null)[];

interface ChartOptions {
  readonly title: string;
  readonly pick: (score: Score) => number;
  readonly format: (value: number) => string;
  /** Fixed ends of the y axis; by default those of the data, from 0. */
  readonly range?: uPlot.Range.MinMax;
}

/** Both charts. */
export class Charts {
  readonly #charts: Chart[];

  constructor(parent: HTMLElement) {
    this.#charts = [
      new Chart(parent, {
        title: 'Loss',
        pick: (score) => score.loss,
        format: formatLoss,
      }),
      new Chart(parent, {
        title: 'Accuracy',
        pick: (score) => score.accuracy,
        format: formatPercent,
        range: [0, 1],
      }),
    ];
    // colours come from the style sheet, which follows the system
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
      for (const chart of this.#charts) chart.recolour();
    });
  }

  /** Empties the charts for a run of so many steps. */
  start(steps: number): void {
    for (const chart of this.#charts) chart.start(steps);
  }

  add(report: Report): void {
    for (const chart of this.#charts) chart.add(report);
  }
}

class Chart {
  readonly #options: ChartOptions;
  readonly #plot: uPlot;
  readonly #figure: HTMLElement;
  #steps: number[] = [];
  #training: Column = [];
  #heldOut: Column = [];
  #mean: number | undefined;
  #most = 1;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(parent: HTMLElement, options: ChartOptions) {
    this.#options = options;
    this.#figure = document.createElement('figure');
    const caption = document.createElement('figcaption');
    caption.append(options.title, createKey('training'), createKey('held-out'));
    const frame = document.createElement('div');
    frame.className = 'plot';
    frame.setAttribute('role', 'img');
    this.#figure.append(caption, frame);
    parent.append(this.#figure);
    this.#plot = new uPlot(this.#plotOptions(frame), [[], [], []], frame);
    new ResizeObserver(() => {
      this.#plot.setSize({ width: frame.clientWidth, height: frame.clientHeight });
    }).observe(frame);
    this.#describe();
  }

  start(steps: number): void {
    this.#steps = [];
    this.#training = [];
    this.#heldOut = [];
    this.#mean = undefined;
    this.#most = Math.max(1, steps);
    this.#draw();
  }

  add(report: Report): void {
    const { pick } = this.#options;
    if (report.kind === 'steps') {
      const value = pick(report.score);
      this.#mean = this.#mean === undefined ? value : this.#mean + (value - this.#mean) / SMOOTHING;
      this.#push(report.step, this.#mean, null);
    } else {
      this.#push(report.step, null, pick(report.heldOut));
      this.#describe();
    }
    this.#timer ??= setTimeout(() => {
      this.#draw();
    }, REDRAW_MS);
  }

  recolour(): void {
    this.#plot.redraw(false, true);
  }

  /** Reports of the same step share a place on the x axis. */
  #push(step: number, training: number | null, heldOut: number | null): void {
    const last = this.#steps.length - 1;
    if (this.#steps[last] === step) {
      this.#training[last] ??= training;
      this.#heldOut[last] ??= heldOut;
    } else {
      this.#steps.push(step);
      this.#training.push(training);
      this.#heldOut.push(heldOut);
    }
  }

  #draw(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#plot.setData([this.#steps, this.#training, this.#heldOut]);
    this.#describe();
  }

  /** What the picture shows, in words. */
  #describe(): void {
    const { title, format } = this.#options;
    const heldOut = this.#heldOut.findLast((value) => value !== null);
    const words = [
      this.#mean === undefined ? '' : `training ${format(this.#mean)}`,
      heldOut === undefined ? '' : `held out ${format(heldOut)}`,
    ].filter((part) => part !== '');
    const now = words.length > 0 ? `now ${words.join(', ')}` : 'no data yet';
    this.#figure
      .querySelector('.plot')
      ?.setAttribute('aria-label', `${title} over the steps: ${now}`);
  }

  #plotOptions(frame: HTMLElement): uPlot.Options {
    const color = (name: string) => () => getComputedStyle(frame).getPropertyValue(name);
    const axis = (): uPlot.Axis => ({
      stroke: color('--muted'),
      grid: { stroke: color('--line'), width: 1 },
      ticks: { show: false },
      font: AXIS_FONT,
      gap: 6,
    });
    const { range, format } = this.#options;
    const y: uPlot.Scale = {
      range:
        range ??
        ((_plot, _least, most) => [0, Number.isFinite(most) && most > 0 ? most * 1.05 : 1]),
    };
    return {
      width: Math.max(1, frame.clientWidth),
      height: Math.max(1, frame.clientHeight),
      padding: [10, 12, 0, 0],
      legend: { show: false },
      cursor: { show: false },
      scales: { x: { time: false, range: () => [0, this.#most] }, y },
      axes: [
        {
          ...axis(),
          size: 26,
          space: 60,
          label: 'step',
          labelSize: 18,
          labelFont: AXIS_FONT,
          // a chart of no run has no steps to name
          values: (_plot, values) => values.map((value) => (this.#most > 1 ? value : '')),
        },
        {
          ...axis(),
          size: 46,
          values: (_plot, values) =>
            values.map((value) => (range ? `${Math.round(100 * value)} %` : String(value))),
        },
      ],
      series: [
        { label: 'step' },
        {
          label: 'training',
          stroke: color('--training'),
          width: 2,
          spanGaps: true,
          points: { show: false },
          value: (_plot, value) => format(value),
        },
        {
          label: 'held out',
          stroke: color('--held-out'),
          // one value an epoch: points, since nothing is known between them
          paths: () => null,
          points: { show: true, size: 8, stroke: color('--held-out'), fill: color('--held-out') },
          value: (_plot, value) => format(value),
        },
      ],
    };
  }
}

function createKey(name: 'training' | 'held-out'): HTMLElement {
  const key = document.createElement('span');
  key.className = `key ${name}`;
  key.textContent = name === 'training' ? 'training' : 'held out';
  return key;
}
