// Every declared op, one line each: its function, and the types of its file. Their classes are in nn/modules.ts.
export { celu } from './activations/celu.ts';
export { elu } from './activations/elu.ts';
export { gelu } from './activations/gelu.ts';
export { hardshrink } from './activations/hardshrink.ts';
export { hardsigmoid } from './activations/hardsigmoid.ts';
export { hardswish } from './activations/hardswish.ts';
export { hardtanh } from './activations/hardtanh.ts';
export { leakyRelu } from './activations/leaky-relu.ts';
export { logsigmoid } from './activations/logsigmoid.ts';
export { mish } from './activations/mish.ts';
export { prelu } from './activations/prelu.ts';
export { quickGelu } from './activations/quick-gelu.ts';
export { reluSquared } from './activations/relu-squared.ts';
export { relu } from './activations/relu.ts';
export { relu6 } from './activations/relu6.ts';
export { rrelu, type RReluBounds, type RReluOptions } from './activations/rrelu.ts';
export { selu } from './activations/selu.ts';
export { sigmoid } from './activations/sigmoid.ts';
export { silu } from './activations/silu.ts';
export { snake, type SnakeActivation, type SnakeOptions } from './activations/snake.ts';
export { softcap } from './activations/softcap.ts';
export { softplus } from './activations/softplus.ts';
export { softshrink } from './activations/softshrink.ts';
export { softsign } from './activations/softsign.ts';
export { squareplus } from './activations/squareplus.ts';
export { swish } from './activations/swish.ts';
export { tanh } from './activations/tanh.ts';
export { tanhshrink } from './activations/tanhshrink.ts';
export { threshold } from './activations/threshold.ts';
export {
  scaledDotProductAttention,
  type ScaledDotProductAttentionOptions,
} from './attention/scaled-dot-product-attention.ts';
export { cosineSimilarity, type CosineSimilarityOptions } from './distances/cosine-similarity.ts';
export { pairwiseDistance, type PairwiseDistanceOptions } from './distances/pairwise-distance.ts';
export {
  embedding,
  type EmbeddingLayerOptions,
  type EmbeddingOptions,
  type Indices,
} from './embeddings/embedding.ts';
export {
  rotaryEmbedding,
  type RotaryEmbeddingLayerOptions,
  type RotaryEmbeddingOptions,
} from './embeddings/rotary-embedding.ts';
export { geglu } from './gated/geglu.ts';
export { glu } from './gated/glu.ts';
export { reglu } from './gated/reglu.ts';
export { swiglu, type SwigluPairOptions } from './gated/swiglu.ts';
export { binaryCrossEntropyWithLogits } from './losses/binary-cross-entropy-with-logits.ts';
export { binaryCrossEntropy } from './losses/binary-cross-entropy.ts';
export {
  adaptiveLogSoftmaxWithLoss,
  type AdaptiveLogSoftmaxModuleOptions,
  type AdaptiveLogSoftmaxOptions,
  type AdaptiveLogSoftmaxResult,
} from './losses/adaptive-log-softmax-with-loss.ts';
export { clipLoss, type ClipLossOptions } from './losses/clip-loss.ts';
export { contrastiveLoss, type ContrastiveLossOptions } from './losses/contrastive-loss.ts';
export { crossEntropy } from './losses/cross-entropy.ts';
export { arcFaceLoss } from './losses/arc-face-loss.ts';
export { cosFaceLoss } from './losses/cos-face-loss.ts';
export { diceLoss, type DiceLossOptions } from './losses/dice-loss.ts';
export { diceWithLogits } from './losses/dice-with-logits.ts';
export {
  cosineEmbeddingLoss,
  type CosineEmbeddingLossOptions,
} from './losses/cosine-embedding-loss.ts';
export { ctcLoss, type CtcLossOptions } from './losses/ctc-loss.ts';
export { distillationLoss, type DistillationLossOptions } from './losses/distillation-loss.ts';
export { focalLoss } from './losses/focal-loss.ts';
export { focalTverskyLoss } from './losses/focal-tversky-loss.ts';
export {
  gaussianNllLoss,
  type GaussianNllLoss,
  type GaussianNllSpecs,
} from './losses/gaussian-nll-loss.ts';
export { generalizedCrossEntropy } from './losses/generalized-cross-entropy.ts';
export { hingeEmbeddingLoss } from './losses/hinge-embedding-loss.ts';
export { huberLoss } from './losses/huber-loss.ts';
export { infoNceLoss, type InfoNceLossOptions } from './losses/info-nce-loss.ts';
export { jaccardLoss } from './losses/jaccard-loss.ts';
export { jsd } from './losses/jsd.ts';
export { klDiv } from './losses/kl-div.ts';
export { l1Loss } from './losses/l1-loss.ts';
export { marginRankingLoss } from './losses/margin-ranking-loss.ts';
export {
  linearCrossEntropy,
  type LinearCrossEntropyLossOptions,
  type LinearCrossEntropyOptions,
} from './losses/linear-cross-entropy.ts';
export { mseLoss } from './losses/mse-loss.ts';
export { multiMarginLoss } from './losses/multi-margin-loss.ts';
export { multilabelMarginLoss } from './losses/multilabel-margin-loss.ts';
export { multilabelSoftMarginLoss } from './losses/multilabel-soft-margin-loss.ts';
export { nllLoss } from './losses/nll-loss.ts';
export { ntXentLoss, type NtXentLossOptions } from './losses/nt-xent-loss.ts';
export { poissonNllLoss } from './losses/poisson-nll-loss.ts';
export { polyLoss } from './losses/poly-loss.ts';
export { sigLipLoss, type SigLipLossOptions } from './losses/sig-lip-loss.ts';
export { sigmoidFocalLoss } from './losses/sigmoid-focal-loss.ts';
export { smoothL1Loss } from './losses/smooth-l1-loss.ts';
export { supConLoss, type SupConLossOptions } from './losses/sup-con-loss.ts';
export { softMarginLoss } from './losses/soft-margin-loss.ts';
export { tripletMarginLoss, type TripletMarginLossOptions } from './losses/triplet-margin-loss.ts';
export {
  tripletMarginWithDistanceLoss,
  type DistanceFunction,
  type TripletMarginWithDistanceLossOptions,
} from './losses/triplet-margin-with-distance-loss.ts';
export { barronLoss } from './losses/barron-loss.ts';
export { charbonnierLoss } from './losses/charbonnier-loss.ts';
export { epsilonInsensitiveLoss } from './losses/epsilon-insensitive-loss.ts';
export { logCoshLoss } from './losses/log-cosh-loss.ts';
export { mapeLoss } from './losses/mape-loss.ts';
export { msleLoss } from './losses/msle-loss.ts';
export { quantileLoss } from './losses/quantile-loss.ts';
export { squaredHingeLoss } from './losses/squared-hinge-loss.ts';
export { asymmetricLoss } from './losses/asymmetric-loss.ts';
export { bprLoss } from './losses/bpr-loss.ts';
export { dpoLoss } from './losses/dpo-loss.ts';
export { ppoClipLoss } from './losses/ppo-clip-loss.ts';
export { simpoLoss } from './losses/simpo-loss.ts';
export { tvDistanceLoss } from './losses/tv-distance-loss.ts';
export { completeBoxIouLoss } from './losses/complete-box-iou-loss.ts';
export { distanceBoxIouLoss } from './losses/distance-box-iou-loss.ts';
export { generalizedBoxIouLoss } from './losses/generalized-box-iou-loss.ts';
export { coxPhLoss, type CoxPHLossOptions } from './losses/cox-ph-loss.ts';
export { grpoLoss, type GRPOLossOptions } from './losses/grpo-loss.ts';
export { listNetLoss, type ListNetLossOptions } from './losses/list-net-loss.ts';
export { tverskyLoss } from './losses/tversky-loss.ts';
export { batchNorm, type BatchNormModule, type BatchNormOptions } from './norms/batch-norm.ts';
export { groupNorm, type GroupNormOptions } from './norms/group-norm.ts';
export {
  instanceNorm,
  type InstanceNormModule,
  type InstanceNormOptions,
} from './norms/instance-norm.ts';
export { layerNorm, addLayerNorm } from './norms/layer-norm.ts';
export { localResponseNorm, type LocalResponseNormOptions } from './norms/local-response-norm.ts';
export { normalize, type NormalizeOptions } from './norms/normalize.ts';
export { rmsNorm, addRmsNorm } from './norms/rms-norm.ts';
export { entmax15 } from './rowwise/entmax15.ts';
export { gumbelSoftmax, type GumbelSoftmaxOptions } from './rowwise/gumbel-softmax.ts';
export { logSoftmax } from './rowwise/log-softmax.ts';
export { softmax } from './rowwise/softmax.ts';
export { softmax2d } from './rowwise/softmax2d.ts';
export { softmin } from './rowwise/softmin.ts';
export { sparsemax } from './rowwise/sparsemax.ts';
