/**
 * The entry nonlin/kernels: plans of ops, for engines that have a device, memory and gradients of their own. One line for each op.
 *
 * @module nonlin/kernels
 */
import celuDeclaration from './activations/celu.ts';
import eluDeclaration from './activations/elu.ts';
import geluDeclaration from './activations/gelu.ts';
import hardshrinkDeclaration from './activations/hardshrink.ts';
import hardsigmoidDeclaration from './activations/hardsigmoid.ts';
import hardswishDeclaration from './activations/hardswish.ts';
import hardtanhDeclaration from './activations/hardtanh.ts';
import leakyReluDeclaration from './activations/leaky-relu.ts';
import logsigmoidDeclaration from './activations/logsigmoid.ts';
import mishDeclaration from './activations/mish.ts';
import quickGeluDeclaration from './activations/quick-gelu.ts';
import reluSquaredDeclaration from './activations/relu-squared.ts';
import reluDeclaration from './activations/relu.ts';
import relu6Declaration from './activations/relu6.ts';
import seluDeclaration from './activations/selu.ts';
import sigmoidDeclaration from './activations/sigmoid.ts';
import siluDeclaration from './activations/silu.ts';
import softcapDeclaration from './activations/softcap.ts';
import softplusDeclaration from './activations/softplus.ts';
import softshrinkDeclaration from './activations/softshrink.ts';
import softsignDeclaration from './activations/softsign.ts';
import squareplusDeclaration from './activations/squareplus.ts';
import swishDeclaration from './activations/swish.ts';
import tanhDeclaration from './activations/tanh.ts';
import tanhshrinkDeclaration from './activations/tanhshrink.ts';
import thresholdDeclaration from './activations/threshold.ts';
import entmax15Declaration from './rowwise/entmax15.ts';
import logSoftmaxDeclaration from './rowwise/log-softmax.ts';
import softmaxDeclaration from './rowwise/softmax.ts';
import softminDeclaration from './rowwise/softmin.ts';
import sparsemaxDeclaration from './rowwise/sparsemax.ts';
import cosineSimilarityDeclaration from './distances/cosine-similarity.ts';
import pairwiseDistanceDeclaration from './distances/pairwise-distance.ts';
import layerNormDeclaration from './norms/layer-norm.ts';
import localResponseNormDeclaration from './norms/local-response-norm.ts';
import normalizeDeclaration from './norms/normalize.ts';
import rmsNormDeclaration from './norms/rms-norm.ts';
import arcFaceLossDeclaration from './losses/arc-face-loss.ts';
import asymmetricLossDeclaration from './losses/asymmetric-loss.ts';
import barronLossDeclaration from './losses/barron-loss.ts';
import binaryCrossEntropyWithLogitsDeclaration from './losses/binary-cross-entropy-with-logits.ts';
import binaryCrossEntropyDeclaration from './losses/binary-cross-entropy.ts';
import bprLossDeclaration from './losses/bpr-loss.ts';
import charbonnierLossDeclaration from './losses/charbonnier-loss.ts';
import cosFaceLossDeclaration from './losses/cos-face-loss.ts';
import crossEntropyDeclaration from './losses/cross-entropy.ts';
import dpoLossDeclaration from './losses/dpo-loss.ts';
import epsilonInsensitiveLossDeclaration from './losses/epsilon-insensitive-loss.ts';
import cosineEmbeddingLossDeclaration from './losses/cosine-embedding-loss.ts';
import focalLossDeclaration from './losses/focal-loss.ts';
import gaussianNllLossDeclaration from './losses/gaussian-nll-loss.ts';
import generalizedCrossEntropyDeclaration from './losses/generalized-cross-entropy.ts';
import hingeEmbeddingLossDeclaration from './losses/hinge-embedding-loss.ts';
import huberLossDeclaration from './losses/huber-loss.ts';
import jsdDeclaration from './losses/jsd.ts';
import klDivDeclaration from './losses/kl-div.ts';
import l1LossDeclaration from './losses/l1-loss.ts';
import logCoshLossDeclaration from './losses/log-cosh-loss.ts';
import mapeLossDeclaration from './losses/mape-loss.ts';
import marginRankingLossDeclaration from './losses/margin-ranking-loss.ts';
import mseLossDeclaration from './losses/mse-loss.ts';
import msleLossDeclaration from './losses/msle-loss.ts';
import nllLossDeclaration from './losses/nll-loss.ts';
import poissonNllLossDeclaration from './losses/poisson-nll-loss.ts';
import polyLossDeclaration from './losses/poly-loss.ts';
import ppoClipLossDeclaration from './losses/ppo-clip-loss.ts';
import quantileLossDeclaration from './losses/quantile-loss.ts';
import sigmoidFocalLossDeclaration from './losses/sigmoid-focal-loss.ts';
import simpoLossDeclaration from './losses/simpo-loss.ts';
import smoothL1LossDeclaration from './losses/smooth-l1-loss.ts';
import softMarginLossDeclaration from './losses/soft-margin-loss.ts';
import squaredHingeLossDeclaration from './losses/squared-hinge-loss.ts';
import tripletMarginLossDeclaration from './losses/triplet-margin-loss.ts';
import tvDistanceLossDeclaration from './losses/tv-distance-loss.ts';
import clipLossDeclaration from './losses/clip-loss.ts';
import completeBoxIouLossDeclaration from './losses/complete-box-iou-loss.ts';
import contrastiveLossDeclaration from './losses/contrastive-loss.ts';
import diceWithLogitsDeclaration from './losses/dice-with-logits.ts';
import distanceBoxIouLossDeclaration from './losses/distance-box-iou-loss.ts';
import focalTverskyLossDeclaration from './losses/focal-tversky-loss.ts';
import generalizedBoxIouLossDeclaration from './losses/generalized-box-iou-loss.ts';
import infoNceLossDeclaration from './losses/info-nce-loss.ts';
import jaccardLossDeclaration from './losses/jaccard-loss.ts';
import multiMarginLossDeclaration from './losses/multi-margin-loss.ts';
import multilabelMarginLossDeclaration from './losses/multilabel-margin-loss.ts';
import multilabelSoftMarginLossDeclaration from './losses/multilabel-soft-margin-loss.ts';
import ntXentLossDeclaration from './losses/nt-xent-loss.ts';
import sigLipLossDeclaration from './losses/sig-lip-loss.ts';
import supConLossDeclaration from './losses/sup-con-loss.ts';
import tverskyLossDeclaration from './losses/tversky-loss.ts';
import preluDeclaration from './activations/prelu.ts';
import snakeDeclarations from './activations/snake.ts';
import type { NoParams } from './define/params.ts';
import swigluPair, { type SwigluPairOptions } from './gated/swiglu.ts';
import { activationKernel } from './plan/activation.ts';
import { batchNormKernel, groupNormKernel, instanceNormKernel } from './plan/channel-norm.ts';
import { contrastiveKernel } from './plan/contrastive.ts';
import { comparedRowsKernel } from './plan/compared-rows.ts';
import { coxKernel } from './plan/cox.ts';
import { ctcKernel } from './plan/ctc.ts';
import { classLossKernel } from './plan/class-loss.ts';
import { diceKernel } from './plan/dice.ts';
import { gatedKernel, pairedKernel } from './plan/gated.ts';
import { learnedKernel, numberOrLearnedKernel } from './plan/learned.ts';
import { lossKernel } from './plan/loss.ts';
import { marginLossKernel } from './plan/margin-loss.ts';
import { normKernel } from './plan/norm.ts';
import { plainNormKernel } from './plan/plain-norm.ts';
import { boxLossKernel, distanceLossKernel } from './plan/pair-rows.ts';
import { regionLossKernel } from './plan/region-loss.ts';
import { rowwiseKernel } from './plan/rowwise.ts';
import { rreluKernel } from './plan/rrelu.ts';

