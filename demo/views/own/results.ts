// Takes what the worker found out, and gives the picture of the curve, and what is said of gradient and accuracy.
import { html, nothing, type TemplateResult } from 'lit-html';
import type { GradientCheck } from 'nonlin';
import { framedWithin, keys, Plot, type Series } from '../../lab/plot.ts';
import { formatUlp } from '../accuracy/summary.ts';
import type { Curves, Kind, OwnCode } from './protocol.ts';
import { NEAR, type Range, type Sweep, type Worst } from './sweep.ts';
import { gradientVerdict, shaderVerdict, type Verdict } from './words.ts';

export interface Checked {
  readonly gradient: GradientCheck;
  /** Undefined on the CPU, where there is no WGSL to measure. */
  readonly sweep: Sweep | undefined;
}

/** The curve and its gradient; behind those of the WGSL the reference's, dotted. */
export class CurvePlot {
  readonly element = document.createElement('div');
  readonly #plot: Plot;

  constructor() {
    this.element.className = 'own-curve';
    const frame = document.createElement('div');
    const readout = keys(['c1', 'value'], ['c2 dashed', 'gradient']);
    this.element.append(frame, readout.element);
    this.#plot = new Plot(frame, { yRange: framedWithin(5), readout: readout.show });
  }

  show({ name }: OwnCode, { x, reference, device }: Curves): void {
    const shown = device ?? reference;
    const lines: Series[] = [
      { label: 'gradient', y: shown.slope, colour: '--c2', dashed: true, width: 1.5 },
      { label: 'value', y: shown.y, colour: '--c1', width: 2.5 },
    ];
    const behind: Series[] = device
      ? [
          { label: 'JavaScript’s gradient', y: reference.slope, colour: '--muted', width: 1 },
          { label: 'JavaScript’s value', y: reference.y, colour: '--muted', width: 1 },
        ]
      : [];
    const at = (place: number) => {
      const i = x.findIndex((value) => value >= place - 1e-6);
      return Number((shown.y[i] ?? NaN).toPrecision(3));
    };
    this.#plot.show(
      { x, series: [...behind, ...lines] },
      `${name} and its gradient from -5 to 5: ${[-2, 0, 2].map((v) => `${at(v)} at ${v}`).join(', ')}`,
    );
  }

  dispose(): void {
    this.#plot.dispose();
  }
}

export function verdicts(kind: Kind, { gradient, sweep }: Checked): TemplateResult {
  return html`<ul class="verdicts">
    ${verdict('gradient', gradientVerdict(gradient, kind))}
    ${
      sweep
        ? verdict('wgsl', shaderVerdict(gradient, sweep))
        : html`<li data-verdict="wgsl">
            <strong>The WGSL does not run here</strong>
            <span
              >The page runs on the CPU, which computes with the JavaScript alone: the WGSL is not
              compiled, and its errors are not found.</span
            >
          </li>`
    }
  </ul>`;
}

const verdict = (name: string, { good, words, more }: Verdict) =>
  html`<li data-verdict=${name} class=${good ? 'good' : 'bad'}>
    <strong>${words}</strong> <span>${more}</span>
  </li>`;

/** The largest errors of the WGSL, near 0 and everywhere. */
export function errorTable({ near, all }: Sweep): TemplateResult {
  const row = (name: string, words: string, { forward, backward }: Range) =>
    html`<tr data-range=${name}>
      <th scope="row">${words}</th>
      ${cell('forward', forward)} ${cell('backward', backward)}
    </tr>`;
  const overflows = [all.forward, all.backward].some(({ wrong }) => wrong > 0);
  return html`<div class="own-errors">
    <div class="table-frame" tabindex="0" role="region" aria-label="Errors of the WGSL">
      <table>
        <caption>
          The WGSL against the JavaScript: largest error in ULP, and where
        </caption>
        <thead>
          <tr>
            <th scope="col">Inputs</th>
            <th scope="col">forward</th>
            <th scope="col">backward</th>
          </tr>
        </thead>
        <tbody>
          ${row('near', `from -${NEAR} to ${NEAR}`, near)} ${row('all', 'every power of two', all)}
        </tbody>
      </table>
    </div>
    <p class="help">
      Networks hardly ever meet the numbers at the ends of float32.
      ${
        overflows
          ? 'There this WGSL runs out of range or of digits, where float64 does not.'
          : nothing
      }
    </p>
  </div>`;
}

function cell(direction: string, { ulp, at, wrong, wrongAt }: Worst): TemplateResult {
  const place = (x: number) => {
    const usual = x === 0 || (Math.abs(x) >= 1e-3 && Math.abs(x) < 1e4);
    return usual ? String(Number(x.toPrecision(2))) : x.toExponential(0).replace('+', '');
  };
  return html`<td data-direction=${direction} data-ulp=${ulp} data-wrong=${wrong}>
    ${formatUlp(ulp)}${Number.isNaN(at) ? nothing : html` <small>at ${place(at)}</small>`}
    ${
      wrong === 0
        ? nothing
        : html`<small class="wrong">${wrong} wrongly NaN or ∞, as at ${place(wrongAt)}</small>`
    }
  </td>`;
}
