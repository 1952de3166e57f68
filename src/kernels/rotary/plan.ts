// Plans the rotation of pairs of columns by tables of cosines and sines that broadcast over rows; with the CPU loop.
import rotaryText from '../../../shaders/kernels/rotary/rotary.wgsl?raw';
import type { NumericArray } from '../../core/dtype.ts';
import {
  UniformWriter,
  workgroupSize,
  type Capabilities,
  type Kernel,
  type Launch,
  type Plan,
  type View,
} from '../../core/kernel.ts';
import { broadcastStrides, collapse, sizeOf, type Shape } from '../../core/shape.ts';
import { float16 } from '../../shader/lib.ts';
import { cachedProgram, source, type Source } from '../../shader/link.ts';
import { fits, inputsOf, outputsOf, stretch, viewsOf, type Block } from '../windows/regions.ts';

const kernel = /* @__PURE__ */ source('kernels/rotary/rotary.wgsl', rotaryText);

export interface RotaryArgs {
  /** The shape of the rows of x, and of the rows of the tables, which broadcast to it. */
  readonly rows: Shape;
  readonly tableRows: Shape;
  /** Rows of the tables ahead of those that are used. */
  readonly ahead: number;
  /** Elements of a row. */
  readonly width: number;
  /** Columns of the tables: pairs that turn. */
  readonly pairs: number;
  readonly interleaved: boolean;
  /** Of the angle: -1 turns back. */
  readonly sign: 1 | -1;
}

/** Inputs: x, cosines, sines. */
export const rotaryKernel: Kernel<RotaryArgs> = {
  name: 'rotary',
  float16: 'native',
  // Rows, or the two columns of a pair, may share a word with others.
  widens: (args) => !isPacked(args),
  plan: planRotary,
  cpu: (args, [x, cosines, sines], [y]) => {
    if (x && cosines && sines && y) rotate(args, x, cosines, sines, y);
  },
};

const isPacked = ({ width, pairs }: RotaryArgs): boolean => width % 4 === 0 && pairs % 4 === 0;

/** Rows of x with their dimensions merged, and how far apart the rows of the tables are along each. */
function layoutOf({ rows, tableRows }: RotaryArgs): { shape: number[]; steps: readonly number[] } {
  const { shape, strides } = collapse(rows, [broadcastStrides(tableRows, rows)]);
  const [steps = []] = strides;
  return shape.length === 0 ? { shape: [1], steps: [0] } : { shape: [...shape], steps };
}

/** The row of the tables for a row of x. */
function tableRowOf(row: number, shape: readonly number[], steps: readonly number[]): number {
  let [rest, at] = [row, 0];
  for (let d = shape.length - 1; d >= 0; d--) {
    const extent = shape[d] ?? 1;
    at += (rest % extent) * (steps[d] ?? 0);
    rest = Math.floor(rest / extent);
  }
  return at;
}

function rotate(
  args: RotaryArgs,
  x: NumericArray,
  cosines: NumericArray,
  sines: NumericArray,
  y: NumericArray,
): void {
  const { rows, width, pairs, interleaved, sign } = args;
  const { shape, steps } = layoutOf(args);
  for (let row = 0; row < sizeOf(rows); row++) {
    const base = row * width;
    const table = (args.ahead + tableRowOf(row, shape, steps)) * pairs;
    for (let k = 0; k < pairs; k++) {
      const at = base + (interleaved ? 2 * k : k);
      const other = base + (interleaved ? 2 * k + 1 : pairs + k);
      const [u, v] = [x[at] ?? NaN, x[other] ?? NaN];
      const [c, s] = [cosines[table + k] ?? NaN, sign * (sines[table + k] ?? NaN)];
      y[at] = u * c - v * s;
      y[other] = v * c + u * s;
    }
    for (let j = 2 * pairs; j < width; j++) y[base + j] = x[base + j] ?? NaN;
  }
}

