// Writes the WGSL that binds the tensors of a row kernel, and loads and stores their quads, the groups of four neighbours
// that lib/row-blocks.wgsl works on.
import type { DType } from '../../core/dtype.ts';
import { float16 } from '../../shader/lib.ts';
import { source, type Source } from '../../shader/link.ts';
import type { RowLayout } from '../../core/shape.ts';

export interface RowTensor {
  readonly slot: number;
  readonly name: string;
  readonly dtype: DType;
  readonly access: 'read' | 'write';
  /** Whether every quad is one aligned vec4, which takes one load or store. */
  readonly packed: boolean;
  /** A WGSL expression: the value of elements outside of a row. 0 by default. */
  readonly fill?: string;
  /**
   * A WGSL function of a quad, `base` and its index `q`, that elements go through when they are loaded or stored; `x_raw(base,
   * q)` then gives them as they are stored.
   */
  readonly through?: string;
  /** The same of one element, `base` and its index, where that is another function. */
  readonly throughOne?: string;
  /** WGSL: the distance between neighbours of a row. It is `u.inner`, or 1 for a tensor that is the same for all rows. */
  readonly step?: '1u';
  /** Whether rows are in pieces of `u.span` units, quads where packed, with `u.gap` units between them. */
  readonly pieces?: boolean;
}

/** Whether rows consist of whole quads whose elements are next to each other in memory. */
export function isPacked({ n, inner }: RowLayout): boolean {
  return inner === 1 && n % 4 === 0;
}

/**
 * WGSL with the bindings and these functions. For a tensor `x` that is read: `x_at(base, i)` is one element, `x_full(base, q)`
 * a quad inside the row, `x_block(base, q, step)` four quads, and `x_last(base, lane)` the lane's last block, padded. For one
 * that is written: `store_x_full(base, q, v)` and `store_x_last(base, lane, block)`.
 */
export function rowAccess(tensors: readonly RowTensor[]): string {
  return tensors.map(accessOf).join('');
}

/** The source of an access slot. It includes the functions that unpack float16 if one of the dtypes is float16. */
export function accessSource(text: string, dtypes: readonly DType[]): Source {
  const half = dtypes.includes('float16');
  const include = half ? `//#include "${float16.name}"\n` : '';
  return source('access', include + text, half ? [float16] : []);
}

const KEY: Record<DType, string> = { float32: 'f', float16: 'h', int32: 'i' };

/** A key that differs wherever `rowAccess` gives different WGSL. */
export function accessKey(tensors: readonly RowTensor[]): string {
  return tensors
    .map(
      ({ slot, dtype, packed, pieces, through = '' }) =>
        `${slot}${KEY[dtype]}${packed ? '4' : ''}${pieces ? 'p' : ''}${through}`,
    )
    .join(',');
}

function accessOf(tensor: RowTensor): string {
  const { slot, name, access } = tensor;
  const mode = access === 'read' ? 'read' : 'read_write';
  return `@group(0) @binding(${slot}) var<storage, ${mode}> ${name}: array<${elementOf(tensor)}>;
${access === 'read' ? readerOf(tensor) : writerOf(tensor)}`;
}

function elementOf({ dtype, packed }: RowTensor): string {
  if (dtype === 'int32') return 'i32';
  if (dtype === 'float16') return packed ? 'vec2u' : 'u32';
  return packed ? 'vec4f' : 'f32';
}

/** WGSL: where units that are counted along a row in pieces are, from the row's first. */
const inPieces = (units: string): string => `(${units} + ${units} / u.span * u.gap)`;
const allInPieces = (units: string): string =>
  `(${units} + ${units} / vec4u(u.span) * vec4u(u.gap))`;

