// Plans pointwise ops: every output element is computed from the input elements at the same broadcast index. Tensors
// larger than a binding are processed in windows.
import kernelText from '../../../shaders/kernels/pointwise/pointwise.wgsl?raw';
import { BYTES } from '../../core/dtype.ts';
import { LimitError } from '../../core/errors.ts';
import { cachedProgram, source, type Program, type Source } from '../../shader/link.ts';
import {
  UNIFORM_BYTES,
  UniformWriter,
  workgroupSize,
  type AdapterCapabilities,
  type Binding,
  type Launch,
  type OptionPlace,
  type Plan,
  type Planner,
  type View,
} from '../../core/kernel.ts';
import { sizeOf, type Layout } from '../../core/shape.ts';
import { choiceConstants, wordsOf, writeParams } from '../../shader/params.ts';
import type { PointwiseArgs, PointwiseOp } from './args.ts';
import {
  NO_CURSOR,
  storageSource,
  type Access,
  type StorageSpec,
  type TensorSpec,
} from './bindings.ts';
import type { planSum } from '../reduce/sums.ts';
import type { Operand, Repeats } from './repeats.ts';
import { fits } from '../windows/regions.ts';

const kernel = /* @__PURE__ */ source('kernels/pointwise/pointwise.wgsl', kernelText);

/** What plans need besides, of sums and of operands that repeat: an app without these does without their code. */
export interface Others<C> {
  /** How operands that repeat are read. */
  readonly repeats: Repeats;
  /** The entry point that sums a result. */
  readonly accumulate: Source;
  /** The launches that add up partial sums. */
  readonly sum: typeof planSum;
  /** Plans part by part what no window can show, each by `plan`. */
  readonly parts: (...call: [...PlanCall<C>, plan: (...part: PlanCall<C>) => Plan]) => Plan;
}

const NOT_BROADCAST: Layout = { shape: [], strides: [] };

type PlanCall<C> = [
  args: PointwiseArgs,
  inputs: readonly View[],
  outputs: readonly View[],
  caps: C,
];

/** Pointwise ops whose results are all stored, and whose inputs have their shape. */
export const elementwise: Planner<Omit<PointwiseArgs, 'sum'>, AdapterCapabilities> = {
  name: 'pointwise',
  float16: 'native',
  plan: (args, inputs, outputs, caps) => planElements(args, inputs, outputs, caps, null),
};

