// The entry nonlin/kernels: plans of ops, for engines that have a device, memory and gradients of their own. One line for each op.
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
import layerNormDeclaration from './norms/layer-norm.ts';
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
import focalLossDeclaration from './losses/focal-loss.ts';
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
import tvDistanceLossDeclaration from './losses/tv-distance-loss.ts';
import { activationKernel } from './plan/activation.ts';
import { classLossKernel } from './plan/class-loss.ts';
import { gatedKernel } from './plan/gated.ts';
import { lossKernel } from './plan/loss.ts';
import { normKernel } from './plan/norm.ts';
import { rowwiseKernel } from './plan/rowwise.ts';

export * from './core/errors.ts';
export { activationKernel, type ActivationKernel } from './plan/activation.ts';
export { lossKernel } from './plan/loss.ts';
export { planOf } from './plan/plan-of.ts';
export { hardware, software, type PlanTuning } from './plan/tunings.ts';
export type {
  KernelOp,
  KernelPlan,
  PlannedBinding,
  PlannedLaunch,
  PlannedPass,
  PlannedTensor,
  PlanRequest,
} from './plan/types.ts';
export { withBias } from './plan/with-bias.ts';

export const celu = /* @__PURE__ */ activationKernel(celuDeclaration);
export const elu = /* @__PURE__ */ activationKernel(eluDeclaration);
export const gelu = /* @__PURE__ */ activationKernel(geluDeclaration);
export const hardshrink = /* @__PURE__ */ activationKernel(hardshrinkDeclaration);
export const hardsigmoid = /* @__PURE__ */ activationKernel(hardsigmoidDeclaration);
export const hardswish = /* @__PURE__ */ activationKernel(hardswishDeclaration);
export const hardtanh = /* @__PURE__ */ activationKernel(hardtanhDeclaration);
export const leakyRelu = /* @__PURE__ */ activationKernel(leakyReluDeclaration);
export const logsigmoid = /* @__PURE__ */ activationKernel(logsigmoidDeclaration);
export const mish = /* @__PURE__ */ activationKernel(mishDeclaration);
export const quickGelu = /* @__PURE__ */ activationKernel(quickGeluDeclaration);
export const reluSquared = /* @__PURE__ */ activationKernel(reluSquaredDeclaration);
export const relu = /* @__PURE__ */ activationKernel(reluDeclaration);
export const relu6 = /* @__PURE__ */ activationKernel(relu6Declaration);
export const selu = /* @__PURE__ */ activationKernel(seluDeclaration);
export const sigmoid = /* @__PURE__ */ activationKernel(sigmoidDeclaration);
export const silu = /* @__PURE__ */ activationKernel(siluDeclaration);
export const softcap = /* @__PURE__ */ activationKernel(softcapDeclaration);
export const softplus = /* @__PURE__ */ activationKernel(softplusDeclaration);
export const softshrink = /* @__PURE__ */ activationKernel(softshrinkDeclaration);
export const softsign = /* @__PURE__ */ activationKernel(softsignDeclaration);
export const squareplus = /* @__PURE__ */ activationKernel(squareplusDeclaration);
export const swish = /* @__PURE__ */ activationKernel(swishDeclaration);
export const tanh = /* @__PURE__ */ activationKernel(tanhDeclaration);
export const tanhshrink = /* @__PURE__ */ activationKernel(tanhshrinkDeclaration);
export const threshold = /* @__PURE__ */ activationKernel(thresholdDeclaration);

export const geglu = /* @__PURE__ */ gatedKernel('geglu', geluDeclaration, 'first');
export const glu = /* @__PURE__ */ gatedKernel('glu', sigmoidDeclaration, 'second');
export const reglu = /* @__PURE__ */ gatedKernel('reglu', reluDeclaration, 'first');
export const swiglu = /* @__PURE__ */ gatedKernel('swiglu', siluDeclaration, 'first');

