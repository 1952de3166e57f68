// Takes timings as far as they are known, and gives the picture of how near each op comes to the bandwidth of a copy.
import { html, nothing, type TemplateResult } from 'lit-html';
import { nameOf, type Circumstances, type Timing } from './report.ts';
import { percentOf, sharedOf } from './shares.ts';

/** Bars by op, forward and with gradient, over a line at the copy's bandwidth; nothing without a copy to compare with. */
export function sharePicture(
  timings: readonly Timing[],
  about: Circumstances,
): TemplateResult | typeof nothing {
  if (about.copy === undefined) return nothing;
  const shared = sharedOf(timings, about);
  // small inputs stay in a cache, so that a call can be faster than the copy
  const most = Math.max(1, ...shared.map(({ share }) => share));
  const ops = [...new Set(timings.map(({ op }) => op))];
  const bar = (op: string, gradient: boolean) => {
    const found = shared.find(({ timing }) => timing.op === op && timing.gradient === gradient);
    if (!found) return nothing;
    return html`<span
      class="share ${gradient ? 'gradient' : 'forward'}"
      data-call=${nameOf(found.timing)}
      data-share=${found.share}
      style="--share: ${(found.share / most).toFixed(4)}"
      ><span class="bar"></span><span class="percent">${percentOf(found.share)}</span></span
    >`;
  };
  return html`<figure class="shares" style="--copy: ${(1 / most).toFixed(4)}">
    <figcaption>
      Bandwidth as a share of the copy’s. The vertical line is the copy: 100 %.
      <span class="keys"
        ><span class="key c1 block">forward</span>
        <span class="key c2 block">with gradient</span></span
      >
    </figcaption>
    <ul>
      ${ops.map(
        (op) =>
          html`<li>
            <span class="op">${op}</span>
            <span class="bars">${bar(op, false)} ${bar(op, true)}</span>
          </li>`,
      )}
    </ul>
  </figure>`;
}
