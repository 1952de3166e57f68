/**
 * Every module class, under PyTorch's names, with `init` and `utils`. Functions are exported by `nonlin`.
 *
 * @module nonlin/nn
 */
export { Identity, ModuleDict, ModuleList } from './containers.ts';
export * from './layers.ts';
export * as init from './init/index.ts';
export type {
  AttentionCallOptions,
  AttentionResult,
  MultiheadAttentionOptions,
} from './attention-parameters.ts';
export { MultiheadAttention } from './multihead-attention.ts';
export {
  TransformerDecoderLayer,
  TransformerEncoderLayer,
  type DecoderLayerCallOptions,
  type EncoderLayerCallOptions,
  type TransformerLayer,
  type TransformerLayerOptions,
} from './transformer-layers.ts';
export {
  TransformerDecoder,
  TransformerEncoder,
  type EncoderCallOptions,
  type TransformerStack,
  type TransformerStackOptions,
} from './transformer.ts';
export type { LoadStateOptions, LoadStateResult } from './load-state.ts';
export { Module, type AnyModule } from './module.ts';
export * from './modules.ts';
export * as utils from './utils/index.ts';
