// Plans ops that compare two or three tensors row by row: one result per row, its reduction, and in the same pass the
// gradients of all elements. The CPU loop is here as well.
import kernelText from '../../../shaders/kernels/pair-rows/pair-rows.wgsl?raw';
import { atOr } from '../../cpu/rows.ts';
import type { NumericArray } from '../../core/dtype.ts';
import { bits, rowLanes } from '../../shader/lib.ts';
import { cachedProgram, source, type Source } from '../../shader/link.ts';
import {
  UniformWriter,
  type Binding,
  type Capabilities,
  type Kernel,
  type Launch,
  type Plan,
  type BufferSlice,
  type View,
} from '../../core/kernel.ts';
import type { RowLayout } from '../../core/shape.ts';
import {
  paramsStruct,
  wordsOf,
  writeParams,
  type ParamLayout,
  type ParamValues,
} from '../../shader/params.ts';
import { addSums, planSum } from '../reduce/sums.ts';
import { forEachRow, tileRows, workgroupsOf } from '../rows/tiling.ts';
import { gather } from '../../cpu/rows.ts';
import { fits, inputsOf, outputsOf } from '../windows/regions.ts';

const kernel = /* @__PURE__ */ source('kernels/pair-rows/pair-rows.wgsl', kernelText, [
  bits,
  rowLanes,
]);

/** An op that compares rows: `fn compare` in WGSL, and the same in float64. */
export interface PairRowsOp {
  readonly name: string;
  readonly source: Source;
  readonly params: ParamLayout;
  /** Names in WGSL of the tensors whose rows are compared. */
  readonly operands: readonly string[];
  /** Name in WGSL of a tensor with one number per row; it has no gradient. */
  readonly labels?: string;
  /** Whether the WGSL raises elements to a power. */
  readonly powers?: boolean;
  /** The values that the options give to WGSL `override` constants. */
  readonly constants?: (params: ParamValues) => Readonly<Record<string, number>>;
  /**
   * Returns the result of one row. Where gradients are wanted, it computes them from the upstream gradient into
   * `grads`.
   */
  readonly reference: (
    rows: readonly Float64Array[],
    label: number,
    params: ParamValues,
    upstream: number,
    grads: readonly Float64Array[] | null,
  ) => number;
}

export interface PairRowsArgs {
  readonly op: PairRowsOp;
  readonly params: ParamValues;
  readonly layout: RowLayout;
  /** Number of rows of the whole call, if this is only a part of them. */
  readonly all?: number;
  readonly reduction: 'none' | 'mean' | 'sum';
  /** Inputs: the operands, the labels if the op has them, and the upstream gradient if there is one. */
  readonly gradOutput: boolean;
  /** Outputs: the result, then the gradients of those operands that are true here. */
  readonly outputs: { readonly result: boolean; readonly grads: readonly boolean[] };
}

export const pairRows: Kernel<PairRowsArgs> = {
  name: 'pairRows',
  float16: 'convert',
  plan,
  cpu,
};

function plan(
  args: PairRowsArgs,
  inputs: readonly View[],
  outputs: readonly View[],
  caps: Capabilities,
): Plan {
  if (fits([...inputs, ...outputs], caps)) return planWhole(args, caps);
  const { op, layout, reduction } = args;
  const rows = layout.outer * layout.inner;
  const result: BufferSlice = { of: 'output', index: 0 };
  const windows = caps.windows(caps);
  const outs = outputsOf(outputs);
  const reduces = reduction !== 'none' && args.outputs.result;
  const kept = reduces ? windows.keep(rows) : undefined;
  const planned = windows.rows(
    layout,
    inputsOf(inputs).map((region, i) => {
      if (i < op.operands.length) return { ...region, each: layout.n };
      const single = args.gradOutput && i === inputs.length - 1 && reduction !== 'none';
      return { ...region, each: single ? null : 1 };
    }),
    outs.map((region, k) => {
      const one = args.outputs.result && k === 0;
      return { ...(one ? (kept ?? region) : region), each: one ? 1 : layout.n };
    }),
    ({ outer, inner }) => ({
      launches: [
        launch({ ...args, layout: { outer, n: layout.n, inner }, all: rows }, result, caps),
      ],
      scratch: [],
    }),
  );
  // A row longer than a binding cannot be planned, because rows whose squares leave the range of float32 are read
  // again.
  if (!planned) return planWhole(args, caps);
  const [total] = outs;
  if (kept && total) {
    const divisor = reduction === 'mean' ? rows : 1;
    addSums(windows, { outer: 1, n: rows, inner: 1, divisor }, kept, total);
  }
  return windows;
}

