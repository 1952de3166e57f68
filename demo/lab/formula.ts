// Takes a formula of the catalog in TeX, and gives a template of it, rendered by KaTeX when the page was built.
import 'katex/dist/katex.min.css';
import { html, type TemplateResult } from 'lit-html';
import { unsafeHTML } from 'lit-html/directives/unsafe-html.js';

/** HTML by TeX, as made when the page was built. */
export type Formulas = Readonly<Record<string, string>>;

/** Wide formulas break where they can, and scroll on their own where they cannot. */
export function formula(formulas: Formulas, tex: string): TemplateResult {
  const rendered = formulas[tex];
  if (rendered === undefined) return html`<code>${tex}</code>`;
  // made from the sources at build time: nothing a visitor wrote gets here
  return html`<div class="formula">${unsafeHTML(rendered)}</div>`;
}
