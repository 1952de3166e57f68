// The module class of every declared op, one line each, and the types that the class takes or gives. Their functions are in ops.ts.
export { CELU } from '../activations/celu.ts';
export { ELU } from '../activations/elu.ts';
export { GELU } from '../activations/gelu.ts';
export { Hardshrink } from '../activations/hardshrink.ts';
export { Hardsigmoid } from '../activations/hardsigmoid.ts';
export { Hardswish } from '../activations/hardswish.ts';
export { Hardtanh } from '../activations/hardtanh.ts';
export { LeakyReLU } from '../activations/leaky-relu.ts';
export { LogSigmoid } from '../activations/logsigmoid.ts';
export { Mish } from '../activations/mish.ts';
export { PReLU } from '../activations/prelu.ts';
export { QuickGELU } from '../activations/quick-gelu.ts';
export { ReLUSquared } from '../activations/relu-squared.ts';
export { ReLU } from '../activations/relu.ts';
export { ReLU6 } from '../activations/relu6.ts';
export { RReLU, type RReluBounds } from '../activations/rrelu.ts';
export { SELU } from '../activations/selu.ts';
export { Sigmoid } from '../activations/sigmoid.ts';
export { SiLU } from '../activations/silu.ts';
export { Snake } from '../activations/snake.ts';
export { Softcap } from '../activations/softcap.ts';
export { Softplus } from '../activations/softplus.ts';
export { Softshrink } from '../activations/softshrink.ts';
export { Softsign } from '../activations/softsign.ts';
export { Squareplus } from '../activations/squareplus.ts';
export { Swish } from '../activations/swish.ts';
export { Tanh } from '../activations/tanh.ts';
export { Tanhshrink } from '../activations/tanhshrink.ts';
export { Threshold } from '../activations/threshold.ts';
export { CosineSimilarity, type CosineSimilarityOptions } from '../distances/cosine-similarity.ts';
export { PairwiseDistance, type PairwiseDistanceOptions } from '../distances/pairwise-distance.ts';
export { Embedding, type EmbeddingLayerOptions, type Indices } from '../embeddings/embedding.ts';
export {
  RotaryEmbedding,
  type RotaryEmbeddingLayerOptions,
} from '../embeddings/rotary-embedding.ts';
export { GEGLU } from '../gated/geglu.ts';
export { GLU } from '../gated/glu.ts';
export { ReGLU } from '../gated/reglu.ts';
export { SwiGLU, type SwigluPairOptions } from '../gated/swiglu.ts';
export { BCEWithLogitsLoss } from '../losses/binary-cross-entropy-with-logits.ts';
export { BCELoss } from '../losses/binary-cross-entropy.ts';
export {
  AdaptiveLogSoftmaxWithLoss,
  type AdaptiveLogSoftmaxModuleOptions,
  type AdaptiveLogSoftmaxResult,
} from '../losses/adaptive-log-softmax-with-loss.ts';
export { ClipLoss, type ClipLossOptions } from '../losses/clip-loss.ts';
export { ContrastiveLoss, type ContrastiveLossOptions } from '../losses/contrastive-loss.ts';
export { CrossEntropyLoss } from '../losses/cross-entropy.ts';
export { ArcFaceLoss } from '../losses/arc-face-loss.ts';
export { CosFaceLoss } from '../losses/cos-face-loss.ts';
export { DiceLoss, type DiceLossOptions } from '../losses/dice-loss.ts';
export { DiceWithLogitsLoss } from '../losses/dice-with-logits.ts';
export {
  CosineEmbeddingLoss,
  type CosineEmbeddingLossOptions,
} from '../losses/cosine-embedding-loss.ts';
export { CTCLoss, type CtcLossOptions } from '../losses/ctc-loss.ts';
export { DistillationLoss, type DistillationLossOptions } from '../losses/distillation-loss.ts';
export { FocalLoss } from '../losses/focal-loss.ts';
export { FocalTverskyLoss } from '../losses/focal-tversky-loss.ts';
export { GaussianNLLLoss } from '../losses/gaussian-nll-loss.ts';
export { GeneralizedCrossEntropyLoss } from '../losses/generalized-cross-entropy.ts';
export { HingeEmbeddingLoss } from '../losses/hinge-embedding-loss.ts';
export { HuberLoss } from '../losses/huber-loss.ts';
export { InfoNceLoss, type InfoNceLossOptions } from '../losses/info-nce-loss.ts';
export { JaccardLoss } from '../losses/jaccard-loss.ts';
export { JSDLoss } from '../losses/jsd.ts';
export { KLDivLoss } from '../losses/kl-div.ts';
export { L1Loss } from '../losses/l1-loss.ts';
export { MarginRankingLoss } from '../losses/margin-ranking-loss.ts';
export {
  LinearCrossEntropyLoss,
  type LinearCrossEntropyLossOptions,
} from '../losses/linear-cross-entropy.ts';
export { MSELoss } from '../losses/mse-loss.ts';
export { MultiMarginLoss } from '../losses/multi-margin-loss.ts';
export { MultiLabelMarginLoss } from '../losses/multilabel-margin-loss.ts';
export { MultiLabelSoftMarginLoss } from '../losses/multilabel-soft-margin-loss.ts';
export { NLLLoss } from '../losses/nll-loss.ts';
export { NtXentLoss, type NtXentLossOptions } from '../losses/nt-xent-loss.ts';
export { PoissonNLLLoss } from '../losses/poisson-nll-loss.ts';
export { PolyLoss } from '../losses/poly-loss.ts';
export { SigLipLoss, type SigLipLossOptions } from '../losses/sig-lip-loss.ts';
export { SigmoidFocalLoss } from '../losses/sigmoid-focal-loss.ts';
export { SmoothL1Loss } from '../losses/smooth-l1-loss.ts';
export { SupConLoss, type SupConLossOptions } from '../losses/sup-con-loss.ts';
export { SoftMarginLoss } from '../losses/soft-margin-loss.ts';
export { TripletMarginLoss, type TripletMarginLossOptions } from '../losses/triplet-margin-loss.ts';
export {
  TripletMarginWithDistanceLoss,
  type DistanceFunction,
  type TripletMarginWithDistanceLossOptions,
} from '../losses/triplet-margin-with-distance-loss.ts';
export { BarronLoss } from '../losses/barron-loss.ts';
export { CharbonnierLoss } from '../losses/charbonnier-loss.ts';
export { EpsilonInsensitiveLoss } from '../losses/epsilon-insensitive-loss.ts';
export { LogCoshLoss } from '../losses/log-cosh-loss.ts';
export { MAPELoss } from '../losses/mape-loss.ts';
export { MSLELoss } from '../losses/msle-loss.ts';
export { QuantileLoss } from '../losses/quantile-loss.ts';
export { SquaredHingeLoss } from '../losses/squared-hinge-loss.ts';
export { AsymmetricLoss } from '../losses/asymmetric-loss.ts';
export { BPRLoss } from '../losses/bpr-loss.ts';
export { DPOLoss } from '../losses/dpo-loss.ts';
export { PPOClipLoss } from '../losses/ppo-clip-loss.ts';
export { SimPOLoss } from '../losses/simpo-loss.ts';
export { TVDistanceLoss } from '../losses/tv-distance-loss.ts';
export { CompleteBoxIoULoss } from '../losses/complete-box-iou-loss.ts';
export { DistanceBoxIoULoss } from '../losses/distance-box-iou-loss.ts';
export { GeneralizedBoxIoULoss } from '../losses/generalized-box-iou-loss.ts';
export { CoxPHLoss, type CoxPHLossOptions } from '../losses/cox-ph-loss.ts';
export { GRPOLoss, type GRPOLossOptions } from '../losses/grpo-loss.ts';
export { ListNetLoss, type ListNetLossOptions } from '../losses/list-net-loss.ts';
export { TverskyLoss } from '../losses/tversky-loss.ts';
export {
  BatchNorm1d,
  BatchNorm2d,
  BatchNorm3d,
  type BatchNormModule,
} from '../norms/batch-norm.ts';
export { GroupNorm } from '../norms/group-norm.ts';
export {
  InstanceNorm1d,
  InstanceNorm2d,
  InstanceNorm3d,
  type InstanceNormModule,
} from '../norms/instance-norm.ts';
export { LayerNorm } from '../norms/layer-norm.ts';
export { LocalResponseNorm, type LocalResponseNormOptions } from '../norms/local-response-norm.ts';
export { RMSNorm } from '../norms/rms-norm.ts';
export { Entmax15 } from '../rowwise/entmax15.ts';
export { GumbelSoftmax, type GumbelSoftmaxOptions } from '../rowwise/gumbel-softmax.ts';
export { LogSoftmax } from '../rowwise/log-softmax.ts';
export { Softmax } from '../rowwise/softmax.ts';
export { Softmax2d } from '../rowwise/softmax2d.ts';
export { Softmin } from '../rowwise/softmin.ts';
export { Sparsemax } from '../rowwise/sparsemax.ts';