export function planElements<C extends AdapterCapabilities>(
  args: PointwiseArgs,
  inputs: readonly View[],
  outputs: readonly View[],
  caps: C,
  others: Others<C> | null,
): Plan {
  const { op, shape, sum } = args;
  const summed = sum !== undefined;
  const stored = summed ? outputs.slice(1) : outputs;
  const size = sizeOf(shape);
  const each =
    !summed &&
    size <= caps.tuning.scalarBelow &&
    [...inputs, ...outputs].every(({ dtype }) => dtype !== 'float16');
  const operands = inputs.map((view): Operand => {
    if (view.size !== size && others) return others.repeats.operandOf(view, shape, !each);
    return { access: view.padded && !each ? 'pack' : 'elements', period: 0 };
  });
  const repeated = operands.some(({ access }) => access === 'broadcast');
  const broadcast = (repeated && others?.repeats.layoutOf(shape, inputs)) || NOT_BROADCAST;
  const storage: StorageSpec = {
    inputs: inputs.map((view, i) => ({
      dtype: view.dtype,
      access: operands[i]?.access ?? 'pack',
    })),
    outputs: stored.map((view) => ({
      dtype: view.dtype,
      access: view.padded && !each ? 'pack' : 'elements',
    })),
    aliased: stored.map((view) => view.aliasOf ?? -1),
    summed,
    each,
  };
  // A window is a multiple of 1024 elements, so that it begins at a multiple of 256 bytes in either dtype.
  const whole = (access: Access): boolean => access === 'pack' || access === 'elements';
  const widest = Math.max(
    2,
    ...storage.inputs.filter(({ access }) => whole(access)).map(({ dtype }) => BYTES[dtype]),
    ...stored.map((view) => BYTES[view.dtype]),
  );
  const most = Math.max(1024, Math.floor(caps.maxBindingSize / widest / 1024) * 1024);
  const windows = Math.max(1, Math.ceil(size / most));
  const walk = walkOver(Math.min(size, most), summed, each, caps);
  const invocations = walk.workgroups * walk.workgroup;
  if (
    others &&
    (inputs.some((view, i) => !whole(operands[i]?.access ?? 'pack') && !fits([view], caps)) ||
      (summed && windows > 1 && windows * invocations * 8 > caps.maxBindingSize))
  ) {
    return others.parts(args, inputs, outputs, caps, (...part) => planElements(...part, others));
  }
  const bindingsOf = (first: number, count: number): Binding[] => {
    const window = (view: View, access: Access): { offset?: number; size?: number } => {
      if (windows === 1 || !whole(access)) return {};
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
        ...window(view, operands[i]?.access ?? 'pack'),
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
    return bindings;
  };
  const linked = programFor(op, storage, others);
  const layout: Layout = {
    shape: broadcast.shape,
    strides: operands.map(
      ({ period }, k) => (period > 0 ? [period, walk.step % period] : broadcast.strides[k]) ?? [],
    ),
  };
  const launches: Launch[] = [];
  for (let w = 0; w < windows; w++) {
    const first = w * most;
    const count = Math.min(most, size - first);
    launches.push({
      program: linked,
      entry: each ? 'each' : summed ? 'accumulate' : 'map',
      constants: { ...choiceConstants(op.params, args.params), workgroup_size: walk.workgroup },
      bindings: bindingsOf(first, count),
      ...uniforms(args, layout, walk, { first, count, partial: w * invocations }),
      workgroups: [walk.workgroups, 1, 1],
    });
  }
  if (!summed || !others) return { launches, scratch: [] };
  const partials = windows * invocations;
  const finish = others.sum(
    { outer: 1, n: partials, inner: 1, divisor: sum, pairs: true },
    { of: 'scratch', index: 0 },
    { of: 'output', index: 0 },
    1,
    caps,
  );
  return {
    launches: [...launches, ...finish.launches],
    scratch: [partials * 8, ...finish.scratch],
  };
}

/** How the invocations of a dispatch share the packs. The kernel's uniforms describe each field. */
interface Walk {
  readonly workgroup: number;
  readonly workgroups: number;
  readonly perGroup: number;
  readonly perLane: number;
  readonly step: number;
  readonly span: number;
}

/**
 * How packs, or single elements, are distributed to invocations. A sum uses few invocations with long loops, because
 * their partial sums must be read again.
 */
function walkOver(size: number, summed: boolean, each: boolean, caps: AdapterCapabilities): Walk {
  const packs = Math.ceil(size / (each ? 1 : 4));
  const { tuning } = caps;
  const workgroup = workgroupSize(each ? 256 : tuning.workgroup, caps);
  const wanted = each
    ? 1
    : summed
      ? Math.max(16, packs / tuning.partialSums)
      : Math.min(tuning.packsPerInvocation, packs / tuning.invocations);
  const perLane = Math.max(
    1,
    Math.ceil(Math.max(wanted, packs / (workgroup * caps.maxWorkgroups))),
  );
  const perGroup = workgroup * perLane;
  const workgroups = Math.max(1, Math.ceil(packs / perGroup));
  const { interleaved } = tuning;
  return {
    workgroup,
    workgroups,
    perGroup,
    perLane: interleaved ? 1 : perLane,
    step: interleaved ? workgroup : 1,
    span: interleaved ? perGroup - workgroup + 1 : perLane,
  };
}

function uniforms(
  args: PointwiseArgs,
  layout: Layout,
  { perGroup, perLane, step, span }: Walk,
  { first, count, partial }: { first: number; count: number; partial: number },
): { uniforms: ArrayBuffer; places: OptionPlace[] } {
  const { op, params, scale = 1 } = args;
  const { shape, strides } = layout;
  const words = 12 + 8 + 8 * strides.length + wordsOf(op.params);
  const writer = new UniformWriter(words);
  writer.u32(Math.ceil(count / 4), count, first, partial, perGroup, perLane, step, span);
  writer.u32(shape.length).f32(scale).u32(0, 0);
  for (const list of [shape, ...strides]) {
    for (let d = 0; d < 8; d++) writer.u32(list[d] ?? 0);
  }
  const places = [{ set: 0, offset: writer.offset, layout: op.params }];
  writeParams(writer, op.params, params);
  const { byteLength } = writer.buffer;
  if (byteLength > UNIFORM_BYTES) {
    const expected = `operands and options of at most ${UNIFORM_BYTES} bytes of uniforms`;
    throw new LimitError({ op: op.name, expected, received: `${byteLength} bytes` });
  }
  return { uniforms: writer.buffer, places };
}

function programFor<C>(op: PointwiseOp, storage: StorageSpec, others: Others<C> | null): Program {
  const spec = ({ dtype, access }: TensorSpec): string => `${dtype}${access}`;
  const { inputs, outputs, aliased, summed, each } = storage;
  const key = `${inputs.map(spec).join()};${outputs.map(spec).join()};${aliased.join()};${summed};${each}`;
  return cachedProgram(op, key, op.name, kernel, () => ({
    storage: storageSource(op, storage, others?.repeats.cursor(inputs) ?? NO_CURSOR),
    sums: (summed && others?.accumulate) || '',
  }));
}