function reader({ name, dtype, packed, step, pieces = false, fill = '0.0' }: RowTensor): string {
  const half = dtype === 'float16';
  const scale = step || pieces ? '' : ' * u.inner';
  const quadOf = pieces ? `(base >> 2u) + ${inPieces('(i >> 2u)')}` : '(base + i) >> 2u';
  const ownQuad = pieces ? inPieces('q') : 'q';
  const element = (at: string): string =>
    half ? `unpack_half2(${name}[(${at}) >> 1u])[(${at}) & 1u]` : `${name}[${at}]`;
  const single = packed
    ? half
      ? `  let w = ${name}[${quadOf}];
  return unpack_half2(w[(i >> 1u) & 1u])[i & 1u];`
      : `  return ${name}[${quadOf}][i & 3u];`
    : `  let at = base + ${pieces ? inPieces('i') : `i${scale}`};
  return ${element('at')};`;
  const quad = packed
    ? half
      ? `  let w = ${name}[(base >> 2u) + ${ownQuad}];
  return vec4f(unpack_half2(w.x), unpack_half2(w.y));`
      : `  return ${name}[(base >> 2u) + ${ownQuad}];`
    : pieces
      ? `  let i = vec4u(q * 4u) + vec4u(0u, 1u, 2u, 3u);
  let at = vec4u(base) + ${allInPieces('i')};
  return vec4f(${['x', 'y', 'z', 'w'].map((c) => element(`at.${c}`)).join(', ')});`
      : `  let at = vec4u(base) + (vec4u(q * 4u) + vec4u(0u, 1u, 2u, 3u))${scale};
  return vec4f(${['x', 'y', 'z', 'w'].map((c) => element(`at.${c}`)).join(', ')});`;
  // Loads past the end are clamped instead of skipped: on an emulated GPU a branch costs more than the load.
  const tail = packed
    ? `  return ${name}_full(base, q);`
    : `  let i = vec4u(q * 4u) + vec4u(0u, 1u, 2u, 3u);
  let j = min(i, vec4u(u.n - 1u));
  let at = vec4u(base) + ${pieces ? allInPieces('j') : `j${scale}`};
  return select(vec4f(${fill}), vec4f(${['x', 'y', 'z', 'w'].map((c) => element(`at.${c}`)).join(', ')}), i < vec4u(u.n));`;
  return `fn ${name}_at(base: u32, i: u32) -> f32 {
${single}
}
fn ${name}_full(base: u32, q: u32) -> vec4f {
${quad}
}
fn ${name}_tail(base: u32, q: u32) -> vec4f {
${tail}
}
fn ${name}_block(base: u32, q: u32, step: u32) -> Block {
  var v: Block;
  v.a = ${name}_full(base, q);
  if (block_quads > 1u) {
    v.b = ${name}_full(base, q + step);
  }
  if (block_quads > 2u) {
    v.c = ${name}_full(base, q + 2u * step);
  }
  if (block_quads > 3u) {
    v.d = ${name}_full(base, q + 3u * step);
  }
  return v;
}
fn ${name}_last_quad(base: u32, lane: Lane, k: u32) -> vec4f {
  if (exact) {
    if (k + 1u < block_quads) {
      return ${name}_full(base, k);
    }
    return ${name}_tail(base, k);
  }
  return select(vec4f(${fill}), ${name}_tail(base, last_quad(lane, k)), has_last(lane, k));
}
fn ${name}_last(base: u32, lane: Lane) -> Block {
  var v: Block;
  v.a = ${name}_last_quad(base, lane, 0u);
  if (block_quads > 1u) {
    v.b = ${name}_last_quad(base, lane, 1u);
  }
  if (block_quads > 2u) {
    v.c = ${name}_last_quad(base, lane, 2u);
  }
  if (block_quads > 3u) {
    v.d = ${name}_last_quad(base, lane, 3u);
  }
  return v;
}
`;
}

