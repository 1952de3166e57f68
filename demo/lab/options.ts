// Takes an op's declared options, and gives what a person can set, within which range, and its values in words and
// addresses.

export type Value = number | string | boolean;
export type Values = Readonly<Record<string, Value>>;

interface Named {
  readonly name: string;
  /** For people, where the name alone does not say it. */
  readonly label?: string;
  /** Set in the picture itself, not by a control below it. */
  readonly hidden?: boolean;
}

export interface NumberOption extends Named {
  readonly value: number;
  readonly min: number;
  readonly max: number;
  readonly step: number;
}
export interface ChoiceOption extends Named {
  readonly value: string;
  readonly choices: readonly string[];
}
export interface SwitchOption extends Named {
  readonly value: boolean;
}
export type Option = NumberOption | ChoiceOption | SwitchOption;

/** What is asked of an op: its catalog entry will do. */
export interface Optioned {
  readonly params: Values;
  readonly specs?: Readonly<Record<string, unknown>>;
}

/** Options of which the first must not be above the second: each keeps to its side of the middle. */
const ENDS = [
  ['lower', 'upper'],
  ['minVal', 'maxVal'],
] as const;

export function optionsOf(op: Optioned): Option[] {
  const options = eachOf(op);
  for (const [low, high] of ENDS) {
    const [least, most] = [low, high].map((name) => options.find((option) => option.name === name));
    if (!least || !most || !('step' in least) || !('step' in most)) continue;
    const step = Math.max(least.step, most.step);
    const middle = Number(
      (Math.round((least.value + most.value) / 2 / step) * step).toPrecision(6),
    );
    options[options.indexOf(least)] = { ...least, max: middle };
    options[options.indexOf(most)] = { ...most, min: middle };
  }
  return options;
}

function eachOf({ params, specs }: Optioned): Option[] {
  return Object.entries(params).map(([name, value]): Option => {
    if (typeof value === 'boolean') return { name, value };
    const spec = specs?.[name];
    if (typeof value === 'string') {
      const { choices = [value] } = (spec ?? {}) as { choices?: readonly string[] };
      return { name, value, choices };
    }
    return numberOption(name, value, typeof spec === 'object' && spec !== null ? spec : {});
  });
}

interface Range {
  readonly min?: number | undefined;
  readonly max?: number | undefined;
  /** Whether `min` itself is excluded. */
  readonly above?: boolean | undefined;
  /** Whether `max` itself is excluded. */
  readonly below?: boolean | undefined;
  /** Whether 0 is excluded. */
  readonly nonzero?: boolean | undefined;
  readonly integer?: boolean | undefined;
}

/** A slider round the default: up to three times as much, at least to 1, within what the op takes. */
export function numberOption(name: string, value: number, range: Range = {}): NumberOption {
  const reach = Math.max(1, 3 * Math.abs(value));
  const most = Math.min(range.max ?? Infinity, value < 0 ? Math.max(0, value + reach) : reach);
  const least = Math.max(range.min ?? -Infinity, value > 0 ? 0 : -reach);
  const span = most - least;
  const step = range.integer ? 1 : 10 ** Math.floor(Math.log10(span / 100));
  const open = (range.above && least === range.min) || (range.nonzero && least === 0);
  const min = open ? least + step : least;
  const max = range.below && most === range.max ? most - step : most;
  return { name, value, min, max, step };
}

export function defaultsOf(options: readonly Option[]): Values {
  return Object.fromEntries(options.map(({ name, value }) => [name, value]));
}

/** The values of some options only. */
export function valuesOf(options: readonly Option[], values: Values): Values {
  return Object.fromEntries(options.map(({ name, value }) => [name, values[name] ?? value]));
}

/** A value as text: few digits, no rounding noise. */
export function formatValue(value: Value): string {
  return typeof value === 'number' ? String(Number(value.toPrecision(4))) : String(value);
}

/** What is not as by default, in words. */
export function describeValues(options: readonly Option[], values: Values): string {
  return options
    .filter(({ name, value }) => (values[name] ?? value) !== value)
    .map(({ name, label = name }) => `${label} ${formatValue(values[name] ?? '')}`)
    .join(', ');
}

/** `op.name:value` for each value that is not the default, for the address. */
export function formatValues(op: string, options: readonly Option[], values: Values): string[] {
  return options.flatMap(({ name, value }) =>
    values[name] === undefined || values[name] === value
      ? []
      : [`${op}.${name}:${formatValue(values[name])}`],
  );
}

/** The values of one op in such a list; what the op does not have, or no number, is left out. */
export function parseValues(op: string, options: readonly Option[], text: string): Values {
  const found: Record<string, Value> = {};
  for (const part of text.split(',')) {
    const [path = '', given = ''] = part.split(':');
    const option = options.find(({ name }) => path === `${op}.${name}`);
    if (!option || given === '') continue;
    if ('choices' in option) {
      if (option.choices.includes(given)) found[option.name] = given;
    } else if (!('step' in option)) {
      found[option.name] = given === 'true';
    } else if (Number.isFinite(Number(given))) {
      found[option.name] = Number(given);
    }
  }
  return found;
}
