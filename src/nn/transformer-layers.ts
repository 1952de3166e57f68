// The layers of a transformer: attention and a feed-forward network, each with a residual connection and a norm.
import { gelu } from '../activations/gelu.ts';
import { relu } from '../activations/relu.ts';
import { calling } from '../core/calling.ts';
import { currentDevice } from '../core/current.ts';
import { describe } from '../core/describe.ts';
import type { Device } from '../core/device.ts';
import type { FloatDType } from '../core/dtype.ts';
import { OptionError } from '../core/errors.ts';
import { scope, undone } from '../core/scope.ts';
import type { Tensor } from '../core/tensor.ts';
import { checkPlacement } from '../core/validate.ts';
import { checkBoolean, checkNumber, checkOptionNames } from '../core/validate-options.ts';
import type { Activation } from '../define/activation.ts';
import type { NoParams } from '../define/params.ts';
import { add } from '../math/arithmetic.ts';
import { dropout } from '../math/dropout.ts';
import { linear } from '../math/linear.ts';
import { LayerNorm } from '../norms/layer-norm.ts';
import { Linear } from './layers.ts';
import { Module, type UnaryModule } from './module.ts';
import type { AttentionCallOptions } from './attention-parameters.ts';
import { MultiheadAttention } from './multihead-attention.ts';

/** Options of `nn.TransformerEncoderLayer` and `nn.TransformerDecoderLayer`. */
export interface TransformerLayerOptions {
  /** Width of the feed-forward network. Defaults to 2048. */
  dimFeedforward?: number;
  /** Probability of dropping an element in training mode: of attention's weights, of the hidden layer, of what is added. Defaults to 0.1. */
  dropout?: number;
  /** What follows the first layer of the feed-forward network: `'relu'` (default), `'gelu'`, or a function of a tensor. */
  activation?: 'relu' | 'gelu' | ((x: Tensor) => Tensor);
  /** Defaults to 1e-5. */
  layerNormEps?: number;
  /** Whether inputs are [N, L, E] instead of [L, N, E]. Defaults to false. */
  batchFirst?: boolean;
  /** Whether norms stand before attention and feed-forward, instead of behind the sum. Defaults to false. */
  normFirst?: boolean;
  /** Whether linear layers and norms have biases. Defaults to true. */
  bias?: boolean;
  /** Defaults to the device of the latest `init()`. */
  device?: Device;
  /** Defaults to `'float32'`. */
  dtype?: FloatDType;
}

const OPTIONS = [
  'dimFeedforward',
  'dropout',
  'activation',
  'layerNormEps',
  'batchFirst',
  'normFirst',
  'bias',
  'device',
  'dtype',
];

/** What a layer was made with, all defaults in place. */
type Settings = Required<TransformerLayerOptions>;

function settingsOf(
  op: string,
  dModel: number,
  nhead: number,
  options: TransformerLayerOptions,
): Settings {
  checkOptionNames(op, options, OPTIONS);
  const settings: Settings = {
    dimFeedforward: 2048,
    dropout: 0.1,
    activation: 'relu',
    layerNormEps: 1e-5,
    batchFirst: false,
    normFirst: false,
    bias: true,
    dtype: 'float32',
    ...options,
    device: options.device ?? currentDevice(),
  };
  checkNumber(op, 'dModel', dModel, { min: 1, integer: true });
  checkNumber(op, 'nhead', nhead, { min: 1, integer: true });
  if (dModel % nhead !== 0) {
    throw new OptionError({
      op,
      argument: 'nhead',
      expected: `a divisor of dModel (${dModel})`,
      received: String(nhead),
    });
  }
  const { dimFeedforward, activation, layerNormEps, device, dtype } = settings;
  checkNumber(op, 'dimFeedforward', dimFeedforward, { min: 1, integer: true });
  checkNumber(op, 'dropout', settings.dropout, { min: 0, max: 1 });
  checkNumber(op, 'layerNormEps', layerNormEps, { min: 0 });
  for (const name of ['batchFirst', 'normFirst', 'bias'] as const)
    checkBoolean(op, name, settings[name]);
  if (activation !== 'relu' && activation !== 'gelu' && typeof activation !== 'function') {
    throw new OptionError({
      op,
      argument: 'activation',
      expected: "'relu' | 'gelu', or a function of a tensor",
      received: describe(activation),
    });
  }
  checkPlacement(op, device, dtype);
  return settings;
}

