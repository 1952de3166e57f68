// In: how an op computes one element, and the shapes it is called with. Out: the launches, windowed past the binding limit,
// and the CPU loop. The tensors' access code is generated here, once for every pointwise op.
import kernelText from '../../shaders/kernels/pointwise.wgsl?raw';
import { BYTES, type DType, type NumericArray } from '../dtype.ts';
import { float16 } from '../gpu/lib.ts';
import { program, source, type Program, type Source } from '../gpu/link.ts';
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
import { planSum } from './reduce.ts';

const kernel = /* @__PURE__ */ source('kernels/pointwise.wgsl', kernelText);

/** Options as the shader gets them: float32 or, where named in `integers`, u32. */
export interface ParamLayout {
  readonly names: readonly string[];
  readonly integers?: readonly string[];
}
export type ParamValues = Readonly<Record<string, number>>;

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

type Access = 'pack' | 'elements' | 'broadcast';

/** Programs by op and by how its tensors are stored. */
const programs = /* @__PURE__ */ new WeakMap<PointwiseOp, Map<string, Program>>();

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
    inputs: inputs.map((view, i) => ({ dtype: view.dtype, access: at(accesses, i) })),
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
        ...window(view, at(accesses, i)),
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
  for (const name of op.params.names) {
    if (op.params.integers?.includes(name)) writer.u32(params[name] ?? 0);
    else writer.f32(params[name] ?? 0);
  }
  if (writer.buffer.byteLength > UNIFORM_BYTES)
    throw new RangeError(`${op.name}: too many operands and options`);
  return writer.buffer;
}

interface TensorSpec {
  readonly dtype: DType;
  readonly access: Access;
}
interface StorageSpec {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  readonly aliased: readonly number[];
  readonly summed: boolean;
}

function programFor(op: PointwiseOp, storage: StorageSpec): Program {
  let known = programs.get(op);
  if (!known) programs.set(op, (known = new Map<string, Program>()));
  const spec = ({ dtype, access }: TensorSpec): string => `${dtype}${access}`;
  const key = `${storage.inputs.map(spec).join()};${storage.outputs.map(spec).join()};${storage.aliased.join()};${String(storage.summed)}`;
  let linked = known.get(key);
  if (!linked)
    known.set(key, (linked = program(op.name, kernel, { storage: storageSource(op, storage) })));
  return linked;
}

/** The kernel's `storage` slot for one op: its options, bindings, and the step from loads to stores. */
function storageSource(op: PointwiseOp, storage: StorageSpec): Source {
  const fields = op.params.names.map(
    (name) => `${snake(name)}: ${op.params.integers?.includes(name) ? 'u32' : 'f32'}`,
  );
  const results = Array.from({ length: op.results }, (_, k) => `r${String(k)}: f32`);
  const lines = [
    `struct Params { ${fields.join(', ') || 'unused: f32'} }`,
    `struct Results { ${results.join(', ')} }`,
    `const operands = ${String(storage.inputs.length)}u;`,
  ];
  storage.inputs.forEach((input, i) => {
    if (!storage.aliased.includes(i)) lines.push(declare(1 + i, `in${String(i)}`, 'read', input));
  });
  storage.outputs.forEach((output, k) => {
    lines.push(declare(1 + storage.inputs.length + k, `out${String(k)}`, 'read_write', output));
  });
  const names = op.inputs.slice(0, storage.inputs.length);
  lines.push(
    `fn compute(index: u32, ${names.map((name) => `${name}: f32, `).join('')}p: Params) -> Results {`,
    op.body,
    '}',
    'fn step(pack: u32) -> vec4f {',
    '  let first = u.first + pack * 4u;',
  );
  storage.inputs.forEach((input, i) => {
    const alias = storage.aliased.indexOf(i);
    lines.push(
      `  let a${String(i)} = ${load(alias >= 0 ? `out${String(alias)}` : `in${String(i)}`, i, input)};`,
    );
  });
  ['x', 'y', 'z', 'w'].forEach((lane, l) => {
    const values = names.map((_, i) => `a${String(i)}.${lane}, `).join('');
    lines.push(`  let ${lane} = compute(first + ${String(l)}u, ${values}u.op);`);
  });
  const packed = (k: number): string =>
    `vec4f(x.r${String(k)}, y.r${String(k)}, z.r${String(k)}, w.r${String(k)})`;
  storage.outputs.forEach((output, k) => {
    lines.push(...store(`out${String(k)}`, packed(storage.summed ? k + 1 : k), output));
  });
  lines.push(`  return ${packed(0)};`, '}');
  // The op's functions come first: their includes and text, then the glue that calls them.
  const text = [op.source?.text ?? '', ...lines].join('\n');
  return source(op.name, `//#include "lib/float16.wgsl"\n${text}`, [
    float16,
    ...(op.source?.includes ?? []),
  ]);
}

function declare(
  slot: number,
  name: string,
  access: string,
  { dtype, access: how }: TensorSpec,
): string {
  const half = dtype === 'float16';
  const type = how === 'pack' ? (half ? 'vec2u' : 'vec4f') : half ? 'u32' : 'f32';
  return `@group(0) @binding(${String(slot)}) var<storage, ${access}> ${name}: array<${type}>;`;
}

/** A WGSL expression for four consecutive elements as vec4f. */
function load(name: string, operand: number, { dtype, access }: TensorSpec): string {
  const half = dtype === 'float16';
  if (access === 'pack') {
    return half
      ? `vec4f(unpack_half2(${name}[pack].x), unpack_half2(${name}[pack].y))`
      : `${name}[pack]`;
  }
  const element = (l: number): string => {
    const index =
      access === 'broadcast'
        ? `offset_of(first + ${String(l)}u, ${String(operand)}u)`
        : `min(pack * 4u + ${String(l)}u, u.count - 1u)`;
    return half ? `unpack_half2(${name}[(${index}) / 2u])[(${index}) % 2u]` : `${name}[${index}]`;
  };
  return `vec4f(${[0, 1, 2, 3].map(element).join(', ')})`;
}

/** WGSL statements that store four elements; past the end of a tensor that has no padding, nothing is touched. */
function store(name: string, value: string, { dtype, access }: TensorSpec): string[] {
  const half = dtype === 'float16';
  if (access === 'pack') {
    if (!half) return [`  ${name}[pack] = ${value};`];
    return [
      '  {',
      `    let v = ${value};`,
      `    ${name}[pack] = vec2u(pack_half2(v.xy), pack_half2(v.zw));`,
      '  }',
    ];
  }
  const lines = ['  {', `    let v = ${value};`];
  if (half) {
    for (const [word, lanes] of ['xy', 'zw'].entries()) {
      const index = `(pack * 2u + ${String(word)}u)`;
      lines.push(
        `    if (${index} * 2u + 1u < u.count) { ${name}[${index}] = pack_half2(v.${lanes}); }`,
        // The last half word of an odd count belongs to whoever owns the buffer.
        `    else if (${index} * 2u < u.count) { ${name}[${index}] = (${name}[${index}] & 0xffff0000u) | (pack_half2(v.${lanes}) & 0xffffu); }`,
      );
    }
  } else {
    for (const [l, lane] of ['x', 'y', 'z', 'w'].entries()) {
      lines.push(
        `    if (pack * 4u + ${String(l)}u < u.count) { ${name}[pack * 4u + ${String(l)}u] = v.${lane}; }`,
      );
    }
  }
  return [...lines, '  }'];
}

function snake(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function at<T>(list: readonly T[], index: number): T {
  return list[index] as T;
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
