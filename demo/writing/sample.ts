// Writes on: draws one token after another from what a model expects next.
import { narrow, noGrad, reshape, scope, tensor, type Device } from 'nonlin';
import type { Gpt } from './gpt.ts';

export interface SampleOptions {
  /** Tokens to write. */
  readonly count: number;
  /** Logits are divided by it: below 1 the likely becomes likelier. 0 always takes the likeliest. */
  readonly temperature: number;
  /** Only the so many likeliest are drawn from; 0 is all. */
  readonly topK: number;
  /** Numbers in [0, 1). */
  readonly random: () => number;
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
    const logits = await nextLogits(model, device, written);
    const next = draw(logits, options);
    written.push(next);
    yield next;
  }
}

/** The logits of what follows the last of `tokens`. */
async function nextLogits(
  model: Gpt,
  device: Device,
  tokens: readonly number[],
): Promise<Float32Array> {
  const { context, width } = model.config;
  const seen = tokens.slice(-context);
  // Always a whole context, so that shapes and pipelines stay the same: a token does not look at those behind it.
  const indices = new Int32Array(context);
  indices.set(seen);
  const training = model.training;
  model.eval();
  const logits = noGrad(() =>
    scope(() => {
      const hidden = model.forward(
        tensor(indices, { shape: [1, context], dtype: 'int32', device }),
      );
      const last = narrow(reshape(hidden, [context, width]), 0, Math.max(0, seen.length - 1), 1);
      return model.logits(last);
    }),
  );
  model.train(training);
  try {
    return Float32Array.from(await logits.data());
  } finally {
    logits.dispose();
  }
}

/** An index, as likely as the softmax of its logit says. */
export function draw(
  logits: ArrayLike<number>,
  { temperature, topK, random }: Omit<SampleOptions, 'count'>,
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
