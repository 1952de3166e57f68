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
  /** Options with a simpler formula for the value 1, which such a constant chooses. */
  readonly units?: readonly string[];
}
export type ParamValues = Readonly<Record<string, number>>;

/** The WGSL struct, with fields in snake_case. WGSL does not allow an empty struct, so without options it has an unused field. */
export function paramsStruct({
  names,
  integers = [],
  choices = [],
  units = [],
}: ParamLayout): string {
  const constants = [...choices.map(snake), ...units.map(unitOf)];
  const overrides = constants.map((name) => `override ${name}: u32 = 0u;\n`);
  const fields = names.map((name) => `${snake(name)}: ${integers.includes(name) ? 'u32' : 'f32'}`);
  return `${overrides.join('')}struct Params { ${fields.join(', ') || 'unused: f32'} }\n`;
}

function snake(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** The values of the choices, for a launch's constants. */
export function choiceConstants(
  { choices = [], units = [] }: ParamLayout,
  values: ParamValues,
): Record<string, number> {
  return Object.fromEntries([
    ...choices.map((name) => [snake(name), values[name] ?? 0] as const),
    ...units.map((name) => [unitOf(name), Number(values[name] === 1)] as const),
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

export function writeParams(
  writer: UniformWriter,
  { names, integers = [] }: ParamLayout,
  values: ParamValues,
): void {
  for (const name of names) {
    const value = values[name] ?? 0;
    if (integers.includes(name)) writer.u32(value);
    else writer.f32(value);
  }
}

/** Writes options over those that uniforms have. */
export function rewriteParams(
  uniforms: DataView,
  offset: number,
  { names, integers = [] }: ParamLayout,
  values: ParamValues,
): void {
  let at = offset;
  for (const name of names) {
    const value = values[name] ?? 0;
    if (integers.includes(name)) uniforms.setUint32(at, value, true);
    else uniforms.setFloat32(at, value, true);
    at += 4;
  }
}
