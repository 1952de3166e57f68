// Takes code, what is known of it, and the parts that keep their elements, and gives the view in which it is written.
import { html, nothing, type TemplateResult } from 'lit-html';
import { optionControls } from '../../lab/option-controls.ts';
import { numberOption, optionsOf, type Value, type Values } from '../../lab/options.ts';
import { bar, notice, type BarEvents } from './bar.ts';
import type { Declared, OwnCode } from './protocol.ts';
import { errorTable, verdicts, type Checked } from './results.ts';

/** `asking`: the code came with a link, or a GPU was lost with it, and nobody has said that it is to run. */
export type State = 'asking' | 'checking' | 'done' | 'fault';

/** Of a loss: what the picture's input is compared with. */
export const TARGET = numberOption('target', 0, { min: -3, max: 3 });

export interface Shown {
  readonly state: State;
  readonly code: OwnCode;
  readonly notice: string;
  readonly declared: Declared | undefined;
  readonly checked: Checked | undefined;
  readonly values: Values;
  readonly target: number;
  readonly editors: HTMLElement;
  readonly plot: HTMLElement;
  readonly match: HTMLElement;
}

export interface ShownEvents extends BarEvents {
  readonly run: () => void;
  readonly set: (name: string, value: Value) => void;
}

export function ownPage(shown: Shown, events: ShownEvents): TemplateResult {
  const { state, code, checked } = shown;
  return html`<div class="intro">
      <h1>Write your own activation or loss</h1>
      <p class="lead">
        Its WGSL for the GPU, and the same in JavaScript, which says what is right. The curve, the
        gradient’s check and the error follow as you type.
        <span class="visually-hidden">Tab leaves the editors.</span>
      </p>
    </div>
    <div id="own" data-state=${state} data-kind=${code.kind}>
      ${bar(code, events)} ${notice(shown.notice, state === 'asking' ? events.run : undefined)}
      <div class="own-work">
        <div class="own-code">
          ${shown.editors} ${checked?.sweep ? errorTable(checked.sweep) : nothing}
        </div>
        <section class="own-results" aria-label="What it does">
          ${shown.plot} ${controls(shown, events)}
          ${checked ? verdicts(code.kind, checked) : nothing}
        </section>
      </div>
      ${shown.match}
    </div>`;
}

function controls(
  { code, declared, values, target }: Shown,
  { set }: ShownEvents,
): TemplateResult | typeof nothing {
  if (!declared) return nothing;
  const options = [...(code.kind === 'loss' ? [TARGET] : []), ...optionsOf(declared)];
  if (options.length === 0) return nothing;
  return optionControls('own', options, { ...values, [TARGET.name]: target }, set);
}
