// Takes what held-out digits were taken for, and gives a confusion matrix, and the mistakes that the network was surest of.
import { html, type TemplateResult } from 'lit-html';
import { PIXELS, SIDE, type Digits } from '../../../training/digits.ts';
import type { Verdicts } from '../../../training/score.ts';
import { pictureOf } from './picture.ts';
import { CLASSES } from '../../../training/tasks/digits.ts';

const SHOWN = 12;
const DIGITS = Array.from({ length: CLASSES }, (_, digit) => digit);

/** Counts by the right digit, then by the predicted one. */
export function confusionOf({ predicted, wanted }: Verdicts): number[][] {
  const counts = DIGITS.map(() => DIGITS.map(() => 0));
  wanted.forEach((right, i) => {
    const row = counts[right];
    const said = predicted[i] ?? 0;
    if (row) row[said] = (row[said] ?? 0) + 1;
  });
  return counts;
}

export interface Mistake {
  readonly index: number;
  readonly right: number;
  readonly said: number;
}

/** The surest first. */
export function mistakesOf({ predicted, wanted, margin }: Verdicts): Mistake[] {
  return [...wanted.keys()]
    .filter((i) => predicted[i] !== wanted[i])
    .sort((a, b) => (margin[b] ?? 0) - (margin[a] ?? 0))
    .map((index) => ({ index, right: wanted[index] ?? 0, said: predicted[index] ?? 0 }));
}

export function confusionTable(verdicts: Verdicts): TemplateResult {
  const counts = confusionOf(verdicts);
  return html`<div class="table-frame">
    <table class="confusion">
      <caption>
        How each digit was read: rows are the digits, columns the answers
      </caption>
      <thead>
        <tr>
          <th scope="col"><span class="visually-hidden">Digit</span></th>
          ${DIGITS.map((digit) => html`<th scope="col">${digit}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${counts.map((row, right) => {
          const total = row.reduce((sum, count) => sum + count, 0) || 1;
          return html`<tr>
            <th scope="row">${right}</th>
            ${row.map((count, said) => {
              // mistakes are few: the square root shows them
              const share = Math.sqrt(count / total);
              const kind = said === right ? 'right' : 'wrong';
              return html`<td class=${kind} style="--share: ${share.toFixed(3)}">
                ${count === 0 ? html`<span class="none">·</span>` : count}
              </td>`;
            })}
          </tr>`;
        })}
      </tbody>
    </table>
  </div>`;
}

/** The digits themselves, ink on paper. */
export function mistakeGallery(verdicts: Verdicts, digits: Digits): TemplateResult {
  const mistakes = mistakesOf(verdicts);
  return html`<figure class="mistakes">
    <figcaption>
      Surest mistakes
      <span class="readout">${mistakes.length} of ${verdicts.wanted.length} misread</span>
    </figcaption>
    <ul>
      ${mistakes.slice(0, SHOWN).map(
        ({ index, right, said }) =>
          html`<li>
            <img
              src=${pictureOf((pixel) => (digits.pixels[index * PIXELS + pixel] ?? 0) / 255)}
              width=${2 * SIDE}
              height=${2 * SIDE}
              alt="A ${right} that was read as ${said}"
            />
            <span aria-hidden="true">${right} → <b>${said}</b></span>
          </li>`,
      )}
    </ul>
  </figure>`;
}
