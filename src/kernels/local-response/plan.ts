// Plans elements over a power of what their neighbouring channels measure, and their gradients. The CPU loop is here as well.
import kernelText from '../../../shaders/kernels/local-response/local-response.wgsl?raw';
import type { NumericArray } from '../../core/dtype.ts';
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
import type { RowLayout } from '../../core/shape.ts';
import { bits, grid, pow, sqrt } from '../../shader/lib.ts';
import { program, source } from '../../shader/link.ts';
import { fits, inputsOf, outputsOf } from '../windows/regions.ts';

const localResponse = /* @__PURE__ */ program(
  'localResponseNorm',
  /* @__PURE__ */ source('kernels/local-response/local-response.wgsl', kernelText, [
    grid,
    bits,
    pow,
    sqrt,
  ]),
);

export interface LocalResponseArgs {
  /** [batch, channels, all behind them]. */
  readonly layout: RowLayout;
  /** Channels of a window: `size / 2` ahead of its own, rounded down, and the others behind it. */
  readonly size: number;
  readonly alpha: number;
  readonly beta: number;
  readonly k: number;
  /** Forward: x to the result. Backward: x and the upstream gradient to the gradient of x. */
  readonly direction: 'forward' | 'backward';
}

export const localResponseKernel: Kernel<LocalResponseArgs> = {
  name: 'localResponseNorm',
  float16: 'convert',
  plan,
  cpu,
};

const WORKGROUP = 256;

function plan(
  args: LocalResponseArgs,
  inputs: readonly View[],
  outputs: readonly View[],
  caps: Capabilities,
): Plan {
  const { layout } = args;
  const { outer, n, inner } = layout;
  if (outer * n * inner === 0) return { launches: [], scratch: [] };
  const whole = planPart(args, layout, caps);
  if (fits([...inputs, ...outputs], caps)) return whole;
  const windows = caps.windows(caps);
  const planned = windows.rows(
    layout,
    inputsOf(inputs).map((region) => ({ ...region, each: n })),
    outputsOf(outputs).map((region) => ({ ...region, each: n })),
    (part) => planPart(args, { outer: part.outer, n, inner: part.inner }, caps),
  );
  // More channels than a binding has room for are refused where they are launched.
  return planned ? windows : whole;
}

function planPart(args: LocalResponseArgs, layout: RowLayout, caps: Capabilities): Plan {
  const { outer, n, inner } = layout;
  const count = outer * n * inner;
  const size = workgroupSize(WORKGROUP, caps);
  const launch = (entry: string, bindings: readonly Binding[]): Launch => ({
    program: localResponse,
    entry,
    constants: { workgroup_size: size },
    bindings,
    uniforms: uniformsOf(args, layout),
    workgroups: foldWorkgroups(Math.ceil(count / size), caps),
  });
  const x: Binding = { slot: 1, of: 'input', index: 0, access: 'read' };
  const y: Binding = { slot: 3, of: 'output', index: 0, access: 'write' };
  if (args.direction === 'forward') return { launches: [launch('forward', [x, y])], scratch: [] };
  const upstream: Binding = { slot: 2, of: 'input', index: 1, access: 'read' };
  const scratch = [0, 1].map((index): Binding => ({
    slot: 4 + index,
    of: 'scratch',
    index,
    access: 'write',
  }));
  const bytes = Math.max(16, Math.ceil(count / 4) * 16);
  return {
    launches: [
      launch('backward_terms', [x, upstream, y, ...scratch]),
      launch('backward', [x, y, ...scratch]),
    ],
    scratch: [bytes, bytes],
  };
}

function uniformsOf(
  { size, alpha, beta, k }: LocalResponseArgs,
  { outer, n, inner }: RowLayout,
): ArrayBuffer {
  const behind = Math.floor(size / 2);
  const a = alpha / size;
  // So few bits that any exponent times them is exact.
  const rise = 1 - 2 * beta;
  const step = 2 ** (Math.floor(Math.log2(Math.abs(rise))) - 14);
  const short = rise === 0 ? 0 : Math.round(rise / step) * step;
  const negative = Number.isInteger(beta) ? (beta % 2 === 0 ? 1 : -1) : NaN;
  return new UniformWriter(12)
    .u32(n, inner, outer * n * inner, behind, size - 1 - behind)
    .f32(a, k, beta, 2 * a * beta, short, rise - short, negative).buffer;
}

function cpu(
  { layout, size, alpha, beta, k, direction }: LocalResponseArgs,
  [x, upstream]: readonly NumericArray[],
  [result]: readonly NumericArray[],
): void {
  if (!x || !result) return;
  const { n, inner } = layout;
  const behind = Math.floor(size / 2);
  const ahead = size - 1 - behind;
  const sumOver = (
    i: number,
    before: number,
    after: number,
    term: (at: number) => number,
  ): number => {
    const c = Math.floor(i / inner) % n;
    let sum = 0;
    for (let j = Math.max(0, c - before); j <= Math.min(n - 1, c + after); j++)
      sum += term(i + (j - c) * inner);
    return sum;
  };
  const measure = Float64Array.from(x, (_, i) => {
    const squares = sumOver(i, behind, ahead, (at) => (x[at] ?? NaN) ** 2);
    return k + (alpha / size) * squares;
  });
  if (direction === 'forward') {
    measure.forEach((d, i) => (result[i] = (x[i] ?? NaN) / d ** beta));
    return;
  }
  const terms = measure.map((d, i) => ((upstream?.[i] ?? NaN) * (x[i] ?? NaN)) / d ** (beta + 1));
  measure.forEach((d, i) => {
    const others = sumOver(i, ahead, behind, (at) => terms[at] ?? NaN);
    const slope = ((2 * alpha * beta) / size) * (x[i] ?? NaN);
    result[i] = (upstream?.[i] ?? NaN) / d ** beta - slope * others;
  });
}
