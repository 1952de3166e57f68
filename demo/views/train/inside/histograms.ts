// Takes the results of hidden layers, as they were at first and as they are, and gives a histogram of each layer.
import { html, nothing, svg, type TemplateResult } from 'lit-html';
import { histogramOf } from '../../../training/inside.ts';

const BINS = 48;
const HEIGHT = 24;

/** What was seen of the layers, and after which step. */
export interface Seen {
  readonly step: number;
  readonly layers: readonly Float32Array[];
}

export interface LayerHistogram {
  readonly least: number;
  readonly most: number;
  /** Shares of all results, bin by bin; those that are exactly 0 are in none. */
  readonly first: readonly number[];
  readonly now: readonly number[];
  /** The share of results that are exactly 0. */
  readonly zero: number;
  readonly mean: number;
  readonly deviation: number;
}

/** Both histograms over the range of both. */
export function histogramsOf(first: Seen, now: Seen): LayerHistogram[] {
  return now.layers.map((values, i) => {
    const before = first.layers[i] ?? new Float32Array(0);
    let [least, most] = [Infinity, -Infinity];
    for (const some of [before, values]) {
      for (const value of some) {
        if (value < least) least = value;
        if (value > most) most = value;
      }
    }
    const shares = (all: Float32Array) =>
      histogramOf(
        all.filter((value) => value !== 0),
        least,
        most,
        BINS,
      ).map((count) => count / Math.max(1, all.length));
    let [sum, squares, zeros] = [0, 0, 0];
    for (const value of values) {
      sum += value;
      squares += value * value;
      if (value === 0) zeros++;
    }
    const mean = sum / values.length;
    const deviation = Math.sqrt(Math.max(0, squares / values.length - mean * mean));
    const zero = zeros / values.length;
    return { least, most, first: shares(before), now: shares(values), zero, mean, deviation };
  });
}

const brief = (value: number) => String(Number(value.toPrecision(2)));

export function histogramFigures(
  histograms: readonly LayerHistogram[],
  first: number,
  now: number,
): TemplateResult {
  return html`<div class="histograms">
      ${histograms.map((histogram, i) => {
        const { least, most, zero, mean, deviation } = histogram;
        const words = `mean ${brief(mean)}, deviation ${brief(deviation)}`;
        const zeros = zero > 0 ? `, zero: ${Math.round(100 * zero)} %` : '';
        return html`<figure data-mean=${mean} data-deviation=${deviation} data-zero=${zero}>
          <figcaption>Layer ${i + 1} <span class="spread">${words}${zeros}</span></figcaption>
          ${picture(histogram, `Layer ${i + 1}: results from ${brief(least)} to ${brief(most)}, ${words}`)}
          <p class="ends" aria-hidden="true">
            <span>${brief(least)}</span><span>${brief(most)}</span>
          </p>
        </figure>`;
      })}
    </div>
    <p class="help">
      Results of each layer’s units for held-out examples: filled after step
      ${now}${first < now ? html`, the line after step ${first}` : nothing}. Results that are
      exactly 0 are not drawn.
    </p>`;
}

function picture({ first, now }: LayerHistogram, words: string): TemplateResult {
  const most = Math.max(...first, ...now, 1e-9);
  const y = (share: number) => (HEIGHT * (1 - share / most)).toFixed(2);
  const steps = (shares: readonly number[]) =>
    shares.map((share, i) => `L${i} ${y(share)}L${i + 1} ${y(share)}`).join('');
  const outline = (shares: readonly number[]) => `M0 ${HEIGHT}${steps(shares)}L${BINS} ${HEIGHT}`;
  return html`<svg
    viewBox="0 0 ${BINS} ${HEIGHT}"
    preserveAspectRatio="none"
    role="img"
    aria-label=${words}
  >
    ${svg`<path class="now" d=${`${outline(now)}Z`} /><path class="first" d=${outline(first)} />`}
  </svg>`;
}
