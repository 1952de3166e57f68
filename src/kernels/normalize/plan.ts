// Plans rows over their p-norm, and their gradients. The CPU loop is here as well.
import kernelText from '../../../shaders/kernels/normalize/normalize.wgsl?raw';
import type { NumericArray } from '../../core/dtype.ts';
import {
  UniformWriter,
  type Capabilities,
  type BufferSlice,
  type Kernel,
  type Launch,
  type Plan,
  type View,
} from '../../core/kernel.ts';
import type { RowLayout } from '../../core/shape.ts';
import { bits, rowLanes, sqrt } from '../../shader/lib.ts';
import { cachedProgram, source } from '../../shader/link.ts';
import { norm, normGrad, normKind } from '../pair-rows/norm-reference.ts';
import { rowNorms } from '../rows/sources.ts';
import { forEachRow, tileRows, workgroupsOf } from '../rows/tiling.ts';
import { gather } from '../../cpu/rows.ts';
import { fits, inputsOf, outputsOf } from '../windows/regions.ts';

const kernel = /* @__PURE__ */ source('kernels/normalize/normalize.wgsl', kernelText, [
  bits,
  sqrt,
  rowLanes,
  rowNorms,
]);

export interface NormalizeArgs {
  readonly layout: RowLayout;
  readonly p: number;
  readonly eps: number;
  /** Forward: x to the result. Backward: x and the upstream gradient to the gradient of x. */
  readonly direction: 'forward' | 'backward';
}

export const normalizeKernel: Kernel<NormalizeArgs> = {
  name: 'normalize',
  float16: 'convert',
  plan,
  cpu,
};

function plan(
  args: NormalizeArgs,
  inputs: readonly View[],
  outputs: readonly View[],
  caps: Capabilities,
): Plan {
  const { layout } = args;
  const { outer, n, inner } = layout;
  if (outer * n * inner === 0) return { launches: [], scratch: [] };
  const whole = { launches: [launch(args, layout, caps)], scratch: [] };
  if (fits([...inputs, ...outputs], caps)) return whole;
  const windows = caps.windows(caps);
  const planned = windows.rows(
    layout,
    inputsOf(inputs).map((region) => ({ ...region, each: n })),
    outputsOf(outputs).map((region) => ({ ...region, each: n })),
    (part) => ({
      launches: [launch(args, { outer: part.outer, n, inner: part.inner }, caps)],
      scratch: [],
    }),
  );
  // A row that is longer than a binding is refused where it is launched.
  return planned ? windows : whole;
}

function accessSlot(packed: boolean, shared: boolean): string {
  const fold = (name: string, fn: string): string =>
    `fn ${name}(b: B) -> u32 { return ${packed ? `${fn}(${fn}(b.x, b.y), ${fn}(b.z, b.w))` : 'b'}; }\n`;
  const power = packed
    ? 'vec4f(nl_pow(v.x, e), nl_pow(v.y, e), nl_pow(v.z, e), nl_pow(v.w, e))'
    : 'nl_pow(v, e)';
  return [
    packed
      ? 'alias V = vec4f;\nalias B = vec4u;\nalias C = vec4<bool>;\n'
      : 'alias V = f32;\nalias B = u32;\nalias C = bool;\n',
    'struct Params { p: f32, eps: f32 }\n',
    '@group(0) @binding(1) var<storage, read> x: array<V>;\n',
    '@group(0) @binding(2) var<storage, read> grad_output: array<V>;\n',
    '@group(0) @binding(3) var<storage, read_write> y: array<V>;\n',
    'fn vector(c: bool) -> C { return C(c); }\n',
    `fn total(v: V) -> f32 { return ${packed ? '(v.x + v.y) + (v.z + v.w)' : 'v'}; }\n`,
    fold('largest', 'max'),
    fold('smallest', 'min'),
    `fn each_pow(v: V, e: f32) -> V { return ${power}; }\n`,
    shared
      ? // All invocations get the answer of the first one, in a form by which compilers see that they take the same branch.
        'var<workgroup> agreed: u32;\nfn agree(c: bool, local: u32) -> bool {\n  if (local == 0u) { agreed = u32(c); }\n  return workgroupUniformLoad(&agreed) != 0u;\n}\n'
      : 'fn agree(c: bool, local: u32) -> bool { return c; }\n',
  ].join('');
}

