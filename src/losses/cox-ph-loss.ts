// The partial likelihood of Cox's model of survival times.
import { run, runOne } from '../core/dispatcher.ts';
import { ShapeError } from '../core/errors.ts';
import { formatShape } from '../core/shape.ts';
import { fromHost, type Tensor } from '../core/tensor.ts';
import {
  checkDevice,
  checkOut,
  checkShapeIs,
  checkTensor,
  checkTensors,
  checkValues,
} from '../core/validate.ts';
import { checkOneOf } from '../core/validate-options.ts';
import { nonzero, overCount } from '../define/counts.ts';
import { likesOf, planGradients, recordFused } from '../define/fused-gradient.ts';
import { lossModule } from '../define/module.ts';
import { defineOp } from '../define/op.ts';
import { resolveParams } from '../define/params.ts';
import { warmUp } from '../define/prepare.ts';
import { REDUCTIONS, type Reduction } from '../define/reduction.ts';
import { cox, type CoxArgs } from '../kernels/cox/plan.ts';
import { pointwise, type PointwiseOp } from '../kernels/pointwise/plan.ts';

/** Options of `coxPhLoss`. */
export interface CoxPHLossOptions {
  /** `'mean'` (default) over the events, `'sum'`, or `'none'` for the loss of each. */
  reduction?: Reduction;
  /** Written instead of a new tensor. Only where no gradient is recorded. */
  out?: Tensor;
}

const NAME = 'coxPhLoss';
const isEvent = /* @__PURE__ */ nonzero(NAME, 'mask');
const share = /* @__PURE__ */ overCount(NAME);
const total: PointwiseOp = {
  name: NAME,
  params: { names: [] },
  results: 1,
  inputs: ['x'],
  body: '  return Results(x);',
  unary: (x) => x,
};
function apply(input: Tensor, time: Tensor, event: Tensor, options: CoxPHLossOptions = {}): Tensor {
  resolveParams(NAME, {}, ['reduction', 'out'], options);
  const { reduction = 'mean', out } = options;
  checkOneOf(NAME, 'reduction', reduction, REDUCTIONS);
  const device = checkTensors(NAME, { input, time });
  checkTensor(NAME, 'event', event, ['int32']);
  checkDevice(NAME, 'event', event, device);
  const { shape, dtype } = input;
  if (shape.length !== 1) {
    const received = `shape ${formatShape(shape)}`;
    throw new ShapeError({ op: NAME, argument: 'input', expected: 'shape [N]', received });
  }
  checkShapeIs(NAME, 'time', time, shape);
  checkShapeIs(NAME, 'event', event, shape);
  const reduced = reduction !== 'none';
  const plan = planGradients([input], reduction);
  const like = { device, dtype, shape: reduced ? [] : shape };
  checkOut(NAME, out, like, plan.recording);
  checkValues(NAME, 'time', time, { min: -Infinity, max: Infinity, nan: false });

  const n = input.size;
  const all = { params: {}, shape, sum: 1 };
  const one = { shape: [], dtype: 'float32' } as const;
  const count =
    reduction === 'mean' ? runOne(pointwise, { ...all, op: isEvent }, [event], one) : undefined;
  const args: CoxArgs = {
    n,
    loss: true,
    grad: false,
    count: count !== undefined,
    upstream: 'none',
  };
  const operands = [input, time, event, ...(count ? [count] : [])];
  const [wanted = false] = plan.fused;
  const [losses, ...grads] = run(cox, { ...args, grad: wanted }, operands, [
    reduced ? { shape, dtype: 'float32' } : (out ?? like),
    ...likesOf([input], plan.fused),
  ]);
  const reduce = (): Tensor => {
    const op = count ? share : total;
    const result = runOne(
      pointwise,
      { ...all, op },
      [losses, ...(count ? [count] : [])],
      out ?? like,
    );
    losses.dispose();
    return result;
  };
  const loss = recordFused({
    op: NAME,
    inputs: [input],
    plan,
    operands,
    outputs: [reduced ? reduce() : losses, ...grads],
    backward: (saved, gradOutput) =>
      run(
        cox,
        { ...args, loss: false, grad: true, upstream: reduced ? 'one' : 'each' },
        [...saved, gradOutput],
        likesOf(saved.slice(0, 1), plan.needs),
      ),
  });
  count?.dispose();
  return loss;
}

/**
 * The negative partial log-likelihood of Cox's proportional hazards: log hazards `input`, times and events (int32, 0 for a
 * time at which somebody was last seen), all [N], in any order. For an event log Σ e^input over those whose time is not
 * smaller, less its own input; else 0. Equal times are Breslow's: each has all of them at risk. By default the mean over the
 * events, 0 without one. Gradient of the input. A NaN among the times is refused where the host knows it; so are more than about 16
 * million positions on a GPU whose bindings hold 128 MiB. As pycox's
 * CoxPHLoss, which takes ties in turn.
 *
 * @example coxPhLoss(model.forward(features), days, died)
 */
export const coxPhLoss = /* @__PURE__ */ defineOp(apply, {
  op: NAME,
  kind: 'loss',
  params: {},
  reductions: REDUCTIONS,
  accuracy: { forward: 8, backward: 8 },
  docs: {
    tex: String.raw`\log \sum_{j : t_j \ge t_i} e^{x_j} - x_i`,
    derivative: String.raw`\sum_{i : t_i \le t_k} \frac{e^{x_k}}{\sum_{j : t_j \ge t_i} e^{x_j}} - \mathrm{event}_k`,
    range: String.raw`[0, \infty)`,
    shapes: 'input, time and event (int32) [N]; result: a scalar, or [N] with reduction `none`',
    cite: 'Cox 1972, Regression Models and Life-Tables; Breslow 1974 (ties); Katzman et al. 2018, DeepSurv; pycox CoxPHLoss',
    use: 'For times until an event, when for some examples the event was not observed. The model learns who has the event first, not when. Each event is compared with the rest of its batch, so use batches as large as you can. Adding a constant to all inputs does not change the loss.',
  },
  prepare: (device, dtype) => {
    const event = fromHost(Int32Array.of(1, 0), [2], 'int32', device);
    for (const reduction of REDUCTIONS) {
      warmUp(device, dtype, [[2]], (x) => apply(x, x.detach(), event, { reduction }));
    }
  },
});

/** `coxPhLoss` as a module. */
export class CoxPHLoss extends /* @__PURE__ */ lossModule(coxPhLoss) {}
