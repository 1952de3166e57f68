// Copies boxes of elements between tensors with strides: permuted and sliced tensors, tensors put together, and zeros beside
// them. Nothing is computed, so elements of any dtype move as they are.
import kernelText from '../../../shaders/kernels/strided/strided.wgsl?raw';
import transposeText from '../../../shaders/kernels/strided/transpose.wgsl?raw';
import { BYTES } from '../../core/dtype.ts';
import {
  foldWorkgroups,
  UniformWriter,
  workgroupSize,
  type Binding,
  type Capabilities,
  type Kernel,
  type Launch,
  type Plan,
  type View,
} from '../../core/kernel.ts';
import { collapse, sizeOf, type Shape } from '../../core/shape.ts';
import { float16 } from '../../shader/lib.ts';
import { cachedProgram, source, type Source } from '../../shader/link.ts';
import { elementwise } from '../pointwise/elements.ts';
import { castArgs } from '../pointwise/identity.ts';
import { fits, inputsOf, outputsOf, windowOf, type Region } from '../windows/regions.ts';
import { copyOnCpu } from './reference.ts';

const copyKernel = /* @__PURE__ */ source('kernels/strided/strided.wgsl', kernelText);
const transposeSource = /* @__PURE__ */ source('kernels/strided/transpose.wgsl', transposeText);

/** Some elements of a tensor: where the first of them is, and how far apart they are along each dimension of the box. */
export interface Strided {
  readonly offset: number;
  readonly strides: readonly number[];
}

/** A box of elements to copy. */
export interface StridedPart {
  readonly shape: Shape;
  /** The elements of one of the inputs; null for zeros. */
  readonly from: (Strided & { readonly input: number }) | null;
  readonly to: Strided;
}

export interface StridedArgs {
  /** Together they write every element of the output, each once. */
  readonly parts: readonly StridedPart[];
}

export const stridedCopy: Kernel<StridedArgs> = {
  name: 'stridedCopy',
  float16: 'native',
  plan,
  cpu: copyOnCpu,
};

/** How an element, or several neighbours, are moved: `half` is one float16, `widen` makes float32 of it. */
type Unit = 'vec4u' | 'vec2u' | 'u32' | 'half' | 'widen';

/** Bytes of a unit. */
const UNITS: readonly (readonly [Unit, number])[] = [
  ['vec4u', 16],
  ['vec2u', 8],
  ['u32', 4],
  ['half', 2],
];

/** A box with merged dimensions; extents, strides and offsets count units. */
interface Box {
  readonly shape: readonly number[];
  /** Offset and strides in the input, if it is not zeros, and in the output. */
  readonly from: Strided | null;
  readonly to: Strided;
}

function plan(
  { parts }: StridedArgs,
  inputs: readonly View[],
  outputs: readonly View[],
  caps: Capabilities,
): Plan {
  const ins = inputsOf(inputs);
  const [to] = outputsOf(outputs);
  if (!to) return { launches: [], scratch: [] };
  const boxes = parts
    .filter(({ shape }) => sizeOf(shape) > 0)
    .map((part) => ({ box: mergedBox(part), input: part.from && ins[part.from.input] }));
  const bytes = BYTES[to.view.dtype];
  const byHalves = boxes.some(({ box }) => unitOf(box, bytes)[0] === 'half');
  const [first] = boxes;
  const dense = boxes.length === 1 && first?.input && isDense(first.box);
  if (byHalves && !(dense && fits([...inputs, ...outputs], caps))) {
    // Two parts, or two rows, may share a word: they are put together as float32, and made float16 in the end.
    const windows = caps.windows(caps);
    const wide = windows.keep(to.view.size);
    for (const { box, input } of boxes)
      windows.launches.push(...launchesOf(box, 'widen', input, wide, caps));
    windows.part(() => {
      windows.add(
        elementwise.plan(castArgs(to.view.shape), [wide.view], [to.view], caps),
        [wide],
        [to],
      );
    });
    return windows;
  }
  const launches = boxes.flatMap(({ box, input }) => {
    const [unit, factor] = unitOf(box, bytes);
    return launchesOf(inUnits(box, factor), unit, input, to, caps, factor);
  });
  return { launches, scratch: [] };
}

/** The box of a part: as few dimensions as both sides walk through alike. */
function mergedBox({ shape, from, to }: StridedPart): Box {
  const merged = collapse(shape, from ? [to.strides, from.strides] : [to.strides]);
  if (merged.shape.length === 0) {
    merged.shape.push(1);
    for (const strides of merged.strides) strides.push(1);
  }
  const [toStrides = [], fromStrides = []] = merged.strides;
  return {
    shape: merged.shape,
    from: from && { offset: from.offset, strides: fromStrides },
    to: { offset: to.offset, strides: toStrides },
  };
}

