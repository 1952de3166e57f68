// Takes what can be set of an op, and how it is set, and gives sliders, choices and switches.
import { html, type TemplateResult } from 'lit-html';
import { chosen } from './chosen.ts';
import { formatValue, type Option, type Value, type Values } from './options.ts';

/** A slider or a select per option; `change` gets every new value. */
export function optionControls(
  id: string,
  options: readonly Option[],
  values: Values,
  change: (name: string, value: Value) => void,
): TemplateResult {
  return html`<div class="options">
    ${options
      .filter(({ hidden }) => !hidden)
      .map((option) => optionControl(`${id}-${option.name}`, option, values, change))}
  </div>`;
}

function optionControl(
  id: string,
  option: Option,
  values: Values,
  change: (name: string, value: Value) => void,
): TemplateResult {
  const { name, label = name } = option;
  const value = values[name] ?? option.value;
  if ('choices' in option) {
    return html`<label class="option" for=${id}>
      <span class="option-name">${label}</span>
      <select
        id=${id}
        @change=${(event: Event) => change(name, (event.currentTarget as HTMLSelectElement).value)}
      >
        ${option.choices.map((choice) => html`<option value=${choice}>${choice}</option>`)}
        ${chosen(String(value))}
      </select>
    </label>`;
  }
  if (!('step' in option)) {
    return html`<label class="option" for=${id}>
      <span class="option-name">${label}</span>
      <input
        id=${id}
        type="checkbox"
        .checked=${value === true}
        @change=${(event: Event) => change(name, (event.currentTarget as HTMLInputElement).checked)}
      />
    </label>`;
  }
  return html`<label class="option" for=${id}>
    <span class="option-name">${label}</span>
    <input
      id=${id}
      type="range"
      min=${option.min}
      max=${Math.max(option.max, Number(value))}
      step=${option.step}
      .value=${value}
      @input=${(event: Event) => change(name, Number((event.currentTarget as HTMLInputElement).value))}
    />
    <output for=${id}>${formatValue(value)}</output>
  </label>`;
}
