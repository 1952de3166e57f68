// Plans rows of a table by index, of tables and results of any size; with the CPU loop.
import gatherText from '../../../shaders/kernels/embedding/gather.wgsl?raw';
import {
  UniformWriter,
  workgroupSize,
  type Capabilities,
  type Kernel,
  type Launch,
  type View,
} from '../../core/kernel.ts';
import { statusCode } from '../../gpu/status.ts';
import { float16 } from '../../shader/lib.ts';
import { cachedProgram, source, type Source } from '../../shader/link.ts';
import { fits, inputsOf, outputsOf, stretch, windowOf, type Region } from '../windows/regions.ts';
import type { Windows } from '../windows/windows.ts';

const kernel = /* @__PURE__ */ source('kernels/embedding/gather.wgsl', gatherText);

export interface GatherArgs {
  /** The name of the op, for errors. */
  readonly op: string;
  /** Rows of the table, and elements of each. */
  readonly rows: number;
  readonly width: number;
  /** Indices. */
  readonly count: number;
}

/** Rows of input 0 by the indices of input 1; NaN for an index out of range, which the next read throws. */
export const gatherKernel: Kernel<GatherArgs> = {
  name: 'gather',
  float16: 'native',
  // Rows may share a word.
  widens: ({ width }) => width % 4 !== 0,
  plan: planGather,
  cpu: ({ rows, width, count }, [table, indices], [y]) => {
    if (!table || !indices || !y) return;
    for (let k = 0; k < count; k++) {
      const row = indices[k] ?? -1;
      const there = row >= 0 && row < rows;
      for (let j = 0; j < width; j++) {
        y[k * width + j] = there ? (table[row * width + j] ?? NaN) : NaN;
      }
    }
  },
};

function planGather(
  args: GatherArgs,
  inputs: readonly View[],
  outputs: readonly View[],
  caps: Capabilities,
): Windows {
  const { rows, width, count } = args;
  const windows = caps.windows(caps);
  const [table, indices] = inputsOf(inputs);
  const [y] = outputsOf(outputs);
  if (!table || !indices || !y) return windows;
  // A window of the table may begin some elements ahead of its first row.
  const room = windows.most - caps.offsetAlignment / 2;
  const columns = fits([table.view], caps) || width <= room ? width : Math.floor(room / 4) * 4;
  const height = fits([table.view], caps) ? rows : Math.max(1, Math.floor(room / width));
  const positions = positionsOf(y.view, indices.view, columns, width, windows);
  for (let p = 0; p < count; p += positions) {
    for (let c = 0; c < width; c += columns) {
      const [n, across] = [Math.min(positions, count - p), Math.min(columns, width - c)];
      windows.part(() => {
        const at = windows.read(indices, stretch(p, n));
        const block = { offset: p * width + c, runs: n, length: across, stride: width };
        const to = windows.write(y, block);
        for (let first = 0; first < Math.max(rows, 1); first += height) {
          const bound = { first, height: Math.min(height, rows - first), column: c };
          const part = { ...args, width: across, count: n };
          const launches = [launchOf(part, table, bound, width, to.view, caps)];
          windows.add({ launches, scratch: [] }, [table, at], [to]);
        }
      });
    }
  }
  return windows;
}

/** Rows of the result that are written together: all, or as many as a binding spans and end where one may begin. */
function positionsOf(
  y: View,
  indices: View,
  columns: number,
  width: number,
  windows: Windows,
): number {
  if (columns < width) return 1;
  if (fits([y, indices], windows.caps)) return Math.max(1, indices.size);
  const most = Math.max(1, Math.floor(windows.most / width));
  return most < 128 ? most : Math.floor(most / 128) * 128;
}

function launchOf(
  { op, rows, width, count }: GatherArgs,
  table: Region,
  { first, height, column }: { first: number; height: number; column: number },
  stride: number,
  y: View,
  caps: Capabilities,
): Launch {
  const packed = stride % 4 === 0;
  const unit = packed ? 4 : 1;
  const units = width / unit;
  const size = workgroupSize(256, caps);
  const all = count * units;
  const workgroups = Math.max(1, Math.min(Math.ceil(all / (4 * size)), caps.maxWorkgroups));
  const start = first * stride + column;
  const elements = height === rows ? table.view.size : (height - 1) * stride + width;
  const { skip, ...window } = windowOf(table, start, elements, caps);
  const half = table.view.dtype === 'float16';
  const key = `${half ? 'h' : 'f'}${packed ? '4' : ''}`;
  const program = cachedProgram(kernel, key, 'gather', kernel, () => ({
    access: accessOf(half, packed),
  }));
  return {
    program,
    entry: 'gather',
    constants: { workgroup_size: size },
    bindings: [
      { slot: 1, ...window, access: 'read' },
      { slot: 2, of: 'input', index: 1, access: 'read' },
      { slot: 3, of: 'output', index: 0, access: 'write' },
      { slot: 11, of: 'status', index: 0, access: 'write' },
    ],
    uniforms: new UniformWriter(9).u32(
      units,
      all,
      workgroups * size,
      rows,
      first,
      height,
      skip / unit,
      statusCode(op),
      y.dtype === 'float16' ? 0x7e007e00 : 0x7fc00000,
    ).buffer,
    workgroups: [workgroups, 1, 1],
  };
}

/** Groups of four are copied as they are; single elements become float32. */
function accessOf(half: boolean, packed: boolean): Source {
  const types = packed
    ? half
      ? ['vec2u', 'vec2u']
      : ['vec4f', 'vec4f']
    : [half ? 'u32' : 'f32', 'f32'];
  const include = half && !packed ? `//#include "${float16.name}"\n` : '';
  const value = half && !packed ? 'unpack_half2(table[at >> 1u])[at & 1u]' : 'table[at]';
  const missing = packed && half ? 'vec2u(u.nan)' : `${types[1] ?? ''}(bitcast<f32>(u.nan))`;
  return source(
    'access',
    `${include}@group(0) @binding(1) var<storage, read> table: array<${types[0] ?? ''}>;
@group(0) @binding(3) var<storage, read_write> y: array<${types[1] ?? ''}>;
fn copy_unit(i: u32, at: u32) {
  y[i] = ${value};
}
fn store_nan(i: u32) {
  y[i] = ${missing};
}
`,
    half && !packed ? [float16] : [],
  );
}