/** Whether the box is the whole output, in its order. */
function isDense({ shape, to: { offset, strides } }: Box): boolean {
  let step = 1;
  for (let d = shape.length - 1; d >= 0; d--) {
    if (strides[d] !== step) return false;
    step *= shape[d] ?? 1;
  }
  return offset === 0;
}

/** The largest unit that a box can be moved by, and how many elements of so many bytes it has. */
function unitOf({ shape, from, to }: Box, bytes: number): readonly [unit: Unit, factor: number] {
  const sides = from ? [from, to] : [to];
  const together = sides.every(({ strides }) => strides.at(-1) === 1);
  for (const [unit, size] of UNITS) {
    const factor = size / bytes;
    const divides = (n: number): boolean => n % factor === 0;
    if (factor === 1) return [unit, 1];
    if (
      together &&
      divides(shape.at(-1) ?? 1) &&
      sides.every(({ offset, strides }) => divides(offset) && strides.slice(0, -1).every(divides))
    ) {
      return [unit, factor];
    }
  }
  return ['u32', 1];
}

function inUnits({ shape, from, to }: Box, factor: number): Box {
  const side = ({ offset, strides }: Strided): Strided => ({
    offset: offset / factor,
    strides: [...strides.slice(0, -1).map((stride) => stride / factor), strides.at(-1) ?? 1],
  });
  return {
    shape: [...shape.slice(0, -1), (shape.at(-1) ?? 1) / factor],
    from: from && side(from),
    to: side(to),
  };
}

/** The launches of a box: of several smaller ones, where an operand is larger than a binding. */
function launchesOf(
  box: Box,
  unit: Unit,
  input: Region | null | undefined,
  to: Region,
  caps: Capabilities,
  factor = 1,
): Launch[] {
  const room = (region: Region): number =>
    fits([region.view], caps)
      ? Infinity
      : Math.floor(
          (caps.maxBindingSize - caps.offsetAlignment) / BYTES[region.view.dtype] / factor,
        );
  const sides = [
    { at: box.to, most: room(to) },
    ...(box.from && input ? [{ at: box.from, most: room(input) }] : []),
  ];
  const launches: Launch[] = [];
  const visit = (shape: readonly number[], first: readonly number[]): void => {
    for (const { at, most } of sides) {
      if (spanOf(shape, at) <= most) continue;
      // Half of the dimension that spans most.
      const spans = shape.map((extent, d) => (extent - 1) * (at.strides[d] ?? 0));
      const d = spans.indexOf(Math.max(...spans));
      const extent = shape[d] ?? 1;
      const half = Math.ceil(extent / 2);
      visit(shape.with(d, half), first);
      visit(shape.with(d, extent - half), first.with(d, (first[d] ?? 0) + half));
      return;
    }
    const part = (at: Strided): Strided => ({
      offset: first.reduce((sum, f, d) => sum + f * (at.strides[d] ?? 0), at.offset),
      strides: at.strides,
    });
    const piece: Box = { shape, from: box.from && part(box.from), to: part(box.to) };
    launches.push(launchOf(piece, unit, input, to, caps, factor));
  };
  visit(
    box.shape,
    box.shape.map(() => 0),
  );
  return launches;
}

/** Units from the first of a box to its last. */
const spanOf = (shape: readonly number[], { strides }: Strided): number =>
  shape.reduce((span, extent, d) => span + (extent - 1) * (strides[d] ?? 0), 1);

function launchOf(
  box: Box,
  unit: Unit,
  input: Region | null | undefined,
  to: Region,
  caps: Capabilities,
  factor: number,
): Launch {
  const tiled = unit === 'u32' && input ? tilesOf(box, caps) : null;
  const { shape, strides } = tiled ?? {
    shape: box.shape,
    strides: [box.from?.strides ?? [], box.to.strides],
  };
  const skips: number[] = [];
  const window = (slot: number, region: Region, at: Strided, access: 'read' | 'write'): Binding => {
    const span = spanOf(box.shape, at) * factor;
    const { skip, ...slice } = windowOf(region, at.offset * factor, span, caps);
    skips.push(skip / factor);
    return { slot, ...slice, access };
  };
  const reads = box.from && input ? [window(1, input, box.from, 'read')] : [];
  if (reads.length === 0) skips.push(0);
  const writes = window(2, to, box.to, 'write');
  const count = sizeOf(shape);
  const size = workgroupSize(256, caps);
  const invocations = unit === 'half' ? Math.ceil(count / 2) : count;
  const workgroups = Math.max(1, Math.min(Math.ceil(invocations / (4 * size)), caps.maxWorkgroups));
  const kind = input ? unit : (`zero ${unit}` as const);
  const uniforms = new UniformWriter(36)
    .u32(tiled ? count : invocations, workgroups * size, shape.length, ...skips)
    .u32(tiled?.a ?? count, tiled?.b ?? 0, tiled?.fromB ?? 0, tiled?.toA ?? 0, 0, 0, 0);
  for (const list of [shape, ...strides]) {
    for (let d = 0; d < 8; d++) uniforms.u32(list[d] ?? 0);
  }
  const rank = !tiled && invocations >= caps.tuning.ranksFrom ? shape.length : null;
  const key = `${tiled ? 'tiled' : kind}${rank === null ? '' : `;${rank}`}`;
  return {
    program: cachedProgram(copyKernel, key, 'stridedCopy', copyKernel, () => ({
      unit: unitSource(unit, Boolean(input), tiled !== null),
      ...(rank === null ? {} : { place: placeSource(rank) }),
    })),
    entry: tiled ? 'transpose' : 'copy',
    constants: { workgroup_size: size },
    bindings: [...reads, writes],
    uniforms: uniforms.buffer,
    workgroups: tiled
      ? foldWorkgroups(count * Math.ceil(tiled.a / 32) * Math.ceil(tiled.b / 32), caps)
      : [workgroups, 1, 1],
  };
}

