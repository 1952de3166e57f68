// Writes the WGSL that binds the tensors of a norm: only those that a launch has.
import type { DType } from '../../core/dtype.ts';
import type { Source } from '../../shader/link.ts';
import { accessKey, accessSource, isPacked, rowAccess, type RowTensor } from '../rows/bindings.ts';
import { byRow, isSum, type NormArgs, type NormLayout, type NormOperand } from './args.ts';

/** The binding of each tensor; operands, and their gradients, have one after another. */
export const SLOTS = {
  x: 1,
  y: 2,
  gradOutput: 3,
  parts: 4,
  statistics: 5,
  operands: 6,
  grads: 10,
  mean: 14,
  variance: 15,
  givenMean: 16,
  givenVariance: 17,
  residual: 18,
  sum: 19,
} as const;

/** What a launch has. */
export interface NormTensors {
  readonly x: DType;
  /** What is written: the result, or the gradient of x. */
  readonly y?: DType | undefined;
  /** The sum that is normalised, where it is written. */
  readonly sum?: DType | undefined;
  readonly gradOutput?: DType | undefined;
  readonly statistics?: 'read' | 'write' | undefined;
  readonly operands: readonly (DType | undefined)[];
  /** The operands whose gradients are summed. */
  readonly grads?: readonly boolean[];
  /** Whether mean and variance of each row are written. */
  readonly moments?: boolean;
  /** Mean and variance of each row, where they are given. */
  readonly given?: DType | undefined;
  /** Whether rows are of one channel each, of which the statistics' rows have several. */
  readonly spans?: boolean;
}

/** Whether rows consist of whole quads, each in one piece of memory. */
export const inQuads = (layout: NormLayout): boolean =>
  isPacked(layout) && (layout.span === layout.n || layout.span % 4 === 0);

/** Whether rows are in several pieces. */
export const inPieces = ({ n, span }: NormLayout): boolean => span < n;

/** The kernel's `access` slot. `key` tells apart what is written for different launches. */
export function normAccess(
  args: NormArgs,
  layout: NormLayout,
  has: NormTensors,
): { readonly key: string; readonly source: () => Source } {
  const { operands } = args.op;
  const common = { packed: inQuads(layout), pieces: inPieces(layout) };
  const read = { ...common, access: 'read' } as const;
  const write = { ...common, access: 'write' } as const;
  // What has an element for each channel, or row, is read by elements.
  const single = { packed: false, access: 'read', step: '1u' } as const;
  const adds = isSum(args);
  const tensors: RowTensor[] = [
    { ...read, slot: SLOTS.x, name: adds ? 'addend' : 'x', dtype: has.x },
  ];
  if (adds) tensors.push({ ...read, slot: SLOTS.residual, name: 'residual', dtype: has.x });
  if (adds && has.sum) tensors.push({ ...write, slot: SLOTS.sum, name: 'sum', dtype: has.sum });
  if (has.y) tensors.push({ ...write, slot: SLOTS.y, name: 'y', dtype: has.y });
  if (has.gradOutput)
    tensors.push({ ...read, slot: SLOTS.gradOutput, name: 'grad_output', dtype: has.gradOutput });
  operands.forEach(({ name }, i) => {
    const dtype = has.operands[i];
    const slot = SLOTS.operands + i;
    if (dtype && args.channels) tensors.push({ ...single, slot, name, dtype });
    else if (dtype) tensors.push({ ...read, slot, name, dtype, step: '1u' });
    if (has.grads?.[i] && !args.channels)
      tensors.push({ ...write, slot: SLOTS.grads + i, name: `grad_${name}`, dtype: 'float32' });
  });
  if (has.given) {
    const dtype = has.given;
    tensors.push({ ...single, slot: SLOTS.givenMean, name: 'given_mean', dtype });
    tensors.push({ ...single, slot: SLOTS.givenVariance, name: 'given_variance', dtype });
  }
  const { statistics = '', moments = false, spans = false } = has;
  const sums = args.channels ? (has.grads ?? []) : [];
  const way = wayOf(args);
  const key = [
    accessKey(tensors),
    adds ? 'sum' : '',
    statistics,
    way,
    inPieces(layout) ? 'pieces' : '',
    moments ? 'moments' : '',
    spans ? 'spans' : '',
    sums.map(Number).join(''),
  ].join(';');
  return {
    key,
    source: () => {
      const text =
        rowAccess(tensors) +
        sumText(adds, has.x === 'float16') +
        rowText(layout) +
        statisticsText(statistics, spans) +
        momentsText(moments) +
        givenText(has.given !== undefined) +
        sumsText(operands, sums) +
        operandsText(operands, has, way);
      return accessSource(
        text,
        tensors.map(({ dtype }) => dtype),
      );
    },
  };
}

