// Writes the WGSL that binds the tensors of attention: quads of rows, in either dtype, what the mask makes of a score, what is
// dropped. What a call does not have is a function that does nothing.
import type { DType } from '../../core/dtype.ts';
import { float16, tanh, threefry } from '../../shader/lib.ts';
import { source, type Source } from '../../shader/link.ts';

export const SLOTS = {
  query: 1,
  key: 2,
  value: 3,
  mask: 4,
  sinks: 5,
  result: 6,
  gradOutput: 7,
  statistics: 8,
  newResult: 9,
  newStatistics: 10,
  gradQuery: 11,
  gradKey: 12,
  gradValue: 13,
  gradMask: 14,
  gradSinks: 15,
} as const;

/** What a launch binds: dtypes of the tensors that are there. */
export interface AttentionTensors {
  readonly columns: number;
  readonly valueColumns: number;
  readonly query: DType;
  readonly mask: DType | undefined;
  readonly sinks: DType | undefined;
  readonly result: DType | undefined;
  readonly gradOutput: DType | undefined;
  readonly newResult: DType | undefined;
  readonly statistics: boolean;
  readonly newStatistics: boolean;
  readonly gradQuery: DType | undefined;
  readonly gradKey: DType | undefined;
  readonly gradValue: DType | undefined;
  readonly gradMask: boolean;
  readonly gradSinks: boolean;
  readonly softcap: boolean;
  readonly dropout: boolean;
  /** Quads of a row that there is room for where an invocation has its sums in memory. */
  readonly sumQuads: number;
}

/** Whether rows of so many columns are read and written by quads. */
export const isPacked = (columns: number): boolean => columns % 4 === 0;

/** Elements that such rows are counted in: those of what is loaded at once. */
const unitOf = (columns: number): number => (isPacked(columns) ? 4 : 1);

/** What `AttentionTensors.sumQuads` is for so many columns: one of few numbers, as each is compiled by itself. */
export const sumQuadsOf = (columns: number): number =>
  Math.max(8, 2 ** Math.ceil(Math.log2(Math.max(1, columns) / 4)));

const declare = (
  slot: number,
  access: 'read' | 'read_write',
  name: string,
  element: string,
): string => `@group(0) @binding(${slot}) var<storage, ${access}> ${name}: array<${element}>;\n`;

/** An element of a tensor at `at`. */
const elementOf = (name: string, dtype: DType, at: string): string =>
  dtype === 'float16' ? `unpack_half2(${name}[(${at}) >> 1u])[(${at}) & 1u]` : `${name}[${at}]`;

function reader(
  slot: number,
  name: string,
  fn: string,
  dtype: DType,
  columns: number,
  n: string,
): string {
  const half = dtype === 'float16';
  if (isPacked(columns)) {
    return `${declare(slot, 'read', name, half ? 'vec2u' : 'vec4f')}fn ${fn}_at(at: u32, q: u32) -> vec4f {
  let x = ${name}[at + q];
  return ${half ? 'vec4f(unpack_half2(x.x), unpack_half2(x.y))' : 'x'};
}
fn ${fn}_quad(row: u32, q: u32) -> vec4f { return ${fn}_at(row / 4u, q); }
`;
  }
  const elements = ['x', 'y', 'z', 'w'].map((c) => elementOf(name, dtype, `at.${c}`)).join(', ');
  return `${declare(slot, 'read', name, half ? 'u32' : 'f32')}fn ${fn}_at(row: u32, q: u32) -> vec4f {
  let i = vec4u(q * 4u) + vec4u(0u, 1u, 2u, 3u);
  let at = vec4u(row) + min(i, vec4u(${n} - 1u));
  return select(vec4f(), vec4f(${elements}), i < vec4u(${n}));
}
fn ${fn}_quad(row: u32, q: u32) -> vec4f { return ${fn}_at(row, q); }
`;
}

function writer(
  slot: number,
  name: string,
  dtype: DType | undefined,
  columns: number,
  n: string,
): string {
  const fn = `fn store_${name}_quad(row: u32, q: u32, v: vec4f)`;
  if (dtype === undefined) return `${fn} {}\n`;
  const half = dtype === 'float16';
  if (isPacked(columns)) {
    const v = half ? 'vec2u(pack_half2(v.xy), pack_half2(v.zw))' : 'v';
    return `${declare(slot, 'read_write', name, half ? 'vec2u' : 'vec4f')}${fn} { ${name}[row / 4u + q] = ${v}; }\n`;
  }
  // Two rows would share a word of float16: the kernel widens these.
  return `${declare(slot, 'read_write', name, 'f32')}${fn} {
  for (var c = 0u; c < min(4u, ${n} - q * 4u); c++) { ${name}[row + q * 4u + c] = v[c]; }
}
`;
}

function maskSource(dtype: DType | undefined): string {
  const fn = 'fn masked(s: f32, start: u32, row: u32, key: u32) -> f32';
  if (dtype === undefined) return `${fn} { return s; }\n`;
  const element = dtype === 'int32' ? 'i32' : dtype === 'float16' ? 'u32' : 'f32';
  const at = '  let at = start + row * u.mask_row + key * u.mask_key;\n';
  const text =
    dtype === 'int32'
      ? `  return select(s, -infinity(), mask[at] == 0);`
      : // What is left out does not count, whatever it holds.
        `  let m = ${elementOf('mask', dtype, 'at')};
  return select(s + m, m, bitcast<u32>(m) == 0xff800000u);`;
  return `${declare(SLOTS.mask, 'read', 'mask', element)}${fn} {\n${at}${text}\n}\n`;
}