/** Least extents of a dimension along which tiles are taken: in others most of a tile would be empty. */
const LEAST_TILED = 8;

/**
 * The dimensions that `transpose` goes over by tiles, and the others, where memory is contiguous along one dimension in the
 * input and along another in the output. Not where barriers are dear.
 */
function tilesOf(
  { shape, from, to }: Box,
  { tuning }: Capabilities,
): {
  shape: readonly number[];
  strides: readonly (readonly number[])[];
  a: number;
  b: number;
  fromB: number;
  toA: number;
} | null {
  const a = from?.strides.indexOf(1) ?? -1;
  const b = to.strides.indexOf(1);
  if (!tuning.rowsByWorkgroup || !from || a < 0 || b < 0 || a === b) return null;
  const [extentA = 0, extentB = 0] = [shape[a], shape[b]];
  if (Math.min(extentA, extentB) < LEAST_TILED) return null;
  const others = <T>(list: readonly T[]): T[] => list.filter((_, d) => d !== a && d !== b);
  return {
    shape: others(shape),
    strides: [others(from.strides), others(to.strides)],
    a: extentA,
    b: extentB,
    fromB: from.strides[b] ?? 0,
    toA: to.strides[a] ?? 0,
  };
}

/** The kernel's `place` slot for boxes of one rank, without a loop. */
function placeSource(rank: number): string {
  const at = (list: string, d: number): string => `u.${list}[${Math.floor(d / 4)}][${d % 4}]`;
  const strides = (d: number): string => `vec2u(${at('x_strides', d)}, ${at('y_strides', d)})`;
  const lines = ['fn place_of(i: u32) -> vec2u {', '  var rest = i;', '  var q = 0u;'];
  lines.push('  var place = vec2u(u.x_first, u.y_first);');
  for (let d = rank - 1; d > 0; d--) {
    lines.push(`  q = rest / ${at('shape', d)};`);
    lines.push(`  place += (rest - q * ${at('shape', d)}) * ${strides(d)};`, '  rest = q;');
  }
  return [...lines, `  return place + rest * ${strides(0)};`, '}'].join('\n');
}

/** The kernel's `unit` slot. */
function unitSource(unit: Unit, reads: boolean, tiled: boolean): Source {
  const type = unit === 'half' || unit === 'widen' ? 'u32' : unit;
  const lines = [
    ...(reads ? [`@group(0) @binding(1) var<storage, read> x: array<${type}>;`] : []),
    `@group(0) @binding(2) var<storage, read_write> y: array<${type}>;`,
  ];
  const value = !reads
    ? `${type}()`
    : unit === 'widen'
      ? 'bitcast<u32>(unpack_half2(x[place.x >> 1u])[place.x & 1u])'
      : 'x[place.x]';
  const one =
    unit === 'half'
      ? [
          'fn half_at(i: u32) -> u32 {',
          '  let at = place_of(i).x;',
          '  return (x[at >> 1u] >> (16u * (at & 1u))) & 0xffffu;',
          '}',
          // A word of the output: the other half of the last word of an odd count is not the tensor's, and is kept.
          'fn copy_one(i: u32) {',
          '  let low = half_at(2u * i);',
          '  if (2u * i + 1u < u.a) { y[i] = low | (half_at(2u * i + 1u) << 16u); }',
          '  else { y[i] = (y[i] & 0xffff0000u) | low; }',
          '}',
        ]
      : ['fn copy_one(i: u32) {', '  let place = place_of(i);', `  y[place.y] = ${value};`, '}'];
  const text = [...lines, ...one].join('\n');
  if (tiled)
    return source('unit', `${text}\n//#include "kernels/strided/transpose.wgsl"`, [
      transposeSource,
    ]);
  return unit === 'widen' && reads
    ? source('unit', `//#include "lib/float16.wgsl"\n${text}`, [float16])
    : source('unit', text);
}
