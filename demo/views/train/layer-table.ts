// Takes how each layer of each run is doing, and gives tables of it.
import { html, nothing, type TemplateResult } from 'lit-html';
import type { LayerHealth } from '../../training/diagnose.ts';
import { runName } from './form.ts';
import type { History } from './history.ts';

const percentOf = (share: number | undefined) =>
  share === undefined || Number.isNaN(share) ? '–' : `${Math.round(100 * share)} %`;
const formatNorm = (norm: number) =>
  norm === 0 ? '0' : Number.isFinite(norm) ? norm.toExponential(1) : '–';
/** Bars of gradient norms span so many powers of ten. */
const DECADES = { from: -7, to: 1 };

/** Gradient norm, dead and saturated units, layer by layer. */
export function layerTable(
  history: History,
  names: readonly string[],
  /** The chart of the first layer's gradient norm. */
  gradients: HTMLElement,
): TemplateResult {
  const layers = Math.max(...history.runs.map(({ health }) => health.length));
  if (layers <= 0) return html``;
  const several = history.runs.length > 1;
  return html`<details class="layers" open>
    <summary>Layers: gradient norm, dead and saturated units</summary>
    <div class="layer-tables">
      ${gradients}
      ${history.runs.map(
        ({ health }, i) =>
          html`<div class="table-frame">
            <table class="layer-table c${i + 1}" data-run=${i}>
              ${
                several
                  ? html`<caption>
                      <span class="run-name">
                        <span class="key c${i + 1}">${runName(i)}</span> ${names[i] ?? ''}
                      </span>
                    </caption>`
                  : nothing
              }
              <thead>
                <tr>
                  <th scope="col">Layer</th>
                  <th scope="col" class="norm">Gradient norm</th>
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
      On held-out examples. Dead: the unit’s slope is 0 for all of them. Saturated: for nine of ten
      of them the unit’s slope is below 5 % of the steepest in the layer. Bars are logarithmic, from
      1e-7 to 10.
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
      <div>
        <span class="bar-track"><span class="bar-fill" style="width: ${width}%"></span></span>
        <span>${formatNorm(gradientNorm)}</span>
      </div>
    </td>
    <td>${percentOf(dead)}</td>
    <td>${percentOf(saturated)}</td>
  </tr>`;
}
