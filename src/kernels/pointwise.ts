// In: how an op computes one element, and the shapes it is called with. Out: the launches, windowed past the binding limit,
// and the CPU loop.
import kernelText from '../../shaders/kernels/pointwise.wgsl?raw';
import { BYTES, type NumericArray } from '../dtype.ts';
import { sum as sumLib } from '../gpu/lib.ts';
import { cachedProgram, source, type Program, type Source } from '../gpu/link.ts';
import {
  UNIFORM_BYTES,
  UniformWriter,
  type Binding,
  type Capabilities,
  type Kernel,
  type Launch,
  type Plan,
  type View,
} from '../kernel.ts';
import { broadcastStrides, collapse, sizeOf, type Layout, type Shape } from '../shape.ts';
import { writeParams, type ParamLayout, type ParamValues } from './params.ts';
import {
  storageSource,
  type Access,
  type StorageSpec,
  type TensorSpec,
} from './pointwise-source.ts';
import { planSum } from './reduce.ts';

const kernel = /* @__PURE__ */ source('kernels/pointwise.wgsl', kernelText, [sumLib]);

/** One way to compute elements from elements; ops declare theirs once, at module level. */
export interface PointwiseOp {
  readonly name: string;
  /** WGSL functions that `body` calls; absent where `body` is all. */
  readonly source?: Source;
  readonly params: ParamLayout;
  /** Names of the input elements in `body`. */
  readonly inputs: readonly string[];
  /** Number of results, the summed one included. */
  readonly results: number;
  /** WGSL: statements that return `Results(...)` from the inputs' names, `index`, `p` (the options) and `u.scale`. */
  readonly body: string;
  /** The same in float64: reads `v`, writes `r`. */
  readonly reference: (
    v: Float64Array,
    r: Float64Array,
    p: ParamValues,
    index: number,
    scale: number,
  ) => void;
  /** Result k is written over input `inPlace[k]`'s memory where they are one buffer. */
  readonly inPlace?: readonly number[];
}

export interface PointwiseArgs {
  readonly op: PointwiseOp;
  readonly params: ParamValues;
  /** The broadcast shape: that of every output but a sum. */
  readonly shape: Shape;
  /** The first result is summed into a scalar and divided by this, instead of being stored. */
  readonly sum?: number;
  readonly scale?: number;
}

export const pointwise: Kernel<PointwiseArgs> = {
  name: 'pointwise',
  float16: 'native',
  widens: ({ sum }, output) => sum !== undefined && output === 0,
  aliases: ({ op }, output) => op.inPlace?.[output] ?? -1,
  plan,
  cpu,
};

function plan(
  args: PointwiseArgs,
  inputs: readonly View[],
  outputs: readonly View[],
  caps: Capabilities,
): Plan {
  const { op, shape, sum } = args;
  const summed = sum !== undefined;
  const stored = summed ? outputs.slice(1) : outputs;
  const size = sizeOf(shape);
  const accesses = inputs.map((view): Access => {
    if (view.size !== size) return 'broadcast';
    return view.padded ? 'pack' : 'elements';
  });
  const layout = accesses.includes('broadcast')
    ? collapse(
        shape,
        inputs.map((view) => broadcastStrides(view.shape, shape)),
      )
    : { shape: [], strides: [] };
  const storage: StorageSpec = {
    inputs: inputs.map((view, i) => ({ dtype: view.dtype, access: accesses[i] ?? 'pack' })),
    outputs: stored.map((view) => ({
      dtype: view.dtype,
      access: view.padded ? 'pack' : 'elements',
    })),
    aliased: stored.map((view) => view.aliasOf ?? -1),
    summed,
  };
  const linked = programFor(op, storage);

  // A window is a multiple of 1024 elements: aligned to 256 bytes in either dtype.
  const widest = Math.max(
    2,
    ...inputs.filter((_, i) => accesses[i] !== 'broadcast').map((view) => BYTES[view.dtype]),
    ...stored.map((view) => BYTES[view.dtype]),
  );
  const most = Math.floor(caps.maxBindingSize / widest / 1024) * 1024;
  const windows = Math.max(1, Math.ceil(size / most));
  const workgroup = 256;
  // A sum needs few invocations, each with a long loop: their partial sums are read again.
  const perInvocation = summed ? 16 : 4;
  const cap = summed ? (caps.software ? 16 : 256) : caps.maxWorkgroups;
  const wanted = Math.min(Math.ceil(Math.min(size, most) / 4 / perInvocation / workgroup), cap);
  const workgroups = Math.max(1, Math.min(wanted, caps.maxWorkgroups));
  const invocations = workgroups * workgroup;
  const launches: Launch[] = [];
  for (let w = 0; w < windows; w++) {
    const first = w * most;
    const count = Math.min(most, size - first);
    const window = (view: View, access: Access): { offset?: number; size?: number } => {
      if (windows === 1 || access === 'broadcast') return {};
      const bytes = BYTES[view.dtype];
      const align = access === 'pack' ? 16 : 4;
      return { offset: first * bytes, size: Math.ceil((count * bytes) / align) * align };
    };
    const bindings: Binding[] = [];
    inputs.forEach((view, i) => {
      if (storage.aliased.includes(i)) return;
      bindings.push({
        slot: 1 + i,
        of: 'input',
        index: i,
        access: 'read',
        ...window(view, accesses[i] ?? 'pack'),
      });
    });
    stored.forEach((view, k) => {
      bindings.push({
        slot: 1 + inputs.length + k,
        of: 'output',
        index: summed ? k + 1 : k,
        access: 'write',
        ...window(view, view.padded ? 'pack' : 'elements'),
      });
    });
    if (summed) bindings.push({ slot: 15, of: 'scratch', index: 0, access: 'write' });
    launches.push({
      program: linked,
      entry: summed ? 'accumulate' : 'map',
      bindings,
      uniforms: uniforms(args, layout, inputs.length, {
        first,
        count,
        invocations,
        partial: w * invocations,
      }),
      workgroups: [workgroups, 1, 1],
    });
  }
  if (!summed) return { launches, scratch: [] };
  const partials = windows * invocations;
  const finish = planSum(
    { outer: 1, n: partials, inner: 1, divisor: sum },
    { of: 'scratch', index: 0 },
    { of: 'output', index: 0 },
    1,
    caps,
  );
  return {
    launches: [...launches, ...finish.launches],
    scratch: [partials * 4, ...finish.scratch],
  };
}