/** How the operands of a quad are found. */
type Way = 'columns' | 'rows' | 'channels of quads' | 'channels';

function wayOf(args: NormArgs): Way {
  const { channels } = args;
  if (!channels) return 'columns';
  if (byRow(args)) return 'rows';
  return channels.span % 4 === 0 ? 'channels of quads' : 'channels';
}

/** x as the sum of two tensors, rounded as it is stored; and where it goes. */
function sumText(adds: boolean, half: boolean): string {
  if (!adds) {
    return `fn store_sum_full(base: u32, q: u32, v: vec4f) {}
fn store_sum_last(base: u32, lane: Lane, v: Block) {}
`;
  }
  const rounded = half
    ? 'vec4f(unpack_half2(pack_half2(v.xy)), unpack_half2(pack_half2(v.zw)))'
    : 'v';
  const of = (call: string): string => `rounded(addend_${call} + residual_${call})`;
  const blocks = (name: string, parameters: string, each: (k: number) => string): string =>
    `fn x_${name}(${parameters}) -> Block {
  var v: Block;
  v.a = ${each(0)};
${['b', 'c', 'd'].map((c, k) => `  if (block_quads > ${k + 1}u) {\n    v.${c} = ${each(k + 1)};\n  }\n`).join('')}  return v;
}
`;
  return `fn rounded(v: vec4f) -> vec4f {
  return ${rounded};
}
fn x_at(base: u32, i: u32) -> f32 {
  return rounded(vec4f(addend_at(base, i) + residual_at(base, i))).x;
}
fn x_full(base: u32, q: u32) -> vec4f {
  return ${of('full(base, q)')};
}
${blocks('block', 'base: u32, q: u32, step: u32', (k) => (k === 0 ? 'x_full(base, q)' : `x_full(base, q + ${k}u * step)`))}${blocks('last', 'base: u32, lane: Lane', (k) => of(`last_quad(base, lane, ${k}u)`))}`;
}

/** Where a row begins. */
function rowText(layout: NormLayout): string {
  return `fn start_of(r: u32) -> u32 {
  return ${inPieces(layout) ? `r * u.span${inQuads(layout) ? ' * 4u' : ''}` : 'base_of(r)'};
}
`;
}

/** What is known of a row, kept as a vec4. */
function statisticsText(access: 'read' | 'write' | '', spans: boolean): string {
  const mode = access === 'write' ? 'read_write' : 'read';
  const bound = `@group(0) @binding(${SLOTS.statistics}) var<storage, ${mode}> statistics: array<vec4f>;
`;
  const store = 'statistics[r] = vec4f(row.scale, row.centre, row.shift, row.factor);';
  const load = `fn kept_row(r: u32) -> Row {
  let v = statistics[${spans ? 'r / u.channels' : 'r'}];
  return Row(v.x, v.y, v.z, v.w);
}
`;
  return `${access === '' ? '' : bound}${access === 'read' ? load : ''}fn store_row(r: u32, row: Row) {
  ${access === 'write' ? store : ''}
}
`;
}

/** Mean and variance of a row, without the row's scale; in the variance a row has one element less. */
function momentsText(there: boolean): string {
  if (!there) return 'fn store_moments(r: u32, row: Row, first: vec2f, square: f32) {}\n';
  return `@group(0) @binding(${SLOTS.mean}) var<storage, read_write> row_mean: array<f32>;
@group(0) @binding(${SLOTS.variance}) var<storage, read_write> row_variance: array<f32>;
fn store_moments(r: u32, row: Row, first: vec2f, square: f32) {
  let e = 127 - i32(bitcast<u32>(row.scale) >> 23u);
  // Of what is no number: the sum of the row.
  row_mean[r] = select(scale2(row.centre + row.shift, e), first.x, first.y == 255.0);
  row_variance[r] = scale2(scale2((square - row.shift * row.shift) * u.unbias, e), e);
}
`;
}

/**
 * A row of a given mean and variance. Differences from a large mean are halved: they stay within float32. The factor of the
 * variance is one of the scale 1.
 */
function givenText(there: boolean): string {
  if (!there) return '';
  return `fn given_row(r: u32) -> Row {
  let c = channel_of(r);
  let mean = given_mean_at(0u, c);
  let scale = select(1.0, 0.5, abs(mean) > 1.0);
  let factor = factor_of(given_variance_at(0u, c), 0.0, 1.0, u.eps);
  return Row(scale, select(mean, move_exponent(mean, -1), scale < 1.0), 0.0, select(factor, factor * 2.0, scale < 1.0));
}
`;
}

