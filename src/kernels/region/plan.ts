// Plans losses of overlap between regions: sums of each class over a batch, the losses from them, and the gradient from the
// input and two slopes of each class.
import finishText from '../../../shaders/kernels/region/finish.wgsl?raw';
import kernelText from '../../../shaders/kernels/region/region.wgsl?raw';
import labelsText from '../../../shaders/kernels/region/labels.wgsl?raw';
import numbersText from '../../../shaders/kernels/region/numbers.wgsl?raw';
import { LimitError } from '../../core/errors.ts';
import {
  UniformWriter,
  type Binding,
  type BufferSlice,
  type Capabilities,
  type Kernel,
  type Launch,
  type Plan,
} from '../../core/kernel.ts';
import type { RowLayout } from '../../core/shape.ts';
import { statusCode } from '../../gpu/status.ts';
import { bits, classLabel, div, exp, log, log1p, pow } from '../../shader/lib.ts';
import { cachedProgram, source } from '../../shader/link.ts';
import { addSums, planSum } from '../reduce/sums.ts';
import { fits, inputsOf, outputsOf, rowsOf, type Region } from '../windows/regions.ts';
import type { RowPart } from '../windows/windows.ts';
import { ACTIVATIONS, scaleOf, type RegionLossArgs } from './args.ts';
import { regionReference } from './reference.ts';

const kernel = /* @__PURE__ */ source('kernels/region/region.wgsl', kernelText, [
  bits,
  div,
  exp,
  /* @__PURE__ */ source('kernels/region/finish.wgsl', finishText, [log, log1p, pow]),
]);
const labelsPart = /* @__PURE__ */ source('kernels/region/labels.wgsl', labelsText, [classLabel]);
const numbersPart = /* @__PURE__ */ source('kernels/region/numbers.wgsl', numbersText);

const WORKGROUP = 64;
/** Classes that an invocation sums side by side, as in the shader. */
const BLOCK = 4;
/** Number of invocations that the positions of a block of classes are divided among. Each gets at least 32. */
const INVOCATIONS = 8192;

type Entry = 'normalise' | 'class_sums' | 'finish' | 'element_gradients' | 'softmax_gradients';
type Bound = readonly [slot: number, place: BufferSlice, access?: Binding['access']];

const SLOT = { input: 1, target: 2, facts: 3, partials: 4, losses: 5, slopes: 6 } as const;
const [GRAD_OUTPUT, GRAD, STATUS] = [7, 8, 11];

/** How one entry point is called: over which part of the input, and how its positions are shared out. */
interface Call {
  readonly entry: Entry;
  readonly layout: RowLayout;
  readonly units: number;
  readonly splits?: number;
  readonly parts?: number;
  readonly bound: readonly Bound[];
}

function launchOf(
  args: RegionLossArgs,
  { entry, layout, units, splits = 1, parts = 1, bound }: Call,
  caps: Capabilities,
): Launch {
  const { name, labels, activation, ignoreIndex, score, backward, reduction } = args;
  const { n, inner, outer } = layout;
  const most = caps.maxWorkgroups;
  const x = Math.max(1, Math.min(entry === 'finish' ? units : Math.ceil(units / WORKGROUP), most));
  const uniforms = new UniformWriter(18)
    .u32(n, inner, outer * inner, splits, x * WORKGROUP, statusCode(name))
    .i32(labels ? ignoreIndex : 0)
    .f32(ignoreIndex)
    .u32(parts, Number(reduction === 'none'))
    .f32(scaleOf(args))
    .u32(0)
    .f32(score.alpha, score.beta, score.gamma, score.smooth, score.eps)
    .u32(Number(score.logLoss));
  const key = [labels, backward, isSoftmax(args)].join();
  const noted = labels && entry !== 'finish' && bound.some(([slot]) => slot === SLOT.target);
  return {
    program: cachedProgram(kernel, key, 'region loss', kernel, () => ({
      target: labels ? labelsPart : numbersPart,
      facts: `fn facts_of(j: u32) -> Facts { return ${
        isSoftmax(args) ? 'unpacked(facts[j])' : 'Facts(0.0, 0.0, 0.0, truth_of(j))'
      }; }`,
      upstream: `fn upstream_of(c: u32) -> f32 { return ${
        backward ? 'grad_output[c * u.per_class] * u.scale' : 'u.scale'
      }; }`,
    })),
    entry,
    constants: { activation: ACTIVATIONS.indexOf(activation) },
    bindings: [
      ...bound.map(([slot, place, access = 'read']): Binding => ({ slot, ...place, access })),
      ...(noted ? [{ slot: STATUS, of: 'status', index: 0, access: 'write' } as const] : []),
    ],
    uniforms: uniforms.buffer,
    workgroups: [x, entry === 'finish' ? Math.ceil(units / x) : 1, 1],
  };
}