/** Rows in memory: a buffer, and where in it the first of them begins, as a number of elements, of whole rows. */
export interface RowsPlace {
  readonly place: BufferSlice;
  readonly first: number;
}

/** Where a launch finds its rows. Backward has the upstream gradient too. */
export interface NormalizePlaces {
  readonly x: RowsPlace;
  readonly gradOutput?: RowsPlace;
  readonly y: RowsPlace;
}

function launch(
  { direction, ...args }: NormalizeArgs,
  layout: RowLayout,
  caps: Capabilities,
): Launch {
  const gradOutput: RowsPlace = { place: { of: 'input', index: 1 }, first: 0 };
  return normalizeRows(
    { ...args, layout },
    {
      x: { place: { of: 'input', index: 0 }, first: 0 },
      ...(direction === 'backward' ? { gradOutput } : {}),
      y: { place: { of: 'output', index: 0 }, first: 0 },
    },
    caps,
  );
}

/** The launch that normalises rows, or, with an upstream gradient, computes their gradient; for plans of other kernels too. */
export function normalizeRows(
  { p, eps, layout }: Omit<NormalizeArgs, 'direction'>,
  { x, gradOutput, y }: NormalizePlaces,
  caps: Capabilities,
): Launch {
  const { outer, n, inner } = layout;
  const packed = inner === 1 && n % 4 === 0;
  const tiling = tileRows(packed ? { outer, n: n / 4, inner } : layout, caps);
  const access = accessSlot(packed, tiling.unit === 'workgroup');
  return {
    program: cachedProgram(
      normalizeKernel,
      `${tiling.unit};${access}`,
      'normalize',
      kernel,
      () => ({
        rows: tiling.source,
        access,
      }),
    ),
    entry: gradOutput ? 'backward' : 'forward',
    constants: { ...tiling.constants, kind: normKind(p), pairs: 1 },
    bindings: [
      { slot: 1, ...x.place, access: 'read' },
      ...(gradOutput ? [{ slot: 2, ...gradOutput.place, access: 'read' } as const] : []),
      { slot: 3, ...y.place, access: 'write' },
    ],
    uniforms: new UniformWriter(10)
      .u32(packed ? n / 4 : n, inner, tiling.rows)
      .u32(...[x.first, gradOutput?.first ?? 0, y.first].map((at) => (packed ? at / 4 : at)))
      .u32(0, 0)
      .f32(p, eps).buffer,
    workgroups: workgroupsOf(tiling, tiling.rows, caps),
  };
}

function cpu(
  { layout, p, eps, direction }: NormalizeArgs,
  [x, upstream]: readonly NumericArray[],
  [result]: readonly NumericArray[],
): void {
  const { n, inner } = layout;
  if (!x || !result) return;
  const row = new Float64Array(n);
  const g = new Float64Array(n);
  const slope = new Float64Array(n);
  forEachRow(layout, (base) => {
    gather(x, base, inner, row);
    const own = norm(row, p);
    const size = own < eps ? eps : own;
    if (direction === 'forward') {
      row.forEach((v, i) => (result[base + i * inner] = v / size));
      return;
    }
    gather(upstream ?? x, base, inner, g);
    const through = !(own < eps);
    const dot = through ? g.reduce((sum, v, i) => sum + (v * (row[i] ?? NaN)) / size, 0) : 0;
    if (through) normGrad(row, p, own, dot, slope);
    else slope.fill(0);
    g.forEach((v, i) => (result[base + i * inner] = (v - (slope[i] ?? NaN)) / size));
  });
}