function planRotary(
  args: RotaryArgs,
  inputs: readonly View[],
  outputs: readonly View[],
  caps: Capabilities,
): Plan {
  const layout = layoutOf(args);
  const all = sizeOf(args.rows);
  if (fits([...inputs, ...outputs], caps)) {
    return planPart(args, layout, 0, all, inputs, outputs, caps);
  }
  const windows = caps.windows(caps);
  const [x, cosines, sines] = inputsOf(inputs);
  const [y] = outputsOf(outputs);
  if (!x || !cosines || !sines || !y) return windows;
  const { width, pairs } = args;
  const most = Math.max(1, Math.floor(windows.most / width));
  const range = most < 128 ? most : Math.floor(most / 128) * 128;
  const part = (first: number, count: number, own: Layout, before: number, block?: Block): void => {
    windows.part(() => {
      const rows = stretch(first * width, count * width);
      const tables = [cosines, sines].map((t) => (block ? windows.read(t, block) : t));
      const from = [windows.read(x, rows), ...tables];
      const to = [windows.write(y, rows)];
      const some = block ? { ...args, ahead: 0 } : args;
      windows.add(planPart(some, own, before, count, viewsOf(from), viewsOf(to), caps), from, to);
    });
  };
  if (fits([cosines.view, sines.view], caps)) {
    for (let first = 0; first < all; first += range) {
      part(first, Math.min(range, all - first), layout, first);
    }
    return windows;
  }
  // The rows of tables that are larger than a binding go with theirs of x: along the last dimension they are evenly apart.
  const [inner = 1, step = 0] = [layout.shape.at(-1), layout.steps.at(-1)];
  for (let head = 0; head < all; head += inner) {
    for (let from = 0; from < inner; from += range) {
      const count = Math.min(range, inner - from);
      const table = args.ahead + tableRowOf(head + from, layout.shape, layout.steps);
      const runs = step === 0 ? 1 : count;
      const block = { offset: table * pairs, runs, length: pairs, stride: step * pairs };
      part(head + from, count, { shape: [count], steps: [Math.min(step, 1)] }, 0, block);
    }
  }
  return windows;
}

interface Layout {
  readonly shape: readonly number[];
  readonly steps: readonly number[];
}

/** `count` rows, of which the first has `first` ahead of it. */
function planPart(
  args: RotaryArgs,
  { shape, steps }: Layout,
  first: number,
  count: number,
  [x, cosines]: readonly View[],
  [y]: readonly View[],
  caps: Capabilities,
): Plan {
  const { width, pairs, interleaved, sign } = args;
  const packed = isPacked(args);
  const group = packed ? 4 : 1;
  const [turned, passed] = [pairs / group, (width - 2 * pairs) / group];
  const size = workgroupSize(256, caps);
  const units = count * (turned + passed);
  const workgroups = Math.max(1, Math.min(Math.ceil(units / (2 * size)), caps.maxWorkgroups));
  const halves = [x, cosines, y].map((view) => view?.dtype === 'float16');
  const key = `${halves.join()};${packed}`;
  const uniforms = new UniformWriter(24)
    .u32(units, workgroups * size, turned, passed, first)
    .f32(sign)
    .u32(shape.length, args.ahead);
  for (const list of [shape, steps]) for (let d = 0; d < 8; d++) uniforms.u32(list[d] ?? 0);
  const launch: Launch = {
    program: cachedProgram(kernel, key, 'rotary', kernel, () => ({
      access: accessOf(halves, packed),
    })),
    entry: 'turn',
    constants: { workgroup_size: size, interleaved: Number(interleaved) },
    bindings: [
      { slot: 1, of: 'input', index: 0, access: 'read' },
      { slot: 2, of: 'input', index: 1, access: 'read' },
      { slot: 3, of: 'input', index: 2, access: 'read' },
      { slot: 4, of: 'output', index: 0, access: 'write' },
    ],
    uniforms: uniforms.buffer,
    workgroups: [workgroups, 1, 1],
  };
  return { launches: [launch], scratch: [] };
}

function accessOf(
  [x = false, tables = false, y = false]: readonly boolean[],
  packed: boolean,
): Source {
  const reader = (slot: number, name: string, half: boolean): string => {
    const element = half ? (packed ? 'vec2u' : 'u32') : 'Group';
    const value = half
      ? packed
        ? `vec4f(unpack_half2(${name}[i].x), unpack_half2(${name}[i].y))`
        : `unpack_half2(${name}[i >> 1u])[i & 1u]`
      : `${name}[i]`;
    return `@group(0) @binding(${slot}) var<storage, read> ${name}: array<${element}>;
fn ${name}_at(i: u32) -> Group {
  return ${value};
}
`;
  };
  const any = x || tables || y;
  const stored = y ? 'vec2u(pack_half2(v.xy), pack_half2(v.zw))' : 'v';
  return source(
    'access',
    `${any ? `//#include "${float16.name}"\n` : ''}alias Group = ${packed ? 'vec4f' : 'f32'};
struct Pair {
  u: Group,
  v: Group,
}
${reader(1, 'x', x)}${reader(2, 'cosines', tables)}${reader(3, 'sines', tables)}@group(0) @binding(4) var<storage, read_write> y: array<${y ? 'vec2u' : 'Group'}>;
fn store(i: u32, v: Group) {
  y[i] = ${stored};
}
fn apart(a: Group, b: Group) -> Pair {
  return ${packed ? 'Pair(vec4f(a.xz, b.xz), vec4f(a.yw, b.yw))' : 'Pair(a, b)'};
}
fn together(a: Group, b: Group) -> Pair {
  return ${packed ? 'Pair(vec4f(a.x, b.x, a.y, b.y), vec4f(a.z, b.z, a.w, b.w))' : 'Pair(a, b)'};
}
`,
    any ? [float16] : [],
  );
}
