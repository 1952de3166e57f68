// The norm of all elements of many tensors, and what scales them by it.
import normsText from '../../../shaders/kernels/many/norms.wgsl?raw';
import normOfText from '../../../shaders/kernels/many/norm-of.wgsl?raw';
import scaleText from '../../../shaders/kernels/many/scale.wgsl?raw';
import type { NumericArray } from '../../core/dtype.ts';
import { OptionError } from '../../core/errors.ts';
import {
  UniformWriter,
  workgroupSize,
  type Binding,
  type BufferSlice,
  type Capabilities,
  type Kernel,
  type Plan,
  type View,
} from '../../core/kernel.ts';
import { statusCode } from '../../gpu/status.ts';
import { bits, div, pow, sqrt, sum } from '../../shader/lib.ts';
import { program, source } from '../../shader/link.ts';
import { launchesOf, windowsOf } from './items.ts';

const norms = /* @__PURE__ */ source('kernels/many/norms.wgsl', normsText, [bits, pow, sum]);
const normOf = /* @__PURE__ */ program(
  'norm of many',
  /* @__PURE__ */ source('kernels/many/norm-of.wgsl', normOfText, [bits, pow, sqrt, sum]),
);
const scale = /* @__PURE__ */ source('kernels/many/scale.wgsl', scaleText, [bits, div]);

export interface NormArgs {
  readonly op: { readonly name: string };
  /** Above 0, or Infinity. */
  readonly p: number;
  /** Whether a norm that is not finite is an error. */
  readonly finite: boolean;
}

/** The kernel's formula for p, as its `kind`. */
const kindOf = (p: number): number => (p === Infinity ? 3 : p === 1 || p === 2 ? p : 0);

const PARTIALS = 40;

/** The p-norm of all inputs together, as one float32. */
export const normKernel: Kernel<NormArgs> = {
  name: 'norm of many',
  float16: 'native',
  plan: planNorm,
  cpu: (args, inputs, [y]) => {
    if (!y) return;
    const norm = normOn(inputs, args.p);
    if (args.finite && !Number.isFinite(Math.fround(norm))) throw notFinite(args.op.name, norm);
    y[0] = norm;
  },
};

/** The error of a norm that is not finite; on the GPU `gpu/status.ts` makes it. */
function notFinite(op: string, norm: number): OptionError {
  return new OptionError({
    op,
    argument: 'errorIfNonfinite',
    expected: 'gradients with a finite norm',
    received: Number.isNaN(norm) ? 'NaN' : 'Infinity',
  });
}

function planNorm(
  { op, p, finite }: NormArgs,
  inputs: readonly View[],
  _outputs: readonly View[],
  caps: Capabilities,
): Plan {
  const items = inputs.flatMap((view, index) => windowsOf([{ of: 'input', index }], [view], caps));
  const total = items.reduce((packs, { count }) => packs + Math.ceil(count / 4), 0);
  const partials: Binding = { slot: PARTIALS, of: 'scratch', index: 0, access: 'write' };
  const { launches, invocations } = launchesOf(
    {
      owner: normKernel,
      label: 'norms of many',
      kernel: norms,
      entry: 'norms',
      roles: [{ name: 'x', access: 'read' }],
      items,
      shared: [partials],
      constants: { kind: kindOf(p) },
      numbers: [p === Infinity ? 0 : p, 0],
      packs: Math.max(16, Math.ceil(total / caps.tuning.partialSums)),
    },
    caps,
  );
  const from: BufferSlice = { of: 'scratch', index: 0 };
  return {
    launches: [
      ...launches,
      {
        program: normOf,
        entry: finite ? 'finish_finite' : 'finish',
        constants: {
          kind: kindOf(p),
          workgroup_size: workgroupSize(caps.tuning.finishWorkgroup, caps),
        },
        bindings: [
          { slot: 1, ...from, access: 'read' },
          { slot: 2, of: 'output', index: 0, access: 'write' },
          ...(finite
            ? [{ slot: 11, of: 'status', index: 0, access: 'write' } satisfies Binding]
            : []),
        ],
        uniforms: new UniformWriter(8)
          .u32(invocations, 0, finite ? statusCode(op.name) : 0, 0)
          .f32(p === Infinity ? 0 : p, 1 / p).buffer,
        workgroups: [1, 1, 1],
      },
    ],
    scratch: [Math.max(16, 8 * invocations)],
  };
}

function normOn(inputs: readonly NumericArray[], p: number): number {
  let most = 0;
  for (const x of inputs) {
    for (let i = 0; i < x.length; i++) {
      const a = Math.abs(x[i] ?? NaN);
      // A comparison with NaN is false: it stays once it is there.
      if (!(a <= most)) most = Number.isNaN(most) ? NaN : a;
    }
  }
  if (p === Infinity || most === 0 || !Number.isFinite(most)) return most;
  let sum = 0;
  for (const x of inputs) {
    for (let i = 0; i < x.length; i++) {
      const a = Math.abs(x[i] ?? NaN) / most;
      sum += p === 2 ? a * a : p === 1 ? a : a ** p;
    }
  }
  return most * (p === 2 ? Math.sqrt(sum) : p === 1 ? sum : sum ** (1 / p));
}

export interface ScaleArgs {
  readonly op: { readonly name: string };
  readonly most: number;
  /** Whether a norm that is not finite leaves all as it is. */
  readonly finite: boolean;
}

/** All inputs but the last, a norm, times min(1, most / (norm + 1e-6)), in place. */
export const scaleKernel: Kernel<ScaleArgs> = {
  name: 'scale many',
  float16: 'native',
  aliases: (_args, output) => output,
  // Where the factor is 1, nothing is written.
  partial: true,
  plan: ({ most, finite }, inputs, outputs, caps) => {
    const items = outputs.flatMap((view, index) =>
      windowsOf([{ of: 'output', index }], [view], caps),
    );
    const index = inputs.length - 1;
    const { launches } = launchesOf(
      {
        owner: scaleKernel,
        label: 'scale many',
        kernel: scale,
        entry: 'scale',
        roles: [{ name: 'x', access: 'write' }],
        items,
        shared: [{ slot: PARTIALS, of: 'input', index, access: 'read' }],
        numbers: [most, Number(finite)],
        packs: caps.tuning.interleaved ? 1 : caps.tuning.packsPerInvocation,
      },
      caps,
    );
    return { launches, scratch: [] };
  },
  cpu: ({ most }, inputs, outputs) => {
    const norm = inputs.at(-1)?.[0] ?? NaN;
    const factor = most / (norm + 1e-6);
    const by = factor < 1 || Number.isNaN(factor) ? factor : 1;
    outputs.forEach((y, k) => {
      const x = inputs[k];
      for (let i = 0; i < y.length; i++) y[i] = (x?.[i] ?? NaN) * by;
    });
  },
};
