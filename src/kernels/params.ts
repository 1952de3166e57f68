// In: an op's options. Out: the `Params` struct its WGSL gets, and their values in a uniform block.
import type { UniformWriter } from '../kernel.ts';

/** Options as the shader gets them: float32 or, where named in `integers`, u32. */
export interface ParamLayout {
  readonly names: readonly string[];
  readonly integers?: readonly string[];
}
export type ParamValues = Readonly<Record<string, number>>;

/** The WGSL struct, its fields in snake_case; one without options has a field all the same, as WGSL wants one. */
export function paramsStruct({ names, integers = [] }: ParamLayout): string {
  const snake = (name: string): string =>
    name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  const fields = names.map((name) => `${snake(name)}: ${integers.includes(name) ? 'u32' : 'f32'}`);
  return `struct Params { ${fields.join(', ') || 'unused: f32'} }\n`;
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