const READS: readonly Bound[] = [
  [SLOT.input, { of: 'input', index: 0 }],
  [SLOT.target, { of: 'input', index: 1 }],
];
const scratch = (index: number): BufferSlice => ({ of: 'scratch', index });
const output = (index: number): BufferSlice => ({ of: 'output', index });

/** Bytes of what is kept of each position for the softmax. */
const factsOf = ({ outer, inner }: RowLayout): number => Math.max(16, outer * inner * 16);
const isSoftmax = ({ activation }: RegionLossArgs): boolean => activation === 'softmax';

/** What the entry points that look at elements bind: of a softmax, `facts` in place of the target. */
function reads(args: RegionLossArgs, facts: BufferSlice): readonly Bound[] {
  return isSoftmax(args) ? [...READS.slice(0, 1), [SLOT.facts, facts, 'write']] : READS;
}

function normalise(
  args: RegionLossArgs,
  layout: RowLayout,
  facts: BufferSlice,
  caps: Capabilities,
): Launch[] {
  if (!isSoftmax(args)) return [];
  const bound: Bound[] = [...READS, [SLOT.facts, facts, 'write']];
  const units = layout.outer * layout.inner;
  return [launchOf(args, { entry: 'normalise', layout, units, bound }, caps)];
}

/** Into how many the positions of a class are split. */
function splitsOf({ outer, n, inner }: RowLayout, caps: Capabilities): number {
  const most = Math.min(INVOCATIONS, Math.floor(caps.maxBindingSize / 32 / Math.max(1, n)));
  const positions = Math.floor((outer * inner) / 32);
  return Math.max(1, Math.min(Math.ceil(most / Math.ceil(n / BLOCK)), positions, most));
}

/** The sums of each class, and facts ahead of them. */
function sums(
  args: RegionLossArgs,
  layout: RowLayout,
  splits: number,
  facts: BufferSlice,
  partials: BufferSlice,
  caps: Capabilities,
): Launch[] {
  const bound: Bound[] = [...reads(args, facts), [SLOT.partials, partials, 'write']];
  const units = Math.ceil(layout.n / BLOCK) * splits;
  return [
    ...normalise(args, layout, facts, caps),
    launchOf(args, { entry: 'class_sums', layout, units, splits, bound }, caps),
  ];
}

/** The gradient, from facts that are there. */
function gradients(
  args: RegionLossArgs,
  layout: RowLayout,
  facts: BufferSlice,
  slopes: BufferSlice,
  grad: BufferSlice,
  caps: Capabilities,
): Launch {
  const positions = layout.outer * layout.inner;
  const softmax = isSoftmax(args);
  const bound: Bound[] = [
    ...reads(args, facts),
    [SLOT.slopes, slopes, 'write'],
    ...(args.backward ? [[GRAD_OUTPUT, { of: 'input', index: 3 }] as const] : []),
    [GRAD, grad, 'write'],
  ];
  return launchOf(
    args,
    {
      entry: softmax ? 'softmax_gradients' : 'element_gradients',
      layout,
      units: softmax ? positions : positions * layout.n,
      bound,
    },
    caps,
  );
}

/** The losses of n classes, from the sums of all parts. */
function finish(
  args: RegionLossArgs,
  n: number,
  splits: number,
  parts: number,
  partials: BufferSlice,
  losses: BufferSlice,
  slopes: BufferSlice,
  caps: Capabilities,
): Launch {
  const bound: Bound[] = [
    [SLOT.partials, partials, 'write'],
    [SLOT.losses, losses, 'write'],
    [SLOT.slopes, slopes, 'write'],
  ];
  const layout = { outer: 1, n, inner: 1 };
  return launchOf(args, { entry: 'finish', layout, units: n, splits, parts, bound }, caps);
}

function planWhole(args: RegionLossArgs, caps: Capabilities): Plan {
  const { layout, reduction, backward, grad } = args;
  const facts = scratch(0);
  const kept = isSoftmax(args) ? factsOf(layout) : 16;
  if (backward) {
    const launches = normalise(args, layout, facts, caps);
    return {
      launches: [
        ...launches,
        gradients(args, layout, facts, { of: 'input', index: 2 }, output(0), caps),
      ],
      scratch: [kept],
    };
  }
  const splits = splitsOf(layout, caps);
  const reduced = reduction !== 'none';
  const losses = reduced ? scratch(2) : output(0);
  const bytes = [kept, layout.n * splits * 32, ...(reduced ? [layout.n * 4] : [])];
  const launches = [
    ...sums(args, layout, splits, facts, scratch(1), caps),
    finish(args, layout.n, splits, 1, scratch(1), losses, output(1), caps),
  ];
  if (reduced) {
    const divisor = reduction === 'mean' ? layout.n : 1;
    const one = { outer: 1, n: layout.n, inner: 1, divisor };
    const end = planSum(one, losses, output(0), bytes.length, caps);
    launches.push(...end.launches);
    bytes.push(...end.scratch);
  }
  if (grad) launches.push(gradients(args, layout, facts, output(1), output(2), caps));
  return { launches, scratch: bytes };
}

