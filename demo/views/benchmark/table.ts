// Takes timings as far as they are known, and gives their table.
import { html, nothing, type TemplateResult } from 'lit-html';
import {
  bandwidth,
  formatMs,
  nameOf,
  speedUp,
  timesCopy,
  type Circumstances,
  type Timing,
} from './report.ts';

export function timingTable(
  timings: readonly Timing[],
  { device, size, copy }: Circumstances,
  cancelled: boolean,
): TemplateResult {
  const slowest = Math.max(...timings.map(({ gpu = 0 }) => gpu));
  return html`<p class="circumstances" id="circumstances">
      ${device}, ${size.toLocaleString('en')} elements, float32.
      ${
        copy === undefined
          ? nothing
          : html`Copy kernel: ${formatMs(copy)} ms, ${((8 * size) / copy / 1e6).toPrecision(3)}
            GB/s.`
      }
      ${cancelled ? 'Cancelled: what was measured until then.' : nothing}
    </p>
    <div class="table-frame">
      <table class="timings" aria-describedby="circumstances">
        <thead>
          <tr>
            <th scope="col">Op</th>
            <th scope="col">Shape</th>
            <th scope="col">GPU ms</th>
            <th scope="col">× copy</th>
            <th scope="col">GB/s</th>
            <th scope="col">CPU ms</th>
            <th scope="col">GPU against CPU</th>
          </tr>
        </thead>
        <tbody>
          ${timings.map((timing) => {
            const { gpu, cpu } = timing;
            const share = gpu === undefined ? 0 : (100 * gpu) / (slowest || 1);
            return html`<tr data-op=${nameOf(timing)} data-gpu=${gpu ?? ''} data-cpu=${cpu ?? ''}>
              <th scope="row">${nameOf(timing)}</th>
              <td>${timing.shape}</td>
              <td>
                <span class="spent" style="--share: ${share.toFixed(1)}%">${formatMs(gpu)}</span>
              </td>
              <td>${timesCopy(timing, copy)}</td>
              <td>${bandwidth(timing)}</td>
              <td>${formatMs(cpu)}</td>
              <td>${speedUp(timing)}</td>
            </tr>`;
          })}
        </tbody>
      </table>
    </div>`;
}