export const entmax15 = /* @__PURE__ */ rowwiseKernel(entmax15Declaration);
export const logSoftmax = /* @__PURE__ */ rowwiseKernel(logSoftmaxDeclaration);
export const softmax = /* @__PURE__ */ rowwiseKernel(softmaxDeclaration);
export const softmin = /* @__PURE__ */ rowwiseKernel(softminDeclaration);
export const sparsemax = /* @__PURE__ */ rowwiseKernel(sparsemaxDeclaration);

export const layerNorm = /* @__PURE__ */ normKernel(layerNormDeclaration);
export const rmsNorm = /* @__PURE__ */ normKernel(rmsNormDeclaration);

export const arcFaceLoss = /* @__PURE__ */ classLossKernel(arcFaceLossDeclaration);
export const asymmetricLoss = /* @__PURE__ */ lossKernel(asymmetricLossDeclaration);
export const barronLoss = /* @__PURE__ */ lossKernel(barronLossDeclaration);
export const binaryCrossEntropyWithLogits = /* @__PURE__ */ lossKernel(
  binaryCrossEntropyWithLogitsDeclaration,
);
export const binaryCrossEntropy = /* @__PURE__ */ lossKernel(binaryCrossEntropyDeclaration);
export const bprLoss = /* @__PURE__ */ lossKernel(bprLossDeclaration);
export const charbonnierLoss = /* @__PURE__ */ lossKernel(charbonnierLossDeclaration);
export const cosFaceLoss = /* @__PURE__ */ classLossKernel(cosFaceLossDeclaration);
export const crossEntropy = /* @__PURE__ */ classLossKernel(crossEntropyDeclaration);
export const dpoLoss = /* @__PURE__ */ lossKernel(dpoLossDeclaration);
export const epsilonInsensitiveLoss = /* @__PURE__ */ lossKernel(epsilonInsensitiveLossDeclaration);
export const focalLoss = /* @__PURE__ */ classLossKernel(focalLossDeclaration);
export const generalizedCrossEntropy = /* @__PURE__ */ classLossKernel(
  generalizedCrossEntropyDeclaration,
);
export const hingeEmbeddingLoss = /* @__PURE__ */ lossKernel(hingeEmbeddingLossDeclaration);
export const huberLoss = /* @__PURE__ */ lossKernel(huberLossDeclaration);
export const jsd = /* @__PURE__ */ lossKernel(jsdDeclaration);
export const klDiv = /* @__PURE__ */ lossKernel(klDivDeclaration);
export const l1Loss = /* @__PURE__ */ lossKernel(l1LossDeclaration);
export const logCoshLoss = /* @__PURE__ */ lossKernel(logCoshLossDeclaration);
export const mapeLoss = /* @__PURE__ */ lossKernel(mapeLossDeclaration);
export const marginRankingLoss = /* @__PURE__ */ lossKernel(marginRankingLossDeclaration);
export const mseLoss = /* @__PURE__ */ lossKernel(mseLossDeclaration);
export const msleLoss = /* @__PURE__ */ lossKernel(msleLossDeclaration);
export const nllLoss = /* @__PURE__ */ classLossKernel(nllLossDeclaration);
export const poissonNllLoss = /* @__PURE__ */ lossKernel(poissonNllLossDeclaration);
export const polyLoss = /* @__PURE__ */ classLossKernel(polyLossDeclaration);
export const ppoClipLoss = /* @__PURE__ */ lossKernel(ppoClipLossDeclaration);
export const quantileLoss = /* @__PURE__ */ lossKernel(quantileLossDeclaration);
export const sigmoidFocalLoss = /* @__PURE__ */ lossKernel(sigmoidFocalLossDeclaration);
export const simpoLoss = /* @__PURE__ */ lossKernel(simpoLossDeclaration);
export const smoothL1Loss = /* @__PURE__ */ lossKernel(smoothL1LossDeclaration);
export const softMarginLoss = /* @__PURE__ */ lossKernel(softMarginLossDeclaration);
export const squaredHingeLoss = /* @__PURE__ */ lossKernel(squaredHingeLossDeclaration);
export const tvDistanceLoss = /* @__PURE__ */ lossKernel(tvDistanceLossDeclaration);
