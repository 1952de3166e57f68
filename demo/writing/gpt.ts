// A small GPT: token embedding, pre-norm blocks of causal attention and an MLP, a last norm, and a head whose weight is the
// token embedding.
import {
  add,
  dropout,
  gelu,
  linear,
  linearCrossEntropy,
  matmul,
  narrow,
  nn,
  reluSquared,
  reshape,
  scaledDotProductAttention,
  swiglu,
  transpose,
  type Device,
  type Tensor,
} from 'nonlin';
import type { GptConfig } from './config.ts';

/** A wish to see what one token looks at. */
export interface Look {
  readonly position: number;
  /** Filled layer by layer: the products of its query with the keys of all tokens, [1, heads, 1, tokens], before scale, mask and softmax. */
  readonly products: Tensor[];
}

/** Standard deviation of the first weights in GPT-2, which has so many numbers per token. */
const GPT2 = { std: 0.02, width: 768 };

/** Softmax attention of each token to those before it and itself. */
class CausalAttention extends nn.Module {
  readonly #config: GptConfig;
  readonly #query: nn.Linear;
  readonly #key: nn.Linear;
  readonly #value: nn.Linear;
  readonly #output: nn.Linear;
  readonly #rotary: nn.RotaryEmbedding | null;

  constructor(config: GptConfig, device: Device) {
    super();
    const { width, heads, context, positions } = config;
    this.#config = config;
    this.#query = this.child('query', new nn.Linear(width, width, { device }));
    this.#key = this.child('key', new nn.Linear(width, width, { device }));
    this.#value = this.child('value', new nn.Linear(width, width, { device }));
    this.#output = this.child('output', new nn.Linear(width, width, { device }));
    this.#rotary =
      positions === 'rotary'
        ? this.child(
            'rotary',
            new nn.RotaryEmbedding(width / heads, { maxPositions: context, device }),
          )
        : null;
  }

  /** x [batch, tokens, width]. */
  override forward(x: Tensor): Tensor {
    return this.attend(x, undefined);
  }

  attend(x: Tensor, look: Look | undefined): Tensor {
    const query = this.#turned(this.#heads(this.#query.forward(x)));
    const key = this.#turned(this.#heads(this.#key.forward(x)));
    const value = this.#heads(this.#value.forward(x));
    // beside the attention, which never has its weights in memory
    look?.products.push(matmul(narrow(query, 2, look.position, 1), transpose(key, 2, 3)));
    const attended = scaledDotProductAttention(query, key, value, { isCausal: true });
    return this.#output.forward(reshape(transpose(attended, 1, 2), x.shape));
  }

  /** [batch, tokens, width] → [batch, heads, tokens, width / heads]. */
  #heads(x: Tensor): Tensor {
    const [batch = 0, tokens = 0, width = 0] = x.shape;
    const { heads } = this.#config;
    return transpose(reshape(x, [batch, tokens, heads, width / heads]), 1, 2);
  }

  #turned(x: Tensor): Tensor {
    return this.#rotary?.forward(x) ?? x;
  }
}

/** Two linear layers, the first followed by the activation. */
class Mlp extends nn.Module {
  readonly #activation: GptConfig['activation'];
  readonly #up: nn.Linear;
  readonly #down: nn.Linear;

  constructor({ width, activation }: GptConfig, device: Device) {
    super();
    // A gate takes half of what the first layer gives: with 8/3 instead of 4 times the width there are as many weights.
    const gated = activation === 'swiglu';
    const inner = gated ? 8 * Math.ceil(width / 3) : 4 * width;
    this.#activation = activation;
    this.#up = this.child('up', new nn.Linear(width, gated ? 2 * inner : inner, { device }));
    this.#down = this.child('down', new nn.Linear(inner, width, { device }));
  }

  override forward(x: Tensor): Tensor {
    const { weight, bias } = this.#up;
    switch (this.#activation) {
      case 'swiglu':
        return this.#down.forward(swiglu(this.#up.forward(x)));
      case 'gelu':
        return this.#down.forward(linear(x, weight, { bias, activation: gelu }));
      case 'reluSquared':
        return this.#down.forward(linear(x, weight, { bias, activation: reluSquared }));
    }
  }
}

