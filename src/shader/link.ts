// Links WGSL files to one shader. Each included file appears once, and the functions of an op replace the slots of the kernel.
import { ShaderError } from '../core/errors.ts';
import { reach } from './reach.ts';

/** A WGSL file and the files it includes. */
export interface Source {
  /** Its path under `shaders/`, as `//#include "…"` names it. */
  readonly name: string;
  /** WGSL. */
  readonly text: string;
  /** The files that its `//#include` lines may name. */
  readonly includes: readonly Source[];
  /** The file of an op, where the text is made of that and of more. */
  readonly own?: Source | undefined;
}

/** Declares a WGSL file. `includes` holds the files its `//#include` lines name, so that bundlers drop unused ones. */
export function source(
  name: string,
  text: string,
  includes: readonly Source[] = [],
  own?: Source,
): Source {
  return { name, text, includes, own };
}

/**
 * What replaces each block `//#slot name … //#end` of a kernel: WGSL text, or a file. The content of the block shows a reader
 * what the slot may hold. It is part of a shader only if the slot is `//#slot name default` and nothing fills it.
 */
export type Slots = Readonly<Record<string, string | Source>>;

/** A shader before it is linked, which a GPU device does when it first needs it. `id` is part of the key of its pipelines. */
export interface Program {
  readonly id: number;
  readonly label: string;
  readonly kernel: Source;
  readonly slots: Slots;
  /** Changes the linked text, for a device that has to bind tensors in another way. */
  readonly rewrite?: (wgsl: string) => string;
}

let programs = 0;

export function program(label: string, kernel: Source, slots: Slots = {}): Program {
  return { id: programs++, label, kernel, slots };
}

const cache = /* @__PURE__ */ new WeakMap<object, Map<string, Program>>();

/** The program of one variant of an op, which is made once. `owner` is the op, and `key` tells its variants apart. */
export function cachedProgram(
  owner: object,
  key: string,
  label: string,
  kernel: Source,
  slots: () => Slots,
): Program {
  let variants = cache.get(owner);
  if (!variants) cache.set(owner, (variants = new Map<string, Program>()));
  const full = `${kernel.name};${key}`;
  let known = variants.get(full);
  if (!known) variants.set(full, (known = program(label, kernel, slots())));
  return known;
}

export const INCLUDE = /^\/\/#include "([^"]+)"[^\n]*\n?/gm;
const SLOT = /^[ \t]*\/\/#slot (\w+)( default)?[^\n]*\n[^]*?^[ \t]*\/\/#end[^\n]*$/gm;

/** The shader of one entry point of a program. */
export function shaderOf({ kernel, slots, rewrite }: Program, entry: string): string {
  const text = reach(link(kernel, slots), entry);
  return rewrite ? rewrite(text) : text;
}

/** The WGSL text of a kernel and what fills its slots. Throws `ShaderError` if an include is missing, or if a slot is not filled or unknown. */
export function link(kernel: Source, slots: Slots = {}): string {
  /** Slots that the kernel does not have, or that nothing fills. */
  const wrong = new Set(Object.keys(slots));
  const includes = [...kernel.includes];
  const filled = kernel.text.replace(SLOT, (stub, name: string, byDefault?: string) => {
    const slot = slots[name];
    if (slot !== undefined || byDefault) wrong.delete(name);
    else wrong.add(name);
    if (slot === undefined || typeof slot === 'string') return slot ?? stub;
    includes.push(...slot.includes);
    return slot.text;
  });
  if (wrong.size > 0) {
    throw new ShaderError({
      op: kernel.name,
      expected: 'its slots filled, no other',
      received: [...wrong].join(),
    });
  }
  const parts = new Map<Source, string>();
  const main = body({ name: kernel.name, text: filled, includes }, parts);
  return [...parts.values(), main].join('\n');
}

/** The text of a file without its `//#include` lines. The included files are added to `parts` before it, each once. */
function body(file: Source, parts: Map<Source, string>): string {
  for (const [, name] of file.text.matchAll(INCLUDE)) {
    const found = file.includes.find((candidate) => candidate.name === name);
    if (found === undefined) {
      throw new ShaderError({
        op: file.name,
        argument: `#include "${name ?? ''}"`,
        expected: 'an imported file',
        received: file.includes.map((candidate) => candidate.name).join(', ') || 'none',
      });
    }
    if (!parts.has(found)) parts.set(found, body(found, parts));
  }
  return file.text.replace(INCLUDE, '');
}