export * from './core/errors.ts';
export type { DeviceLimits } from './core/kernel.ts';
export { activationKernel, type ActivationKernel } from './plan/activation.ts';
export type {
  BatchNormKernelOptions,
  GroupNormKernelOptions,
  InstanceNormKernelOptions,
} from './plan/channel-norm.ts';
export type { ClassLossKernelOptions } from './plan/class-loss.ts';
export type { ContrastiveKernelOptions } from './plan/contrastive.ts';
export type { CoxKernelOptions } from './plan/cox.ts';
export type { DiceKernelOptions } from './plan/dice.ts';
export type { CtcKernelOptions } from './plan/ctc.ts';
export type { GatedKernelOptions } from './plan/gated.ts';
export { lossKernel, type LossKernelOptions } from './plan/loss.ts';
export type { RowLossKernelOptions } from './plan/margin-loss.ts';
export type { NormKernelOptions } from './plan/norm.ts';
export { planOf } from './plan/plan-of.ts';
export type { RowwiseKernel, RowwiseKernelOptions } from './plan/rowwise.ts';
export { hardware, software, type PlanTuning } from './plan/tunings.ts';
export type {
  KernelOp,
  KernelPlan,
  PlanFields,
  PlannedBinding,
  PlannedLaunch,
  PlannedPass,
  PlannedTensor,
  PlanRequest,
} from './plan/types.ts';
export { withBias } from './plan/with-bias.ts';

