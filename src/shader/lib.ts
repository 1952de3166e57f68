// The files of shaders/lib, each as a Source that WGSL can `//#include`. Bundlers drop the unused ones.
import anchoredExpText from '../../shaders/lib/anchored-exp.wgsl?raw';
import atanText from '../../shaders/lib/atan.wgsl?raw';
import bceText from '../../shaders/lib/bce.wgsl?raw';
import bellText from '../../shaders/lib/bell.wgsl?raw';
import bitsText from '../../shaders/lib/bits.wgsl?raw';
import classLabelText from '../../shaders/lib/class-label.wgsl?raw';
import classStatusText from '../../shaders/lib/class-status.wgsl?raw';
import clippedRatioText from '../../shaders/lib/clipped-ratio.wgsl?raw';
import divText from '../../shaders/lib/div.wgsl?raw';
import erfText from '../../shaders/lib/erf.wgsl?raw';
import expText from '../../shaders/lib/exp.wgsl?raw';
import expm1Text from '../../shaders/lib/expm1.wgsl?raw';
import fragmentsText from '../../shaders/lib/fragments.wgsl?raw';
import float16Text from '../../shaders/lib/float16.wgsl?raw';
import gridText from '../../shaders/lib/grid.wgsl?raw';
import lineSumsText from '../../shaders/lib/line-sums.wgsl?raw';
import logText from '../../shaders/lib/log.wgsl?raw';
import log1pText from '../../shaders/lib/log1p.wgsl?raw';
import logSoftmaxText from '../../shaders/lib/log-softmax.wgsl?raw';
import matricesText from '../../shaders/lib/matrices.wgsl?raw';
import normaliserText from '../../shaders/lib/normaliser.wgsl?raw';
import powText from '../../shaders/lib/pow.wgsl?raw';
import preferenceText from '../../shaders/lib/preference.wgsl?raw';
import rowBlocksText from '../../shaders/lib/row-blocks.wgsl?raw';
import rowLanesText from '../../shaders/lib/row-lanes.wgsl?raw';
import rowsByInvocationText from '../../shaders/lib/rows-by-invocation.wgsl?raw';
import rowsByWorkgroupText from '../../shaders/lib/rows-by-workgroup.wgsl?raw';
import sigmoidText from '../../shaders/lib/sigmoid.wgsl?raw';
import softplusText from '../../shaders/lib/softplus.wgsl?raw';
import sinText from '../../shaders/lib/sin.wgsl?raw';
import sumText from '../../shaders/lib/sum.wgsl?raw';
import sqrtText from '../../shaders/lib/sqrt.wgsl?raw';
import supportText from '../../shaders/lib/support.wgsl?raw';
import tanhText from '../../shaders/lib/tanh.wgsl?raw';
import threefryText from '../../shaders/lib/threefry.wgsl?raw';
import wideText from '../../shaders/lib/wide.wgsl?raw';
import { source } from './link.ts';