function planWhole(args: PairRowsArgs, caps: Capabilities): Plan {
  const { layout, reduction, outputs } = args;
  const rows = layout.outer * layout.inner;
  const result: BufferSlice = { of: 'output', index: 0 };
  if (reduction === 'none' || !outputs.result) {
    return { launches: rows > 0 ? [launch(args, result, caps)] : [], scratch: [] };
  }
  const finish = planSum(
    { outer: 1, n: rows, inner: 1, divisor: reduction === 'mean' ? rows : 1 },
    { of: 'scratch', index: 0 },
    result,
    1,
    caps,
  );
  return {
    launches: [
      ...(rows > 0 ? [launch(args, { of: 'scratch', index: 0 }, caps)] : []),
      ...finish.launches,
    ],
    scratch: [rows * 4, ...finish.scratch],
  };
}

/** The kernel's `access` slot: the type of an element, and bindings and accessors for the tensors of this call. */
function accessSlot(args: PairRowsArgs, packed: boolean, shared: boolean): string {
  const { op, gradOutput, outputs, reduction } = args;
  const bind = (slot: number, access: string, name: string, type: string): string =>
    `@group(0) @binding(${slot}) var<storage, ${access}> ${name}: array<${type}>;\n`;
  const fold = (fn: string): string =>
    `fn ${fn === 'max' ? 'largest' : 'smallest'}(b: B) -> u32 { return ${packed ? `${fn}(${fn}(b.x, b.y), ${fn}(b.z, b.w))` : 'b'}; }\n`;
  const power = packed
    ? 'vec4f(nl_pow(v.x, e), nl_pow(v.y, e), nl_pow(v.z, e), nl_pow(v.w, e))'
    : 'nl_pow(v, e)';
  const above = gradOutput ? `grad_output[${reduction === 'none' ? 'row' : '0'}] * ` : '';
  return [
    packed
      ? 'alias V = vec4f;\nalias B = vec4u;\nalias C = vec4<bool>;\n'
      : 'alias V = f32;\nalias B = u32;\nalias C = bool;\n',
    paramsStruct(op.params),
    ...op.operands.map((name, k) => bind(1 + k, 'read', name, 'V')),
    op.labels ? bind(4, 'read', op.labels, 'f32') : '',
    outputs.result ? bind(5, 'read_write', 'results', 'f32') : '',
    gradOutput ? bind(9, 'read', 'grad_output', 'f32') : '',
    `fn single() -> bool { return ${packed ? 'false' : 'u.n == 1u'}; }\n`,
    `const with_grad = ${outputs.grads.includes(true)};\n`,
    'fn vector(c: bool) -> C { return C(c); }\n',
    `fn total(v: V) -> f32 { return ${packed ? '(v.x + v.y) + (v.z + v.w)' : 'v'}; }\n`,
    fold('max'),
    fold('min'),
    op.powers ? `fn each_pow(v: V, e: f32) -> V { return ${power}; }\n` : '',
    shared
      ? // All invocations get the answer of the first one, in a form by which compilers see that they take the same branch.
        'var<workgroup> agreed: u32;\nfn agree(c: bool, local: u32) -> bool {\n  if (local == 0u) { agreed = u32(c); }\n  return workgroupUniformLoad(&agreed) != 0u;\n}\n'
      : 'fn agree(c: bool, local: u32) -> bool { return c; }\n',
    `fn upstream_of(row: u32) -> f32 { return ${above}u.scale; }\n`,
    `fn store_result(row: u32, v: f32) { ${outputs.result ? 'results[row] = v;' : ''} }\n`,
    ...op.operands.map((name, k) => {
      const wanted = outputs.grads[k] ?? false;
      const store = `fn store_grad_${name}(at: u32, v: V) { ${wanted ? `grad_${name}[at] = v;` : ''} }\n`;
      return (wanted ? bind(6 + k, 'read_write', `grad_${name}`, 'V') : '') + store;
    }),
  ].join('');
}