/** `celu` for `planOf`. */
export const celu = /* @__PURE__ */ activationKernel(celuDeclaration);
/** `elu` for `planOf`. */
export const elu = /* @__PURE__ */ activationKernel(eluDeclaration);
/** `gelu` for `planOf`. */
export const gelu = /* @__PURE__ */ activationKernel(geluDeclaration);
/** `hardshrink` for `planOf`. */
export const hardshrink = /* @__PURE__ */ activationKernel(hardshrinkDeclaration);
/** `hardsigmoid` for `planOf`. */
export const hardsigmoid = /* @__PURE__ */ activationKernel(hardsigmoidDeclaration);
/** `hardswish` for `planOf`. */
export const hardswish = /* @__PURE__ */ activationKernel(hardswishDeclaration);
/** `hardtanh` for `planOf`. */
export const hardtanh = /* @__PURE__ */ activationKernel(hardtanhDeclaration);
/** `leakyRelu` for `planOf`. */
export const leakyRelu = /* @__PURE__ */ activationKernel(leakyReluDeclaration);
/** `logsigmoid` for `planOf`. */
export const logsigmoid = /* @__PURE__ */ activationKernel(logsigmoidDeclaration);
/** `mish` for `planOf`. */
export const mish = /* @__PURE__ */ activationKernel(mishDeclaration);
/** `prelu` for `planOf`. */
export const prelu = /* @__PURE__ */ learnedKernel(preluDeclaration);
/** `quickGelu` for `planOf`. */
export const quickGelu = /* @__PURE__ */ activationKernel(quickGeluDeclaration);
/** `reluSquared` for `planOf`. */
export const reluSquared = /* @__PURE__ */ activationKernel(reluSquaredDeclaration);
/** `relu` for `planOf`. */
export const relu = /* @__PURE__ */ activationKernel(reluDeclaration);
/** `relu6` for `planOf`. */
export const relu6 = /* @__PURE__ */ activationKernel(relu6Declaration);
/** `rrelu` for `planOf`, with the mean of its slopes: those of training are other numbers in each call. */
export const rrelu = rreluKernel;
/** `selu` for `planOf`. */
export const selu = /* @__PURE__ */ activationKernel(seluDeclaration);
/** `sigmoid` for `planOf`. */
export const sigmoid = /* @__PURE__ */ activationKernel(sigmoidDeclaration);
/** `silu` for `planOf`. */
export const silu = /* @__PURE__ */ activationKernel(siluDeclaration);
/** `snake` for `planOf`. */
export const snake = /* @__PURE__ */ numberOrLearnedKernel(snakeDeclarations);
/** `softcap` for `planOf`. */
export const softcap = /* @__PURE__ */ activationKernel(softcapDeclaration);
/** `softplus` for `planOf`. */
export const softplus = /* @__PURE__ */ activationKernel(softplusDeclaration);
/** `softshrink` for `planOf`. */
export const softshrink = /* @__PURE__ */ activationKernel(softshrinkDeclaration);
/** `softsign` for `planOf`. */
export const softsign = /* @__PURE__ */ activationKernel(softsignDeclaration);
/** `squareplus` for `planOf`. */
export const squareplus = /* @__PURE__ */ activationKernel(squareplusDeclaration);
/** `swish` for `planOf`. */
export const swish = /* @__PURE__ */ activationKernel(swishDeclaration);
/** `tanh` for `planOf`. */
export const tanh = /* @__PURE__ */ activationKernel(tanhDeclaration);
/** `tanhshrink` for `planOf`. */
export const tanhshrink = /* @__PURE__ */ activationKernel(tanhshrinkDeclaration);
/** `threshold` for `planOf`. */
export const threshold = /* @__PURE__ */ activationKernel(thresholdDeclaration);

