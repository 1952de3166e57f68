// Writes the WGSL that binds, loads and stores the tensors of a pointwise op.
import type { DType } from '../../core/dtype.ts';
import { float16 } from '../../shader/lib.ts';
import { source, type Source } from '../../shader/link.ts';
import { paramsStruct } from '../../shader/params.ts';
import type { PointwiseOp } from './args.ts';

/**
 * How a kernel reads or writes four neighbouring elements of a tensor (a pack):
 * - `pack`: as one vec4;
 * - `elements`: one by one, where the memory ends with the tensor, so that a vec4 might reach past it;
 * - `scalar`: the tensor has one element, which stands for all four;
 * - `periodic`: as one vec4 of an operand that repeats along leading dimensions (a bias);
 * - `broadcast`: one by one, each at the index that broadcasting gives.
 */
export type Access = 'pack' | 'elements' | 'scalar' | 'periodic' | 'broadcast';

export interface TensorSpec {
  readonly dtype: DType;
  readonly access: Access;
}

export interface StorageSpec {
  readonly inputs: readonly TensorSpec[];
  /** The outputs that are stored, without a summed one. */
  readonly outputs: readonly TensorSpec[];
  /** For each output, the input whose memory it shares, or -1. */
  readonly aliased: readonly number[];
  /** Whether the first result is summed instead of stored. */
  readonly summed: boolean;
  /** Whether elements are computed one by one instead of in packs. */
  readonly each: boolean;
}

/** The `Cursor` of a kernel without periodic operands. */
export const NO_CURSOR = `struct Cursor { unused: u32 }
fn nl_cursor(pack: u32) -> Cursor { return Cursor(); }
fn nl_next(c: Cursor) -> Cursor { return c; }`;

/**
 * The kernel's `storage` slot for one op: its options, its bindings, and the code from loads to stores. `cursor` declares `Cursor`,
 * the position of an invocation in each periodic operand.
 */
export function storageSource(op: PointwiseOp, storage: StorageSpec, cursor: string): Source {
  const { inputs, outputs, aliased, summed } = storage;
  const stored = (k: number): TensorSpec | undefined => outputs[summed ? k - 1 : k];
  const results = Array.from({ length: op.results }, (_, k) => `r${k}: ${elementOf(stored(k))}`);
  const parameters = inputs.map((input, i) => `${op.inputs[i] ?? ''}: ${elementOf(input)}, `);
  const variables = inputs.map((_, i) => {
    const alias = aliased.indexOf(i);
    return alias >= 0 ? `out${alias}` : `in${i}`;
  });
  const lines = [
    op.source?.text ?? '',
    paramsStruct(op.params),
    `struct Results { ${results.join(', ')} }`,
    `const operands = ${inputs.length}u;`,
    ...inputs.flatMap((input, i) =>
      aliased.includes(i) ? [] : [declare(1 + i, `in${i}`, 'read', input)],
    ),
    ...outputs.map((output, k) => declare(1 + inputs.length + k, `out${k}`, 'read_write', output)),
    `fn nl_element(index: u32, ${parameters.join('')}p: Params) -> Results {`,
    op.body,
    '}',
    ...(storage.each
      ? eachSource(storage, variables)
      : [cursor, ...packSource(storage, variables, summed)]),
  ];
  const text = lines.join('\n');
  const includes = op.source?.includes ?? [];
  if ([...inputs, ...outputs].every(({ dtype }) => dtype !== 'float16')) {
    return source(op.name, text, includes, op.source);
  }
  const half = `//#include "lib/float16.wgsl"\n${text}`;
  return source(op.name, half, [float16, ...includes], op.source);
}

/** The WGSL type of an element; arithmetic of floats is float32, whatever is stored. */
function elementOf(spec: TensorSpec | undefined): 'f32' | 'i32' {
  return spec?.dtype === 'int32' ? 'i32' : 'f32';
}

const packOf = (spec: TensorSpec | undefined): 'vec4f' | 'vec4i' =>
  spec?.dtype === 'int32' ? 'vec4i' : 'vec4f';

/** `nl_each`, which computes one element. */
function eachSource({ inputs, outputs }: StorageSpec, variables: readonly string[]): string[] {
  const values = inputs.map(({ access }, i) => {
    const at = access === 'scalar' ? '0u' : access === 'broadcast' ? `offset_of(at, ${i}u)` : 'i';
    return `${variables[i] ?? ''}[${at}], `;
  });
  return [
    'fn nl_each(i: u32) {',
    '  let at = u.first + i;',
    `  let r = nl_element(at, ${values.join('')}u.op);`,
    ...outputs.map((_, k) => `  out${k}[i] = r.r${k};`),
    '}',
  ];
}

