// Takes a task, and gives jax-js's training of it: a step is one function, compiled as a whole by its `jit`. Functions consume
// their arguments: `ref` keeps one for another use.
import {
  blockUntilReady,
  defaultDevice,
  init,
  jit,
  nn,
  numpy as np,
  tree,
  valueAndGrad,
  type Array as JaxArray,
} from '@jax-js/jax';
import type { AdamRule, GptModel, Learner, PerceptronModel, Task } from './types.ts';

type Weights = Record<string, JaxArray>;

/** A weight by its name. */
function weight(weights: Weights, name: string): JaxArray {
  const found = weights[name];
  if (!found) throw new Error(`no weight ${name}`);
  return found.ref;
}

const linear = (x: JaxArray, weights: Weights, name: string): JaxArray =>
  np.matmul(x, weight(weights, `${name}.weight`).transpose()).add(weight(weights, `${name}.bias`));

const layerNorm = (x: JaxArray, weights: Weights, name: string): JaxArray =>
  nn
    .standardize(x, -1)
    .mul(weight(weights, `${name}.weight`))
    .add(weight(weights, `${name}.bias`));

/** Indexing a table has no gradient under its `jit`; a product with rows of zeros and a one has. */
const crossEntropy = (logits: JaxArray, classes: JaxArray, columns: number): JaxArray => {
  const indices = np.arange(columns, undefined, 1, { dtype: np.int32 });
  const hit = np.equal(indices, classes.reshape([-1, 1]));
  const own = np.where(hit, logits.ref, 0).sum(-1);
  return nn.logsumexp(logits, -1).sub(own).mean();
};

function gptLoss({ batch, context, width, heads, layers }: GptModel, vocabulary: number) {
  const split = [batch, context, heads, width / heads];
  const rows = [batch * context, width];
  return (weights: Weights, x: JaxArray, y: JaxArray): JaxArray => {
    const tokens = weight(weights, 'tokens.weight');
    let h = np
      .matmul(nn.oneHot(x.reshape([-1]), vocabulary), tokens.ref)
      .reshape([batch, context, width])
      .add(weight(weights, 'positions.weight'))
      .reshape(rows);
    for (let i = 0; i < layers; i++) {
      const at = `blocks.${i}`;
      const z = layerNorm(h.ref, weights, `${at}.norm1`);
      const query = linear(z.ref, weights, `${at}.attention.query`).reshape(split);
      const key = linear(z.ref, weights, `${at}.attention.key`).reshape(split);
      const value = linear(z, weights, `${at}.attention.value`).reshape(split);
      const attended = nn.dotProductAttention(query, key, value, { isCausal: true }).reshape(rows);
      h = h.add(linear(attended, weights, `${at}.attention.output`));
      const normed = layerNorm(h.ref, weights, `${at}.norm2`);
      const up = nn.gelu(linear(normed, weights, `${at}.mlp.up`), { approximate: false });
      h = h.add(linear(up, weights, `${at}.mlp.down`));
    }
    const logits = np.matmul(layerNorm(h, weights, 'norm'), tokens.transpose());
    return crossEntropy(logits, y, vocabulary);
  };
}

function perceptronLoss({ sizes, activation }: PerceptronModel, names: readonly string[]) {
  const layers = names.filter((name) => name.endsWith('.weight')).map((name) => name.slice(0, -7));
  return (weights: Weights, x: JaxArray, y: JaxArray): JaxArray => {
    let h = x;
    layers.forEach((name, i) => {
      h = linear(h, weights, name);
      if (i + 1 < layers.length) h = activation === 'relu' ? nn.relu(h) : np.tanh(h);
    });
    return crossEntropy(h, y, sizes.at(-1) ?? 0);
  };
}

interface State {
  readonly weights: Weights;
  readonly first: Weights;
  readonly second: Weights;
}

/** By what the moments' bias is undone, which changes from step to step. */
interface Rates {
  readonly first: JaxArray;
  readonly second: JaxArray;
}

function update(
  { weights, first, second }: State,
  grads: Weights,
  rates: Rates,
  { learningRate, betas: [beta1, beta2], decay, maxNorm }: AdamRule,
): State {
  const next: { [K in keyof State]: Weights } = { weights: {}, first: {}, second: {} };
  const names = Object.keys(grads);
  let scale: JaxArray | null = null;
  if (maxNorm > 0) {
    const squares = names.map((name) => np.square(weight(grads, name)).sum());
    const total = squares.reduce((sum, square) => sum.add(square));
    scale = np.minimum(np.divide(maxNorm, np.sqrt(total).add(1e-6)), 1);
  }
  for (const name of names) {
    const old = weight(weights, name);
    const shrink = old.ndim > 1 ? 1 - learningRate * decay : 1;
    const grad = scale ? weight(grads, name).mul(scale.ref) : weight(grads, name);
    const m = weight(first, name)
      .mul(beta1)
      .add(grad.ref.mul(1 - beta1));
    const v = weight(second, name)
      .mul(beta2)
      .add(np.square(grad).mul(1 - beta2));
    const root = np.sqrt(v.ref.mul(rates.second.ref)).add(1e-8);
    const change = np.divide(m.ref.mul(rates.first.ref), root).mul(learningRate);
    next.first[name] = m;
    next.second[name] = v;
    next.weights[name] = old.mul(shrink).sub(change);
  }
  return next;
}

export async function learn({ model, vocabulary, weights, batches, rule }: Task): Promise<Learner> {
  const started = await init('webgpu');
  if (!started.includes('webgpu')) throw new Error('no WebGPU device');
  defaultDevice('webgpu');
  const names = weights.map(({ name }) => name);
  const lossOf = model.kind === 'gpt' ? gptLoss(model, vocabulary) : perceptronLoss(model, names);
  const rows = model.kind === 'gpt' ? [model.batch, model.context] : [model.batch, model.sizes[0]];
  const compiled = jit(
    (state: State, x: JaxArray, y: JaxArray, rates: Rates): [JaxArray, State] => {
      const [loss, grads] = valueAndGrad(lossOf)(tree.ref(state.weights), x, y);
      return [loss, update(state, grads, rates, rule)];
    },
  );
  const made = (fill?: 0): Weights =>
    Object.fromEntries(
      weights.map(({ name, shape, data }) => {
        const values = fill === undefined ? data : new Float32Array(data.length);
        return [name, np.array(values).reshape(shape)];
      }),
    );
  let state: State = { weights: made(), first: made(0), second: made(0) };
  let steps = 0;
  let pending: JaxArray[] = [];
  return {
    step: () => {
      const batch = batches[steps++ % batches.length];
      if (!batch) throw new Error('no batches');
      const [first, second] = rule.betas.map((beta) => np.array([1 / (1 - beta ** steps)]));
      if (!first || !second) throw new Error('no betas');
      const [loss, next] = compiled(state, np.array(batch.x).reshape(rows), np.array(batch.y), {
        first,
        second,
      });
      state = next;
      pending.push(loss);
    },
    losses: async () => {
      const read = pending;
      pending = [];
      // Reading is what makes it compute; and the last update comes with it.
      await blockUntilReady(state);
      const [only, ...more] = read;
      if (!only) return [];
      return Array.from(await (more.length > 0 ? np.stack(read) : only).data());
    },
    free: () => tree.dispose(state),
  };
}
