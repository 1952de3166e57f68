// The options of an op in a shader: the WGSL struct `Params`, its values in the uniforms, and choices as override constants.
import type { UniformWriter } from '../core/kernel.ts';

/** The options of an op for its shader. They are float32, or u32 if `integers` names them. */
export interface ParamLayout {
  readonly names: readonly string[];
  readonly integers?: readonly string[];
  /**
   * Options that choose one of several formulas. They are u32 `override` constants. With a branch on a uniform an emulated
   * GPU would compute both sides, and every GPU would need the registers of both.
   */
  readonly choices?: readonly string[];
  /** Options with a simpler formula for one value, which such a constant chooses. */
  readonly units?: Readonly<Record<string, number>>;
  /** Options that are given as two float32, the second of which, `NAME_low`, is what rounding takes from the first. */
  readonly pairs?: readonly string[];
}
export type ParamValues = Readonly<Record<string, number>>;

/** The WGSL struct, with fields in snake_case. WGSL does not allow an empty struct, so without options it has an unused field. */
export function paramsStruct({
  names,
  integers = [],
  choices = [],
  units = {},
  pairs = [],
}: ParamLayout): string {
  const constants = [...choices.map(snake), ...Object.keys(units).map(unitOf)];
  const overrides = constants.map((name) => `override ${name}: u32 = 0u;\n`);
  const fields = names.flatMap((name) => [
    `${snake(name)}: ${integers.includes(name) ? 'u32' : 'f32'}`,
    ...(pairs.includes(name) ? [`${snake(name)}_low: f32`] : []),
  ]);
  return `${overrides.join('')}struct Params { ${fields.join(', ') || 'unused: f32'} }\n`;
}

function snake(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** The values of the choices, for a launch's constants. */
export function choiceConstants(
  { choices = [], units = {} }: ParamLayout,
  values: ParamValues,
): Record<string, number> {
  return Object.fromEntries([
    ...choices.map((name) => [snake(name), values[name] ?? 0] as const),
    ...Object.entries(units).map(([name, unit]) => {
      return [unitOf(name), Number(values[name] === unit)] as const;
    }),
  ]);
}

const unitOf = (name: string): string => `unit_${snake(name)}`;

/** Whether two sets of option values are the same for the shader. */
export function sameParams(
  { names, choices = [] }: ParamLayout,
  a: ParamValues,
  b: ParamValues,
): boolean {
  if (a === b) return true;
  for (const name of names) if (!Object.is(a[name], b[name])) return false;
  for (const name of choices) if (a[name] !== b[name]) return false;
  return true;
}

/** The number of words that the options take in the uniforms. */
export function wordsOf({ names, pairs = [] }: ParamLayout): number {
  return Math.max(1, names.length + pairs.length);
}

export function writeParams(
  writer: UniformWriter,
  { names, integers = [], pairs = [] }: ParamLayout,
  values: ParamValues,
): void {
  for (const name of names) {
    const value = values[name] ?? 0;
    if (integers.includes(name)) writer.u32(value);
    else writer.f32(value);
    if (pairs.includes(name)) writer.f32(lowOf(value));
  }
}

/** Writes options over those that uniforms have. */
export function rewriteParams(
  uniforms: DataView,
  offset: number,
  { names, integers = [], pairs = [] }: ParamLayout,
  values: ParamValues,
): void {
  let at = offset;
  for (const name of names) {
    const value = values[name] ?? 0;
    if (integers.includes(name)) uniforms.setUint32(at, value, true);
    else uniforms.setFloat32(at, value, true);
    at += 4;
    if (!pairs.includes(name)) continue;
    uniforms.setFloat32(at, lowOf(value), true);
    at += 4;
  }
}

/** What is left of a number where it is rounded to float32. */
function lowOf(value: number): number {
  const rest = value - Math.fround(value);
  return Number.isFinite(rest) ? rest : 0;
}