/** What layers of both kinds are made of. */
export abstract class TransformerLayer<Inputs extends readonly unknown[]> extends Module<
  Tensor,
  Inputs
> {
  /** The length of input and result. */
  readonly dModel: number;
  /** How many heads there are. */
  readonly nhead: number;
  /** @internal */
  readonly settings: Settings;
  /** The attention of the sequence to itself. */
  readonly selfAttn: MultiheadAttention;
  /** Attention to the memory, of a decoder's layer. */
  protected readonly crossAttn: MultiheadAttention | null;
  /** The first linear layer of the feed-forward network. */
  readonly linear1: Linear;
  /** The second. */
  readonly linear2: Linear;
  readonly norms: readonly UnaryModule[];

  constructor(
    op: string,
    dModel: number,
    nhead: number,
    options: TransformerLayerOptions,
    crosses: boolean,
  ) {
    super();
    const settings = settingsOf(op, dModel, nhead, options);
    this.dModel = dModel;
    this.nhead = nhead;
    this.settings = settings;
    const { dimFeedforward, layerNormEps: eps, batchFirst, bias, device, dtype } = settings;
    const common = { bias, device, dtype };
    const attention = { ...common, dropout: settings.dropout, batchFirst };
    const made = undone(() => ({
      selfAttn: new MultiheadAttention(dModel, nhead, attention),
      crossAttn: crosses ? new MultiheadAttention(dModel, nhead, attention) : null,
      linear1: new Linear(dModel, dimFeedforward, common),
      linear2: new Linear(dimFeedforward, dModel, common),
      norms: Array.from(
        { length: crosses ? 3 : 2 },
        () => new LayerNorm(dModel, { eps, ...common }),
      ),
    }));
    this.selfAttn = this.child('self_attn', made.selfAttn);
    this.crossAttn = made.crossAttn && this.child('multihead_attn', made.crossAttn);
    this.linear1 = this.child('linear1', made.linear1);
    this.linear2 = this.child('linear2', made.linear2);
    this.norms = made.norms.map((norm, i) => this.child(`norm${i + 1}`, norm));
  }

  /** x and a part of the layer, with the `index`-th norm before the part or behind the sum. */
  protected residual(x: Tensor, index: number, part: (x: Tensor) => Tensor): Tensor {
    const norm = this.norms[index];
    if (!norm) throw new RangeError('no norm');
    return this.settings.normFirst
      ? add(x, this.drop(part(norm.forward(x))))
      : norm.forward(add(x, this.drop(part(x))));
  }

  protected drop(x: Tensor): Tensor {
    const p = this.settings.dropout;
    return dropout(x, { p, training: this.training && p > 0 });
  }

  protected feedForward(x: Tensor): Tensor {
    const { activation } = this.settings;
    const fn = activation === 'relu' ? relu : activation === 'gelu' ? gelu : activation;
    const { weight, bias } = this.linear1;
    const hidden =
      'epilogue' in fn
        ? linear(x, weight, { bias, activation: fn as Activation<NoParams> })
        : fn(this.linear1.forward(x));
    return this.linear2.forward(this.drop(hidden));
  }

  protected attend(
    attention: MultiheadAttention,
    x: Tensor,
    memory: Tensor,
    options: AttentionCallOptions,
  ): Tensor {
    return attention.forward(x, memory, memory, { ...options, needWeights: false }).output;
  }
}

/** Options of a call of `nn.TransformerEncoderLayer`. */
export interface EncoderLayerCallOptions {
  /** As `attnMask` of `MultiheadAttention`: what is nonzero is not attended to; floats are added. */
  srcMask?: Tensor | null;
  /** As its `keyPaddingMask`. */
  srcKeyPaddingMask?: Tensor | null;
  /** A hint that `srcMask` is the causal one. Defaults to false. */
  isCausal?: boolean;
}

