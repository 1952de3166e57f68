// Writes on: draws one token after another from what a model expects next, and says what each of its heads looked at.
import { cat, narrow, noGrad, reshape, scope, tensor, type Device } from 'nonlin';
import type { Gpt, Look } from './gpt.ts';

export interface DrawOptions {
  /** Logits are divided by it: below 1 the likely becomes likelier. 0 always takes the likeliest. */
  readonly temperature: number;
  /** Only the so many likeliest are drawn from; 0 is all. */
  readonly topK: number;
  /** Numbers in [0, 1). */
  readonly random: () => number;
}

export interface SampleOptions extends DrawOptions {
  /** Tokens to write. */
  readonly count: number;
}

/** A token, and what led to it. */
export interface Drawn {
  readonly token: number;
  /** As the model has it, whatever the temperature. */
  readonly probability: number;
  /** How many tokens before it were looked at. */
  readonly seen: number;
  /** The weight of each of these, head by head, layer by layer: layers · heads · seen numbers. */
  readonly attention: Float32Array;
}

/** Yields the tokens that follow `prompt`, each as soon as it is drawn. */
export async function* sample(
  model: Gpt,
  device: Device,
  prompt: Int32Array,
  options: SampleOptions,
): AsyncGenerator<number> {
  const written = [...prompt];
  for (let i = 0; i < options.count; i++) {
    const { logits } = await lookAhead(model, device, written, false);
    const next = draw(logits, options);
    written.push(next);
    yield next;
  }
}

/** The same with what led to each token; without end. Options may change from token to token. */
export async function* write(
  model: Gpt,
  device: Device,
  prompt: Int32Array,
  options: () => DrawOptions,
): AsyncGenerator<Drawn, never> {
  const written = [...prompt];
  while (true) {
    const { logits, attention } = await lookAhead(model, device, written, true);
    const token = draw(logits, options());
    const seen = Math.min(written.length, model.config.context);
    written.push(token);
    yield { token, probability: softmax(logits)[token] ?? 0, seen, attention };
  }
}

interface Ahead {
  /** Of what follows. */
  readonly logits: Float32Array;
  readonly attention: Float32Array;
}

/** What the model expects after the last of `tokens`. */
async function lookAhead(
  model: Gpt,
  device: Device,
  tokens: readonly number[],
  looks: boolean,
): Promise<Ahead> {
  const { context, width, heads } = model.config;
  const seen = tokens.slice(-context);
  // Always a whole context, so that shapes and pipelines stay the same: a token does not look at those behind it.
  const indices = new Int32Array(context);
  indices.set(seen);
  const position = Math.max(0, seen.length - 1);
  const training = model.training;
  model.eval();
  const results = noGrad(() =>
    scope(() => {
      const look: Look = { position, products: [] };
      const hidden = model.hidden(
        tensor(indices, { shape: [1, context], dtype: 'int32', device }),
        looks ? look : undefined,
      );
      const last = narrow(reshape(hidden, [context, width]), 0, position, 1);
      return [model.logits(last), ...(looks ? [cat(look.products, { dim: 1 })] : [])];
    }),
  );
  model.train(training);
  try {
    const [logits, products] = await Promise.all(results.map((result) => result.data()));
    return {
      logits: Float32Array.from(logits ?? []),
      attention: products
        ? weightsOf(products, context, seen.length, 1 / Math.sqrt(width / heads))
        : new Float32Array(0),
    };
  } finally {
    for (const result of results) result.dispose();
  }
}

/** The softmax of the first `seen` of each row of `context` scores. */
export function weightsOf(
  products: ArrayLike<number>,
  context: number,
  seen: number,
  scale: number,
): Float32Array {
  const rows = products.length / context;
  const weights = new Float32Array(rows * seen);
  for (let row = 0; row < rows; row++) {
    const scores = Array.from(
      { length: seen },
      (_, i) => scale * (products[row * context + i] ?? 0),
    );
    weights.set(softmax(scores), row * seen);
  }
  return weights;
}

function softmax(scores: ArrayLike<number>): number[] {
  const values = Array.from(scores);
  const most = values.reduce((a, b) => Math.max(a, b), -Infinity);
  const powers = values.map((value) => Math.exp(value - most));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}

/** An index, as likely as the softmax of its logit says. */
export function draw(
  logits: ArrayLike<number>,
  { temperature, topK, random }: DrawOptions,
): number {
  const order = Array.from(logits, (logit, index) => ({ logit, index })).sort(
    (a, b) => b.logit - a.logit,
  );
  const [first] = order;
  if (!first) throw new RangeError('no logits');
  if (temperature === 0) return first.index;
  const among = topK > 0 ? order.slice(0, topK) : order;
  const weights = among.map(({ logit }) => Math.exp((logit - first.logit) / temperature));
  let left = random() * weights.reduce((sum, weight) => sum + weight, 0);
  for (const [i, { index }] of among.entries()) {
    left -= weights[i] ?? 0;
    if (left < 0) return index;
  }
  return first.index;
}