function launch(args: PairRowsArgs, results: BufferSlice, caps: Capabilities): Launch {
  const { op, params, layout, gradOutput, outputs, reduction } = args;
  const { outer, n, inner } = layout;
  const rows = outer * inner;
  const packed = inner === 1 && n > 0 && n % 4 === 0;
  const tiling = tileRows(packed ? { outer, n: n / 4, inner } : layout, caps);
  const shared = tiling.unit === 'workgroup';
  const access = accessSlot(args, packed, shared);
  const linked = cachedProgram(op, `${tiling.unit};${access}`, op.name, kernel, () => ({
    rows: tiling.source,
    access,
    op: op.source,
  }));
  const bindings: Binding[] = [];
  op.operands.forEach((_, index) => {
    bindings.push({ slot: 1 + index, of: 'input', index, access: 'read' });
  });
  let next = op.operands.length;
  if (op.labels) bindings.push({ slot: 4, of: 'input', index: next++, access: 'read' });
  if (outputs.result) bindings.push({ slot: 5, ...results, access: 'write' });
  let written = outputs.result ? 1 : 0;
  outputs.grads.forEach((wanted, k) => {
    if (wanted) bindings.push({ slot: 6 + k, of: 'output', index: written++, access: 'write' });
  });
  if (gradOutput) bindings.push({ slot: 9, of: 'input', index: next, access: 'read' });
  const uniforms = new UniformWriter(4 + wordsOf(op.params))
    .u32(packed ? n / 4 : n, inner, rows)
    .f32(reduction === 'mean' ? 1 / (args.all ?? rows) : 1);
  writeParams(uniforms, op.params, params);
  return {
    program: linked,
    entry: 'rows',
    constants: { ...tiling.constants, ...op.constants?.(params) },
    bindings,
    uniforms: uniforms.buffer,
    workgroups: workgroupsOf(tiling, rows, caps),
  };
}

function cpu(
  args: PairRowsArgs,
  inputs: readonly NumericArray[],
  outputs: readonly NumericArray[],
): void {
  const { op, params, layout, reduction } = args;
  const { outer, n, inner } = layout;
  const rows = outer * inner;
  const labels = op.labels ? inputs[op.operands.length] : undefined;
  const gradOutput = args.gradOutput ? inputs.at(-1) : undefined;
  const result = args.outputs.result ? outputs[0] : undefined;
  let k = result ? 1 : 0;
  const targets = args.outputs.grads.map((wanted) => (wanted ? outputs[k++] : undefined));
  const row = op.operands.map(() => new Float64Array(n));
  const grads = targets.some(Boolean) ? op.operands.map(() => new Float64Array(n)) : null;
  const scale = reduction === 'mean' ? 1 / rows : 1;
  let total = 0;
  forEachRow(layout, (base, r) => {
    row.forEach((values, i) => {
      gather(inputs[i] ?? values, base, inner, values);
    });
    const upstream = atOr(gradOutput, reduction === 'none' ? r : 0, 1) * scale;
    const value = op.reference(row, atOr(labels, r, NaN), params, upstream, grads);
    total += value;
    if (result && reduction === 'none') result[r] = value;
    targets.forEach((target, i) => {
      grads?.[i]?.forEach((g, j) => {
        if (target) target[base + j * inner] = g;
      });
    });
  });
  if (result && reduction !== 'none') result[0] = reduction === 'mean' ? total / rows : total;
}
