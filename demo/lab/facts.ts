// Takes an op's documentation, and gives the parts of its card that functions and losses share: names, formulas, facts,
// code.
import { html, nothing, type TemplateResult } from 'lit-html';
import type { Documented } from '../../src/define/op.ts';
import { aliasesOf } from './aliases.ts';
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
  return docs.torch === undefined
    ? html`<span class="torch none">beyond PyTorch</span>`
    : html`<span class="torch" title="In PyTorch"
        >${/^[A-Z]/.test(docs.torch) ? 'nn' : 'F'}.${docs.torch}</span
      >`;
}

/** What one looks for first: the range of its results, where it has no derivative, and a line to copy. */
export function glance({ docs, formulas }: Described, code: () => string): TemplateResult {
  return html`<div class="glance">
    <dl>
      ${
        docs.range === undefined
          ? nothing
          : html`<div>
              <dt>Range</dt>
              <dd>${formula(formulas, docs.range)}</dd>
            </div>`
      }
      <div>
        <dt>At kinks</dt>
        <dd>${docs.kinks ?? 'no kinks: it is smooth'}</dd>
      </div>
    </dl>
    <div class="code">
      <pre><code>${code()}</code></pre>
      ${copyButton(code)}
    </div>
  </div>`;
}

/** The rest, behind a summary. */
export function facts({ docs, accuracy, formulas }: Described): TemplateResult {
  const row = (term: string, content: unknown) =>
    html`<div>
      <dt>${term}</dt>
      <dd>${content}</dd>
    </div>`;
  return html`<details class="facts">
    <summary>Gradient, accuracy, source</summary>
    <dl>
      ${docs.derivative === undefined ? nothing : row('Gradient', formula(formulas, docs.derivative))}
      ${row('Error', `at most ${accuracy.forward} ULP, gradient ${accuracy.backward} ULP`)}
      ${docs.shapes === undefined ? nothing : row('Shapes', docs.shapes)}
      ${row('Source', docs.cite)}
    </dl>
  </details>`;
}

/** Whether a search's words are all found in what is known of an op. */
export function matches({ op, docs }: Described, words: string): boolean {
  const known = [op, aliasesOf(op), docs.torch, docs.use, docs.cite, docs.kinks];
  const text = known.join(' ').toLowerCase();
  return words
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}