/** Some positions at a time, where a tensor is larger than a binding. */
function planWindows(
  args: RegionLossArgs,
  ins: readonly Region[],
  outs: readonly Region[],
  caps: Capabilities,
): Plan {
  const { name, layout, labels, reduction, backward, grad } = args;
  const { n } = layout;
  // Facts are four words a position.
  const share = isSoftmax(args) ? Math.min(1, n / 4) : 1;
  const windows = caps.windows({
    ...caps,
    maxBindingSize: Math.floor((caps.maxBindingSize * share) / 256) * 256,
  });
  const facts = scratch(0);
  const hold = (planned: boolean): void => {
    if (planned) return;
    throw new LimitError({
      op: name,
      argument: 'input',
      expected: `classes of a position within a binding of ${caps.maxBindingSize} bytes`,
      received: `${n} classes`,
    });
  };
  hold(n * 8 <= caps.maxBindingSize);
  const rows = (
    to: Region | undefined,
    plan: (part: RowPart, from: readonly Region[], into: readonly Region[]) => void,
  ): void => {
    const sources = [...rowsOf(ins[0], n), ...rowsOf(ins[1], labels ? 1 : n)];
    const planned = windows.rows(layout, sources, rowsOf(to, n), (...part) => {
      plan(...part);
      return null;
    });
    hold(planned);
  };
  const layoutOf = ({ outer, inner }: RowPart): RowLayout => ({ outer, n, inner });
  const kept = (part: RowPart): number[] => [isSoftmax(args) ? factsOf(layoutOf(part)) : 16];

  let slopes = ins[2];
  if (!backward) {
    const [loss, ...others] = outs;
    if (!loss) return windows;
    slopes = others[0];
    let splits = 0;
    let parts = 0;
    let partials: Region | undefined;
    rows(undefined, (part, from) => {
      parts = part.count;
      const most = Math.floor(caps.maxBindingSize / 32 / n / parts);
      splits ||= Math.max(1, Math.min(most, splitsOf(layoutOf(part), caps)));
      partials ??= windows.keep(parts * n * splits * 8);
      const length = splits * 8;
      const block = { offset: part.index * length, runs: n, length, stride: parts * length };
      const to = windows.write(partials, block);
      const launches = sums(args, layoutOf(part), splits, facts, output(0), windows.caps);
      windows.add({ launches, scratch: kept(part) }, from, [to]);
    });
    const losses = reduction === 'none' ? loss : windows.keep(n);
    const sources = rowsOf(partials, parts * splits * 8);
    const results = [...rowsOf(losses, 1), ...rowsOf(slopes, 2)];
    const from: BufferSlice = { of: 'input', index: 0 };
    const planned = windows.rows({ outer: n, inner: 1 }, sources, results, ({ outer }) => ({
      launches: [finish(args, outer, splits, parts, from, output(0), output(1), windows.caps)],
      scratch: [],
    }));
    hold(planned);
    if (reduction !== 'none') {
      const divisor = reduction === 'mean' ? n : 1;
      addSums(windows, { outer: 1, n, inner: 1, divisor }, losses, loss);
    }
  }
  const to = backward ? outs[0] : outs[2];
  if (!to || !(backward || grad)) return windows;
  const more = [...(slopes ? [slopes] : []), ...ins.slice(3)];
  rows(to, (part, from, into) => {
    const own = layoutOf(part);
    const launches = [
      ...normalise(args, own, facts, windows.caps),
      gradients(args, own, facts, { of: 'input', index: 2 }, output(0), windows.caps),
    ];
    windows.add({ launches, scratch: kept(part) }, [...from, ...more], into);
  });
  return windows;
}

export const regionLoss: Kernel<RegionLossArgs> = {
  name: 'regionLoss',
  float16: 'convert',
  plan: (args, inputs, outputs, caps) => {
    const facts = isSoftmax(args) ? factsOf(args.layout) : 0;
    if (fits([...inputs, ...outputs], caps) && facts <= caps.maxBindingSize) {
      return planWhole(args, caps);
    }
    return planWindows(args, inputsOf(inputs), outputsOf(outputs), caps);
  },
  cpu: regionReference,
};
