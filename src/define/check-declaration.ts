// Checks the declaration of an op. Errors name the part that is missing or wrong.
import { describe, kindOf } from '../core/describe.ts';
import { OptionError } from '../core/errors.ts';
import { checkFunction, checkNumber } from '../core/validate-options.ts';
import type { ParamSpecs } from './params.ts';

/** The name of an option, which must be valid in WGSL and in TypeScript. */
const NAME = /^[a-z]\w*$/i;

function refuse(op: string, argument: string, expected: string, value: unknown): never {
  throw new OptionError({ op, argument, expected, received: describe(value) });
}

/** `functions` are the parts that must be functions. */
export function checkDeclaration(
  op: string,
  declaration: object,
  functions: readonly string[],
): void {
  if (kindOf(declaration) !== 'Object') refuse(op, 'declaration', 'an object', declaration);
  const { name, wgsl, params } = declaration as Readonly<Record<string, unknown>>;
  if (typeof name !== 'string' || name === '')
    refuse(op, 'name', 'a name, for errors and labels', name);
  if (typeof wgsl !== 'string') refuse(op, 'wgsl', 'a string of WGSL', wgsl);
  for (const part of functions) checkFunction(op, part, Reflect.get(declaration, part));
  if (params !== undefined) checkSpecs(op, params);
}

function checkSpecs(op: string, specs: unknown): void {
  if (kindOf(specs) !== 'Object') refuse(op, 'params', 'options by name', specs);
  for (const [name, spec] of Object.entries(specs as ParamSpecs)) {
    const argument = `params.${name}`;
    if (!NAME.test(name)) refuse(op, argument, 'a name of letters and digits', name);
    if (typeof spec === 'boolean') continue;
    if (kindOf(spec) !== 'Object') checkNumber(op, argument, spec);
    else if (typeof spec === 'object' && 'choices' in spec)
      checkNames(op, `${argument}.choices`, spec.choices);
    else if (typeof spec === 'object') checkNumber(op, `${argument}.default`, spec.default, spec);
  }
}

/**
 * Checks a list of distinct names, at least one. `known` are the allowed names and `most` is the largest number of
 * them.
 */
export function checkNames(
  op: string,
  argument: string,
  names: unknown,
  known?: readonly string[],
  most = Infinity,
): void {
  const right =
    Array.isArray(names) &&
    names.length > 0 &&
    names.length <= most &&
    new Set(names).size === names.length &&
    names.every((name) => typeof name === 'string' && (known ? known.includes(name) : name !== ''));
  const count = most < Infinity ? ` (at most ${most})` : '';
  if (!right)
    refuse(
      op,
      argument,
      `names${known ? ` among ${known.join(', ')}` : ''}, each once${count}`,
      names,
    );
}
