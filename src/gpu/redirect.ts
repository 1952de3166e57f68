// Rewrites a shader so that several of its arrays are parts of one shared buffer.
import { ShaderError } from '../core/errors.ts';

/**
 * The arrays at `slots` become parts of two arrays of 32-bit words: one for arrays that are only read, one for arrays
 * that are written. Each is bound at the first of its slots. The offsets of the parts are placed before the uniforms.
 */
export function redirect(
  wgsl: string,
  slots: { readonly read: readonly number[]; readonly write: readonly number[] },
): string {
  let text = wgsl;
  let functions = '';
  let count = 0;
  for (const access of ['read', 'write'] as const) {
    const [first] = slots[access];
    if (first === undefined) continue;
    const words = `merged_${access}`;
    const mode = access === 'read' ? 'read' : 'read_write';
    functions += `@group(0)@binding(${first})var<storage,${mode}>${words}:array<u32>;`;
    for (const slot of slots[access]) {
      const declaration = new RegExp(
        `@group\\(0\\)\\s*@binding\\(${slot}\\)\\s*var<storage,[^>]*>\\s*(\\w+)\\s*:\\s*array<(\\w+)>\\s*;`,
      );
      const [whole, name = '', type = ''] = declaration.exec(text) ?? [];
      if (whole === undefined) {
        throw new ShaderError({
          op: 'shader',
          expected: `an array at binding ${slot}`,
          received: 'none',
        });
      }
      const base = `u.merged_at[${count >> 2}].${'xyzw'.charAt(count & 3)}`;
      text = accesses(text.replace(whole, ''), name);
      functions += accessors(name, type, widthOf(type, text), words, base, access === 'write');
      count++;
    }
  }
  return (
    text.replace(
      /struct Uniforms\s*\{/,
      `struct Uniforms{merged_at:array<vec4u,${Math.ceil(count / 4)}>,`,
    ) + functions
  );
}

/** The number of 32-bit words per element. */
function widthOf(type: string, wgsl: string): number {
  const alias = new RegExp(`alias\\s+${type}\\s*=\\s*(\\w+)`).exec(wgsl)?.[1] ?? type;
  return Number(/^vec(\d)/.exec(alias)?.[1] ?? 1);
}

function accessors(
  name: string,
  type: string,
  width: number,
  words: string,
  base: string,
  written: boolean,
): string {
  const places = 'xyzw'.slice(0, width).split('');
  const at = `let at=${base}+i${width === 1 ? '' : `*${width}u`};`;
  const word = (k: number): string => `${words}[at+${k}u]`;
  const bits = width === 1 ? 'u32' : `vec${width}u`;
  const loads = places.map((_, k) => word(k)).join(',');
  const load = `fn merged_load_${name}(i:u32)->${type}{${at}return bitcast<${type}>(${bits}(${loads}));}`;
  if (!written) return load;
  const stores = places.map((place, k) => `${word(k)}=w${width === 1 ? '' : `.${place}`};`);
  return `${load}fn merged_store_${name}(i:u32,v:${type}){${at}let w=bitcast<${bits}>(v);${stores.join('')}}`;
}

/** Replaces `name[i]` by a function call, in expressions and in assignments. */
function accesses(wgsl: string, name: string): string {
  const use = new RegExp(`(?<![\\w.\\u0080-\\uffff])${name}\\s*\\[`, 'g');
  let out = '';
  let at = 0;
  for (;;) {
    use.lastIndex = at;
    const found = use.exec(wgsl);
    if (!found) return out + wgsl.slice(at);
    const close = closing(wgsl, use.lastIndex);
    const index = accesses(wgsl.slice(use.lastIndex, close), name);
    out += wgsl.slice(at, found.index);
    const assignment = /^\s*=(?!=)/.exec(wgsl.slice(close + 1, close + 9));
    if (assignment) {
      const from = close + 1 + assignment[0].length;
      at = wgsl.indexOf(';', from);
      out += `merged_store_${name}(${index},${accesses(wgsl.slice(from, at), name)})`;
    } else {
      at = close + 1;
      out += `merged_load_${name}(${index})`;
    }
  }
}

/** Finds the bracket that closes the bracket before `from`. */
function closing(wgsl: string, from: number): number {
  let depth = 1;
  let at = from;
  for (; at < wgsl.length; at++) {
    const c = wgsl.charAt(at);
    if (c === '[') depth++;
    else if (c === ']' && --depth === 0) break;
  }
  return at;
}
