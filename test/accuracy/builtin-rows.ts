// Takes a declared row-wise op, and gives the same op with WGSL's built-in exp and log, its maximum subtracted and its sums
// in order, as one would write it first.
import { defineRowwise, type Rowwise } from '../../src/define/rowwise.ts';
import type { Documented } from '../../src/define/op.ts';
import { logSoftmax, softmax, softmin } from '../../src/index.ts';
import { rowScan } from '../../src/kernels/rowwise/scan.ts';

interface Naive {
  readonly of: Rowwise;
  /** Of element i of the row at `base`. */
  readonly logit: string;
  /** Of a logit `v`, the row's `peak` and sum of exponentials `total`. */
  readonly forward: string;
  /** What the gradient adds up over the row, of `y` and `g`. */
  readonly term: string;
  /** The gradient, of `y`, `g` and that sum. */
  readonly backward: string;
}

const ofSoftmax = { forward: 'exp(v - peak) / total', term: 'y_i * g' } as const;

const NAIVE: Readonly<Record<string, Naive>> = {
  softmax: { ...ofSoftmax, of: softmax, logit: 'x_i', backward: 'y_i * (g - total)' },
  softmax2d: { ...ofSoftmax, of: softmax, logit: 'x_i', backward: 'y_i * (g - total)' },
  softmin: { ...ofSoftmax, of: softmin, logit: '-x_i', backward: '-y_i * (g - total)' },
  logSoftmax: {
    of: logSoftmax,
    logit: 'x_i',
    forward: 'v - peak - log(total)',
    term: 'g',
    backward: 'g - exp(y_i) * total',
  },
};

const wgslOf = ({ logit, forward, term, backward }: Naive): string => `
fn logit(x_i: f32) -> f32 { return ${logit}; }
fn forward_row(base: u32) {
  var peak = logit(x[base]);
  for (var i = 1u; i < u.n; i++) { peak = max(peak, logit(x[at(base, i)])); }
  var total = 0.0;
  for (var i = 0u; i < u.n; i++) { total += exp(logit(x[at(base, i)]) - peak); }
  for (var i = 0u; i < u.n; i++) {
    let v = logit(x[at(base, i)]);
    y[at(base, i)] = ${forward};
  }
}
fn backward_row(base: u32) {
  var total = 0.0;
  for (var i = 0u; i < u.n; i++) {
    let y_i = x[at(base, i)];
    let g = grad_output[at(base, i)];
    total += ${term};
  }
  for (var i = 0u; i < u.n; i++) {
    let y_i = x[at(base, i)];
    let g = grad_output[at(base, i)];
    y[at(base, i)] = ${backward};
  }
}
`;

/** The op with WGSL's built-ins along the last dimension, or undefined where it has none. */
export function rowWithBuiltins(op: Documented): Documented | undefined {
  const naive = NAIVE[op.op];
  if (!naive) return undefined;
  const declared = defineRowwise({
    name: `${op.op} with built-ins`,
    wgsl: wgslOf(naive),
    kernel: rowScan,
    // The sweep's reference is the op's own.
    forward: (_x, y) => y.fill(NaN),
    backward: (_y, _gradOutput, gradInput) => gradInput.fill(NaN),
  });
  return Object.assign(declared, { docs: op.docs, accuracy: op.accuracy });
}
