// Plans copies of some elements of one tensor to those of another, in windows where the tensors are larger than a binding.
import copyText from '../../../shaders/kernels/copy/columns.wgsl?raw';
import {
  UniformWriter,
  workgroupSize,
  type Binding,
  type Capabilities,
  type Launch,
  type View,
} from '../../core/kernel.ts';
import { float16 } from '../../shader/lib.ts';
import { cachedProgram, source } from '../../shader/link.ts';
import { fits, windowOf, type Part } from './regions.ts';

const copyKernel = /* @__PURE__ */ source('kernels/copy/columns.wgsl', copyText);

const LOADS = {
  words: '',
  half: '//#include "lib/float16.wgsl"\n',
  shift: '@group(0) @binding(3) var<storage, read> shift: array<f32>;\n',
};
const VALUES = {
  words: 'x[i]',
  half: 'bitcast<u32>(unpack_half2(x[i >> 1u])[i & 1u])',
  shift: 'bitcast<u32>(bitcast<f32>(x[i]) + shift[row * u.shift_width + u.shift_from])',
};

/**
 * Launches that copy the elements of one block to those of another, of as many runs; float16 becomes float32. `shift`: a
 * float32 for each run, which is added. The other elements stay.
 */
export function planCopy(from: Part, to: Part, caps: Capabilities, shift?: Part): Launch[] {
  const [{ view }, { runs, length }] = from;
  if (runs * length === 0) return [];
  const parts = [from, to, ...(shift ? [shift] : [])];
  // Any element may be the first: a window begins at the last place before it where a binding may.
  const room = Math.floor((caps.maxBindingSize - caps.offsetAlignment) / 4);
  const whole = parts.every(([region]) => fits([region.view], caps));
  const columns = whole ? length : Math.min(length, room);
  const kind = shift
    ? 'shift'
    : view.dtype === 'float16' && to[0].view.dtype !== 'float16'
      ? 'half'
      : 'words';
  const rows = Math.min(
    runs,
    ...parts.map(([region, { stride }]) =>
      fits([region.view], caps) || stride === 0
        ? runs
        : Math.max(1, Math.floor((room - columns) / stride) + 1),
    ),
  );
  const program = cachedProgram(copyKernel, kind, 'copyColumns', copyKernel, () => ({
    load: source(
      'load',
      `${LOADS[kind]}fn load(i: u32, row: u32) -> u32 { return ${VALUES[kind]}; }`,
      kind === 'half' ? [float16] : [],
    ),
  }));
  const size = workgroupSize(256, caps);
  const launches: Launch[] = [];
  for (let r = 0; r < runs; r += rows) {
    for (let c = 0; c < length; c += columns) {
      const [height, width] = [Math.min(rows, runs - r), Math.min(columns, length - c)];
      const count = height * width;
      const workgroups = Math.max(1, Math.min(Math.ceil(count / (4 * size)), caps.maxWorkgroups));
      const words: number[] = [];
      const bindings = parts.map(([region, { offset, stride }], i): Binding => {
        // A shift has one column.
        const [across, at] = i === 2 ? [1, 0] : [width, c];
        const first = offset + r * stride + at;
        const { skip, ...window } = windowOf(region, first, (height - 1) * stride + across, caps);
        words.push(stride, skip);
        return { slot: i + 1, ...window, access: i === 1 ? 'write' : 'read' };
      });
      launches.push({
        program,
        entry: 'copy',
        constants: { workgroup_size: size },
        bindings,
        uniforms: new UniformWriter(9).u32(width, count, workgroups * size, ...words).buffer,
        workgroups: [workgroups, 1, 1],
      });
    }
  }
  return launches;
}

/** Rows of an even number of float16, as words. */
export function wordsOf([region, { offset, runs, length, stride }]: Part): Part {
  const view: View = { ...region.view, size: Math.ceil(region.view.size / 2), dtype: 'int32' };
  return [
    { ...region, view },
    { offset: offset / 2, runs, length: length / 2, stride: stride / 2 },
  ];
}
