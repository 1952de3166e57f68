// Takes an element and a text, and gives an editor of it that marks problems at their lines. Tab leaves it: nothing is bound to it.
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import { javascript } from '@codemirror/lang-javascript';
import {
  bracketMatching,
  HighlightStyle,
  indentOnInput,
  StreamLanguage,
  syntaxHighlighting,
  syntaxTree,
} from '@codemirror/language';
import { clike } from '@codemirror/legacy-modes/mode/clike';
import { lintGutter, setDiagnostics, type Diagnostic } from '@codemirror/lint';
import { EditorState } from '@codemirror/state';
import {
  drawSelection,
  EditorView,
  highlightActiveLine,
  keymap,
  lineNumbers,
} from '@codemirror/view';
import { tags } from '@lezer/highlight';
import type { Problem, Where } from './protocol.ts';

const words = (text: string) => Object.fromEntries(text.split(' ').map((word) => [word, true]));

/** As far as colours need it. */
const WGSL = clike({
  name: 'wgsl',
  keywords: words(
    'alias break case const const_assert continue continuing default discard else enable fn for if let loop ' +
      'override return struct switch var while',
  ),
  types: words(
    'bool f16 f32 i32 u32 vec2f vec3f vec4f vec2i vec3i vec4i vec2u vec3u vec4u vec2 vec3 vec4 array ' +
      'mat2x2f mat3x3f mat4x4f Params',
  ),
  blockKeywords: words('case else for if loop switch while'),
  atoms: words('true false'),
  number: /^(?:0x[\da-f]+(?:\.[\da-f]*)?(?:p[-+]?\d+)?|(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)[fhiu]?/i,
});

const COLOURS = HighlightStyle.define([
  { tag: [tags.comment, tags.meta], color: 'var(--muted)', fontStyle: 'italic' },
  { tag: [tags.keyword, tags.controlKeyword], color: 'var(--c4)' },
  { tag: [tags.typeName, tags.standard(tags.variableName)], color: 'var(--c3)' },
  { tag: [tags.number, tags.bool, tags.atom, tags.string], color: 'var(--c2)' },
  {
    tag: [tags.function(tags.variableName), tags.definition(tags.variableName)],
    color: 'var(--c1)',
  },
]);

const LOOKS = EditorView.theme({
  '&': { color: 'var(--ink)', backgroundColor: 'var(--raised)', fontSize: '0.875em' },
  '&.cm-focused': { outline: '2px solid var(--accent)', outlineOffset: '1px' },
  '.cm-scroller': { fontFamily: 'ui-monospace, "SFMono-Regular", Menlo, Consolas, monospace' },
  '.cm-content': { caretColor: 'var(--ink)' },
  '.cm-cursor': { borderLeftColor: 'var(--ink)' },
  '.cm-gutters': {
    color: 'var(--muted)',
    backgroundColor: 'var(--sunken)',
    borderRight: '1px solid var(--line)',
  },
  '.cm-activeLine': { backgroundColor: 'color-mix(in srgb, var(--accent) 6%, transparent)' },
  '&.cm-focused .cm-selectionBackground, .cm-selectionBackground': {
    background: 'color-mix(in srgb, var(--accent) 28%, transparent) !important',
  },
  '.cm-matchingBracket': {
    backgroundColor: 'color-mix(in srgb, var(--c3) 25%, transparent) !important',
  },
  '.cm-tooltip': {
    color: 'var(--ink)',
    backgroundColor: 'var(--raised)',
    border: '1px solid var(--line)',
  },
});

export class Editor {
  readonly #view: EditorView;

  constructor(host: HTMLElement, where: Where, label: string, changed: (text: string) => void) {
    this.#view = new EditorView({
      parent: host,
      state: EditorState.create({
        extensions: [
          lineNumbers(),
          lintGutter(),
          history(),
          drawSelection(),
          indentOnInput(),
          bracketMatching(),
          highlightActiveLine(),
          EditorView.lineWrapping,
          where === 'js' ? javascript() : StreamLanguage.define(WGSL),
          syntaxHighlighting(COLOURS),
          LOOKS,
          keymap.of([...defaultKeymap, ...historyKeymap]),
          EditorView.contentAttributes.of({ 'aria-label': label, spellcheck: 'false' }),
          EditorView.updateListener.of((update) => {
            // what the page itself puts in is no change of the person's
            if (update.transactions.some((one) => one.docChanged && one.isUserEvent('put'))) return;
            if (update.docChanged) changed(update.state.doc.toString());
          }),
        ],
      }),
    });
  }

  get text(): string {
    return this.#view.state.doc.toString();
  }

  /** Puts another text in. */
  put(text: string): void {
    if (text === this.text) return;
    const { length } = this.#view.state.doc;
    this.#view.dispatch({
      changes: { from: 0, to: length, insert: text },
      selection: { anchor: 0 },
      userEvent: 'put',
    });
  }

  /** Marks problems; one without a line stands at the end, which is where a brace is missing. */
  mark(problems: readonly Problem[]): void {
    const { doc } = this.#view.state;
    const diagnostics = problems.map(
      ({ words: message, line = doc.lines, column = 1 }): Diagnostic => {
        const { from, to } = doc.line(Math.min(Math.max(1, line), doc.lines));
        const start = Math.min(from + Math.max(0, column - 1), to);
        const word = /^\w+/.exec(doc.sliceString(start, to))?.[0].length ?? 1;
        return { from: start, to: Math.min(to, start + word), severity: 'error', message };
      },
    );
    diagnostics.sort((a, b) => a.from - b.from);
    this.#view.dispatch(setDiagnostics(this.#view.state, diagnostics));
  }

  /** The first place that does not fit JavaScript's grammar, where there is one. */
  get misfit(): { readonly line: number; readonly column: number } | undefined {
    const { state } = this.#view;
    let found: number | undefined;
    syntaxTree(state).iterate({
      enter: ({ type, from }) => {
        if (type.isError) found ??= from;
        return found === undefined;
      },
    });
    if (found === undefined) return undefined;
    const line = state.doc.lineAt(found);
    return { line: line.number, column: found - line.from + 1 };
  }

  /** Leads to a line. */
  go(line: number): void {
    const { from } = this.#view.state.doc.line(Math.min(line, this.#view.state.doc.lines));
    this.#view.dispatch({ selection: { anchor: from }, scrollIntoView: true });
    this.#view.focus();
  }

  dispose(): void {
    this.#view.destroy();
  }
}