/** `is_nan`, `is_inf`, `infinity`, `nan`, powers of two by bits. */
export const bits = /* @__PURE__ */ source('lib/bits.wgsl', bitsText);
/** `report_index`: records a class index out of range, which the next read throws. */
export const classStatus = /* @__PURE__ */ source('lib/class-status.wgsl', classStatusText);
/** `nl_rcp1p`: 1 / (1 + e); `nl_quotient`, `nl_divide`, `nl_remainder`, `nl_sixth`. */
export const div = /* @__PURE__ */ source('lib/div.wgsl', divText);
/** `Fragment`: sums of products of a few rows and columns. */
export const fragments = /* @__PURE__ */ source('lib/fragments.wgsl', fragmentsText);
/** `nl_exp`. */
export const exp = /* @__PURE__ */ source('lib/exp.wgsl', expText, [bits]);
/** `nl_clipped_ratio`: the clipped loss of a policy. */
export const clippedRatio = /* @__PURE__ */ source('lib/clipped-ratio.wgsl', clippedRatioText, [
  bits,
  exp,
]);
/** `nl_expm1`: e^x - 1. */
export const expm1 = /* @__PURE__ */ source('lib/expm1.wgsl', expm1Text, [bits, exp]);
/** `pack_half2`, `unpack_half2`. */
export const float16 = /* @__PURE__ */ source('lib/float16.wgsl', float16Text);
/** `nl_erf`, `nl_erfc`, `nl_erfcx`, `nl_gauss`. */
export const erf = /* @__PURE__ */ source('lib/erf.wgsl', erfText, [bits, div, exp]);
/** `nl_log`. */
export const log = /* @__PURE__ */ source('lib/log.wgsl', logText, [bits]);
/** `nl_log1p`: log(1 + x). */
export const log1p = /* @__PURE__ */ source('lib/log1p.wgsl', log1pText, [bits, log]);
/** `nl_exp_bell`: the slope of the sigmoid. */
export const bell = /* @__PURE__ */ source('lib/bell.wgsl', bellText, [bits, div, exp]);
/** `nl_sigmoid`, `nl_sigmoid_grad`, `nl_sigmoid_times`, `nl_gate_grad`. */
export const sigmoid = /* @__PURE__ */ source('lib/sigmoid.wgsl', sigmoidText, [
  bell,
  bits,
  div,
  exp,
]);
/** `nl_softplus`: log(1 + e^x). */
export const softplus = /* @__PURE__ */ source('lib/softplus.wgsl', softplusText, [bits, exp, log]);
/** `nl_bce`: the binary cross-entropy of a logit. */
export const bce = /* @__PURE__ */ source('lib/bce.wgsl', bceText, [bits, softplus]);
/** `nl_sin`, `nl_sin_pair`: sines of numbers in two parts. */
export const sin = /* @__PURE__ */ source('lib/sin.wgsl', sinText, [bits]);
/** `nl_preference`: the loss of a preference with smoothed labels. */
export const preference = /* @__PURE__ */ source('lib/preference.wgsl', preferenceText, [
  bits,
  div,
  exp,
  log,
  sigmoid,
  softplus,
]);
/** `sum_add`, `sum_value`: compensated sums. */
export const sum = /* @__PURE__ */ source('lib/sum.wgsl', sumText);
/** `LineSums`: compensated sums of four lines of a matrix at once. */
export const lineSums = /* @__PURE__ */ source('lib/line-sums.wgsl', lineSumsText, [sum]);
/** For matrix products: `Uniforms`, offsets of batches, sums of products and of lines. */
export const matrices = /* @__PURE__ */ source('lib/matrices.wgsl', matricesText, [
  fragments,
  lineSums,
]);
/** `Lane`, `row_of`, `lane_of`, `combine_one`, beside one of the files that fill a `rows` slot. */
export const rowLanes = /* @__PURE__ */ source('lib/row-lanes.wgsl', rowLanesText);
/** `nl_atan`. */
export const atan = /* @__PURE__ */ source('lib/atan.wgsl', atanText, [div]);
/** `nl_sqrt`, `nl_reciprocal`. */
export const sqrt = /* @__PURE__ */ source('lib/sqrt.wgsl', sqrtText, [bits, div]);
/** `backward_row` of ops whose results are 0 outside of a support. */
export const support = /* @__PURE__ */ source('lib/support.wgsl', supportText, [div]);
/** `nl_tanh`, `nl_sech2`. */
export const tanh = /* @__PURE__ */ source('lib/tanh.wgsl', tanhText, [bell, bits, div, exp]);
/** `nl_pow`: x^y for x >= 0. */
export const pow = /* @__PURE__ */ source('lib/pow.wgsl', powText, [bits]);
/** `anchored_exp`: e^x of the elements of a row, times a factor that keeps all of them in range. */
export const anchoredExp = /* @__PURE__ */ source('lib/anchored-exp.wgsl', anchoredExpText, [
  bits,
  exp,
]);
/** `lane_of` and blocks of a row's elements. */
export const rowBlocks = /* @__PURE__ */ source('lib/row-blocks.wgsl', rowBlocksText, [
  anchoredExp,
]);
/** `Normaliser`, `log_sum_of`: a row's maximum and sum of exponentials. */
export const normaliser = /* @__PURE__ */ source('lib/normaliser.wgsl', normaliserText, [
  bits,
  div,
  log1p,
  anchoredExp,
]);
/** `normaliser_of`: the normaliser of a row, from the sums of its lanes. */
export const logSoftmax = /* @__PURE__ */ source('lib/log-softmax.wgsl', logSoftmaxText, [
  bits,
  anchoredExp,
  normaliser,
]);
/** `label_of`: the class index of a row, checked. */
export const classLabel = /* @__PURE__ */ source('lib/class-label.wgsl', classLabelText, [
  classStatus,
]);
/** `Grid`, `invocation_index`: where an invocation is in its dispatch. */
export const grid = /* @__PURE__ */ source('lib/grid.wgsl', gridText);
/** `unit_of` and reductions, for a row per invocation. */
export const rowsByInvocation = /* @__PURE__ */ source(
  'lib/rows-by-invocation.wgsl',
  rowsByInvocationText,
  [grid],
);
/** `unit_of` and reductions, for a row per workgroup. */
export const rowsByWorkgroup = /* @__PURE__ */ source(
  'lib/rows-by-workgroup.wgsl',
  rowsByWorkgroupText,
  [grid],
);
/** `threefry`, `uniform_at`: random numbers by key and index. */
export const threefry = /* @__PURE__ */ source('lib/threefry.wgsl', threefryText);
/** `wide_exp`, `wide_sum_times`, `wide_ln`: numbers with an exponent without limits. */
export const wide = /* @__PURE__ */ source('lib/wide.wgsl', wideText, [bits, exp, log]);
