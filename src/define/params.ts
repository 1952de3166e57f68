// In: an op's declared options with their defaults and ranges, and what a caller gave. Out: all of them, checked.
import type { ParamLayout } from '../kernels/params.ts';
import { checkNumber, checkOptionNames, type NumberRange } from '../validate.ts';

/** A numeric option: its default, or that with the range it must be in. */
export type ParamSpec = number | (NumberRange & { readonly default: number });
export type ParamSpecs = Readonly<Record<string, ParamSpec>>;
/** An op without numeric options. */
export type NoParams = Readonly<Record<string, never>>;
/** The options' values; names that are only known as strings are left out. */
export type ParamsOf<S extends ParamSpecs> = {
  readonly [K in keyof S as string extends K ? never : K]: number;
};

/** The options in declaration order; `u32` on the GPU where the range says integer, else `f32`. */
export function layoutOf(specs: ParamSpecs): ParamLayout {
  const names = Object.keys(specs);
  return {
    names,
    integers: names.filter((name) => {
      const spec = specs[name];
      return typeof spec === 'object' && spec.integer === true;
    }),
  };
}

/** `options` over the defaults. `others` are names that are no numbers, which the caller checks. */
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
    const range = typeof spec === 'number' ? {} : spec;
    const fallback = typeof spec === 'number' ? spec : spec.default;
    const value = given[name] === undefined ? fallback : given[name];
    checkNumber(op, name, value, range);
    resolved[name] = value as number;
  }
  return resolved as ParamsOf<S>;
}