/**
 * x + attention(x), then x + linear2(activation(linear1(x))), with dropout of what is added and a norm behind each sum, or
 * before each part with `normFirst`. As `torch.nn.TransformerEncoderLayer`, with its names of parameters.
 *
 * @example
 * const layer = new nn.TransformerEncoderLayer(512, 8, { batchFirst: true, normFirst: true, activation: 'gelu' });
 * const y = layer.forward(x, { srcKeyPaddingMask }); // x: [N, L, 512]
 */
export class TransformerEncoderLayer extends TransformerLayer<
  [src: Tensor, options?: EncoderLayerCallOptions]
> {
  constructor(dModel: number, nhead: number, options: TransformerLayerOptions = {}) {
    super('TransformerEncoderLayer', dModel, nhead, options, false);
  }

  override forward(src: Tensor, options: EncoderLayerCallOptions = {}): Tensor {
    const op = 'TransformerEncoderLayer';
    checkOptionNames(op, options, ['srcMask', 'srcKeyPaddingMask', 'isCausal']);
    const { srcMask = null, srcKeyPaddingMask = null, isCausal = false } = options;
    const masks = { attnMask: srcMask, keyPaddingMask: srcKeyPaddingMask, isCausal };
    return calling(op, () =>
      scope(() => {
        const x = this.residual(src, 0, (y) => this.attend(this.selfAttn, y, y, masks));
        return this.residual(x, 1, (y) => this.feedForward(y));
      }),
    );
  }
}

/** Options of a call of `nn.TransformerDecoderLayer`. */
export interface DecoderLayerCallOptions {
  /** For the target's attention to itself, as `attnMask` of `MultiheadAttention`. */
  tgtMask?: Tensor | null;
  /** For its attention to the memory. */
  memoryMask?: Tensor | null;
  /** As `keyPaddingMask` of `MultiheadAttention`, for the target. */
  tgtKeyPaddingMask?: Tensor | null;
  /** The same for the memory. */
  memoryKeyPaddingMask?: Tensor | null;
  /** A hint that `tgtMask` is the causal one. Defaults to false. */
  tgtIsCausal?: boolean;
  /** A hint that `memoryMask` is the causal one. Defaults to false. */
  memoryIsCausal?: boolean;
}

const DECODER_OPTIONS = [
  'tgtMask',
  'memoryMask',
  'tgtKeyPaddingMask',
  'memoryKeyPaddingMask',
  'tgtIsCausal',
  'memoryIsCausal',
];

/**
 * As `TransformerEncoderLayer`, with attention of the target to a memory, the encoder's result, between attention to itself
 * and feed-forward. As `torch.nn.TransformerDecoderLayer`, with its names of parameters.
 */
export class TransformerDecoderLayer extends TransformerLayer<
  [tgt: Tensor, memory: Tensor, options?: DecoderLayerCallOptions]
> {
  constructor(dModel: number, nhead: number, options: TransformerLayerOptions = {}) {
    super('TransformerDecoderLayer', dModel, nhead, options, true);
  }

  override forward(tgt: Tensor, memory: Tensor, options: DecoderLayerCallOptions = {}): Tensor {
    const op = 'TransformerDecoderLayer';
    checkOptionNames(op, options, DECODER_OPTIONS);
    const { tgtMask = null, tgtKeyPaddingMask = null, tgtIsCausal = false } = options;
    const { memoryMask = null, memoryKeyPaddingMask = null, memoryIsCausal = false } = options;
    const own = { attnMask: tgtMask, keyPaddingMask: tgtKeyPaddingMask, isCausal: tgtIsCausal };
    const cross = {
      attnMask: memoryMask,
      keyPaddingMask: memoryKeyPaddingMask,
      isCausal: memoryIsCausal,
    };
    const { crossAttn } = this;
    if (!crossAttn) throw new RangeError('no attention to the memory');
    return calling(op, () =>
      scope(() => {
        const x = this.residual(tgt, 0, (y) => this.attend(this.selfAttn, y, y, own));
        const z = this.residual(x, 1, (y) => this.attend(crossAttn, y, memory, cross));
        return this.residual(z, 2, (y) => this.feedForward(y));
      }),
    );
  }
}
