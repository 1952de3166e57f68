// @ts-check
// A rule for markdown-it: TeX between dollars, as docs/*.md have it, becomes what KaTeX makes of it.
import { renderFormula } from './formulas.mjs';

const DOLLAR = 36;

/**
 * Where the formula that begins at `start` ends, or -1. As on GitHub: no blank behind the first dollar or before the last, no digit
 * behind that.
 * @param {string} text
 * @param {number} start of its first dollar
 */
export function endOfFormula(text, start) {
  const found = /^\$(?![\s$])(?:[^$\\`]|\\[^])*?(?<!\s)\$(?!\d)/.exec(text.slice(start));
  return found === null ? -1 : start + found[0].length;
}

/** @param {import('markdown-it').default} markdown */
export function formulaRule(markdown) {
  // before the rule that takes \{ for {
  markdown.inline.ruler.before('escape', 'formula', (state, silent) => {
    if (state.src.charCodeAt(state.pos) !== DOLLAR) return false;
    const end = endOfFormula(state.src, state.pos);
    if (end < 0 || end > state.posMax) return false;
    if (!silent) {
      const token = state.push('formula', 'math', 0);
      token.content = state.src.slice(state.pos + 1, end - 1);
    }
    state.pos = end;
    return true;
  });
  markdown.renderer.rules.formula = (tokens, at) => renderFormula(tokens[at]?.content ?? '');
}