function writer({ name, dtype, packed, pieces = false }: RowTensor): string {
  const at = pieces ? inPieces('q') : 'q';
  const place = (i: string): string => (pieces ? inPieces(`(${i})`) : `(${i}) * u.inner`);
  const quad = packed
    ? dtype === 'float16'
      ? `  ${name}[(base >> 2u) + ${at}] = vec2u(pack_half2(v.xy), pack_half2(v.zw));`
      : `  ${name}[(base >> 2u) + ${at}] = v;`
    : ['x', 'y', 'z', 'w']
        .map((c, k) => `  ${name}[base + ${place(`q * 4u + ${k}u`)}] = v.${c};`)
        .join('\n');
  const tail = packed
    ? `  store_${name}_full(base, q, v);`
    : `  let i = q * 4u;
${['x', 'y', 'z', 'w']
  .map((c, k) => {
    const index = `i + ${k}u`;
    const store = `${name}[base + ${place(index)}] = v.${c};`;
    return k === 0 ? `  ${store}` : `  if (${index} < u.n) {\n    ${store}\n  }`;
  })
  .join('\n')}`;
  return `fn store_${name}_full(base: u32, q: u32, v: vec4f) {
${quad}
}
fn store_${name}_tail(base: u32, q: u32, v: vec4f) {
${tail}
}
fn store_${name}_last_quad(base: u32, lane: Lane, k: u32, v: vec4f) {
  if (exact) {
    if (k + 1u < block_quads) {
      store_${name}_full(base, k, v);
    } else {
      store_${name}_tail(base, k, v);
    }
  } else if (has_last(lane, k)) {
    store_${name}_tail(base, last_quad(lane, k), v);
  }
}
fn store_${name}_last(base: u32, lane: Lane, v: Block) {
  store_${name}_last_quad(base, lane, 0u, v.a);
  if (block_quads > 1u) {
    store_${name}_last_quad(base, lane, 1u, v.b);
  }
  if (block_quads > 2u) {
    store_${name}_last_quad(base, lane, 2u, v.c);
  }
  if (block_quads > 3u) {
    store_${name}_last_quad(base, lane, 3u, v.d);
  }
}
`;
}

/** A reader whose elements go through a function: what it loads itself is under other names. */
function readerOf(tensor: RowTensor): string {
  const { name, packed, through, throughOne, fill = '0.0' } = tensor;
  const text = reader(tensor);
  if (!through) return text;
  const own = text.replace(
    new RegExp(`fn ${name}_(at|full|tail)\\(`, 'g'),
    (_, what: string) => `fn ${name}_stored_${what}(`,
  );
  const tail = packed
    ? `  return ${name}_full(base, q);`
    : `  let i = vec4u(q * 4u) + vec4u(0u, 1u, 2u, 3u);
  return select(vec4f(${fill}), ${through}(${name}_stored_tail(base, q), base, q), i < vec4u(u.n));`;
  return `${own}fn ${name}_raw(base: u32, q: u32) -> vec4f {
  return ${name}_stored_${packed ? 'full' : 'tail'}(base, q);
}
fn ${name}_at(base: u32, i: u32) -> f32 {
  return ${
    throughOne
      ? `${throughOne}(${name}_stored_at(base, i), base, i)`
      : `${through}(vec4f(${name}_stored_at(base, i)), base, i >> 2u).x`
  };
}
fn ${name}_full(base: u32, q: u32) -> vec4f {
  return ${through}(${name}_stored_full(base, q), base, q);
}
fn ${name}_tail(base: u32, q: u32) -> vec4f {
${tail}
}
`;
}

/** The same of a writer. */
function writerOf(tensor: RowTensor): string {
  const { name, packed, through } = tensor;
  const text = writer(tensor);
  if (!through) return text;
  const own = text.replace(
    new RegExp(`fn store_${name}_(full|tail)\\(`, 'g'),
    (_, what: string) => `fn store_${name}_own_${what}(`,
  );
  const tail = packed
    ? `store_${name}_full(base, q, v)`
    : `store_${name}_own_tail(base, q, ${through}(v, base, q))`;
  return `${own}fn store_${name}_full(base: u32, q: u32, v: vec4f) {
  store_${name}_own_full(base, q, ${through}(v, base, q));
}
fn store_${name}_tail(base: u32, q: u32, v: vec4f) {
  ${tail};
}
`;
}
