// Takes the value that a select is to show, and gives a directive that sets it once the options are there.
import { nothing } from 'lit-html';
import { directive, Directive, type ChildPart } from 'lit-html/directive.js';

class Chosen extends Directive {
  render(_value: string): unknown {
    return nothing;
  }

  override update({ parentNode }: ChildPart, [value]: [value: string]): unknown {
    if (parentNode instanceof HTMLSelectElement) parentNode.value = value;
    return nothing;
  }
}

/**
 * Stands behind the options of a select. An attribute of the select would be set before its options are, and one of an
 * option only where it differs from the option that stood in its place before.
 */
export const chosen = directive(Chosen);
