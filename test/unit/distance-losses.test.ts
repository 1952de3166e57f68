// Modules of the distance and sequence losses, distances of the caller's, lengths as plain numbers, and values by hand.
import { describe, expect, it } from 'vitest';
import {
  cosineSimilarity,
  ctcLoss,
  cosineEmbeddingLoss,
  init,
  IndexOutOfRangeError,
  logSoftmax,
  nn,
  noGrad,
  pairwiseDistance,
  ShapeError,
  sub,
  tensor,
  tripletMarginLoss,
  tripletMarginWithDistanceLoss,
  type Tensor,
} from '../../src/index.ts';
import { randomNumbers } from '../calls.ts';

const device = await init({ backend: 'cpu' });
const random = randomNumbers(4);
const drawn = (...shape: number[]): Tensor =>
  tensor(
    Float32Array.from({ length: shape.reduce((n, d) => n * d, 1) }, () => 2 * random() - 1),
    { shape, device, requiresGrad: true },
  );
const read = async (t: Tensor | null): Promise<number[]> => [...((await t?.data()) ?? [])];

describe('modules', () => {
  it('give what their functions give', async () => {
    const [a, b, c] = [drawn(4, 3), drawn(4, 3), drawn(4, 3)];
    const labels = tensor([1, -1, 1, -1], { device });
    const pairs: [Tensor, Tensor][] = [
      [
        new nn.CosineEmbeddingLoss({ margin: 0.25 }).forward(a, b, labels),
        cosineEmbeddingLoss(a, b, labels, { margin: 0.25 }),
      ],
      [
        new nn.TripletMarginLoss({ p: 1, swap: true }).forward(a, b, c),
        tripletMarginLoss(a, b, c, { p: 1, swap: true }),
      ],
      [
        new nn.TripletMarginWithDistanceLoss({ margin: 2 }).forward(a, b, c),
        tripletMarginLoss(a, b, c, { margin: 2 }),
      ],
      [
        new nn.PairwiseDistance({ keepdim: true }).forward(a, b),
        pairwiseDistance(a, b, { keepdim: true }),
      ],
      [new nn.CosineSimilarity({ dim: 0 }).forward(a, b), cosineSimilarity(a, b, { dim: 0 })],
    ];
    for (const [one, other] of pairs) {
      expect(one.shape).toEqual(other.shape);
      expect(await read(one)).toEqual(await read(other));
    }
    const logProbs = noGrad(() => logSoftmax(drawn(5, 2, 3), { dim: -1 }));
    const targets = tensor([1, 2, 2, 1], { shape: [2, 2], dtype: 'int32', device });
    const module = new nn.CTCLoss({ blank: 0, reduction: 'sum' });
    expect(await read(module.forward(logProbs, targets, [5, 4], [2, 1]))).toEqual(
      await read(ctcLoss(logProbs, targets, [5, 4], [2, 1], { reduction: 'sum' })),
    );
  });
});

describe('tripletMarginWithDistanceLoss', () => {
  it.each([false, true])('with a function of the caller is as with ours, swap %s', async (swap) => {
    const leaves = [drawn(5, 4), drawn(5, 4), drawn(5, 4)] as const;
    const fused = tripletMarginLoss(...leaves, { p: 3, margin: 2, swap });
    fused.backward();
    const expected = await Promise.all(leaves.map(({ grad }) => read(grad)));
    for (const leaf of leaves) leaf.grad = null;
    const distanceFunction = (x: Tensor, y: Tensor): Tensor => pairwiseDistance(x, y, { p: 3 });
    const before = device.stats().liveBuffers;
    const composed = tripletMarginWithDistanceLoss(...leaves, {
      distanceFunction,
      margin: 2,
      swap,
    });
    composed.backward();
    expect((await composed.item()) / (await fused.item())).toBeCloseTo(1, 6);
    for (const [i, leaf] of leaves.entries()) {
      const got = await read(leaf.grad);
      got.forEach((g, k) => {
        expect(g).toBeCloseTo(expected[i]?.[k] ?? NaN, 6);
      });
    }
    composed.dispose();
    for (const leaf of leaves) leaf.grad?.dispose();
    // What the distance function made is gone.
    expect(device.stats().liveBuffers).toBe(before);
  });

  it('refuses distances of different shapes', () => {
    const distanceFunction = (x: Tensor, y: Tensor): Tensor => (x === y ? x : sub(x, y));
    const [a, b] = [drawn(2, 3), drawn(1, 3)];
    expect(() => tripletMarginWithDistanceLoss(a, a, b, { distanceFunction })).not.toThrow();
    expect(() => tripletMarginWithDistanceLoss(b, b, a, { distanceFunction })).toThrow(ShapeError);
  });
});

describe('distances by hand', () => {
  const x = tensor([3, 0, 0, 1], { shape: [2, 2], device });
  const y = tensor([0, 4, 0, 1], { shape: [2, 2], device });
  it.each([
    [2, [5, 0]],
    [1, [7, 0]],
    [0, [2, 0]],
    [Infinity, [4, 0]],
    [-Infinity, [3, 0]],
    [-1, [12 / 7, 0]],
  ])('p = %s', async (p, expected) => {
    const got = await read(pairwiseDistance(x, y, { p, eps: 0 }));
    got.forEach((d, i) => {
      expect(d).toBeCloseTo(expected[i] ?? NaN, 6);
    });
  });

  it('the gradient of a norm of 0 is 0, and that of a cosine passes through the bound', async () => {
    const zero = tensor([0, 0], { shape: [1, 2], device, requiresGrad: true });
    const one = tensor([0, 2], { shape: [1, 2], device, requiresGrad: true });
    pairwiseDistance(zero, zero.detach(), { eps: 0 }).backward(tensor([1], { device }));
    expect(await read(zero.grad)).toEqual([0, 0]);
    zero.grad = null;
    // y / (eps |y|)
    cosineSimilarity(zero, one, { eps: 0.5 }).backward(tensor([1], { device }));
    expect(await read(zero.grad)).toEqual([0, 2]);
  });
});

describe('ctcLoss', () => {
  it('of one label in two steps is the sum of its three paths', async () => {
    const p = [0.5, 0.5, 0.25, 0.75];
    const logProbs = tensor(p.map(Math.log), { shape: [2, 2], device });
    const loss = ctcLoss(logProbs, tensor([1], { dtype: 'int32', device }), [2], [1]);
    // blank label, label blank, label label
    expect(Math.exp(-(await loss.item()))).toBeCloseTo(0.5 * 0.75 + 0.5 * 0.25 + 0.5 * 0.75, 6);
  });

  it('ignores what is past the end of a padded sequence', async () => {
    const logProbs = tensor(new Float32Array(12).fill(-1), { shape: [2, 2, 3], device });
    const of = (padding: number): Tensor =>
      ctcLoss(
        logProbs,
        tensor([1, padding, 2, padding], { shape: [2, 2], dtype: 'int32', device }),
        [2, 2],
        [1, 1],
      );
    expect(await of(-7).item()).toBe(await of(0).item());
    expect(() =>
      ctcLoss(
        logProbs,
        tensor([1, 3, 2, 3], { shape: [2, 2], dtype: 'int32', device }),
        [2, 2],
        [1, 2],
      ),
    ).toThrow(IndexOutOfRangeError);
  });
});