/** `geglu` for `planOf`. */
export const geglu = /* @__PURE__ */ pairedKernel('geglu', geluDeclaration);
/** `glu` for `planOf`. */
export const glu = /* @__PURE__ */ gatedKernel('glu', sigmoidDeclaration, 'second');
/** `reglu` for `planOf`. */
export const reglu = /* @__PURE__ */ pairedKernel('reglu', reluDeclaration);
/** `swiglu` for `planOf`. */
export const swiglu = /* @__PURE__ */ pairedKernel<NoParams, Omit<SwigluPairOptions, 'out'>>(
  'swiglu',
  siluDeclaration,
  swigluPair,
);

/** `entmax15` for `planOf`. */
export const entmax15 = /* @__PURE__ */ rowwiseKernel(entmax15Declaration);
/** `logSoftmax` for `planOf`. */
export const logSoftmax = /* @__PURE__ */ rowwiseKernel(logSoftmaxDeclaration);
/** `softmax` for `planOf`. */
export const softmax = /* @__PURE__ */ rowwiseKernel(softmaxDeclaration);
/** `softmin` for `planOf`. */
export const softmin = /* @__PURE__ */ rowwiseKernel(softminDeclaration);
/** `sparsemax` for `planOf`. */
export const sparsemax = /* @__PURE__ */ rowwiseKernel(sparsemaxDeclaration);

/** `batchNorm` for `planOf`. */
export const batchNorm = /* @__PURE__ */ batchNormKernel();
/** `groupNorm` for `planOf`. */
export const groupNorm = /* @__PURE__ */ groupNormKernel();
/** `instanceNorm` for `planOf`. */
export const instanceNorm = /* @__PURE__ */ instanceNormKernel();
/** `layerNorm` for `planOf`. */
export const layerNorm = /* @__PURE__ */ normKernel(layerNormDeclaration);
/** `localResponseNorm` for `planOf`; `size` is an option. */
export const localResponseNorm = /* @__PURE__ */ plainNormKernel(localResponseNormDeclaration);
/** `normalize` for `planOf`. */
export const normalize = /* @__PURE__ */ plainNormKernel(normalizeDeclaration);
/** `rmsNorm` for `planOf`. */
export const rmsNorm = /* @__PURE__ */ normKernel(rmsNormDeclaration);

/** `cosineSimilarity` for `planOf`. */
export const cosineSimilarity = /* @__PURE__ */ comparedRowsKernel(cosineSimilarityDeclaration);
/** `pairwiseDistance` for `planOf`. */
export const pairwiseDistance = /* @__PURE__ */ comparedRowsKernel(pairwiseDistanceDeclaration);

