// Types that public signatures name, so that an app's declarations can name them too.
export type { GradientDeviation } from './check-gradient.ts';
export type { Preparable } from './core/device.ts';
export type { FloatDType, NumericArray } from './core/dtype.ts';
export type { NumberView } from './core/host-data.ts';
export type { Shape } from './core/shape.ts';
export type { NumberRange } from './core/validate-options.ts';
export type { ValueRange } from './core/validate.ts';
export type {
  FileBlob,
  Gpu,
  GpuBuffer,
  GpuCommandEncoder,
  GpuDevice,
  HttpResponse,
  WebStream,
} from './core/host-types.ts';
export type {
  ActivationOptions,
  DefineActivation,
  InPlaceActivation,
} from './define/activation.ts';
export type { AddNorm, SumAndNorm } from './define/add-norm.ts';
export type { BoxLoss, BoxLossOptions } from './define/box-loss.ts';
export type { ChannelOperands } from './define/channel-norm.ts';
export type {
  AffineModule,
  AffineOptions,
  TrackingModule,
  TrackingOptions,
} from './define/channel-norm-module.ts';
export type { ClassLoss, ClassLossOptions } from './define/class-loss.ts';
export type { Contrastive, ContrastiveArguments, NegativesModule } from './define/contrastive.ts';
export type { DistanceLoss } from './define/distance-loss.ts';
export type { Gated, GatedOptions, PairedGated, PairOptions } from './define/gated.ts';
export type { InPlaceOption } from './define/in-place.ts';
export type {
  AnyLoss,
  DefineLoss,
  InputAndTarget,
  LossInputs,
  LossNumbers,
  LossOptions,
  LossWeights,
  NoTensors,
  TensorNames,
} from './define/loss-types.ts';
export type { MarginLoss, MarginLossOptions } from './define/margin-loss.ts';
export type {
  ActivationModule,
  GatedModule,
  LossModule,
  NumberLossModule,
  QuadrupleLossModule,
  TripleLossModule,
} from './define/module.ts';
export type { Norm, NormOperands, NormOptions } from './define/norm.ts';
export type { Accuracy, Declared, OpDocs, OpInfo, OpKind } from './define/op.ts';
export type {
  ChoiceSpec,
  NoParams,
  OptionsOf,
  ParamOptions,
  ParamSpec,
  ParamSpecs,
  ParamsOf,
  RangeSpec,
} from './define/params.ts';
export type { NormModuleOptions } from './define/norm-module.ts';
export type { AnyReduction, RowLossOptions } from './define/reduction.ts';
export type { RegionLoss, RegionLossOptions } from './define/region-loss.ts';
export type { MaskedOptions, OptionalRowwise, Rowwise, RowwiseOptions } from './define/rowwise.ts';
export type { TemperOptions } from './define/temper.ts';
export type { TailWeights } from './losses/adaptive-softmax.ts';
export type { CtcLengths } from './losses/ctc-sequences.ts';
export type { Arithmetic } from './math/arithmetic.ts';
export type { Fused, UnaryModule } from './nn/module.ts';
export type { Source } from './shader/link.ts';
