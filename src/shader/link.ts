// Links WGSL files to one shader: each included file once, in order, and an op's functions in the kernel's slots.
import { ShaderError } from '../core/errors.ts';
import { reach } from './reach.ts';

/** A WGSL file and the files it includes. */
export interface Source {
  /** Its path under `shaders/`, as `//#include "…"` names it. */
  readonly name: string;
  readonly text: string;
  readonly includes: readonly Source[];
}

/** Declares a WGSL file. `includes` holds the files its `//#include` lines name, so that bundlers drop unused ones. */
export function source(name: string, text: string, includes: readonly Source[] = []): Source {
  return { name, text, includes };
}

/**
 * What replaces a kernel's `//#slot name … //#end` block: WGSL text, or a file. The block makes the file readable alone; it
 * is used, and not left out by the build, only under `//#slot name default`.
 */
export type Slots = Readonly<Record<string, string | Source>>;

/** A shader, which a GPU device links when it first needs it; its identity is part of the pipeline cache's key. */
export interface Program {
  readonly id: number;
  readonly label: string;
  readonly kernel: Source;
  readonly slots: Slots;
  /** Rewrites the linked text, for a device that binds tensors in another way. */
  readonly rewrite?: (wgsl: string) => string;
}

let programs = 0;

export function program(label: string, kernel: Source, slots: Slots = {}): Program {
  return { id: programs++, label, kernel, slots };
}

const cache = /* @__PURE__ */ new WeakMap<object, Map<string, Program>>();

/** The program of an op in one variant, made once; `owner` is the op, `key` names the variant among its own. */
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

const INCLUDE = /^\/\/#include "([^"]+)"[^\n]*\n?/gm;
const SLOT = /^[ \t]*\/\/#slot (\w+)( default)?[^\n]*\n[^]*?^[ \t]*\/\/#end[^\n]*$/gm;

/** The shader of one entry point of a program. */
export function shaderOf({ kernel, slots, rewrite }: Program, entry: string): string {
  const text = reach(link(kernel, slots), entry);
  return rewrite ? rewrite(text) : text;
}

/** One WGSL text from a kernel and what fills its slots; throws `ShaderError` for an include or slot that is missing or not filled. */
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

/** A file's text without its includes, which are added to `parts` ahead of it, each once. */
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
