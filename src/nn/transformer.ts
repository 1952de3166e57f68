// Stacks of a transformer's layers.
import { calling } from '../core/calling.ts';
import { describe } from '../core/describe.ts';
import { DTypeError } from '../core/errors.ts';
import { scope, undone } from '../core/scope.ts';
import type { Tensor } from '../core/tensor.ts';
import { checkNumber, checkOptionNames } from '../core/validate-options.ts';
import { checkIsModule, Module, type UnaryModule } from './module.ts';
import {
  TransformerDecoderLayer,
  TransformerEncoderLayer,
  type DecoderLayerCallOptions,
  type EncoderLayerCallOptions,
} from './transformer-layers.ts';

/** Options of `nn.TransformerEncoder` and `nn.TransformerDecoder`. */
export interface TransformerStackOptions {
  /** Applied to the last layer's result, such as `new nn.LayerNorm(dModel)`. Defaults to none. */
  norm?: UnaryModule | null;
}

/** What stacks of both kinds have: layers, named `layers.0`, `layers.1`, …, and a norm. */
export abstract class TransformerStack<
  L extends TransformerEncoderLayer | TransformerDecoderLayer,
  Inputs extends readonly unknown[],
> extends Module<Tensor, Inputs> {
  /** The layers, in order. */
  readonly layers: readonly L[];
  /** Applied to the last layer's result, or null. */
  readonly norm: UnaryModule | null;

  constructor(
    op: string,
    Kind: new (...args: ConstructorParameters<typeof TransformerEncoderLayer>) => L,
    layer: L,
    numLayers: number,
    options: TransformerStackOptions,
  ) {
    super();
    if (!(layer instanceof Kind)) {
      const expected = `a ${op}Layer`;
      throw new DTypeError({ op, argument: 'layer', expected, received: describe(layer) });
    }
    checkNumber(op, 'numLayers', numLayers, { min: 0, integer: true });
    checkOptionNames(op, options, ['norm']);
    const { norm = null } = options;
    if (norm !== null) checkIsModule(op, 'norm', norm);
    const { dModel, nhead, settings } = layer;
    const state = layer.stateDict();
    this.layers = undone(() =>
      Array.from({ length: numLayers }, () => {
        const copy = new Kind(dModel, nhead, settings);
        copy.loadStateDict(state);
        return copy;
      }),
    );
    this.layers.forEach((copy, i) => this.child(`layers.${i}`, copy.train(layer.training)));
    if (norm !== null) this.child('norm', norm);
    this.norm = norm;
  }

  /** `x` through all layers, by `step`, and the norm. */
  protected through(op: string, x: Tensor, step: (layer: L, x: Tensor) => Tensor): Tensor {
    return calling(op, () =>
      scope(() => {
        const y = this.layers.reduce((value, layer) => step(layer, value), x);
        return this.norm ? this.norm.forward(y) : y;
      }),
    );
  }
}

/** Options of a call of `nn.TransformerEncoder`. */
export interface EncoderCallOptions {
  /** As `srcMask` of each layer. */
  mask?: Tensor | null;
  /** As `srcKeyPaddingMask` of each layer. */
  srcKeyPaddingMask?: Tensor | null;
  /** A hint that `mask` is the causal one. Defaults to false. */
  isCausal?: boolean;
}

/**
 * `numLayers` copies of a layer, which begin with its weights and do not share them, and a norm. As
 * `torch.nn.TransformerEncoder`. The layer given is not a part of it.
 *
 * @example
 * const layer = new nn.TransformerEncoderLayer(512, 8, { batchFirst: true });
 * const encoder = new nn.TransformerEncoder(layer, 6, { norm: new nn.LayerNorm(512) });
 */
export class TransformerEncoder extends TransformerStack<
  TransformerEncoderLayer,
  [src: Tensor, options?: EncoderCallOptions]
> {
  constructor(
    encoderLayer: TransformerEncoderLayer,
    numLayers: number,
    options: TransformerStackOptions = {},
  ) {
    super('TransformerEncoder', TransformerEncoderLayer, encoderLayer, numLayers, options);
  }

  override forward(src: Tensor, options: EncoderCallOptions = {}): Tensor {
    const op = 'TransformerEncoder';
    checkOptionNames(op, options, ['mask', 'srcKeyPaddingMask', 'isCausal']);
    const { mask: srcMask = null, srcKeyPaddingMask = null, isCausal = false } = options;
    const given: EncoderLayerCallOptions = { srcMask, srcKeyPaddingMask, isCausal };
    return this.through(op, src, (layer, x) => layer.forward(x, given));
  }
}

/** `numLayers` copies of a decoder's layer, and a norm. As `torch.nn.TransformerDecoder`. */
export class TransformerDecoder extends TransformerStack<
  TransformerDecoderLayer,
  [tgt: Tensor, memory: Tensor, options?: DecoderLayerCallOptions]
> {
  constructor(
    decoderLayer: TransformerDecoderLayer,
    numLayers: number,
    options: TransformerStackOptions = {},
  ) {
    super('TransformerDecoder', TransformerDecoderLayer, decoderLayer, numLayers, options);
  }

  override forward(tgt: Tensor, memory: Tensor, options: DecoderLayerCallOptions = {}): Tensor {
    return this.through('TransformerDecoder', tgt, (layer, x) => layer.forward(x, memory, options));
  }
}