class Block extends nn.Module {
  readonly #dropout: number;
  readonly #norm1: Norm;
  readonly #attention: CausalAttention;
  readonly #norm2: Norm;
  readonly #mlp: Mlp;

  constructor(config: GptConfig, device: Device) {
    super();
    this.#dropout = config.dropout;
    this.#norm1 = this.child('norm1', makeNorm(config, device));
    this.#attention = this.child('attention', new CausalAttention(config, device));
    this.#norm2 = this.child('norm2', makeNorm(config, device));
    this.#mlp = this.child('mlp', new Mlp(config, device));
  }

  override forward(x: Tensor): Tensor {
    return this.pass(x, undefined);
  }

  pass(x: Tensor, look: Look | undefined): Tensor {
    const attended = add(x, this.#drop(this.#attention.attend(this.#norm1.forward(x), look)));
    return add(attended, this.#drop(this.#mlp.forward(this.#norm2.forward(attended))));
  }

  #drop(x: Tensor): Tensor {
    return this.#dropout === 0 ? x : dropout(x, { p: this.#dropout, training: this.training });
  }
}

type Norm = nn.LayerNorm | nn.RMSNorm;

function makeNorm({ norm, width }: GptConfig, device: Device): Norm {
  return norm === 'layerNorm'
    ? new nn.LayerNorm([width], { device })
    : new nn.RMSNorm([width], { device });
}

export class Gpt extends nn.Module {
  readonly config: GptConfig;
  readonly #tokens: nn.Embedding;
  readonly #positions: nn.Embedding | null;
  readonly #blocks: readonly Block[];
  readonly #norm: Norm;

  constructor(config: GptConfig, device: Device) {
    super();
    const { vocabulary, context, width, layers, positions } = config;
    this.config = config;
    this.#tokens = this.child('tokens', new nn.Embedding(vocabulary, width, { device }));
    this.#positions =
      positions === 'learned'
        ? this.child('positions', new nn.Embedding(context, width, { device }))
        : null;
    this.#blocks = Array.from({ length: layers }, (_, i) =>
      this.child(`blocks.${i}`, new Block(config, device)),
    );
    this.#norm = this.child('norm', makeNorm(config, device));
    this.#initialise();
  }

  /** The last hidden state of each token: [batch, tokens, width] of indices [batch, tokens]. */
  override forward(indices: Tensor): Tensor {
    return this.hidden(indices, undefined);
  }

  /** The same, with what one token looks at where that is wished. */
  hidden(indices: Tensor, look: Look | undefined): Tensor {
    let x = this.#tokens.forward(indices);
    if (this.#positions) {
      const tokens = indices.shape[1] ?? 0;
      // The table has a row for each position of a whole context.
      x = add(x, this.#positions.forward(Int32Array.from({ length: tokens }, (_, i) => i)));
    }
    for (const block of this.#blocks) x = block.pass(x, look);
    return this.#norm.forward(x);
  }

  /** The mean cross-entropy of what follows each token, without the logits in memory at once. */
  loss(indices: Tensor, targets: Tensor): Tensor {
    const hidden = reshape(this.forward(indices), [targets.size, this.config.width]);
    return linearCrossEntropy(hidden, this.#tokens.weight, targets);
  }

  /** Logits [rows, vocabulary] of hidden states [rows, width]. */
  logits(hidden: Tensor): Tensor {
    return linear(hidden, this.#tokens.weight);
  }

  /** Small normal weights; those that add to the residual stream are smaller, the more layers add to it. */
  #initialise(): void {
    const { width, layers } = this.config;
    // Products of `width` terms spread as far as GPT-2's: with its own numbers a narrow model takes hundreds of steps to look round.
    const std = GPT2.std * Math.sqrt(GPT2.width / width);
    const residual = std / Math.sqrt(2 * layers);
    for (const [name, parameter] of this.namedParameters()) {
      if (parameter.rank < 2) {
        if (name.endsWith('bias')) nn.init.zeros_(parameter);
        continue;
      }
      const adds = name.endsWith('output.weight') || name.endsWith('down.weight');
      nn.init.normal_(parameter, { std: adds ? residual : std });
    }
  }
}

/** Number of learned numbers. */
export function parameterCount(model: nn.Module): number {
  return model.parameters().reduce((sum, { size }) => sum + size, 0);
}
