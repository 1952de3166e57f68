// Takes a configuration, what there is to choose from, and gives the settings as fields, of one run at a time.
import { html, nothing, svg, type TemplateResult } from 'lit-html';
import { chosen } from '../../lab/chosen.ts';
import { copyButton } from '../../lab/copy.ts';
import { numberField } from '../../lab/number-field.ts';
import type { ActivationChoice, Curve } from '../../training/activations.ts';
import { MOST_RUNS, suggestedRate, type Config } from '../../training/config.ts';
import type { LossChoice } from '../../training/loss.ts';
import { OPTIMIZER_NAMES, OPTIMIZERS } from '../../training/optimizers.ts';
import { RANGES, withoutSizes, type NumberName, type Settings } from '../../training/settings.ts';

export interface FormState {
  readonly config: Config;
  /** The run whose settings are shown. */
  readonly run: number;
  readonly activations: readonly ActivationChoice[];
  readonly losses: readonly LossChoice[];
  readonly disabled: boolean;
}

export interface FormEvents {
  readonly change: (config: Config) => void;
  readonly select: (run: number) => void;
  readonly submit: () => void;
}

const COMMON: readonly NumberName[] = ['batchSize', 'epochs', 'seed'];
const RUN_LETTERS = 'ABC';
export const runName = (index: number): string => `Run ${RUN_LETTERS[index] ?? index + 1}`;

export function settingsForm(state: FormState, events: FormEvents): TemplateResult {
  const { config, run, activations, losses, disabled } = state;
  const settings = config.runs[run] ?? config.runs[0];
  if (!settings) return html``;
  const change = (values: Partial<Settings>) => {
    const own = Object.keys(values).some((name) => !COMMON.includes(name as NumberName));
    // another width is wished for than those of a file
    const widths = 'width' in values || 'layers' in values;
    const runs = config.runs.map((other, i) =>
      own && i !== run ? other : { ...(widths ? withoutSizes(other) : other), ...values },
    );
    events.change({ ...config, runs });
  };
  const activation = activations.find(({ op }) => op === settings.activation);
  const loss = losses.find(({ op }) => op === settings.loss);
  return html`<form
    id="settings"
    autocomplete="off"
    @submit=${(event: Event) => {
      event.preventDefault();
      events.submit();
    }}
  >
    <fieldset id="fields" ?disabled=${disabled}>
      <legend class="visually-hidden">Training settings</legend>
      ${runTabs(state, events)}
      <div class="field wide">
        <label for="activation">Activation</label>
        ${groupedSelect(activations, settings.activation, (value) => change({ activation: value }))}
        <div class="help-row">
          ${activation?.curve ? curvePicture(activation.curve) : nothing}
          <p id="activation-help" class="help">${activation?.use ?? ''}</p>
        </div>
      </div>
      <div class="field wide">
        <label for="loss">Loss</label>
        ${select(
          'loss',
          losses.map(({ op }) => [op, op]),
          settings.loss,
          (value) => change({ loss: value }),
          'loss-help',
        )}
        <p id="loss-help" class="help">${loss?.use ?? ''}</p>
      </div>
      <div class="field">
        <label for="optimizer">Optimizer</label>
        ${select(
          'optimizer',
          OPTIMIZER_NAMES.map((name) => [name, OPTIMIZERS[name].label]),
          settings.optimizer,
          (value) => {
            const optimizer = OPTIMIZER_NAMES.find((name) => name === value) ?? 'adam';
            change({ optimizer, learningRate: suggestedRate(config.task, optimizer) });
          },
        )}
      </div>
      ${(['learningRate', 'width', 'layers', 'clipNorm', ...COMMON] as const).map((name) => {
        const { sizes } = settings;
        if (sizes && name === 'layers') return nothing;
        if (sizes && name === 'width') {
          return ownSizes(sizes, () => change({ width: settings.width }));
        }
        return numberField({ id: name, ...RANGES[name] }, settings[name], (value) =>
          change({ [name]: value }),
        );
      })}
    </fieldset>
    <p class="share-link">
      ${copyButton(() => location.href, 'Copy link')}
      <span class="help">The address of this page holds these settings.</span>
    </p>
  </form>`;
}

function runTabs({ config, run }: FormState, events: FormEvents): TemplateResult {
  const { runs } = config;
  const add = () => {
    const copy = runs.at(-1);
    if (!copy) return;
    events.change({ ...config, runs: [...runs, copy] });
    events.select(runs.length);
  };
  const remove = () => {
    events.change({ ...config, runs: runs.filter((_, i) => i !== run) });
    events.select(0);
  };
  return html`<div class="field wide run-tabs" role="group" aria-label="Runs">
    ${runs.map(
      (_, i) =>
        html`<button
          type="button"
          class="small run-tab c${i + 1}"
          aria-pressed=${i === run}
          @click=${() => events.select(i)}
        >
          ${runName(i)}
        </button>`,
    )}
    ${
      runs.length < MOST_RUNS
        ? html`<button type="button" class="small quiet" id="add-run" @click=${add}>
            ${runs.length === 1 ? 'Compare with another run' : 'Add a run'}
          </button>`
        : nothing
    }
    ${
      run > 0
        ? html`<button type="button" class="small quiet" id="remove-run" @click=${remove}>
            Remove ${runName(run)}
          </button>`
        : nothing
    }
  </div>`;
}

function select(
  id: string,
  options: readonly (readonly [value: string, label: string])[],
  value: string,
  change: (value: string) => void,
  help?: string,
): TemplateResult {
  return html`<select
    id=${id}
    aria-describedby=${help ?? nothing}
    @change=${(event: Event) => change((event.currentTarget as HTMLSelectElement).value)}
  >
    ${options.map(([name, label]) => html`<option value=${name}>${label}</option>`)}
    ${chosen(value)}
  </select>`;
}

function groupedSelect(
  choices: readonly ActivationChoice[],
  value: string,
  change: (value: string) => void,
): TemplateResult {
  const groups = [...new Set(choices.map(({ group }) => group))];
  return html`<select
    id="activation"
    aria-describedby="activation-help"
    @change=${(event: Event) => change((event.currentTarget as HTMLSelectElement).value)}
  >
    ${groups.map(
      (group) =>
        html`<optgroup label=${group}>
          ${choices
            .filter((choice) => choice.group === group)
            .map(({ op }) => html`<option value=${op}>${op}</option>`)}
        </optgroup>`,
    )}
    ${chosen(value)}
  </select>`;
}

/** Hidden layers of a file's network, and a way back to layers of one width. */
function ownSizes(sizes: readonly number[], equal: () => void): TemplateResult {
  return html`<div class="field wide own-sizes">
    <p>Hidden layers of the file: <strong id="sizes">${sizes.join(', ') || 'none'}</strong></p>
    <button type="button" class="small quiet" @click=${equal}>Layers of one width</button>
  </div>`;
}

/** The function and, thinner, its derivative; y upwards, a unit as long on both axes. */
function curvePicture(curve: Curve): TemplateResult {
  const path = (values: Float32Array) =>
    [...values]
      .map((y, i) => `${i === 0 ? 'M' : 'L'}${curve.x[i] ?? 0} ${(-y).toFixed(3)}`)
      .join('');
  return html`<svg class="curve" viewBox="-4 -2.5 8 5" aria-hidden="true">
    ${svg`<line x1="-4" x2="4" y1="0" y2="0" /><line x1="0" x2="0" y1="-4" y2="4" />
      <path class="slope" d=${path(curve.slope)} /><path class="value" d=${path(curve.y)} />`}
  </svg>`;
}
