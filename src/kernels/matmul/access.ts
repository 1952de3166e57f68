// Writes the WGSL that reads the operands of a product and stores its results, according to the layout of the
// matrices.
import { source, type Source } from '../../shader/link.ts';
import type { MatmulArgs, Matrix } from './args.ts';
import { paramsStruct } from '../../shader/params.ts';

/**
 * How an operand is read: as vec4 along k, as vec4 along its lines (rows of A or columns of B), or element by
 * element.
 */
export type Reading = 'along k' | 'along lines' | 'one by one';

/** An operand: its strides from line to line and along k, its number of lines, and the strides of its batches. */
export interface Operand {
  readonly lineStride: number;
  readonly kStride: number;
  readonly lines: number;
  readonly batch: readonly number[];
}

export function readingOf(
  { padded }: Matrix,
  { lineStride, kStride, lines, batch }: Operand,
  k: number,
): Reading {
  const whole = (...lengths: number[]): boolean => lengths.every((length) => length % 4 === 0);
  if (!padded || !whole(...batch)) return 'one by one';
  if (kStride === 1 && whole(k, lineStride)) return 'along k';
  if (lineStride === 1 && whole(lines, kStride)) return 'along lines';
  return 'one by one';
}

const four = (item: (i: number) => string): string => [0, 1, 2, 3].map(item).join(', ');

/**
 * The kernels' `operands` slot for one operand. `whole`: k is a multiple of four. `ahead`: the kernel may load past
 * the last k, so indices are clamped.
 */
export function operandSource(
  name: 'a' | 'b',
  reading: Reading,
  whole: boolean,
  ahead: boolean,
): string {
  const [slot, line, step, lines] =
    name === 'a' ? ['1', 'a_row', 'a_column', 'm'] : ['2', 'b_column', 'b_row', 'n'];
  const along = (c: number): string => (ahead || !whole ? `min(k + ${c}u, u.k - 1u)` : `k + ${c}u`);
  const first = ahead ? 'min(k, u.k - 4u)' : 'k';
  const start = (i: number): string => `offset + min(line + ${i}u, u.${lines} - 1u) * u.${line}`;
  const [starts, loaded] = {
    'along k': [
      `vec4u(${four(start)}) / 4u`,
      `let at = lines + ${first} / 4u; return mat4x4f(${four((i) => `${name}[at[${i}]]`)});`,
    ],
    // The number of lines is a multiple of four, so a vec4 of lines never crosses the edge. Along k it may.
    'along lines': [
      `vec4u((offset + min(line, u.${lines} - 4u)) / 4u)`,
      whole
        ? `let step = u.${step} / 4u; let at = lines.x + ${first} * step; return mat4x4f(${four((c) => `${name}[at + ${c}u * step]`)});`
        : `return mat4x4f(${four((c) => `${name}[lines.x + ${along(c)} * (u.${step} / 4u)]`)});`,
    ],
    'one by one': [
      `vec4u(${four(start)})`,
      `let at = vec4u(${four(along)}) * u.${step}; return mat4x4f(${four((i) => four((c) => `${name}[lines[${i}] + at[${c}]]`))});`,
    ],
  }[reading] as [string, string];
  const byK = reading === 'along lines' ? 'loaded' : 'transpose(loaded)';
  const block = `${name}_by_k(${name}_load(lines, k))`;
  return [
    `@group(0) @binding(${slot}) var<storage, read> ${name}: array<${reading === 'one by one' ? 'f32' : 'vec4f'}>;`,
    `fn ${name}_lines(offset: u32, line: u32) -> vec4u { return ${starts}; }`,
    `fn ${name}_load(lines: vec4u, k: u32) -> mat4x4f { ${loaded} }`,
    `fn ${name}_by_k(loaded: mat4x4f) -> mat4x4f { return ${byK}; }`,
    `fn ${name}_block(lines: vec4u, k: u32) -> mat4x4f { return ${whole ? block : `within_k(${block}, k)`}; }`,
  ].join('\n');
}

/** The layout of the kernel's results: rows of C, or columns of C if the planner has exchanged the operands. */
export type Layout = 'rows' | 'columns';

/**
 * The kernels' `epilogue` slot: the bindings besides the operands, and how results are stored, four at a time or one
 * by one. `splits`: this is for the launch that adds the sums of splits.
 */
