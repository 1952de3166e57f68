import noiseText from '../../shaders/rowwise/gumbel.wgsl?raw';
import oneHotText from '../../shaders/rowwise/one-hot.wgsl?raw';
import { isRecording, record } from '../core/autograd.ts';
import { optionalModule } from '../define/module.ts';
import { defineOp } from '../define/op.ts';
import { defineRowwise } from '../define/rowwise.ts';
import { warmUp } from '../define/prepare.ts';
import { runOne } from '../core/dispatcher.ts';
import { log, threefry } from '../shader/lib.ts';
import { source } from '../shader/link.ts';
import { pointwise, type PointwiseOp } from '../kernels/pointwise/plan.ts';
import { rowScan } from '../kernels/rowwise/scan.ts';
import { openUniformAt, withKey } from '../core/random.ts';
import { normalizeDim } from '../core/shape.ts';
import type { Tensor } from '../core/tensor.ts';
import { checkOut, checkTensors } from '../core/validate.ts';
import { checkBoolean, checkNumber, checkOptionNames } from '../core/validate-options.ts';
import { softmax } from './softmax.ts';

/** The largest float32. */
const LARGEST = 2 ** 128 - 2 ** 104;

const noise: PointwiseOp = {
  name: 'gumbel',
  source: /* @__PURE__ */ source('rowwise/gumbel.wgsl', noiseText, [log, threefry]),
  params: { names: ['tau', 'key0', 'key1'], integers: ['key0', 'key1'] },
  inputs: ['x'],
  results: 1,
  body: '  return Results(forward(x, index, p));',
  reference: ([x = NaN], r, { tau = 1, key0 = 0, key1 = 0 }, index) => {
    const v = (x - Math.log(-Math.log(openUniformAt([key0, key1], index)))) / tau;
    // A finite x stays finite when it is stored as float32.
    r[0] = Math.abs(x) < Infinity ? Math.min(Math.max(v, -LARGEST), LARGEST) : v;
  },
};
const scaled: PointwiseOp = {
  name: 'gumbelGrad',
  params: { names: ['tau'] },
  inputs: ['grad_output'],
  results: 1,
  body: '  return Results(grad_output / p.tau);',
  reference: ([gradOutput = NaN], r, { tau = 1 }) => {
    r[0] = gradOutput / tau;
  },
};

/** 1 at a row's largest element, else 0; its gradient is taken to be that of the identity (straight through). */
const harden = /* @__PURE__ */ defineRowwise({
  name: 'oneHot',
  wgsl: oneHotText,
  kernel: rowScan,
  forward: (x, y) => {
    const max = x.reduce((a, b) => Math.max(a, b), -Infinity);
    y.fill(Number.isNaN(max) ? NaN : 0);
    if (x.length > 0 && !Number.isNaN(max)) y[x.indexOf(max)] = 1;
  },
  backward: (_y, gradOutput, gradInput) => {
    gradInput.set(gradOutput);
  },
});

/** Options of `gumbelSoftmax`. */
export interface GumbelSoftmaxOptions {
  /** Temperature, above 0: small ones come near one-hot. Defaults to 1. */
  tau?: number;
  /** Whether the result is one-hot; its gradient stays that of the soft sample. Defaults to false. */
  hard?: boolean;
  /** The dimension of the categories; negative ones count from the end. Defaults to -1. */
  dim?: number;
  /** Written instead of a new tensor; may be the input itself. Only where no gradient is recorded. */
  out?: Tensor;
}

function apply(logits: Tensor, options: GumbelSoftmaxOptions = {}): Tensor {
  checkOptionNames('gumbelSoftmax', options, ['tau', 'hard', 'dim', 'out']);
  const { tau = 1, hard = false, dim = -1, out } = options;
  checkNumber('gumbelSoftmax', 'tau', tau, { min: 0, above: true });
  checkBoolean('gumbelSoftmax', 'hard', hard);
  checkNumber('gumbelSoftmax', 'dim', dim, { integer: true });
  checkTensors('gumbelSoftmax', { logits });
  normalizeDim('gumbelSoftmax', dim, logits.rank);
  checkOut('gumbelSoftmax', out, logits, isRecording([logits]));
  const params = withKey(([key0, key1]) => ({ tau, key0, key1 }));
  const like = logits.like();
  const dtype = logits.dtype === 'float16' ? 'float16' : 'float32';
  // Computed in float32 up to the result, so that it is rounded once.
  const perturbed = record(
    runOne(pointwise, { op: noise, params, shape: logits.shape }, [logits], {
      shape: logits.shape,
      dtype: 'float32',
    }),
    'gumbelSoftmax',
    [logits],
    [],
    (upstream) => [
      runOne(
        pointwise,
        { op: scaled, params: { tau }, shape: like.shape },
        [upstream.tensor],
        like,
      ),
    ],
  );
  const last = out ? { dim, out } : { dim };
  const soft = softmax.into(perturbed, hard ? { dim } : last, hard ? 'float32' : dtype);
  perturbed.dispose();
  if (!hard) return soft;
  const one = harden.into(soft, last, dtype);
  soft.dispose();
  return one;
}

/**
 * A sample of the categories that `logits` describe along `dim`: softmax((logits + Gumbel noise) / tau), with gradient.
 * Repeatable with `manualSeed`, and the same noise on every device.
 *
 * @example gumbelSoftmax(logits, { tau: 0.5, hard: true })
 */
export const gumbelSoftmax = /* @__PURE__ */ defineOp(apply, {
  op: 'gumbelSoftmax',
  kind: 'rowwise',
  params: { tau: 1 },
  specs: { tau: { default: 1, min: 0, above: true } },
  accuracy: { forward: 8, backward: 12 },
  docs: {
    tex: String.raw`\mathrm{softmax}\left(\frac{x + G}{\tau}\right), \quad G_i = -\log(-\log U_i)`,
    derivative: String.raw`\partial y_i / \partial x_j = y_i (\delta_{ij} - y_j) / \tau`,
    range: String.raw`[0, 1]`,
    torch: 'gumbel_softmax',
    cite: 'Jang, Gu & Poole 2017, Categorical Reparameterization with Gumbel-Softmax; Maddison, Mnih & Teh 2017, The Concrete Distribution',
    use: 'For random discrete choices inside a network that is trained by gradients. A small tau makes the result almost one-hot, but then gradients vary strongly; start with a large tau and lower it.',
  },
  prepare: (device, dtype) => {
    warmUp(device, dtype, [[2, 2]], (x) => apply(x, { hard: true }));
  },
});

/** `gumbelSoftmax` as a module; PyTorch has the function only. */
export class GumbelSoftmax extends /* @__PURE__ */ optionalModule(gumbelSoftmax) {}
