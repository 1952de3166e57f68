import { describe, expect, it } from 'vitest';
import type { Shaped } from '../../demo/training/header.ts';
import { perceptronOf } from '../../demo/training/perceptron.ts';

const digits = (inputs: number, outputs: number) => inputs === 784 && outputs === 10;
const file = (shapes: Readonly<Record<string, readonly number[]>>): Shaped[] =>
  Object.entries(shapes).map(([name, shape]) => ({ name, shape }));

describe('a perceptron in a file', () => {
  it.each([
    ['nn.Sequential', '0.weight', '2.weight', '4.weight', '0.bias', '2.bias', '4.bias'],
    [
      'a list of layers',
      'layers.0.weight',
      'layers.1.weight',
      'layers.10.weight',
      'layers.0.bias',
      'layers.1.bias',
      'layers.10.bias',
    ],
    [
      'fields',
      'model.fc1.weight',
      'model.fc2.weight',
      'model.out.weight',
      'model.fc1.bias',
      'model.fc2.bias',
      'model.out.bias',
    ],
    [
      'words in another order',
      'input.weight',
      'hidden.weight',
      'classifier.weight',
      'input.bias',
      'hidden.bias',
      'classifier.bias',
    ],
    [
      'Keras',
      'dense/kernel:0',
      'dense_1/kernel:0',
      'dense_2/kernel:0',
      'dense/bias:0',
      'dense_1/bias:0',
      'dense_2/bias:0',
    ],
    ['letters', 'W1', 'W2', 'W3', 'b1', 'b2', 'b3'],
  ])('is found by its sizes: %s', (_, first, second, third, one, two, three) => {
    const layers = [
      { weight: first, bias: one },
      { weight: second, bias: two },
      { weight: third, bias: three },
    ];
    const biases = { [one]: [256], [two]: [64], [three]: [10] };
    const sizes = [784, 256, 64, 10];
    expect(
      perceptronOf(
        file({ ...biases, [third]: [10, 64], [first]: [256, 784], [second]: [64, 256] }),
        digits,
      ),
    ).toEqual({ layers, sizes, transposed: false });
    expect(
      perceptronOf(
        file({ ...biases, [third]: [64, 10], [first]: [784, 256], [second]: [256, 64] }),
        digits,
      ),
    ).toEqual({ layers, sizes, transposed: true });
  });

  it('may have no biases, and layers of one size in the order of their names', () => {
    const shapes = {
      'l10.weight': [8, 8],
      'l2.weight': [8, 8],
      'l1.weight': [8, 784],
      'z.weight': [10, 8],
    };
    const { layers, sizes } = perceptronOf(file(shapes), digits);
    expect(layers.map(({ weight }) => weight)).toEqual([
      'l1.weight',
      'l2.weight',
      'l10.weight',
      'z.weight',
    ]);
    expect(layers.map(({ bias }) => bias)).toEqual([undefined, undefined, undefined, undefined]);
    expect(sizes).toEqual([784, 8, 8, 8, 10]);
  });

  it('is read the way round that its biases and its ends say', () => {
    const square = { 'a.weight': [2, 2], 'b.weight': [2, 2] };
    expect(perceptronOf(file(square), () => true).transposed).toBe(false);
    const rest = { 'a.weight': [2, 4], 'a.bias': [4], 'b.weight': [4, 2], 'b.bias': [2] };
    expect(perceptronOf(file(rest), () => true)).toMatchObject({
      transposed: true,
      sizes: [2, 4, 2],
    });
  });

  it('is not looked for without end', () => {
    const names = Array.from({ length: 20 }, (_, i) => [`${i}.weight`, [8, 8]] as const);
    const shapes = { ...Object.fromEntries(names), 'other.weight': [5, 7] };
    expect(() => perceptronOf(file(shapes), digits)).toThrow('lead from one to the next');
  });

  it.each([
    [{ 'conv1.weight': [8, 1, 3, 3] }, 'got conv1.weight of 4'],
    [{ 'fc.bias': [3] }, 'no weight of two dimensions'],
    [{ 'fc.weight': [3, 4], 'norm.weight': [3] }, 'norm.weight [3] is the bias of no weight'],
    [{ 'a.weight': [5, 784], 'b.weight': [10, 6] }, 'got a.weight [5, 784], b.weight [10, 6]'],
    [{ 'a.weight': [5, 7], 'b.weight': [3, 5] }, 'lead from 7 to 5 to 3, and no task'],
    [{ 'a.weight': [5, 784], 'a.bias': [6], 'b.weight': [10, 5] }, 'lead from one to the next'],
  ])('is not in %j', (shapes, words) => {
    expect(() => perceptronOf(file(shapes), digits)).toThrow(words);
  });
});
