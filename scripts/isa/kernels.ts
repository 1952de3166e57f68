// Gathers what calls launch into kernels, and what a driver makes of each.
import { create, globals } from 'webgpu';
import { BYTES } from '../../src/core/dtype.ts';
import { init } from '../../src/index.ts';
import { DTYPES, launchesOf, type Direction, type FloatDType, type Launches } from './calls.ts';
import { compile, type Compiled, type Family, type Shader } from './compile.ts';
import { record, type Dispatch, type Pipeline } from './record.ts';
import type { Tools } from './tools.ts';
import { translate } from './translate.ts';

/** A pipeline of a kernel, with the first call that asked for it. */
export interface Variant {
  readonly pipeline: number;
  readonly call: string;
  /** Elements of the call's largest tensor. */
  readonly elements: number;
  readonly workgroups: readonly [number, number, number];
  /** Of the tensors that are bound. */
  readonly bytes: number;
}

/** An entry point as an op has it made, in all its variants. */
export interface Kernel {
  /** Op, direction, choice of formula, program, entry point and dtype: what a budget is for. */
  readonly name: string;
  readonly op: string;
  readonly direction: Direction;
  readonly entry: string;
  readonly dtype: FloatDType;
  /** The first is that of plain tensors of middle size. */
  readonly variants: Variant[];
}

/** Programs that many ops launch alike: they are kernels of their own. */
const SHARED = /^(?:reduce|identity|expand|copy[ -]\w+)\b/;

function nameOf(launches: Launches, label: string): Pick<Kernel, 'name' | 'op' | 'entry'> {
  const { op, direction, choice, dtype } = launches;
  // Most programs are named by their op.
  const own = label.startsWith(`${op}:`) ? label.slice(op.length + 1) : label;
  const entry = own.replace(/^(.*):(\w+)$/, '$1 $2');
  if (SHARED.test(label)) return { name: `${entry}, ${dtype}`, op: 'shared', entry };
  const words = [op, direction, ...(choice === '' ? [] : [`(${choice})`])].join(' ');
  return { name: `${words}, ${entry}, ${dtype}`, op, entry };
}

/** Slot 0 is the uniform buffer. */
function tensorBytes({ bytes }: Dispatch): number {
  return Object.entries(bytes).reduce((sum, [slot, size]) => sum + (slot === '0' ? 0 : size), 0);
}

export interface Gathered {
  readonly kernels: readonly Kernel[];
  /** Those of sizes that models have. */
  readonly calls: readonly Launches[];
  readonly pipelines: readonly Pipeline[];
  /** Bytes of an element, by pipeline. */
  readonly elementBytes: readonly number[];
}

/** The kernels that subjects launch, by the plan for hardware. Nothing is computed: Dawn's null backend takes it all. */
export async function gather(
  subjects: readonly string[],
  tell: (subject: string) => void,
): Promise<Gathered> {
  Object.assign(globalThis, globals);
  const recording = record(globalThis);
  const device = await init({ backend: 'webgpu', gpu: create(['backend=null']) });
  const kernels = new Map<string, Kernel>();
  const calls: Launches[] = [];
  const elementBytes: number[] = [];
  for (const subject of subjects) {
    tell(subject);
    for (const dtype of DTYPES) {
      for await (const launches of launchesOf(subject, dtype, device, recording)) {
        if (launches.model) calls.push(launches);
        for (const dispatch of launches.dispatches) {
          const { pipeline } = dispatch;
          const named = nameOf(launches, recording.pipelines[pipeline]?.label ?? '');
          const { direction, call, elements } = launches;
          const kernel = kernels.get(named.name) ?? { ...named, direction, dtype, variants: [] };
          kernels.set(named.name, kernel);
          elementBytes[pipeline] ??= BYTES[dtype];
          if (kernel.variants.some((known) => known.pipeline === pipeline)) continue;
          const { workgroups } = dispatch;
          kernel.variants.push({
            pipeline,
            call,
            elements,
            workgroups,
            bytes: tensorBytes(dispatch),
          });
        }
      }
    }
  }
  device.dispose();
  return { kernels: [...kernels.values()], calls, pipelines: recording.pipelines, elementBytes };
}

/** By pipeline: what a driver makes of it, or why it makes nothing. */
export type Results = Readonly<Record<Family, readonly (Compiled | string)[]>>;

export interface Built {
  readonly shaders: readonly (Shader | string)[];
  readonly results: Results;
}

export async function build(
  { pipelines, elementBytes }: Pick<Gathered, 'pipelines' | 'elementBytes'>,
  families: readonly Family[],
  tools: Tools,
  keepAssembly = false,
): Promise<Built> {
  const translated = await translate(pipelines, tools);
  const shaders = translated.map((one, i) =>
    typeof one === 'string' ? one : { ...one, elementBytes: elementBytes[i] ?? 4 },
  );
  const sound = shaders.filter((one) => typeof one !== 'string');
  const results: Partial<Record<Family, (Compiled | string)[]>> = {};
  // Each family in a process of its own, side by side.
  await Promise.all(
    families.map(async (family) => {
      const compiled = await compile(sound, family, tools, keepAssembly);
      let next = 0;
      results[family] = shaders.map((one) =>
        typeof one === 'string' ? one : (compiled[next++] ?? 'not compiled'),
      );
    }),
  );
  return { shaders, results: { gfx1100: [], navi21: [], vega10: [], ...results } };
}