export function epilogueSource(
  { bias, activation, keepInput, accumulate }: MatmulArgs,
  layout: Layout,
  vectors: boolean,
  splits: boolean,
): Source {
  const type = vectors ? 'vec4f' : 'f32';
  const bind = (slot: number, access: string, name: string, element: string): string =>
    `@group(0) @binding(${slot}) var<storage, ${access}> ${name}: array<${element}>;`;
  const each = (item: (i: number) => string): string =>
    vectors ? `vec4f(${four(item)})` : item(0);
  const place = vectors ? 'index / 4u' : 'index';
  // If a row of the kernel is a column of C, the whole row has the same bias.
  const biases = each((i) => `bias[column${layout === 'rows' ? ` + ${i}u` : ''}]`);
  const learned = activation?.learned;
  const learnedAt = (i: number): string =>
    learned === 'columns' ? `learned[column${layout === 'rows' ? ` + ${i}u` : ''}]` : 'learned[0]';
  const result = activation
    ? each((i) => `forward(z${vectors ? `[${i}]` : ''}, ${learned ? `${learnedAt(i)}, ` : ''}u.op)`)
    : 'z';
  const [index, own] =
    layout === 'rows'
      ? ['row * u.n + column + i', 'column + i']
      : ['(column + i) * u.m + row', 'row'];
  const text = [
    paramsStruct(activation?.layout ?? { names: [] }),
    activation?.source.text ?? '',
    `alias Results = ${type};`,
    `const width = ${vectors ? '4' : '1'}u;`,
    bind(3, 'read_write', 'c', type),
    bias ? bind(4, 'read', 'bias', 'f32') : '',
    keepInput ? bind(5, 'read_write', 'before', type) : '',
    splits ? bind(6, 'read', 'split_sums', type) : '',
    learned ? bind(7, 'read', 'learned', 'f32') : '',
    'fn store(index: u32, column: u32, v: Results) {',
    `  let z = ${accumulate ? `c[${place}] + ` : ''}v${bias ? ` + ${biases}` : ''};`,
    keepInput ? `  before[${place}] = z;` : '',
    `  c[${place}] = ${result};`,
    '}',
    'fn store_row(offset: u32, row: u32, column: u32, v: vec4f) {',
    vectors
      ? `  let i = 0u; store(offset + ${index}, ${own}, v);`
      : `  for (var i = 0u; i < min(4u, u.n - column); i++) { store(offset + ${index}, ${own}, v[i]); }`,
    '}',
  ].join('\n');
  const file = activation?.source;
  return source(file?.name ?? 'linear', text, file?.includes, file);
}

/** The `line_sums` slot of a kernel of products: the sums of no lines, of A's rows, or of B's columns. */
export function lineSumsSource(
  of: 'none' | 'a' | 'b',
  splits: boolean,
  accumulate: boolean,
): string {
  const head = 'fn store_line_sums(split: u32, line: u32, sums: vec4f, units: vec4f) {';
  if (of === 'none') return `const summed = 0u;\n${head}}`;
  const [summed, lines] = of === 'a' ? ['1u', 'u.m'] : ['2u', 'u.n'];
  const whole = 'sum_whole(vec2f(sums[i], units[i]))';
  return [
    `const summed = ${summed};`,
    `@group(0) @binding(8) var<storage, read_write> line_sums: array<${splits ? 'vec2f' : 'f32'}>;`,
    head,
    `  for (var i = 0u; i < min(4u, max(line, ${lines}) - line); i++) {`,
    splits
      ? `    line_sums[split * ${lines} + line + i] = vec2f(sums[i], units[i]);`
      : `    line_sums[line + i] = ${accumulate ? 'line_sums[line + i] + ' : ''}${whole};`,
    '  }',
    '}',
  ].join('\n');
}

/** The same slot of the launch that adds the sums of splits. */
export function splitLinesSource(wanted: boolean, accumulate: boolean): string {
  return [
    `const summed = ${wanted ? '1u' : '0u'};`,
    wanted
      ? [
          '@group(0) @binding(8) var<storage, read_write> line_sums: array<f32>;',
          '@group(0) @binding(9) var<storage, read> line_parts: array<vec2f>;',
        ].join('\n')
      : '',
    'fn line_part(split: u32, line: u32) -> vec2f {',
    wanted ? '  return line_parts[split * u.m + line];' : '  return vec2f();',
    '}',
    'fn store_line(line: u32, sum: f32) {',
    wanted ? `  line_sums[line] = ${accumulate ? 'line_sums[line] + ' : ''}sum;` : '',
    '}',
  ].join('\n');
}
