// The names that a WGSL file declares, uses and requires of the file that includes it, for the check of `// requires:` lines.

const WORDS = `
  _ fn let var const override struct alias if else for while loop continuing return switch case default break continue true
  false function private workgroup storage uniform read write read_write const_assert
  bool i32 u32 f32 f16 vec2 vec3 vec4 vec2f vec3f vec4f vec2u vec3u vec4u vec2i vec3i vec4i mat2x2f mat4x4f array atomic ptr
  abs all any arrayLength atomicAdd atomicCompareExchangeWeak atomicLoad atomicMax atomicOr atomicStore bitcast ceil clamp
  countLeadingZeros countOneBits countTrailingZeros cross distance dot exp2 extractBits firstLeadingBit firstTrailingBit
  floor fma fract insertBits inverseSqrt ldexp length max min mix normalize reverseBits round saturate select sign sqrt
  storageBarrier subgroupAdd transpose trunc unpack4xU8 workgroupBarrier workgroupUniformLoad
`;
const BUILT_IN = new Set(WORDS.split(/\s+/));

const NAME = '[A-Za-z_]\\w*';
const matches = (text: string, pattern: string): string[] =>
  [...text.matchAll(new RegExp(pattern, 'g'))].map(([, name = '']) => name);

const withoutComments = (text: string): string => text.replace(/\/\/[^\n]*/g, '');

/** The text of each function, and the rest. */
function split(text: string): { functions: string[]; rest: string } {
  const functions: string[] = [];
  let rest = '';
  let end = 0;
  for (const { index } of text.matchAll(/\bfn\s+\w+/g)) {
    rest += text.slice(end, index);
    let depth = 0;
    end = text.indexOf('{', index);
    do {
      const c = text[end++];
      depth += c === '{' ? 1 : c === '}' ? -1 : 0;
    } while (depth > 0 && end < text.length);
    functions.push(text.slice(index, end));
  }
  return { functions, rest: rest + text.slice(end) };
}

/** Names declared outside of functions; fields of the uniform variable as `u.field`. */
export function declaredNames(wgsl: string): Set<string> {
  const text = withoutComments(wgsl);
  const { functions, rest } = split(text);
  const own = matches(rest, `\\b(?:struct|const|override|alias|var(?:<[^>]*>)?)\\s+(${NAME})`);
  const names = new Set([...own, ...functions.flatMap((f) => matches(f, `^fn\\s+(${NAME})`))]);
  for (const [, variable = '', type = ''] of rest.matchAll(/var<uniform>\s+(\w+)\s*:\s*(\w+)/g)) {
    const [, fields = ''] = new RegExp(`struct\\s+${type}\\s*\\{([^}]*)\\}`).exec(rest) ?? [];
    for (const field of matches(fields, `(${NAME})\\s*:`)) names.add(`${variable}.${field}`);
  }
  return names;
}

/** Names that the file uses and does not declare itself; of the uniform variable `u`, its fields as `u.field`. */
export function freeNames(wgsl: string): Set<string> {
  const text = withoutComments(wgsl).replace(/@builtin\(\w+\)|@\w+/g, ' ');
  const declared = declaredNames(text);
  const { functions, rest } = split(text);
  const free = new Set<string>();
  const used = (part: string, locals: ReadonlySet<string>): void => {
    // Not a member, and not the suffix or exponent of a number.
    for (const [name] of part.matchAll(/(?<![\w.])[A-Za-z_]\w*(?:(?<=\bu)\.\w+)?/g)) {
      if (!locals.has(name) && !declared.has(name) && !BUILT_IN.has(name)) free.add(name);
    }
  };
  for (const one of functions) {
    const locals = new Set([
      ...matches(one, `(${NAME})\\s*:`),
      ...matches(one, `\\b(?:let|const|var(?:<[^>]*>)?)\\s+(${NAME})`),
    ]);
    used(one, locals);
  }
  used(rest, new Set(matches(rest, `(${NAME})\\s*:`)));
  return free;
}

/** Names on the `// requires: …` lines at the top of a file. */
export function requiredNames(wgsl: string): string[] {
  const names: string[] = [];
  for (const line of wgsl.split('\n')) {
    if (line.startsWith('//#include')) continue;
    const [, list] = /^\/\/ requires: (.*)$/.exec(line) ?? [];
    if (list === undefined) break;
    names.push(
      ...list
        .split(',')
        .map((name) => name.trim())
        .filter((name) => name !== ''),
    );
  }
  return names;
}

/** The files that a file includes, by the names in its `//#include` lines. */
export const includedNames = (wgsl: string): string[] => matches(wgsl, '//#include "([^"]+)"');
