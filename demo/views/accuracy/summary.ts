// Takes a measurement, and gives its largest errors as a table, and what they mean in words.
import { html, nothing, type TemplateResult } from 'lit-html';
import type { Documented } from '../../../src/define/op.ts';
import { describeValues, optionsOf, type Values } from '../../lab/options.ts';
import type { Direction, Errors, Measurement } from './measurement.ts';

export interface Measured {
  readonly op: Documented;
  readonly values: Values;
  readonly direction: Direction;
  /** Whether the CPU path was measured. */
  readonly cpu: boolean;
}

export function summary(
  measurement: Measurement,
  { op, values, direction, cpu }: Measured,
): TemplateResult {
  const { ours, builtin, bound, places } = measurement;
  const limit = bound(direction, places.at(-1) ?? 0);
  const row = (name: string, { worst, worstAt, wrong, count }: Errors) =>
    html`<tr data-of=${name} data-worst=${worst} data-wrong=${wrong}>
      <th scope="row">${name}</th>
      <td>${formatUlp(worst)}</td>
      <td>${Number.isNaN(worstAt) ? '–' : Number(worstAt.toPrecision(4))}</td>
      <td>${wrong === 0 ? 'none' : `${wrong} of ${count}`}</td>
    </tr>`;
  const note = describeValues(optionsOf(op), values);
  return html`<div class="table-frame">
      <table class="worst">
        <caption>
          ${op.op}${note === '' ? '' : `, ${note}`}:
          ${direction === 'forward' ? 'function' : 'gradient'}
        </caption>
        <thead>
          <tr>
            <th scope="col"></th>
            <th scope="col">Largest error, ULP</th>
            <th scope="col">at x =</th>
            <th scope="col">Wrongly NaN or ∞</th>
          </tr>
        </thead>
        <tbody>
          ${row('nonlin', ours[direction])}
          ${builtin ? row('WGSL built-ins', builtin[direction]) : nothing}
        </tbody>
      </table>
    </div>
    <p class="help" role="status">
      Stated bound: ${limit} ULP, held by the package’s tests.
      ${
        builtin
          ? 'Built-ins: the usual formula, written with exp, log and tanh of WGSL.'
          : cpu
            ? 'The CPU path computes in float64 and rounds once; WGSL’s built-ins need a GPU.'
            : 'There is no built-in function to compare it with.'
      }
      Where the terms of a sum cancel, errors are counted in ULP of the largest term. Inputs below
      2^-126 are left out: a GPU may flush them to 0.
    </p>`;
}

export function formatUlp(value: number): string {
  return value >= 1e4
    ? value.toExponential(0).replace('+', '')
    : String(Number(value.toPrecision(2)));
}
