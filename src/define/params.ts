// Fills in and checks an op's options from the declared defaults and ranges and the options of a call.
import type { ParamLayout } from '../shader/params.ts';
import { OptionError } from '../core/errors.ts';
import {
  checkBoolean,
  checkNumber,
  checkOneOf,
  checkOptionNames,
  type NumberRange,
} from '../core/validate-options.ts';

/** A numeric option and its range. */
export interface RangeSpec extends NumberRange {
  readonly default: number;
  /**
   * PyTorch has no default, so every call must give the option. `default` is a typical value for tables and the demo.
   */
  readonly required?: true;
  /**
   * The formula is simpler for this value. WGSL then has an `override unit_NAME: u32`, which is 1 for it and otherwise 0.
   */
  readonly unit?: number;
  /**
   * The formula needs more digits than float32 has. WGSL then also has `NAME_low`, what is left of the number where it was
   * rounded to float32.
   */
  readonly pair?: true;
  /** An option declared before, whose value this one has where it is not given; `default` is that for its default. */
  readonly like?: string;
}

/**
 * One of several names, the first of which is the default. Formulas get its index: in float64 as a number, in WGSL as
 * a u32 `override` constant that has the option's name in snake_case.
 */
export interface ChoiceSpec {
  /** The values that it may have; the first is the default. */
  readonly choices: readonly [string, ...string[]];
}

/**
 * An option: a default value, a number with its range, or a choice of names. Formulas get 1 for true and 0 for false
 * (as u32).
 */
export type ParamSpec = number | boolean | RangeSpec | ChoiceSpec;
/** The numeric options of an op by name, each a default or its bounds. */
export type ParamSpecs = Readonly<Record<string, ParamSpec>>;
/** An op without numeric options. */
export type NoParams = Readonly<Record<string, never>>;
/** The options' values as formulas get them. Option names that are not known to the type checker are left out. */
export type ParamsOf<S extends ParamSpecs> = {
  readonly [K in keyof S as string extends K ? never : K]: number;
};
/**
 * The options as callers write them, with the comments that their declarations have. Names that are not known to the type checker are
 * left out.
 */
export type ParamOptions<S extends ParamSpecs> = OptionsOf<
  S,
  keyof { readonly [K in keyof S as string extends K ? never : K]: S[K] } & keyof S
>;
/** Those of some names. As `Pick` does, it keeps comments: a mapped type that filters its keys by `as` has none. */
export type OptionsOf<S extends ParamSpecs, N extends keyof S> = {
  readonly [K in N]?: S[K] extends ChoiceSpec
    ? S[K]['choices'][number]
    : S[K] extends boolean
      ? boolean
      : number;
};

function isChoice(spec: ParamSpec | undefined): spec is ChoiceSpec {
  return typeof spec === 'object' && 'choices' in spec;
}

function rangeOf(spec: ParamSpec | undefined): RangeSpec | undefined {
  return typeof spec === 'object' && !isChoice(spec) ? spec : undefined;
}

/**
 * The options in the order of declaration. On the GPU, choices are constants, booleans and integers are `u32`, and
 * other numbers are `f32`.
 */
export function layoutOf(specs: ParamSpecs): ParamLayout {
  const all = Object.keys(specs);
  const names = all.filter((name) => !isChoice(specs[name]));
  return {
    names,
    integers: names.filter((name) => {
      const spec = specs[name];
      return (
        typeof spec === 'boolean' ||
        (typeof spec === 'object' && !isChoice(spec) && spec.integer === true)
      );
    }),
    choices: all.filter((name) => isChoice(specs[name])),
    units: Object.fromEntries(
      names.flatMap((name): [string, number][] => {
        const unit = rangeOf(specs[name])?.unit;
        return unit === undefined ? [] : [[name, unit]];
      }),
    ),
    pairs: names.filter((name) => rangeOf(specs[name])?.pair),
  };
}

/** Names and default values of the options. */
export function defaultsOf(specs: ParamSpecs): Record<string, number | string | boolean> {
  return Object.fromEntries(
    Object.entries(specs).map(([name, spec]) => [
      name,
      typeof spec !== 'object' ? spec : isChoice(spec) ? spec.choices[0] : spec.default,
    ]),
  );
}

/** The defaults, combined with each possible choice. Each of these has a pipeline of its own. */
export function variantsOf(specs: ParamSpecs): Record<string, number | string | boolean>[] {
  let variants = [defaultsOf(specs)];
  for (const [name, spec] of Object.entries(specs)) {
    if (!isChoice(spec)) continue;
    variants = variants.flatMap((one) =>
      spec.choices.map((choice) => ({ ...one, [name]: choice })),
    );
  }
  return variants;
}

/**
 * The given options and the defaults of the others. `others` are names of options that are not numbers; the caller
 * checks them.
 */
export function resolveParams<S extends ParamSpecs>(
  op: string,
  specs: S,
  others: readonly string[],
  options: object = {},
): ParamsOf<S> {
  checkOptionNames(op, options, [...Object.keys(specs), ...others]);
  const given = options as Readonly<Record<string, unknown>>;
  const resolved: Record<string, number> = {};
  for (const [name, spec] of Object.entries(specs)) {
    const value = given[name];
    if (isChoice(spec)) {
      const choice = value === undefined ? spec.choices[0] : value;
      checkOneOf(op, name, choice, spec.choices);
      resolved[name] = spec.choices.indexOf(choice);
      continue;
    }
    if (typeof spec === 'boolean') {
      const flag = value === undefined ? spec : value;
      checkBoolean(op, name, flag);
      resolved[name] = flag ? 1 : 0;
      continue;
    }
    const range = typeof spec === 'number' ? { default: spec } : spec;
    if (value === undefined && range.required) {
      throw new OptionError({ op, argument: name, expected: 'a number', received: 'none' });
    }
    const standard = range.like === undefined ? range.default : resolved[range.like];
    const number = value === undefined ? standard : value;
    checkNumber(op, name, number, range);
    resolved[name] = number as number;
  }
  return resolved as ParamsOf<S>;
}

/** Names of the options without a default. */
export function requiredOf(specs: ParamSpecs): string[] {
  return Object.entries(specs).flatMap(([name, spec]) =>
    typeof spec === 'object' && 'required' in spec ? [name] : [],
  );
}

/** The options, and behind them numbers that are derived from them. */
export function withDerived(layout: ParamLayout, derived: object = {}): ParamLayout {
  return { ...layout, names: [...layout.names, ...Object.keys(derived)] };
}

/** Those numbers, in float64. */
export function derivedFrom<P>(
  params: P,
  derived: Readonly<Record<string, (params: P) => number>>,
): Record<string, number> {
  return Object.fromEntries(
    Object.entries(derived).map(([name, compute]) => [name, compute(params)]),
  );
}
