// The partial likelihood of Cox's model of survival times.
import { run, runOne } from '../core/dispatcher.ts';
import { fromHost, type Tensor } from '../core/tensor.ts';
import { checkDevice, checkOut, checkTensor, checkTensors, checkValues } from '../core/validate.ts';
import { checkIsOptions } from '../core/validate-options.ts';
import { likesOf, planGradients, recordFused } from '../define/fused-gradient.ts';
import { lossModule } from '../define/module.ts';
import { defineOp } from '../define/op.ts';
import { warmUp } from '../define/prepare.ts';
import { REDUCTIONS, type Reduction } from '../define/reduction.ts';
import { cox } from '../kernels/cox/plan.ts';
import { pointwise } from '../kernels/pointwise/plan.ts';
import { coxCall, NAME } from './cox-hazards.ts';

/** Options of `coxPhLoss`. */
export interface CoxPHLossOptions {
  /** `'mean'` (default) over the events, `'sum'`, or `'none'` for the loss of each. */
  reduction?: Reduction;
  /** Written instead of a new tensor. Only where no gradient is recorded. */
  out?: Tensor;
}

function apply(input: Tensor, time: Tensor, event: Tensor, options: CoxPHLossOptions = {}): Tensor {
  checkIsOptions(NAME, options);
  const device = checkTensors(NAME, { input, time });
  checkTensor(NAME, 'event', event, ['int32']);
  checkDevice(NAME, 'event', event, device);
  const call = coxCall(options, ['out'], { input, time, event });
  const { out } = options;
  const plan = planGradients([input], call.reduction);
  const like = { device, dtype: input.dtype, shape: call.shape };
  checkOut(NAME, out, like, plan.recording);
  checkValues(NAME, 'time', time, { min: -Infinity, max: Infinity, nan: false });

  const one = { shape: [], dtype: 'float32' } as const;
  const counts = call.count ? [runOne(pointwise, call.count, [event], one)] : [];
  const operands = [input, time, event, ...counts];
  const [wanted = false] = plan.fused;
  const [losses, ...grads] = run(cox, call.args(false, wanted), operands, [
    call.reduce ? { shape: input.shape, dtype: 'float32' } : (out ?? like),
    ...likesOf([input], plan.fused),
  ]);
  let result = losses;
  if (call.reduce) {
    result = runOne(pointwise, call.reduce, [losses, ...counts], out ?? like);
    losses.dispose();
  }
  const { args } = call;
  const loss = recordFused({
    op: NAME,
    inputs: [input],
    plan,
    operands,
    outputs: [result, ...grads],
    backward: (saved, gradOutput) =>
      run(cox, args(true, true), [...saved, gradOutput], likesOf(saved.slice(0, 1), plan.needs)),
  });
  for (const count of counts) count.dispose();
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
