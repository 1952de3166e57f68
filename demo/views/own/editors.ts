// Takes code, and gives the editors of its WGSL and its JavaScript: side by side, or one at a time where there is no room.
import { html, nothing, render } from 'lit-html';
import { Editor } from './editor.ts';
import type { OwnCode, Problem, Where } from './protocol.ts';

const SIDES: readonly { readonly where: Where; readonly title: string; readonly hint: string }[] = [
  { where: 'wgsl', title: 'WGSL', hint: 'what the GPU runs' },
  { where: 'js', title: 'JavaScript', hint: 'the reference, in float64' },
];

export class Editors {
  readonly element = document.createElement('section');
  readonly #editors: Readonly<Record<Where, Editor>>;
  readonly #notes: Readonly<Record<Where, HTMLElement>>;
  readonly #drawTabs: (faulty?: ReadonlySet<Where>) => void;

  constructor(changed: () => void) {
    this.element.className = 'editors';
    this.element.setAttribute('aria-label', 'Code');
    this.element.dataset.shown = 'wgsl';
    const tabs = document.createElement('div');
    tabs.className = 'editor-tabs';
    tabs.setAttribute('role', 'group');
    tabs.setAttribute('aria-label', 'Which code is shown');
    let faults: ReadonlySet<Where> = new Set();
    const draw = (faulty = faults) => {
      faults = faulty;
      render(
        SIDES.map(
          ({ where, title }) =>
            html`<button
              type="button"
              aria-pressed=${String(this.element.dataset.shown === where)}
              @click=${() => {
                this.element.dataset.shown = where;
                draw();
              }}
            >
              ${title}${faulty.has(where) ? ': error' : nothing}
            </button>`,
        ),
        tabs,
      );
    };
    draw();
    this.#drawTabs = draw;
    this.element.append(tabs);
    const made = SIDES.map(({ where, title, hint }) => {
      const side = document.createElement('div');
      side.className = `editor editor-${where}`;
      const heading = document.createElement('h2');
      render(html`${title} <small>${hint}</small>`, heading);
      const host = document.createElement('div');
      host.className = 'editor-host';
      const notes = document.createElement('div');
      notes.className = 'editor-notes';
      notes.setAttribute('role', 'status');
      side.append(heading, host, notes);
      this.element.append(side);
      return { editor: new Editor(host, where, title, changed), notes };
    });
    const [wgsl, js] = made;
    if (!wgsl || !js) throw new Error('no editors');
    this.#editors = { wgsl: wgsl.editor, js: js.editor };
    this.#notes = { wgsl: wgsl.notes, js: js.notes };
  }

  get text(): Pick<OwnCode, Where> {
    return { wgsl: this.#editors.wgsl.text, js: this.#editors.js.text };
  }

  put({ wgsl, js }: Pick<OwnCode, Where>): void {
    this.#editors.wgsl.put(wgsl);
    this.#editors.js.put(js);
    this.mark([]);
  }

  /** Marks problems in the editors and says them below; the button of one that is not shown says so too. */
  mark(problems: readonly Problem[]): void {
    for (const { where } of SIDES) {
      const editor = this.#editors[where];
      const own = problems
        .filter((problem) => problem.where === where)
        .map((problem) => placed(problem, editor));
      editor.mark(own);
      render(
        own.map(
          ({ line, words }) =>
            html`<p class="problem" data-line=${line ?? nothing}>
              ${
                line === undefined
                  ? nothing
                  : html`<button type="button" class="small" @click=${() => editor.go(line)}>
                      Line ${line}
                    </button>`
              }
              <span>${words}</span>
            </p>`,
        ),
        this.#notes[where],
      );
    }
    this.#drawTabs(new Set(problems.map(({ where }) => where)));
  }

  dispose(): void {
    for (const editor of Object.values(this.#editors)) editor.dispose();
  }
}

/** Engines do not say where JavaScript cannot be read; its grammar does. */
function placed(problem: Problem, editor: Editor): Problem {
  if (problem.line !== undefined || !problem.words.startsWith('SyntaxError')) return problem;
  return { ...problem, ...editor.misfit };
}