/** `arcFaceLoss` for `planOf`. */
export const arcFaceLoss = /* @__PURE__ */ classLossKernel(arcFaceLossDeclaration);
/** `asymmetricLoss` for `planOf`. */
export const asymmetricLoss = /* @__PURE__ */ lossKernel(asymmetricLossDeclaration);
/** `barronLoss` for `planOf`. */
export const barronLoss = /* @__PURE__ */ lossKernel(barronLossDeclaration);
/** `binaryCrossEntropyWithLogits` for `planOf`. */
export const binaryCrossEntropyWithLogits = /* @__PURE__ */ lossKernel(
  binaryCrossEntropyWithLogitsDeclaration,
);
/** `binaryCrossEntropy` for `planOf`. */
export const binaryCrossEntropy = /* @__PURE__ */ lossKernel(binaryCrossEntropyDeclaration);
/** `bprLoss` for `planOf`. */
export const bprLoss = /* @__PURE__ */ lossKernel(bprLossDeclaration);
/** `charbonnierLoss` for `planOf`. */
export const charbonnierLoss = /* @__PURE__ */ lossKernel(charbonnierLossDeclaration);
/** `cosFaceLoss` for `planOf`. */
export const cosFaceLoss = /* @__PURE__ */ classLossKernel(cosFaceLossDeclaration);
/** `crossEntropy` for `planOf`. */
export const crossEntropy = /* @__PURE__ */ classLossKernel(crossEntropyDeclaration);
/** `dpoLoss` for `planOf`. */
export const dpoLoss = /* @__PURE__ */ lossKernel(dpoLossDeclaration);
/** `epsilonInsensitiveLoss` for `planOf`. */
export const epsilonInsensitiveLoss = /* @__PURE__ */ lossKernel(epsilonInsensitiveLossDeclaration);
/** `focalLoss` for `planOf`. */
export const focalLoss = /* @__PURE__ */ classLossKernel(focalLossDeclaration);
/** `gaussianNllLoss` for `planOf`. A `variance` of the shape [] stands for the number, and is float32. */
export const gaussianNllLoss = /* @__PURE__ */ lossKernel(gaussianNllLossDeclaration);
/** `generalizedCrossEntropy` for `planOf`. */
export const generalizedCrossEntropy = /* @__PURE__ */ classLossKernel(
  generalizedCrossEntropyDeclaration,
);
/** `hingeEmbeddingLoss` for `planOf`. */
export const hingeEmbeddingLoss = /* @__PURE__ */ lossKernel(hingeEmbeddingLossDeclaration);
/** `huberLoss` for `planOf`. */
export const huberLoss = /* @__PURE__ */ lossKernel(huberLossDeclaration);
/** `jsd` for `planOf`. */
export const jsd = /* @__PURE__ */ lossKernel(jsdDeclaration);
/** `klDiv` for `planOf`. */
export const klDiv = /* @__PURE__ */ lossKernel(klDivDeclaration);
/** `l1Loss` for `planOf`. */
export const l1Loss = /* @__PURE__ */ lossKernel(l1LossDeclaration);
/** `logCoshLoss` for `planOf`. */
export const logCoshLoss = /* @__PURE__ */ lossKernel(logCoshLossDeclaration);
/** `mapeLoss` for `planOf`. */
export const mapeLoss = /* @__PURE__ */ lossKernel(mapeLossDeclaration);
/** `marginRankingLoss` for `planOf`. */
export const marginRankingLoss = /* @__PURE__ */ lossKernel(marginRankingLossDeclaration);
/** `mseLoss` for `planOf`. */
export const mseLoss = /* @__PURE__ */ lossKernel(mseLossDeclaration);
/** `msleLoss` for `planOf`. */
export const msleLoss = /* @__PURE__ */ lossKernel(msleLossDeclaration);
/** `nllLoss` for `planOf`. */
export const nllLoss = /* @__PURE__ */ classLossKernel(nllLossDeclaration);
/** `poissonNllLoss` for `planOf`. */
export const poissonNllLoss = /* @__PURE__ */ lossKernel(poissonNllLossDeclaration);
/** `polyLoss` for `planOf`. */
export const polyLoss = /* @__PURE__ */ classLossKernel(polyLossDeclaration);
/** `ppoClipLoss` for `planOf`. */
export const ppoClipLoss = /* @__PURE__ */ lossKernel(ppoClipLossDeclaration);
/** `quantileLoss` for `planOf`. */
export const quantileLoss = /* @__PURE__ */ lossKernel(quantileLossDeclaration);
/** `sigmoidFocalLoss` for `planOf`. */
export const sigmoidFocalLoss = /* @__PURE__ */ lossKernel(sigmoidFocalLossDeclaration);
/** `simpoLoss` for `planOf`. */
export const simpoLoss = /* @__PURE__ */ lossKernel(simpoLossDeclaration);
/** `smoothL1Loss` for `planOf`. */
export const smoothL1Loss = /* @__PURE__ */ lossKernel(smoothL1LossDeclaration);
/** `softMarginLoss` for `planOf`. */
export const softMarginLoss = /* @__PURE__ */ lossKernel(softMarginLossDeclaration);
/** `squaredHingeLoss` for `planOf`. */
export const squaredHingeLoss = /* @__PURE__ */ lossKernel(squaredHingeLossDeclaration);
/** `tvDistanceLoss` for `planOf`. */
export const tvDistanceLoss = /* @__PURE__ */ lossKernel(tvDistanceLossDeclaration);

