// In: the settings form, the choices there are, the address's query. Out: checked settings.
import type { ActivationChoice, Curve } from './activations.ts';
import { BACKENDS, type Backend } from './devices.ts';
import { byId } from './dom.ts';
import type { LossChoice } from './losses.ts';
import { OPTIMIZER_NAMES, OPTIMIZERS } from './optimizers.ts';
import { DEFAULTS, parseName, parseNumber, RANGES } from './settings.ts';
import type { NumberName, Settings } from './settings.ts';

const NUMBER_NAMES = Object.keys(RANGES) as NumberName[];
const SELECT_NAMES = ['activation', 'loss', 'optimizer', 'backend'] as const;

/** The form's fields; their names are those of the settings, and of the query's parameters. */
export class SettingsForm {
  readonly #activations: readonly ActivationChoice[];
  readonly #losses: readonly LossChoice[];

  constructor(activations: readonly ActivationChoice[], losses: readonly LossChoice[]) {
    this.#activations = activations;
    this.#losses = losses;
    fillActivations(select('activation'), activations);
    select('loss').replaceChildren(...losses.map(({ op }) => new Option(op, op)));
    select('optimizer').replaceChildren(
      ...OPTIMIZER_NAMES.map((name) => new Option(OPTIMIZERS[name].label, name)),
    );
    for (const name of NUMBER_NAMES) {
      const { min, max } = RANGES[name];
      Object.assign(input(name), { min: String(min), max: String(max) });
      input(name).value = String(DEFAULTS[name]);
    }
    for (const name of ['activation', 'loss', 'optimizer'] as const) {
      select(name).value = DEFAULTS[name];
    }
    select('activation').addEventListener('change', () => this.#explain());
    select('loss').addEventListener('change', () => this.#explain());
    select('optimizer').addEventListener('change', () => this.#suggestLearningRate());
    this.#explain();
  }

  /** Takes what the query names, e.g. `?activation=tanh&epochs=3`; returns what is wrong with it. */
  applyQuery(query: URLSearchParams): string[] {
    const faults: string[] = [];
    const attempt = (set: () => void) => {
      try {
        set();
      } catch (error) {
        faults.push(error instanceof Error ? error.message : String(error));
      }
    };
    for (const name of SELECT_NAMES) {
      const text = query.get(name);
      if (text === null) continue;
      attempt(() => {
        const values = [...select(name).options].map((option) => option.value);
        select(name).value = parseName(values, text, name);
        if (name === 'optimizer') this.#suggestLearningRate();
      });
    }
    for (const name of NUMBER_NAMES) {
      const text = query.get(name);
      if (text !== null) attempt(() => (input(name).value = String(parseNumber(name, text))));
    }
    this.#explain();
    return faults;
  }

  get backend(): Backend {
    return parseName(BACKENDS, select('backend').value, 'Run on');
  }

  get activation(): ActivationChoice {
    return chosen(this.#activations, select('activation'));
  }

  get loss(): LossChoice {
    return chosen(this.#losses, select('loss'));
  }

  /** What the fields say now; throws a `SettingError` where one is out of range. */
  get settings(): Settings {
    const number = (name: NumberName) => parseNumber(name, input(name).value);
    return {
      activation: this.activation.op,
      loss: this.loss.op,
      optimizer: parseName(OPTIMIZER_NAMES, select('optimizer').value, 'Optimizer'),
      learningRate: number('learningRate'),
      width: number('width'),
      layers: number('layers'),
      batchSize: number('batchSize'),
      epochs: number('epochs'),
      seed: number('seed'),
    };
  }

  /** Each optimizer wants another learning rate. */
  #suggestLearningRate(): void {
    const name = parseName(OPTIMIZER_NAMES, select('optimizer').value, 'Optimizer');
    input('learningRate').value = String(OPTIMIZERS[name].learningRate);
  }

  #explain(): void {
    byId('activation-help', HTMLElement).textContent = this.activation.use;
    byId('loss-help', HTMLElement).textContent = this.loss.use;
    drawCurve(byId('curve', SVGSVGElement), this.activation.curve);
  }
}

const select = (name: string) => byId(name, HTMLSelectElement);
const input = (name: NumberName) => byId(name, HTMLInputElement);

function chosen<T extends { readonly op: string }>(
  choices: readonly T[],
  { id, value }: HTMLSelectElement,
): T {
  const choice = choices.find(({ op }) => op === value);
  if (!choice) throw new Error(`no ${id} named "${value}"`);
  return choice;
}

function fillActivations(parent: HTMLSelectElement, choices: readonly ActivationChoice[]): void {
  const groups = new Map<string, HTMLOptGroupElement>();
  for (const { op, group } of choices) {
    let options = groups.get(group);
    if (!options) {
      options = document.createElement('optgroup');
      options.label = group;
      groups.set(group, options);
    }
    options.append(new Option(op, op));
  }
  parent.replaceChildren(...groups.values());
}

/** The function and, thinner, its derivative; y upwards, a unit as long on both axes. */
function drawCurve(svg: SVGSVGElement, curve: Curve | undefined): void {
  svg.toggleAttribute('hidden', !curve);
  svg.replaceChildren();
  if (!curve) return;
  const draw = (name: string, attributes: Readonly<Record<string, string>>) => {
    const element = document.createElementNS('http://www.w3.org/2000/svg', name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    svg.append(element);
  };
  const path = (values: Float32Array) =>
    [...values]
      .map((y, i) => `${i === 0 ? 'M' : 'L'}${curve.x[i] ?? 0} ${(-y).toFixed(3)}`)
      .join('');
  draw('line', { x1: '-4', x2: '4', y1: '0', y2: '0' });
  draw('line', { x1: '0', x2: '0', y1: '-4', y2: '4' });
  draw('path', { class: 'slope', d: path(curve.slope) });
  draw('path', { class: 'value', d: path(curve.y) });
}
