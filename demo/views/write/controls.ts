// Takes what is chosen and how runs stand, and gives the settings of the next run, the buttons of this one, and how it writes.
import { html, nothing, type TemplateResult } from 'lit-html';
import { chosen } from '../../lab/chosen.ts';
import { copyButton } from '../../lab/copy.ts';
import { numberField, type NumberField } from '../../lab/number-field.ts';
import { ACTIVATIONS, NORMS } from '../../writing/config.ts';
import type { Sampling, Source } from './protocol.ts';
import type { Run } from './run.ts';
import {
  LABELS,
  MOST_SEED,
  MOST_STEPS,
  SIZE_NAMES,
  SIZES,
  TEXT_NAMES,
  TEXTS,
  type Choice,
} from './settings.ts';

const STEPS: NumberField = { id: 'steps', label: 'Steps', min: 1, max: MOST_STEPS, integer: true };
const SEED: NumberField = { id: 'seed', label: 'Seed', min: 0, max: MOST_SEED, integer: true };

/** Whether a text of the page is learned, or the person's. */
export type TextKind = Source['kind'];

export interface FormState {
  readonly choice: Choice;
  readonly text: TextKind;
  readonly own: string;
  /** What is wrong with the person's text. */
  readonly fault: string | undefined;
}

export interface FormEvents {
  readonly choose: (values: Partial<Choice>) => void;
  readonly text: (kind: TextKind) => void;
  readonly own: (text: string) => void;
  /** A run as it is set. */
  readonly submit: () => void;
}

const title = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);

export function settingsForm(state: FormState, events: FormEvents): TemplateResult {
  const { choice, text, own, fault } = state;
  const { layers, width, heads, context } = SIZES[choice.size];
  return html`<form
    id="settings"
    autocomplete="off"
    @submit=${(event: Event) => {
      event.preventDefault();
      events.submit();
    }}
  >
    <fieldset>
      <legend class="visually-hidden">Settings of the next run</legend>
      <div class="field wide">
        ${select('text-kind', 'Text', [...TEXT_NAMES, 'own'], text, events.text, {
          moby: TEXTS.moby.label,
          names: TEXTS.names.label,
          own: 'Your own',
        })}
      </div>
      ${
        text === 'own'
          ? html`<div class="field wide">
              <label for="own-text">Your text</label>
              <textarea
                id="own-text"
                rows="6"
                spellcheck="false"
                placeholder="Paste some pages here: chats, code, poems, in any language."
                aria-describedby="own-help"
                .value=${own}
                @input=${(event: Event) =>
                  events.own((event.currentTarget as HTMLTextAreaElement).value)}
              ></textarea>
              <p class="help" id="own-help" role="status">
                ${fault ?? `${own.length.toLocaleString('en')} characters. They stay in this tab.`}
              </p>
            </div>`
          : nothing
      }
      <div class="field wide">
        ${select('size', 'Size', SIZE_NAMES, choice.size, (size) =>
          // how long it learns is part of a size
          events.choose({ size, steps: SIZES[size].steps }),
        )}
        <p class="help">
          ${layers} layers of ${heads} heads, ${width} numbers per character, and it sees ${context}
          characters at a time.
        </p>
      </div>
      <div class="field">
        ${select(
          'activation',
          'Activation',
          ACTIVATIONS,
          choice.activation,
          (activation) => events.choose({ activation }),
          LABELS,
        )}
      </div>
      <div class="field">
        ${select('norm', 'Norm', NORMS, choice.norm, (norm) => events.choose({ norm }), LABELS)}
      </div>
      ${numberField(STEPS, choice.steps, (steps) => events.choose({ steps }))}
      ${numberField(SEED, choice.seed, (seed) => events.choose({ seed }))}
    </fieldset>
    <p class="share-link">
      ${copyButton(() => location.href, 'Copy link')}
      <span class="help">The address of this page holds these settings.</span>
    </p>
  </form>`;
}

function select<N extends string>(
  id: string,
  label: string,
  names: readonly N[],
  value: N,
  change: (value: N) => void,
  labels?: Readonly<Record<N, string>>,
): TemplateResult {
  return html`<label for=${id}>${label}</label>
    <select
      id=${id}
      @change=${(event: Event) => {
        const wanted = (event.currentTarget as HTMLSelectElement).value;
        const found = names.find((name) => name === wanted);
        if (found !== undefined) change(found);
      }}
    >
      ${names.map((name) => html`<option value=${name}>${labels?.[name] ?? title(name)}</option>`)}
      ${chosen(value)}
    </select>`;
}