function sinksSource(dtype: DType | undefined): string {
  const fn = 'fn sink_of(head: u32) -> f32';
  if (dtype === undefined) return `${fn} { return -infinity(); }\n`;
  const element = dtype === 'float16' ? 'u32' : 'f32';
  return `${declare(SLOTS.sinks, 'read', 'sinks', element)}${fn} { return ${elementOf('sinks', dtype, 'head')}; }\n`;
}

const SOFTCAP = `fn softcapped(s: vec4f) -> vec4f {
  let x = s * u.softcap_reciprocal;
  return u.softcap * vec4f(nl_tanh(x.x), nl_tanh(x.y), nl_tanh(x.z), nl_tanh(x.w));
}
fn softcap_slope(s: vec4f) -> vec4f {
  let x = s * u.softcap_reciprocal;
  return vec4f(nl_sech2(x.x), nl_sech2(x.y), nl_sech2(x.z), nl_sech2(x.w));
}
`;
const NO_SOFTCAP = `fn softcapped(s: vec4f) -> vec4f { return s; }
fn softcap_slope(s: vec4f) -> vec4f { return vec4f(1.0); }
`;

/** What a weight is multiplied by; \`index\`: of the row among those of all batches. */
const DROPOUT = `fn keep(key: u32, index: u32) -> f32 {
  return select(0.0, u.keep_scale, uniform_of_row(vec2u(u.key0, u.key1), key, index) >= u.p);
}
`;
const NO_DROPOUT = 'fn keep(key: u32, index: u32) -> f32 { return 1.0; }\n';

/** Statistics of a row as they are stored. */
const vector = (name: string, index: string): string =>
  `let s = ${name}[${index}];\n  return Statistics(s.x, s.y, s.z, s.w);`;

/** The kernels' \`access\` slot, and the key of this variant. */
export function accessOf(has: AttentionTensors): { key: string; source: () => Source } {
  const { columns, valueColumns, query } = has;
  const key = [
    isPacked(columns),
    isPacked(valueColumns),
    ...Object.entries(has)
      .filter(([name]) => name !== 'columns' && name !== 'valueColumns')
      .map(([, value]) => String(value)),
  ].join(';');
  const read = (
    name: string,
    fn: string,
    slot: number,
    dtype: DType | undefined,
    value: boolean,
  ): string =>
    dtype === undefined
      ? ['at', 'quad']
          .map((one) => `fn ${fn}_${one}(row: u32, q: u32) -> vec4f { return vec4f(); }\n`)
          .join('')
      : reader(
          slot,
          name,
          fn,
          dtype,
          value ? valueColumns : columns,
          value ? 'u.value_columns' : 'u.columns',
        );
  const write = (name: string, slot: number, dtype: DType | undefined, value: boolean): string =>
    writer(
      slot,
      name,
      dtype,
      value ? valueColumns : columns,
      value ? 'u.value_columns' : 'u.columns',
    );
  const text = (): string =>
    [
      '//#include "lib/float16.wgsl"\n',
      `const column_unit = ${unitOf(columns)}u;\nconst value_unit = ${unitOf(valueColumns)}u;\nconst sum_quads = ${has.sumQuads}u;\n`,
      has.softcap ? '//#include "lib/tanh.wgsl"\n' : '',
      has.dropout ? '//#include "lib/threefry.wgsl"\n' : '',
      read('query', 'query', SLOTS.query, query, false),
      read('key', 'key', SLOTS.key, query, false),
      read('value', 'value', SLOTS.value, query, true),
      read('result', 'result', SLOTS.result, has.result, true),
      read('grad_output', 'grad', SLOTS.gradOutput, has.gradOutput, true),
      maskSource(has.mask),
      sinksSource(has.sinks),
      has.softcap ? SOFTCAP : NO_SOFTCAP,
      has.dropout ? DROPOUT : NO_DROPOUT,
      has.statistics
        ? `${declare(SLOTS.statistics, 'read', 'statistics', 'vec4f')}fn statistics_at(i: u32) -> Statistics {\n  ${vector('statistics', 'i')}\n}\n`
        : 'fn statistics_at(i: u32) -> Statistics { return Statistics(); }\n',
      has.newStatistics
        ? `${declare(SLOTS.newStatistics, 'read_write', 'new_statistics', 'vec4f')}fn store_statistics(i: u32, s: Statistics) { new_statistics[i] = vec4f(s.shift, s.scale, s.factor, s.delta); }\n`
        : 'fn store_statistics(i: u32, s: Statistics) {}\n',
      write('new_result', SLOTS.newResult, has.newResult, true),
      write('grad_query', SLOTS.gradQuery, has.gradQuery, false),
      write('grad_key', SLOTS.gradKey, has.gradKey, false),
      write('grad_value', SLOTS.gradValue, has.gradValue, true),
      has.gradMask
        ? `${declare(SLOTS.gradMask, 'read_write', 'grad_mask', 'f32')}fn store_grad_mask(i: u32, v: f32) { grad_mask[i] = v; }\n`
        : 'fn store_grad_mask(i: u32, v: f32) {}\n',
      has.gradSinks
        ? `${declare(SLOTS.gradSinks, 'read_write', 'grad_sinks', 'f32')}fn store_grad_sink(i: u32, v: f32) { grad_sinks[i] = v; }\n`
        : 'fn store_grad_sink(i: u32, v: f32) {}\n',
    ].join('');
  const includes = [float16, ...(has.softcap ? [tanh] : []), ...(has.dropout ? [threefry] : [])];
  return { key, source: () => source('access', text(), includes) };
}
