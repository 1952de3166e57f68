// A mask and a scale of row-wise ops: what a kernel's loads and stores do with them, and the CPU loop over rows.
import type { NumericArray } from '../../core/dtype.ts';
import type { UniformWriter } from '../../core/kernel.ts';
import { broadcastStrides, collapse, type RowLayout, type Shape } from '../../core/shape.ts';
import { isPacked, type RowTensor } from '../rows/bindings.ts';
import { forEachRow } from '../rows/tiling.ts';
import type { RowwiseArgs } from './args.ts';

/** How a mask is broadcast to the elements. */
export interface MaskLayout {
  /** Whether it has an element for each: then it lies in memory as they do. */
  readonly whole: boolean;
  /** Dimensions of the rows, merged, and how far apart the rows of the mask are along each. */
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  /** How far apart its elements along a row are: 0 where one stands for all. */
  readonly step: number;
}

export interface Masking {
  /** The elements are multiplied by it. */
  readonly scale: number;
  readonly mask: MaskLayout | null;
}

/** The layout of a mask that broadcasts to `shape`, for rows along `dim`. */
export function maskLayout(mask: Shape, shape: Shape, dim: number): MaskLayout {
  const strides = broadcastStrides(mask, shape);
  const others = <T>(list: readonly T[]): T[] => list.filter((_, d) => d !== dim);
  const rows = collapse(others(shape), [others(strides)]);
  const whole = shape.every((d, i) => d === 1 || strides[i] !== 0);
  return { whole, shape: rows.shape, strides: rows.strides[0] ?? [], step: strides[dim] ?? 0 };
}

/** Where a part begins among all rows, and in them. */
export interface Start {
  readonly row: number;
  readonly element: number;
}

/** What rows of few dimensions need of the uniforms: as in `OPERANDS`. */
export function writeMasking(
  uniforms: UniformWriter,
  { scale, mask }: Masking,
  { row, element }: Start,
): UniformWriter {
  const { shape = [], strides = [], step = 0 } = mask ?? {};
  uniforms.f32(scale).u32(step, row, element * step, shape.length, 0);
  for (const list of [shape, strides]) for (let d = 0; d < 8; d++) uniforms.u32(list[d] ?? 0);
  return uniforms;
}

/** Words of uniforms in all. */
export const MASKING_WORDS = 28;

/** The kernel's `operands` slot. */
export const OPERANDS = `  scale: f32,
  mask_step: u32,  // between the elements of a row of the mask
  row_first: u32,  // rows ahead of those that are bound
  mask_first: u32, // elements of a row of the mask ahead of those of the window
  mask_rank: u32,
  unused: u32,
  mask_shape: array<vec4u, 2>,
  mask_strides: array<vec4u, 2>,
`;

/** Whether quads of the mask are loaded whole. */
const loadsQuads = (mask: MaskLayout, layout: RowLayout): boolean =>
  isPacked(layout) && (mask.whole || mask.step === 1);

/** Tells apart what `maskingAccess` gives. */
export function maskingKey({ mask }: Masking, layout: RowLayout): string {
  if (!mask) return 'scale';
  return `mask${mask.whole ? ' whole' : ''}${loadsQuads(mask, layout) ? '4' : ''}`;
}

/** WGSL functions that elements of a tensor go through. */
export function throughOf(
  { mask }: Masking,
  direction: 'forward' | 'backward',
  name: 'x' | 'y' | 'grad_output',
): Pick<RowTensor, 'through'> {
  const through =
    direction === 'forward'
      ? { x: mask ? 'scaled_or_padding' : 'scaled', y: mask ? 'or_left_out' : '', grad_output: '' }
      : { x: '', y: mask ? 'scaled_or_zero' : 'scaled', grad_output: mask ? 'or_zero' : '' };
  return through[name] === '' ? {} : { through: through[name] };
}

