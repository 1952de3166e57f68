// Compiles SPIR-V for AMD GPUs that are not there, by Mesa's driver RADV and its null device.
import { spawn } from 'node:child_process';
import { parseAssembly, type Program } from './assembly.ts';
import type { Tools } from './tools.ts';
import type { Translated } from './translate.ts';

export const FAMILIES = ['gfx1100', 'navi21', 'vega10'] as const;
export type Family = (typeof FAMILIES)[number];

/** What the driver says of a pipeline, and what its assembly shows. */
export interface Compiled {
  /** Vector and scalar registers. The more vector registers, the fewer waves have room. */
  readonly vgprs: number;
  readonly sgprs: number;
  /** Vector registers that had to go to memory. */
  readonly spilled: number;
  /** Scalar registers that had to go to lanes of a vector register: dearer by an instruction each time, not by memory. */
  readonly scalarsSpilled: number;
  /** Bytes of memory of its own that an invocation needs. */
  readonly scratch: number;
  /** Bytes of workgroup memory. */
  readonly shared: number;
  /** Waves that a SIMD has room for. */
  readonly waves: number;
  readonly program: Program;
  /** Whether ln2, which exponentials take away in two parts, became one float: then large arguments lose digits. */
  readonly mergedLn2: boolean;
  /** The driver's text of it, where it was asked for. */
  readonly assembly?: string;
}

export interface Shader extends Translated {
  /** Bytes of its tensors' elements. */
  readonly elementBytes: number;
}

/** So many shaders go to one process of the compiler, whose output is a string. */
const BATCH = 64;

/** What the driver makes of each shader for a family of GPUs, or why it makes nothing. */
export async function compile(
  shaders: readonly Shader[],
  family: Family,
  tools: Tools,
  keepAssembly = false,
): Promise<(Compiled | string)[]> {
  const results: (Compiled | string)[] = [];
  while (results.length < shaders.length) {
    const batch = shaders.slice(results.length, results.length + BATCH);
    const { stdout, stderr, status } = await run(batch, family, tools);
    const parts = stdout.split(/^=== .*\n/m).slice(1);
    if (parts.length === 0) throw new Error(`${family}: ${stderr.trim()} (${status})`);
    const died = parts.length < batch.length || status !== '0';
    const whole = died ? parts.slice(0, -1) : parts;
    for (const text of whole) {
      const { elementBytes = 4 } = shaders[results.length] ?? {};
      results.push(read(text, elementBytes, keepAssembly));
    }
    // A driver that dies on a shader is started again behind it.
    if (died) results.push(`the driver died (${status})`);
  }
  return results;
}

async function run(
  shaders: readonly Shader[],
  family: Family,
  tools: Tools,
): Promise<{ stdout: string; stderr: string; status: string }> {
  const child = spawn(tools.compiler, {
    env: {
      ...process.env,
      VK_DRIVER_FILES: tools.radv,
      VK_ICD_FILENAMES: tools.radv,
      RADV_FORCE_FAMILY: family,
      XDG_RUNTIME_DIR: tools.folder,
    },
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  // A compiler that died takes no more input; its status tells.
  child.stdin.on('error', () => undefined);
  child.stdin.end(shaders.map(lineOf).join('\n'));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      resolve({ stdout, stderr, status: signal ?? String(code) });
    });
  });
}

function lineOf({ path, entry, bindings }: Translated): string {
  return [path, entry, ...bindings.map(({ slot, kind }) => `${slot}${kind[0] ?? ''}`)].join(' ');
}

/** -ln2 as one float, as the driver prints it. */
const MINUS_LN2 = '0xbf317218';

function read(text: string, elementBytes: number, keepAssembly: boolean): Compiled | string {
  const [head = '', assembly] = text.split(/^--- Assembly\n/m);
  const error = /^error=(.*)$/m.exec(head)?.[1];
  if (error !== undefined) return error;
  if (assembly === undefined) return 'no assembly';
  const number = (name: string): number => {
    const value = new RegExp(`^${name}=(\\d+)$`, 'm').exec(head)?.[1];
    if (value === undefined) throw new Error(`the driver does not say "${name}"`);
    return Number(value);
  };
  return {
    vgprs: number('VGPRs'),
    sgprs: number('SGPRs'),
    spilled: number('Spilled VGPRs'),
    scalarsSpilled: number('Spilled SGPRs'),
    scratch: number('Scratch size'),
    shared: number('LDS size'),
    waves: number('Subgroups per SIMD'),
    program: parseAssembly(assembly, elementBytes),
    mergedLn2: assembly.includes(MINUS_LN2),
    ...(keepAssembly ? { assembly } : {}),
  };
}
