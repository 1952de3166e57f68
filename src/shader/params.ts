// The `Params` struct of an op's options: its WGSL, its values in a uniform block, and choices as override constants.
import type { UniformWriter } from '../core/kernel.ts';

/** Options as the shader gets them: float32 or, where named in `integers`, u32. */
export interface ParamLayout {
  readonly names: readonly string[];
  readonly integers?: readonly string[];
  /**
   * Options that name one of several formulas: u32 `override` constants. A branch on a uniform costs both its sides where
   * the GPU is emulated, and the registers of both anywhere.
   */
  readonly choices?: readonly string[];
  /** Options whose value 1 has a formula of its own, told by such a constant. */
  readonly units?: readonly string[];
}
export type ParamValues = Readonly<Record<string, number>>;

/** The WGSL struct, its fields in snake_case; one without options has a field all the same, as WGSL wants one. */
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

/** Whether two sets of values are the same for the shader. */
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
