// Takes numbers over numbers, and gives a line chart that follows theme and size, reads out values, and says in words what
// it shows.
import 'uplot/dist/uPlot.min.css';
import uPlot from 'uplot';
import { colour, onTheme } from '../shell/theme.ts';

export const AXIS_FONT = '12px system-ui, sans-serif';
/** Names of the style sheet's colours for series, in order. */
export const SERIES = ['--c1', '--c2', '--c3', '--c4'] as const;

/** uPlot's types name the kind of scale by an enum that its module does not export. */
const LOGARITHMIC: uPlot.Scale = Object.assign<uPlot.Scale, object>({ log: 10 }, { distr: 3 });

export interface Series {
  readonly label: string;
  readonly y: ArrayLike<number | null>;
  /** A colour's name in the style sheet. */
  readonly colour: string;
  readonly dashed?: boolean;
  readonly width?: number;
  /** Only points, for values with nothing known between them. */
  readonly points?: boolean;
  /** A line through values that have places without one between them. */
  readonly spans?: boolean;
}

export interface Data {
  readonly x: ArrayLike<number>;
  readonly series: readonly Series[];
}

export interface PlotOptions {
  readonly xLabel?: string;
  readonly yLabel?: string;
  /** Ends of the axes; by default those of the data. */
  readonly xRange?: (least: number, most: number) => [number, number];
  readonly yRange?: (least: number, most: number) => [number, number];
  /** Powers of ten instead of equal steps, of y. */
  readonly logarithmic?: boolean;
  /** Where the x axis has its marks; by default at round numbers. */
  readonly xTicks?: readonly number[];
  /** Words for places on the x axis. */
  readonly xTick?: (value: number) => string;
  readonly yTick?: (value: number) => string;
  /** Values near the pointer are written here. */
  readonly readout?: (text: string) => void;
}

/** A `yRange` with a margin that leaves out what is further from 0 than `reach`. */
export const framedWithin =
  (reach: number) =>
  (least: number, most: number): [number, number] => {
    const [low, high] = [Math.max(least, -reach), Math.min(most, reach)];
    const margin = (high - low || 1) * 0.06;
    return [low - margin, high + margin];
  };

/** A plot in `frame`, an element with a size of its own. What it shows is at `frame.plotted` too, for tests and scripts. */
export class Plot {
  readonly #frame: HTMLElement;
  readonly #options: PlotOptions;
  readonly #resize: ResizeObserver;
  readonly #untheme: () => void;
  #data: Data = { x: [], series: [] };
  #plot: uPlot | undefined;
  #shape = '';