export interface ToolbarState {
  readonly current: Run | undefined;
  readonly pending: Run | undefined;
  readonly ready: boolean;
  /** The settings are not those of the run that is shown. */
  readonly differs: boolean;
  readonly more: number;
}

export interface ToolbarEvents {
  readonly pause: () => void;
  readonly resume: () => void;
  readonly more: () => void;
  readonly save: () => void;
  readonly open: (file: File) => void;
}

export function toolbar(state: ToolbarState, events: ToolbarEvents): TemplateResult {
  const { current, pending, ready, differs, more } = state;
  const phase = pending ? 'starting' : current?.state.phase;
  const busy = phase === 'starting';
  const goes =
    phase === undefined || phase === 'starting'
      ? nothing
      : phase === 'running'
        ? button('pause', 'Pause', events.pause, { primary: !differs })
        : phase === 'done'
          ? button('more', `${more.toLocaleString('en')} more steps`, events.more, {
              primary: !differs,
              disabled: !ready,
            })
          : button('resume', 'Resume', events.resume, { primary: !differs, disabled: !ready });
  return html`<div class="toolbar">
    ${goes}
    <button
      id="train"
      type="submit"
      form="settings"
      class=${goes === nothing || differs ? 'primary' : ''}
      ?disabled=${busy || !ready}
    >
      ${busy ? 'Starting…' : current ? (differs ? 'Train with these settings' : 'Train anew') : 'Train'}
    </button>
    <span class="files">
      <button
        id="save"
        type="button"
        class="quiet"
        ?disabled=${!current || busy}
        @click=${events.save}
      >
        Save
      </button>
      <label class="button quiet ${busy || !ready ? 'disabled' : ''}">
        Load
        <input
          id="load"
          class="visually-hidden"
          type="file"
          accept=".safetensors"
          ?disabled=${busy || !ready}
          @change=${(event: Event) => {
            const input = event.currentTarget as HTMLInputElement;
            const file = input.files?.[0];
            input.value = '';
            if (file) events.open(file);
          }}
        />
      </label>
    </span>
  </div>`;
}

function button(
  id: string,
  words: string,
  press: () => void,
  { primary = false, disabled = false }: { primary?: boolean; disabled?: boolean } = {},
): TemplateResult {
  return html`<button
    id=${id}
    type="button"
    class=${primary ? 'primary' : ''}
    ?disabled=${disabled}
    @click=${press}
  >
    ${words}
  </button>`;
}

/** The slider's right end, which is all characters. */
const ALL = 41;

export function samplingControls(
  { temperature, topK, prompt }: Sampling,
  change: (values: Partial<Sampling>) => void,
): TemplateResult {
  const valueOf = (event: Event) => (event.currentTarget as HTMLInputElement).valueAsNumber;
  return html`<div class="sampling" role="group" aria-label="How it writes">
    <label class="option">
      <span class="option-name">Temperature</span>
      <input
        id="temperature"
        type="range"
        min="0"
        max="2"
        step="0.05"
        .value=${temperature}
        @input=${(event: Event) => change({ temperature: valueOf(event) })}
      />
      <output>${temperature.toFixed(2)}</output>
    </label>
    <label class="option">
      <span class="option-name">Top k</span>
      <input
        id="top-k"
        type="range"
        min="1"
        max=${ALL}
        step="1"
        .value=${topK === 0 ? ALL : topK}
        aria-valuetext=${topK === 0 ? 'all' : topK}
        @input=${(event: Event) => {
          const k = valueOf(event);
          change({ topK: k === ALL ? 0 : k });
        }}
      />
      <output>${topK === 0 ? 'all' : topK}</output>
    </label>
    <label class="option prompt">
      <span class="option-name">Begins with</span>
      <input
        id="prompt"
        type="text"
        maxlength="200"
        .value=${prompt}
        @input=${(event: Event) =>
          change({ prompt: (event.currentTarget as HTMLInputElement).value })}
      />
    </label>
  </div>`;
}
