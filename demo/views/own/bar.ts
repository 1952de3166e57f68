// Takes code, and gives what stands above its editors: where to start, its name, what can be copied, and what there is to know.
import { html, nothing, type TemplateResult } from 'lit-html';
import { chosen } from '../../lab/chosen.ts';
import { copyButton } from '../../lab/copy.ts';
import type { OwnCode } from './protocol.ts';
import { startOf, STARTS } from './starts.ts';
import { appCode } from './words.ts';
import { PATIENCE_S } from './workshop.ts';

export const FOREIGN =
  'This code came with the link: somebody else has written it, and it has not run. Read it first. It runs in a worker of its ' +
  'own, which cannot touch this page, but can use the network and what this site has stored.';
export const HUNG = `The JavaScript did not come to an end within ${PATIENCE_S} s, and was stopped. Is there a loop that never ends? It runs again once you change it.`;
export const LONG =
  'The GPU has not answered for 10 s: a loop in the WGSL that never ends? A browser gives such a GPU up after a while, and the ' +
  'page says so. Change the code; if nothing helps, close this tab.';
export const LOST =
  'The GPU was lost while this code ran: a loop in the WGSL may never end. Change it before you run it again.';

export const WITHOUT = 'This browser has no WebGPU in workers: your code runs on the CPU.';

export interface BarEvents {
  readonly start: (name: string) => void;
  readonly rename: (input: HTMLInputElement) => void;
}

export function bar(code: OwnCode, events: BarEvents): TemplateResult {
  const start = startOf(code);
  const group = (kind: OwnCode['kind'], label: string) =>
    html`<optgroup label=${label}>
      ${STARTS.filter((one) => one.kind === kind).map(
        ({ name }) => html`<option value=${name}>${name}</option>`,
      )}
    </optgroup>`;
  return html`<div class="toolbar own-bar">
      <label
        >Start from
        <select
          id="start"
          @change=${(event: Event) => events.start((event.currentTarget as HTMLSelectElement).value)}
        >
          ${start ? nothing : html`<option value="">your own code</option>`}
          ${group('activation', 'Activations')} ${group('loss', 'Losses')}
          ${chosen(start?.name ?? '')}
        </select></label
      >
      <label
        >Name
        <input
          id="own-name"
          type="text"
          size="16"
          autocomplete="off"
          spellcheck="false"
          .value=${code.name}
          @change=${(event: Event) => events.rename(event.currentTarget as HTMLInputElement)}
      /></label>
      ${copyButton(() => location.href, 'Copy the link')}
      ${copyButton(() => appCode(code), 'Copy for an app')}
    </div>
    ${start ? html`<p class="help own-about">${start.about}</p>` : nothing}`;
}

/** Words, and where code waits for it a button that lets it run. */
export function notice(
  words: string,
  run: (() => void) | undefined,
): TemplateResult | typeof nothing {
  if (words === '') return nothing;
  return html`<div class="notice own-notice" role="status">
    <p>${words}</p>
    ${
      run
        ? html`<button type="button" class="primary" id="run-it" @click=${run}>Run it</button>`
        : nothing
    }
  </div>`;
}