/** What the gradients of operands by channel are sums of, of each unit. */
function sumsText(operands: readonly NormOperand[], sums: readonly boolean[]): string {
  const there = operands.flatMap(({ name, term }, i) => (sums[i] ? [{ name, term, i }] : []));
  const bound = there.map(
    ({ name, i }) =>
      `@group(0) @binding(${SLOTS.grads + i}) var<storage, read_write> grad_${name}: array<f32>;\n`,
  );
  const stores = there.map(
    ({ name, term }) => `  grad_${name}[unit] = sums.${term === 'a' ? 'x' : 'y'};\n`,
  );
  return `${bound.join('')}fn store_sums(unit: u32, sums: vec2f) {
${stores.join('')}}
`;
}

/** A struct of a quad of each operand, its values, and its sums. */
function operandsText(operands: readonly NormOperand[], has: NormTensors, way: Way): string {
  const each = (
    write: (name: string, i: number, absent: number) => string,
    between = ', ',
  ): string => operands.map(({ name, absent }, i) => write(name, i, absent)).join(between);
  const values = (read: (name: string) => string): string =>
    `Operands(${each((name, i, absent) => (has.operands[i] ? read(name) : `vec4f(${absent})`))})`;
  const nothing = `Operands(${each((_name, _i, absent) => `vec4f(${absent})`)})`;
  const factors = operands.flatMap(({ name, saved }, i) =>
    saved && has.operands[i] ? [`own.${name}.x`] : [],
  );
  const stores = each(
    (name, i) =>
      has.grads?.[i] && way === 'columns' ? `  store_grad_${name}_tail(base, q, o.${name});\n` : '',
    '',
  );
  return `struct Operands { ${each((name) => `${name}: vec4f`)} }
const by_row = ${way === 'rows'};
${ownText(way, values)}
// Those that the backward terms are of; the rest of the way the gradient goes by \`row_factor\`.
fn term_operands_full(own: Own, q: u32) -> Operands {
  return ${way === 'rows' ? nothing : 'operands_full(own, q)'};
}
fn term_operands_last_quad(own: Own, lane: Lane, k: u32) -> Operands {
  return ${way === 'rows' ? nothing : 'operands_last_quad(own, lane, k)'};
}
fn row_factor(own: Own) -> f32 {
  return ${(way === 'rows' ? factors.join(' * ') : '') || '1.0'};
}
fn add_operands(a: Operands, b: Operands) -> Operands {
  return Operands(${each((name) => `a.${name} + b.${name}`)});
}
fn store_operands(base: u32, q: u32, o: Operands) {
${stores}}
`;
}

/** What a row knows of its operands, and those of a quad. */
function ownText(way: Way, values: (read: (name: string) => string) => string): string {
  const channel = `fn channel_of(r: u32) -> u32 {
  return ((u.first + r) % u.groups) * u.channels;
}
`;
  if (way === 'columns') {
    return `alias Own = u32;
fn own_of(r: u32) -> Own {
  return 0u;
}
fn operands_full(own: Own, q: u32) -> Operands {
  return ${values((name) => `${name}_full(own, q)`)};
}
fn operands_last_quad(own: Own, lane: Lane, k: u32) -> Operands {
  return ${values((name) => `${name}_last_quad(own, lane, k)`)};
}`;
  }
  if (way === 'rows') {
    return `alias Own = Operands;
${channel}fn own_of(r: u32) -> Own {
  let c = channel_of(r);
  return ${values((name) => `vec4f(${name}_at(0u, c))`)};
}
fn operands_full(own: Own, q: u32) -> Operands {
  return own;
}
fn operands_last_quad(own: Own, lane: Lane, k: u32) -> Operands {
  return own;
}`;
  }
  const quad =
    way === 'channels of quads'
      ? `  let c = q / u.channel_span;
  return ${values((name) => `vec4f(${name}_at(own, c))`)};`
      : `  let i = vec4u(q * 4u) + vec4u(0u, 1u, 2u, 3u);
  let c = min(i / vec4u(u.channel_span), vec4u(u.channels - 1u));
  return ${values((name) => `vec4f(${['x', 'y', 'z', 'w'].map((k) => `${name}_at(own, c.${k})`).join(', ')})`)};`;
  return `alias Own = u32;
${channel}fn own_of(r: u32) -> Own {
  return channel_of(r);
}
fn operands_full(own: Own, q: u32) -> Operands {
${quad}
}
// 0 where there is no element, as of any tensor: beside an infinite one that is left out it would be NaN.
fn operands_last_quad(own: Own, lane: Lane, k: u32) -> Operands {
  let o = operands_full(own, last_quad(lane, k));
  let inside = inside_last(lane, k);
  return ${values((name) => `select(vec4f(), o.${name}, inside)`)};
}`;
}