interface Window {
  readonly first: number;
  readonly count: number;
  readonly invocations: number;
  readonly partial: number;
}

function uniforms(
  args: PointwiseArgs,
  layout: Layout,
  operands: number,
  window: Window,
): ArrayBuffer {
  const { op, params, scale = 1 } = args;
  const writer = new UniformWriter(8 + 8 + 8 * operands + Math.max(op.params.names.length, 1));
  writer.u32(Math.ceil(window.count / 4), window.count, window.first, window.invocations);
  writer.u32(layout.shape.length).f32(scale).u32(window.partial, 0);
  for (const list of [
    layout.shape,
    ...Array.from({ length: operands }, (_, k) => layout.strides[k] ?? []),
  ]) {
    for (let d = 0; d < 8; d++) writer.u32(list[d] ?? 0);
  }
  writeParams(writer, op.params, params);
  if (writer.buffer.byteLength > UNIFORM_BYTES)
    throw new RangeError(`${op.name}: too many operands and options`);
  return writer.buffer;
}

function programFor(op: PointwiseOp, storage: StorageSpec): Program {
  const spec = ({ dtype, access }: TensorSpec): string => `${dtype}${access}`;
  const { inputs, outputs, aliased, summed } = storage;
  const key = `${inputs.map(spec).join()};${outputs.map(spec).join()};${aliased.join()};${String(summed)}`;
  return cachedProgram(op, key, op.name, kernel, () => ({ storage: storageSource(op, storage) }));
}

function cpu(
  args: PointwiseArgs,
  inputs: readonly NumericArray[],
  outputs: readonly NumericArray[],
  inputShapes: readonly Shape[],
): void {
  const { op, params, shape, sum, scale = 1 } = args;
  const size = sizeOf(shape);
  const maps = inputs.map((input, i) =>
    input.length === size ? null : indexMap(inputShapes[i] ?? [], shape, size),
  );
  const v = new Float64Array(inputs.length);
  const r = new Float64Array(op.results);
  const summed = sum !== undefined;
  let total = 0;
  for (let i = 0; i < size; i++) {
    for (let k = 0; k < inputs.length; k++) {
      const map = maps[k];
      v[k] = inputs[k]?.[map ? (map[i] ?? 0) : i] ?? NaN;
    }
    op.reference(v, r, params, i, scale);
    if (summed) total += r[0] ?? NaN;
    for (let k = summed ? 1 : 0; k < outputs.length; k++) {
      const output = outputs[k];
      if (output) output[i] = r[k] ?? NaN;
    }
  }
  const [first] = outputs;
  if (summed && first) first[0] = total / sum;
}

/** For each element of `shape`, the index of the element of a broadcast input. */
function indexMap(from: Shape, shape: Shape, size: number): Uint32Array {
  const strides = broadcastStrides(from, shape);
  const map = new Uint32Array(size);
  const index = new Array<number>(shape.length).fill(0);
  let offset = 0;
  for (let i = 0; i < size; i++) {
    map[i] = offset;
    for (let d = shape.length - 1; d >= 0; d--) {
      const extent = shape[d] ?? 1;
      const stride = strides[d] ?? 0;
      const next = (index[d] ?? 0) + 1;
      if (next < extent) {
        index[d] = next;
        offset += stride;
        break;
      }
      index[d] = 0;
      offset -= stride * (extent - 1);
    }
  }
  return map;
}
