// Takes a number with its label and range, and gives the field of a form for it.
import { html, type TemplateResult } from 'lit-html';

export interface NumberField {
  readonly id: string;
  readonly label: string;
  readonly min: number;
  readonly max: number;
  /** Whether only whole numbers are valid. */
  readonly integer: boolean;
}

/** A value out of its range stays in its field, which says so when the form is sent. */
export function numberField(
  { id, label, min, max, integer }: NumberField,
  value: number,
  change: (value: number) => void,
): TemplateResult {
  return html`<div class="field">
    <label for=${id}>${label}</label>
    <input
      id=${id}
      type="number"
      inputmode=${integer ? 'numeric' : 'decimal'}
      step=${integer ? '1' : 'any'}
      min=${min}
      max=${max}
      required
      .value=${value}
      @input=${(event: Event) => {
        const field = event.currentTarget as HTMLInputElement;
        if (field.validity.valid) change(field.valueAsNumber);
      }}
    />
  </div>`;
}