/** `nl_pack`, which computes four elements. */
function packSource(storage: StorageSpec, variables: readonly string[], summed: boolean): string[] {
  const { inputs, outputs } = storage;
  const lines = [
    'fn nl_pack(pack: u32, c: Cursor, p: Params) -> vec4f {',
    '  let first = u.first + pack * 4u;',
    ...inputs.map((input, i) => `  let a${i} = ${load(variables[i] ?? '', i, input)};`),
  ];
  ['x', 'y', 'z', 'w'].forEach((lane, l) => {
    const values = inputs.map((_, i) => `a${i}.${lane}, `).join('');
    lines.push(`  let ${lane} = nl_element(first + ${l}u, ${values}p);`);
  });
  const packed = (k: number, output?: TensorSpec): string =>
    `${packOf(output)}(x.r${k}, y.r${k}, z.r${k}, w.r${k})`;
  outputs.forEach((output, k) => {
    lines.push(...store(`out${k}`, packed(summed ? k + 1 : k, output), output));
  });
  // What is returned is used where it is summed, and then no integer.
  const integers = !summed && outputs[0]?.dtype === 'int32';
  lines.push(`  return ${integers ? 'vec4f()' : packed(0)};`, '}');
  return lines;
}

function declare(
  slot: number,
  name: string,
  access: string,
  { dtype, access: how }: TensorSpec,
): string {
  const half = dtype === 'float16';
  const spec = { dtype, access: how };
  const type = isPacked(how) ? (half ? 'vec2u' : packOf(spec)) : half ? 'u32' : elementOf(spec);
  return `@group(0) @binding(${slot}) var<storage, ${access}> ${name}: array<${type}>;`;
}

function isPacked(access: Access): boolean {
  return access === 'pack' || access === 'periodic';
}

/** A WGSL expression for four consecutive elements as vec4f, or vec4i. */
function load(name: string, operand: number, spec: TensorSpec): string {
  const { dtype, access } = spec;
  const half = dtype === 'float16';
  const pack4 = packOf(spec);
  if (isPacked(access)) {
    const pack = `${name}[${access === 'pack' ? 'pack' : `c.at${operand}`}]`;
    return half ? `vec4f(unpack_half2(${pack}.x), unpack_half2(${pack}.y))` : pack;
  }
  if (access === 'scalar') return `${pack4}(${half ? `unpack_half2(${name}[0]).x` : `${name}[0]`})`;
  const element = (l: number): string => {
    const index =
      access === 'broadcast'
        ? `offset_of(first + ${l}u, ${operand}u)`
        : `min(pack * 4u + ${l}u, u.count - 1u)`;
    return half ? `unpack_half2(${name}[(${index}) / 2u])[(${index}) % 2u]` : `${name}[${index}]`;
  };
  return `${pack4}(${[0, 1, 2, 3].map(element).join(', ')})`;
}

/** WGSL statements that store four elements. If a tensor has no padding, nothing past its end is written. */
function store(name: string, value: string, { dtype, access }: TensorSpec): string[] {
  const half = dtype === 'float16';
  if (access === 'pack') {
    if (!half) return [`  ${name}[pack] = ${value};`];
    return [
      '  {',
      `    let v = ${value};`,
      `    ${name}[pack] = vec2u(pack_half2(v.xy), pack_half2(v.zw));`,
      '  }',
    ];
  }
  const lines = ['  {', `    let v = ${value};`];
  if (half) {
    for (const [word, lanes] of ['xy', 'zw'].entries()) {
      const index = `(pack * 2u + ${word}u)`;
      lines.push(
        `    if (${index} * 2u + 1u < u.count) { ${name}[${index}] = pack_half2(v.${lanes}); }`,
        // The other half of the last word of an odd count does not belong to the tensor, so it is kept.
        `    else if (${index} * 2u < u.count) { ${name}[${index}] = (${name}[${index}] & 0xffff0000u) | (pack_half2(v.${lanes}) & 0xffffu); }`,
      );
    }
  } else {
    for (const [l, lane] of ['x', 'y', 'z', 'w'].entries()) {
      lines.push(
        `    if (pack * 4u + ${l}u < u.count) { ${name}[pack * 4u + ${l}u] = v.${lane}; }`,
      );
    }
  }
  return [...lines, '  }'];
}
