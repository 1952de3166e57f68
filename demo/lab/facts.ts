// In: an op's documentation. Out: the parts of its card that functions and losses share: names, formulas, facts, code.
import { html, nothing, type TemplateResult } from 'lit-html';
import type { Documented } from '../../src/define/op.ts';
import { copyButton } from './copy.ts';
import { formula, type Formulas } from './formula.ts';

export interface Described {
  readonly op: string;
  readonly docs: Documented['docs'];
  readonly accuracy: Documented['accuracy'];
  readonly formulas: Formulas;
}

/** PyTorch's name for it, a function or a module, or that there is none. */
export function torchName({ docs }: Described): TemplateResult {
  return docs.torch === null
    ? html`<span class="torch none">beyond PyTorch</span>`
    : html`<span class="torch" title="In PyTorch"
        >${/^[A-Z]/.test(docs.torch) ? 'nn' : 'F'}.${docs.torch}</span
      >`;
}

/** What is known of it, behind a summary. */
export function facts({ docs, accuracy, formulas }: Described, code: () => string): TemplateResult {
  const row = (term: string, content: unknown) =>
    html`<div>
      <dt>${term}</dt>
      <dd>${content}</dd>
    </div>`;
  return html`<details class="facts">
    <summary>Code, gradient, range, source</summary>
    <div class="code">
      <pre tabindex="0" aria-label="Code"><code>${code()}</code></pre>
      ${copyButton(code)}
    </div>
    <dl>
      ${docs.derivative === undefined ? nothing : row('Gradient', formula(formulas, docs.derivative))}
      ${docs.range === undefined ? nothing : row('Range', formula(formulas, docs.range))}
      ${row('At kinks', docs.kinks ?? 'smooth everywhere')}
      ${row('Error', `at most ${accuracy.forward} ULP, gradient ${accuracy.backward} ULP`)}
      ${row('Source', docs.cite)}
    </dl>
  </details>`;
}

/** Whether a search's words are all found in what is known of an op. */
export function matches({ op, docs }: Described, words: string): boolean {
  const text = [op, docs.torch, docs.use, docs.cite, docs.kinks].join(' ').toLowerCase();
  return words
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}