/** `clipLoss` for `planOf`. */
export const clipLoss = /* @__PURE__ */ contrastiveKernel(clipLossDeclaration);
/** `completeBoxIouLoss` for `planOf`. */
export const completeBoxIouLoss = /* @__PURE__ */ boxLossKernel(completeBoxIouLossDeclaration);
/** `contrastiveLoss` for `planOf`. */
export const contrastiveLoss = /* @__PURE__ */ distanceLossKernel(contrastiveLossDeclaration);
/** `cosineEmbeddingLoss` for `planOf`. */
export const cosineEmbeddingLoss = /* @__PURE__ */ comparedRowsKernel(
  cosineEmbeddingLossDeclaration,
);
/** `coxPhLoss` for `planOf`. */
export const coxPhLoss = /* @__PURE__ */ coxKernel();
/** `diceLoss` for `planOf`. */
export const diceLoss = /* @__PURE__ */ diceKernel();
/** `diceWithLogits` for `planOf`. */
export const diceWithLogits = /* @__PURE__ */ regionLossKernel(diceWithLogitsDeclaration);
/** `distanceBoxIouLoss` for `planOf`. */
export const distanceBoxIouLoss = /* @__PURE__ */ boxLossKernel(distanceBoxIouLossDeclaration);
/** `focalTverskyLoss` for `planOf`. */
export const focalTverskyLoss = /* @__PURE__ */ regionLossKernel(focalTverskyLossDeclaration);
/** `generalizedBoxIouLoss` for `planOf`. */
export const generalizedBoxIouLoss = /* @__PURE__ */ boxLossKernel(
  generalizedBoxIouLossDeclaration,
);
/** `infoNceLoss` for `planOf`. */
export const infoNceLoss = /* @__PURE__ */ contrastiveKernel(infoNceLossDeclaration);
/** `jaccardLoss` for `planOf`. */
export const jaccardLoss = /* @__PURE__ */ regionLossKernel(jaccardLossDeclaration);
/** `multiMarginLoss` for `planOf`. */
export const multiMarginLoss = /* @__PURE__ */ marginLossKernel(multiMarginLossDeclaration);
/** `multilabelMarginLoss` for `planOf`. */
export const multilabelMarginLoss = /* @__PURE__ */ marginLossKernel(
  multilabelMarginLossDeclaration,
);
/** `multilabelSoftMarginLoss` for `planOf`. */
export const multilabelSoftMarginLoss = /* @__PURE__ */ marginLossKernel(
  multilabelSoftMarginLossDeclaration,
);
/** `ntXentLoss` for `planOf`. */
export const ntXentLoss = /* @__PURE__ */ contrastiveKernel(ntXentLossDeclaration);
/** `sigLipLoss` for `planOf`. */
export const sigLipLoss = /* @__PURE__ */ contrastiveKernel(sigLipLossDeclaration);
/** `supConLoss` for `planOf`. */
export const supConLoss = /* @__PURE__ */ contrastiveKernel(supConLossDeclaration);
/** `tripletMarginLoss` for `planOf`. */
export const tripletMarginLoss = /* @__PURE__ */ comparedRowsKernel(tripletMarginLossDeclaration);
/** `tverskyLoss` for `planOf`. */
export const tverskyLoss = /* @__PURE__ */ regionLossKernel(tverskyLossDeclaration);
/** `ctcLoss` for `planOf`. */
export const ctcLoss = /* @__PURE__ */ ctcKernel();