/** The binding of a mask, where there is one; where a row of it begins; and what elements go through. */
export function maskingAccess(
  { mask }: Masking,
  layout: RowLayout,
  direction: 'forward' | 'backward',
  leftOut: number,
): string {
  const scaled = `fn scaled(v: vec4f, base: u32, q: u32) -> vec4f {
  return v * u.scale;
}
`;
  if (!mask) return PLAIN_BASE + scaled;
  const quads = loadsQuads(mask, layout);
  const begin = mask.whole ? 'base' : 'mask_base';
  const step = mask.whole ? 'u.inner' : 'u.mask_step';
  const kept = quads
    ? `  return mask[(${begin} >> 2u) + q] != vec4i();`
    : `  let at = vec4u(${begin}) + min(vec4u(4u * q) + vec4u(0u, 1u, 2u, 3u), vec4u(u.n - 1u)) * ${step};
  return vec4i(mask[at.x], mask[at.y], mask[at.z], mask[at.w]) != vec4i();`;
  const through = (name: string, otherwise: string, value: string): string =>
    `fn ${name}(v: vec4f, base: u32, q: u32) -> vec4f {
  return select(${otherwise}, ${value}, kept(base, q));
}
`;
  return `@group(0) @binding(5) var<storage, read> mask: array<${quads ? 'vec4i' : 'i32'}>;
${mask.whole ? PLAIN_BASE : BROADCAST_BASE}fn kept(base: u32, q: u32) -> vec4<bool> {
${kept}
}
${
  direction === 'forward'
    ? through('scaled_or_padding', 'vec4f(padding())', 'v * u.scale') +
      through('or_left_out', leftOut === 0 ? 'vec4f()' : 'vec4f(-infinity())', 'v')
    : through('or_zero', 'vec4f()', 'v') + through('scaled_or_zero', 'vec4f()', 'v * u.scale')
}`;
}

export const PLAIN_BASE = `fn row_base(row: u32) -> u32 {
  return base_of(row);
}
`;

const BROADCAST_BASE = `var<private> mask_base: u32;
fn row_base(row: u32) -> u32 {
  var rest = u.row_first + row;
  var at = u.mask_first;
  for (var d = u.mask_rank; d > 0u; d--) {
    let extent = u.mask_shape[(d - 1u) / 4u][(d - 1u) % 4u];
    let next = rest / extent;
    at += (rest - next * extent) * u.mask_strides[(d - 1u) / 4u][(d - 1u) % 4u];
    rest = next;
  }
  mask_base = at;
  return base_of(row);
}
`;

/** The CPU loop: the op sees the elements of each row that are kept. */
export function computeMasked(
  { op, layout, direction }: RowwiseArgs,
  { scale, mask }: Masking,
  inputs: readonly NumericArray[],
  y: NumericArray,
): void {
  const { n, inner } = layout;
  const forward = direction === 'forward';
  const [x, ...others] = inputs;
  const kept = mask ? others.shift() : undefined;
  const [gradOutput] = others;
  const places = new Uint32Array(n);
  const [first, second, result] = [0, 1, 2].map(() => new Float64Array(n));
  if (!x || !first || !second || !result) return;
  forEachRow(layout, (base, row) => {
    const begin = mask && !mask.whole ? rowOfMask(mask, row) : base;
    const step = mask && !mask.whole ? mask.step : inner;
    let count = 0;
    for (let i = 0; i < n; i++) {
      const at = base + i * inner;
      y[at] = forward ? (op.leftOut ?? 0) : 0;
      if (kept?.[begin + i * step] === 0) continue;
      first[count] = forward ? (x[at] ?? NaN) * scale : (x[at] ?? NaN);
      second[count] = gradOutput?.[at] ?? 0;
      places[count++] = at;
    }
    if (count === 0) return;
    const [a, b, r] = [first, second, result].map((list) => list.subarray(0, count));
    if (!a || !b || !r) return;
    if (forward) op.forward(a, r);
    else op.backward(a, b, r);
    for (let k = 0; k < count; k++) y[places[k] ?? 0] = (r[k] ?? NaN) * (forward ? 1 : scale);
  });
}

function rowOfMask({ shape, strides }: MaskLayout, row: number): number {
  let [rest, at] = [row, 0];
  for (let d = shape.length - 1; d >= 0; d--) {
    const extent = shape[d] ?? 1;
    at += (rest % extent) * (strides[d] ?? 0);
    rest = Math.floor(rest / extent);
  }
  return at;
}