  constructor(frame: HTMLElement, options: PlotOptions = {}) {
    this.#frame = frame;
    this.#options = options;
    frame.classList.add('plot');
    frame.setAttribute('role', 'img');
    frame.setAttribute('aria-label', 'Not drawn yet');
    this.#resize = new ResizeObserver(() => {
      const { clientWidth: width, clientHeight: height } = frame;
      if (width > 0) this.#plot?.setSize({ width, height });
    });
    this.#resize.observe(frame);
    this.#untheme = onTheme(() => this.#build());
  }

  /** Shows `data`; `words` say what it shows. */
  show(data: Data, words: string): void {
    this.#data = data;
    Object.assign(this.#frame, { plotted: data });
    this.#frame.setAttribute('aria-label', words);
    const shape = JSON.stringify(data.series.map(({ y: _, ...style }) => style));
    if (shape === this.#shape && this.#plot) this.#plot.setData(this.#columns());
    else {
      this.#shape = shape;
      this.#build();
    }
  }

  dispose(): void {
    this.#resize.disconnect();
    this.#untheme();
    this.#plot?.destroy();
    this.#plot = undefined;
  }

  #columns(): uPlot.AlignedData {
    const gap = (y: ArrayLike<number | null>) =>
      Array.from(y, (value) => (value !== null && Number.isFinite(value) ? value : null));
    return [Array.from(this.#data.x), ...this.#data.series.map(({ y }) => gap(y))];
  }

  #build(): void {
    this.#plot?.destroy();
    if (this.#data.series.length === 0 && this.#shape === '') return;
    this.#plot = new uPlot(this.#config(), this.#columns(), this.#frame);
  }

  #config(): uPlot.Options {
    const { xLabel, yLabel, xRange, yRange, logarithmic, xTick, xTicks, yTick } = this.#options;
    const [muted, line] = [colour('--muted'), colour('--line')];
    const axis: uPlot.Axis = {
      stroke: muted,
      grid: { stroke: line, width: 1 },
      ticks: { show: false },
      font: AXIS_FONT,
      labelFont: AXIS_FONT,
      labelSize: 18,
      gap: 5,
    };
    const ends =
      (range: PlotOptions['xRange'], pad: number): uPlot.Range.Function =>
      (_plot, least, most) => {
        const [from, to] = [least, most].every(Number.isFinite) ? [least, most] : [0, 1];
        if (range) return range(from, to);
        const margin = (to - from || 1) * pad;
        return [from - margin, to + margin];
      };
    return {
      width: Math.max(1, this.#frame.clientWidth),
      height: Math.max(1, this.#frame.clientHeight),
      padding: [8, 20, 0, 0],
      legend: { show: false },
      cursor: {
        show: this.#options.readout !== undefined,
        y: false,
        drag: { x: false, y: false },
        points: { size: 6 },
      },
      hooks: { setCursor: [(plot) => this.#read(plot.cursor.idx)] },
      scales: {
        x: { time: false, range: ends(xRange, 0) },
        y: {
          ...(logarithmic ? LOGARITHMIC : {}),
          ...(logarithmic && !yRange ? {} : { range: ends(yRange, 0.06) }),
        },
      },
      axes: [
        {
          ...axis,
          size: 24,
          space: 44,
          ...(xLabel === undefined ? {} : { label: xLabel }),
          ...(xTicks ? { splits: (plot) => thinned(xTicks, plot.width) } : {}),
          ...(xTick ? { values: (_plot, values) => values.map(xTick) } : {}),
        },
        {
          ...axis,
          size: 42,
          space: MARK_HEIGHT,
          ...(yLabel === undefined ? {} : { label: yLabel }),
          ...(logarithmic ? { splits: powersOfTen, filter: (_plot, splits) => splits } : {}),
          values: (_plot, values: (number | null)[]) =>
            values.map((value) =>
              value === null
                ? ''
                : (yTick ?? ((v: number) => String(Number(v.toPrecision(6)))))(value),
            ),
        },
      ],
      series: [
        {},
        ...this.#data.series.map((series): uPlot.Series => {
          const stroke = colour(series.colour);
          return {
            label: series.label,
            stroke,
            width: series.width ?? 2,
            // whole pixels would make steps of a gentle slope
            pxAlign: 0,
            spanGaps: series.spans ?? false,
            ...(series.dashed ? { dash: [5, 4] } : {}),
            ...(series.points
              ? { paths: () => null, points: { show: true, size: 6, stroke, fill: stroke } }
              : { points: { show: false } }),
          };
        }),
      ],
    };
  }

  #read(index: number | null | undefined): void {
    const { readout, xTick } = this.#options;
    if (!readout) return;
    const { x, series } = this.#data;
    const at = typeof index === 'number' ? x[index] : undefined;
    if (at === undefined || typeof index !== 'number') {
      readout('');
      return;
    }
    const values = series.map(({ label, y }) => {
      const value = y[index];
      return `${label} ${typeof value === 'number' ? Number(value.toPrecision(4)) : '–'}`;
    });
    readout([`${xTick ? xTick(at) : Number(at.toPrecision(4))}:`, ...values].join('  '));
  }
}

/** Keys of a plot's lines, which the values near the pointer take the place of. Classes and words. */
export function keys(...lines: readonly (readonly [string, string])[]): {
  readonly element: HTMLElement;
  readonly show: (text: string) => void;
} {
  const element = document.createElement('p');
  element.className = 'readout';
  const spans = lines.map(([name, words]) => {
    const span = document.createElement('span');
    span.className = `key ${name}`;
    span.textContent = words;
    return span;
  });
  element.append(...spans);
  return {
    element,
    show: (text) => element.replaceChildren(...(text === '' ? spans : [text])),
  };
}

/** Room for one mark of an upright axis, in pixels. */
const MARK_HEIGHT = 28;

/** The marks of a logarithmic axis: not more than fit. */
function powersOfTen(plot: uPlot, _axis: number, least: number, most: number): number[] {
  const [from, to] = [Math.ceil(Math.log10(least) - 1e-9), Math.floor(Math.log10(most) + 1e-9)];
  const step = Math.max(1, Math.ceil(((to - from + 1) * MARK_HEIGHT) / plot.height));
  const count = Math.max(0, Math.floor((to - from) / step) + 1);
  return Array.from({ length: count }, (_, i) => 10 ** (from + i * step));
}

/** Room for the words of one mark, in pixels. */
const MARK_WIDTH = 58;

/** Every so many of the marks, as many as fit. */
function thinned(marks: readonly number[], width: number): number[] {
  const each = Math.ceil((marks.length * MARK_WIDTH) / Math.max(width, MARK_WIDTH));
  return marks.filter((_, i) => i % each === Math.floor(each / 2));
}
