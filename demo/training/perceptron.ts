// Takes the names and shapes of a file's tensors, and gives the multilayer perceptron that they are of, or says why they are
// of none.
import type { Shaped } from './header.ts';

/** A linear layer, by the names of its tensors. */
export interface FileLayer {
  readonly weight: string;
  readonly bias: string | undefined;
}

export interface Perceptron {
  readonly layers: readonly FileLayer[];
  /** Inputs, units of each hidden layer, outputs. */
  readonly sizes: readonly number[];
  /** Weights are [inputs, outputs], as Keras and JAX have them, not [outputs, inputs], as PyTorch does. */
  readonly transposed: boolean;
}

/** A file that holds something else; the message says what. */
export class PerceptronError extends Error {
  override readonly name = 'PerceptronError';
}

/** What is said of layers that lead from and to other sizes than tasks do. */
export const withoutTask = (sizes: readonly number[]): PerceptronError =>
  new PerceptronError(`its layers lead from ${sizes.join(' to ')}, and no task of this page does`);

interface Pair {
  readonly weight: Shaped;
  readonly bias: Shaped | undefined;
}

/** Orders of layers are tried for so many steps: many layers of one size have more orders than can be tried. */
const MOST_TRIES = 5000;

/**
 * Layers are found by the sizes that lead from one to the next; names only say which bias is of which weight, and which order is
 * tried first. `fits` says whether a network may lead from so many inputs to so many outputs.
 */
export function perceptronOf(
  tensors: readonly Shaped[],
  fits: (inputs: number, outputs: number) => boolean,
): Perceptron {
  const pairs = pairsOf(tensors);
  const whole: Perceptron[] = [];
  for (const transposed of [false, true]) {
    for (const chain of chainsOf(pairs, transposed)) {
      const sizes = [inputsOf(chain[0], transposed), ...chain.map((p) => outputsOf(p, transposed))];
      const layers = chain.map(({ weight, bias }) => ({ weight: weight.name, bias: bias?.name }));
      whole.push({ layers, sizes, transposed });
      if (fits(sizes[0] ?? 0, sizes.at(-1) ?? 0)) return { layers, sizes, transposed };
    }
  }
  const [first] = whole;
  if (first) throw withoutTask(first.sizes);
  const shapes = pairs.map(({ weight: { name, shape } }) => `${name} [${shape.join(', ')}]`);
  throw new PerceptronError(
    `expected layers whose sizes lead from one to the next, got ${shapes.join(', ')}`,
  );
}

/** Weights with their biases, in the order of their names. */
function pairsOf(tensors: readonly Shaped[]): Pair[] {
  const natural = new Intl.Collator('en', { numeric: true });
  const sorted = [...tensors].sort((a, b) => natural.compare(a.name, b.name));
  const odd = sorted.find(({ shape }) => shape.length !== 1 && shape.length !== 2);
  if (odd) {
    throw new PerceptronError(
      `expected weights of two dimensions and biases of one, as a multilayer perceptron has, got ${odd.name} of ${odd.shape.length}`,
    );
  }
  const weights = sorted.filter(({ shape }) => shape.length === 2);
  if (weights.length === 0) throw new PerceptronError('there is no weight of two dimensions in it');
  const biases = new Map(
    sorted.filter(({ shape }) => shape.length === 1).map((bias) => [stem(bias.name), bias]),
  );
  const pairs = weights.map((weight) => {
    const bias = biases.get(stem(weight.name));
    biases.delete(stem(weight.name));
    return { weight, bias };
  });
  const [left] = biases.values();
  if (left) {
    throw new PerceptronError(
      `${left.name} [${left.shape.join(', ')}] is the bias of no weight: a multilayer perceptron of linear layers has no other tensors`,
    );
  }
  return pairs;
}

/** What a weight's name and its bias's have in common. */
const stem = (name: string): string =>
  name.toLowerCase().replace(/weights?|kernel|bias|(?<![a-z])[wb](?![a-z])/g, '*');

const inputsOf = (pair: Pair | undefined, transposed: boolean): number =>
  pair?.weight.shape[transposed ? 0 : 1] ?? 0;
const outputsOf = (pair: Pair | undefined, transposed: boolean): number =>
  pair?.weight.shape[transposed ? 1 : 0] ?? 0;

/** Every order in which all layers lead from one to the next; that of their names comes first if it is one. */
function* chainsOf(
  pairs: readonly Pair[],
  transposed: boolean,
  tries = { left: MOST_TRIES },
  chain: readonly Pair[] = [],
): Generator<readonly Pair[]> {
  const last = chain.at(-1);
  if (pairs.length === 0) yield chain;
  for (const [i, pair] of pairs.entries()) {
    const { bias } = pair;
    if (last && inputsOf(pair, transposed) !== outputsOf(last, transposed)) continue;
    if (bias && bias.shape[0] !== outputsOf(pair, transposed)) continue;
    if (tries.left-- <= 0) return;
    yield* chainsOf(pairs.toSpliced(i, 1), transposed, tries, [...chain, pair]);
  }
}
