// In: probabilities and targets as rows. Out: the launches, or the CPU loop, that give the Dice loss of each row, or their
// sum, and what its gradient is made of.
import kernelText from '../../shaders/kernels/dice.wgsl?raw';
import { bits, div } from '../gpu/lib.ts';
import { program, source } from '../gpu/link.ts';
import { UniformWriter, type Binding, type Kernel, type Launch, type Place } from '../kernel.ts';
import { planSum } from './reduce.ts';

const diceProgram = /* @__PURE__ */ program(
  'dice',
  /* @__PURE__ */ source('kernels/dice.wgsl', kernelText, [bits, div]),
);

const WORKGROUP = 64;
/** Invocations that are to be had for long rows, each with at least 64 elements. */
const INVOCATIONS = 4096;

export interface DiceArgs {
  readonly rows: number;
  /** Elements of a row. */
  readonly n: number;
  readonly eps: number;
  /** The losses are summed into a scalar and divided by this, instead of being stored. */
  readonly sum?: number;
}

/** Input and target; loss of each row, and half and size: the gradient is 2 (half - other input) / size. */
export const diceKernel: Kernel<DiceArgs> = {
  name: 'diceLoss',
  float16: 'convert',
  plan: (args, _inputs, _outputs, caps) => {
    const { rows, n, eps, sum } = args;
    const splits = Math.max(1, Math.min(Math.ceil(INVOCATIONS / rows), Math.floor(n / 64)));
    const whole = splits === 1;
    const losses: Place =
      sum === undefined ? { of: 'output', index: 0 } : { of: 'scratch', index: 0 };
    const partials = sum === undefined ? 0 : 1;
    const launch = (
      entry: string,
      workgroups: number,
      places: readonly [slot: number, place: Place, access: Binding['access']][],
    ): Launch => ({
      program: diceProgram,
      entry,
      bindings: places.map(([slot, place, access]) => ({ slot, ...place, access })),
      uniforms: new UniformWriter(5).u32(n, rows, splits, workgroups * WORKGROUP).f32(eps).buffer,
      workgroups: [workgroups, 1, 1],
    });
    const over = (invocations: number): number =>
      Math.max(1, Math.min(Math.ceil(invocations / WORKGROUP), caps.maxWorkgroups));
    const inputs: [number, Place, 'read'][] = [
      [1, { of: 'input', index: 0 }, 'read'],
      [2, { of: 'input', index: 1 }, 'read'],
    ];
    const results: [number, Place, 'write'][] = [
      [3, losses, 'write'],
      [4, { of: 'output', index: 1 }, 'write'],
      [5, { of: 'output', index: 2 }, 'write'],
    ];
    const between: [number, Place, 'write'] = [6, { of: 'scratch', index: partials }, 'write'];
    const launches = whole
      ? [launch('whole', over(rows), [...inputs, ...results])]
      : [
          launch('split', over(rows * splits), [...inputs, between]),
          launch('join', rows, [...results, between]),
        ];
    const scratch = [
      ...(sum === undefined ? [] : [Math.max(4, rows * 4)]),
      ...(whole ? [] : [rows * splits * 16]),
    ];
    if (sum === undefined) return { launches, scratch };
    const end = planSum(
      { outer: 1, n: rows, inner: 1, divisor: sum },
      losses,
      { of: 'output', index: 0 },
      scratch.length,
      caps,
    );
    return { launches: [...launches, ...end.launches], scratch: [...scratch, ...end.scratch] };
  },
  cpu: ({ rows, n, eps, sum }, [p, t], [loss, half, size]) => {
    if (!p || !t || !loss || !half || !size) return;
    let total = 0;
    for (let row = 0; row < rows; row++) {
      let [apart, common, whole] = [0, 0, eps];
      for (let i = row * n; i < (row + 1) * n; i++) {
        const [x, y] = [p[i] ?? NaN, t[i] ?? NaN];
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
