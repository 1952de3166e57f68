// Plans the Dice loss of rows of probabilities and targets, or the sum of these losses, and the sums that the
// gradient needs. The CPU loop is here as well.
import kernelText from '../../../shaders/kernels/dice/dice.wgsl?raw';
import { at } from '../../cpu/rows.ts';
import { bits, div } from '../../shader/lib.ts';
import { program, source } from '../../shader/link.ts';
import {
  UniformWriter,
  type Binding,
  type Capabilities,
  type Kernel,
  type Launch,
  type BufferSlice,
  type Plan,
} from '../../core/kernel.ts';
import { addSums, planSum } from '../reduce/sums.ts';
import { fits, inputsOf, outputsOf, stretch, type Region } from '../windows/regions.ts';
import type { Windows } from '../windows/windows.ts';

const diceProgram = /* @__PURE__ */ program(
  'dice',
  /* @__PURE__ */ source('kernels/dice/dice.wgsl', kernelText, [bits, div]),
);

const WORKGROUP = 64;
/** Number of invocations that long rows are divided among. Each gets at least 64 elements. */
const INVOCATIONS = 4096;

export interface DiceArgs {
  readonly rows: number;
  /** Elements of a row. */
  readonly n: number;
  readonly eps: number;
  /** If given, the losses are summed into a scalar and divided by this number. */
  readonly sum?: number;
}

const LOSS: BufferSlice = { of: 'output', index: 0 };

type Bound = readonly [slot: number, place: BufferSlice, access: Binding['access']];

function launchOf(
  entry: 'whole' | 'split' | 'join',
  { rows, n, eps }: DiceArgs,
  splits: number,
  places: readonly Bound[],
  caps: Capabilities,
): Launch {
  const units = entry === 'split' ? rows * splits : rows;
  const workgroups =
    entry === 'join'
      ? rows
      : Math.max(1, Math.min(Math.ceil(units / WORKGROUP), caps.maxWorkgroups));
  return {
    program: diceProgram,
    entry,
    bindings: places.map(([slot, place, access]) => ({ slot, ...place, access })),
    uniforms: new UniformWriter(5).u32(n, rows, splits, workgroups * WORKGROUP).f32(eps).buffer,
    workgroups: [workgroups, 1, 1],
  };
}

const READS: readonly Bound[] = [
  [1, { of: 'input', index: 0 }, 'read'],
  [2, { of: 'input', index: 1 }, 'read'],
];
const resultsAt = (losses: BufferSlice): readonly Bound[] => [
  [3, losses, 'write'],
  [4, { of: 'output', index: 1 }, 'write'],
  [5, { of: 'output', index: 2 }, 'write'],
];

/** Plans the losses of rows. If `losses` is in scratch memory, it is the first scratch buffer. */
function planRows(args: DiceArgs, losses: BufferSlice, caps: Capabilities): Plan {
  const { rows, n } = args;
  const most = Math.min(INVOCATIONS, Math.floor(caps.maxBindingSize / 32));
  const splits = Math.max(1, Math.min(Math.ceil(most / rows), Math.floor(n / 64)));
  const scratch = losses.of === 'scratch' ? [Math.max(4, rows * 4)] : [];
  const results = resultsAt(losses);
  if (splits === 1) {
    return { launches: [launchOf('whole', args, splits, [...READS, ...results], caps)], scratch };
  }
  const between: Bound = [6, { of: 'scratch', index: scratch.length }, 'write'];
  return {
    launches: [
      launchOf('split', args, splits, [...READS, between], caps),
      launchOf('join', args, splits, [...results, between], caps),
    ],
    scratch: [...scratch, rows * splits * 16],
  };
}

/** Rows longer than a binding: first the sums of the parts of a row, then its loss from these sums. */
function planLongRows(
  { rows, n, eps }: DiceArgs,
  windows: Windows,
  inputs: readonly Region[],
  outputs: readonly Region[],
): void {
  const { caps, most } = windows;
  const parts = Math.ceil(n / most);
  const splits = Math.max(1, Math.min(INVOCATIONS, Math.floor(caps.maxBindingSize / 16 / parts)));
  const between = windows.keep(parts * splits * 4);
  const scratch: Bound = [6, { of: 'output', index: 0 }, 'write'];
  for (let row = 0; row < rows; row++) {
    for (let p = 0; p < parts; p++) {
      const length = Math.min(most, n - p * most);
      windows.part(() => {
        const sources = inputs.map((x) => windows.read(x, stretch(row * n + p * most, length)));
        const sums = windows.write(between, stretch(p * splits * 4, splits * 4));
        const args = { rows: 1, n: length, eps };
        const launches = [launchOf('split', args, splits, [...READS, scratch], caps)];
        windows.add({ launches, scratch: [] }, sources, [sums]);
      });
    }
    windows.part(() => {
      const results = outputs.map((output) => windows.write(output, stretch(row, 1)));
      const joined: Bound = [6, { of: 'input', index: 0 }, 'write'];
      const places = [...resultsAt(LOSS), joined];
      const launches = [launchOf('join', { rows: 1, n, eps }, parts * splits, places, caps)];
      windows.add({ launches, scratch: [] }, [between], results);
    });
  }
}

/**
 * Inputs are the input and the target. Outputs are the loss of each row, half and size. The gradient with respect to
 * one input is 2 (half - other input) / size.
 */
export const diceKernel: Kernel<DiceArgs> = {
  name: 'diceLoss',
  float16: 'convert',
  plan: (args, inputs, outputs, caps) => {
    const { rows, n, eps, sum } = args;
    const [loss, ...facts] = outputsOf(outputs);
    const reduced = sum !== undefined;
    if (!loss || fits([...inputs, ...outputs], caps)) {
      const { launches, scratch } = planRows(
        args,
        reduced ? { of: 'scratch', index: 0 } : LOSS,
        caps,
      );
      if (!reduced) return { launches, scratch };
      const layout = { outer: 1, n: rows, inner: 1, divisor: sum };
      const end = planSum(layout, { of: 'scratch', index: 0 }, LOSS, scratch.length, caps);
      return { launches: [...launches, ...end.launches], scratch: [...scratch, ...end.scratch] };
    }
    const windows = caps.windows(caps);
    const losses = reduced ? windows.keep(rows) : loss;
    const ins = inputsOf(inputs);
    const outs = [losses, ...facts];
    const planned = windows.rows(
      { outer: rows, inner: 1 },
      ins.map((region) => ({ ...region, each: n })),
      outs.map((region) => ({ ...region, each: 1 })),
      (part) => planRows({ rows: part.outer, n, eps }, LOSS, caps),
    );
    if (!planned) planLongRows(args, windows, ins, outs);
    if (reduced) addSums(windows, { outer: 1, n: rows, inner: 1, divisor: sum }, losses, loss);
    return windows;
  },
  cpu: ({ rows, n, eps, sum }, [p, t], [loss, half, size]) => {
    if (!p || !t || !loss || !half || !size) return;
    let total = 0;
    for (let row = 0; row < rows; row++) {
      let [apart, common, whole] = [0, 0, eps];
      for (let i = row * n; i < (row + 1) * n; i++) {
        const [x, y] = [at(p, i), at(t, i)];
        apart += x * (1 - y) + y * (1 - x);
        common += x * y;
        whole += x + y;
      }
      total += apart / whole;
      if (sum === undefined) loss[row] = apart / whole;
      half[row] = (common + 0.5 * eps) / whole;
      size[row] = whole;
    }
    if (sum !== undefined) loss[0] = total / sum;
  },
};
