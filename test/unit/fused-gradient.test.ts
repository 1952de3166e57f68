// Every kind of loss hands over the gradients that its forward pass wrote, and computes the same for another upstream gradient.
import { beforeAll, describe, expect, it, vi } from 'vitest';
import * as nonlin from '../../src/index.ts';
import { init, scope, tensor, type Device, type Reduction, type Tensor } from '../../src/index.ts';

let device: Device;
beforeAll(async () => {
  device = await init({ backend: 'cpu' });
});

type Options = { reduction: Reduction };
type Loss = (leaves: [Tensor, Tensor], options: Options) => Tensor;
type Shapes = [number[], number[]];

const ints = (values: number[], shape: number[] = [values.length]): Tensor =>
  tensor(values, { shape, dtype: 'int32', device });

/** One loss of each kind of site, with shapes of two tensors that need gradients. */
const LOSSES: Record<string, { shapes: Shapes; loss: Loss }> = {
  mseLoss: {
    shapes: [
      [2, 3],
      [1, 3],
    ],
    loss: ([a, b], options) => nonlin.mseLoss(a, b, options),
  },
  'crossEntropy of classes': {
    shapes: [[2, 3], [3]],
    loss: ([a, b], options) =>
      nonlin.crossEntropy(nonlin.add(a, b), ints([2, 0]), { ...options, weight: b.detach() }),
  },
  'crossEntropy of probabilities': {
    shapes: [
      [2, 3],
      [2, 3],
    ],
    loss: ([a, b], options) => nonlin.crossEntropy(a, b, options),
  },
  multiMarginLoss: {
    shapes: [[2, 3], [3]],
    loss: ([a, b], options) =>
      nonlin.multiMarginLoss(nonlin.add(a, b), ints([2, 0]), { ...options, weight: b.detach() }),
  },
  multilabelSoftMarginLoss: {
    shapes: [
      [2, 3],
      [2, 3],
    ],
    loss: ([a, b], options) => nonlin.multilabelSoftMarginLoss(a, b, options),
  },
  tripletMarginLoss: {
    shapes: [
      [2, 3],
      [2, 3],
    ],
    loss: ([a, b], options) => nonlin.tripletMarginLoss(a, b, nonlin.mul(a, b), options),
  },
  tverskyLoss: {
    shapes: [
      [2, 3],
      [2, 3],
    ],
    loss: ([a, b], options) =>
      nonlin.tverskyLoss(a, nonlin.sigmoid(b.detach()), { mode: 'multilabel', ...options }),
  },
  diceLoss: {
    shapes: [
      [2, 3],
      [2, 3],
    ],
    loss: ([a, b], options) => nonlin.diceLoss(a, b, options),
  },
  ctcLoss: {
    shapes: [[4, 2, 3], [3]],
    loss: ([a, b], options) =>
      nonlin.ctcLoss(nonlin.add(a, b), ints([1, 2], [2, 1]), [4, 3], [1, 1], options),
  },
  linearCrossEntropy: {
    shapes: [
      [2, 3],
      [4, 3],
    ],
    loss: ([a, b], options) => nonlin.linearCrossEntropy(a, b, ints([3, 1]), options),
  },
  adaptiveLogSoftmaxWithLoss: {
    shapes: [
      [2, 3],
      [3, 3],
    ],
    loss: ([a, b], options) => {
      const filled = (rows: number, columns: number): Tensor =>
        tensor(new Float32Array(rows * columns).fill(0.3), {
          shape: [rows, columns],
          dtype: a.dtype === 'float16' ? 'float16' : 'float32',
          device,
        });
      const tails = [[filled(2, 3), filled(2, 2)]] as const;
      return nonlin.adaptiveLogSoftmaxWithLoss(a, ints([3, 1]), b, tails, options);
    },
  },
};

/** Values between 0 and 1, none like another. */
const leaf = (shape: readonly number[], dtype: 'float32' | 'float16', shift: number): Tensor => {
  const size = shape.reduce((a, b) => a * b, 1);
  const values = Float32Array.from({ length: size }, (_, i) => ((7 * i + shift) % 16) / 17 + 0.03);
  return tensor(values, { shape: [...shape], dtype, device, requiresGrad: true });
};

describe.each(Object.entries(LOSSES))('%s', (_, { shapes, loss }) => {
  it.each(['float32', 'float16'] as const)('%s', async (dtype) => {
    /** The gradients of both leaves, for the upstream gradients that `backward` is given. */
    const gradients = async (
      reduction: Reduction,
      backward: (result: Tensor) => void,
    ): Promise<number[]> => {
      const leaves: [Tensor, Tensor] = [leaf(shapes[0], dtype, 3), leaf(shapes[1], dtype, 8)];
      backward(loss(leaves, { reduction }));
      const all: number[] = [];
      for (const { grad } of leaves) if (grad) all.push(...(await grad.data()));
      return all;
    };
    const filled = (value: number, { shape }: Tensor): Tensor =>
      tensor(new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(value), {
        shape: [...shape],
        dtype,
        device,
      });
    const fused = await gradients('sum', (result) => {
      result.backward();
    });
    expect(fused.some((value) => value !== 0)).toBe(true);
    const tolerance = dtype === 'float32' ? 1e-6 : 2e-3;
    const same = (computed: number[], factor: number): void => {
      expect(computed.length).toBe(fused.length);
      computed.forEach((value, i) => {
        expect(Math.abs(value - factor * (fused[i] ?? NaN))).toBeLessThanOrEqual(
          tolerance * factor,
        );
      });
    };
    for (const factor of [1, 2]) {
      for (const reduction of ['sum', 'none'] as const) {
        const computed = await gradients(reduction, (result) => {
          result.backward(filled(factor, result));
        });
        same(computed, factor);
      }
    }
    // Twice through one graph: what was saved is still there, and nobody's but the graph's.
    const twice = await gradients('sum', (result) => {
      result.backward(undefined, { retainGraph: true });
      result.backward();
    });
    same(twice, 2);
  });
});

/** Those whose backward pass is theirs alone. */
const OF_LEAVES = [
  'mseLoss',
  'crossEntropy of probabilities',
  'multilabelSoftMarginLoss',
  'diceLoss',
  'linearCrossEntropy',
  'adaptiveLogSoftmaxWithLoss',
];

describe.each(Object.entries(LOSSES))('%s', (name, { shapes, loss }) => {
  const ofLeaves = (): [Tensor, Tensor] => [
    leaf(shapes[0], 'float32', 3),
    leaf(shapes[1], 'float32', 8),
  ];

  if (OF_LEAVES.includes(name))
    it('launches nothing in backward()', () => {
      const leaves = ofLeaves();
      const result = loss(leaves, { reduction: 'mean' });
      const execute = vi.spyOn(device, 'execute');
      result.backward();
      expect(execute).not.toHaveBeenCalled();
      execute.mockRestore();
      expect(leaves.every(({ grad }) => grad !== null)).toBe(true);
    });

  it.each(['mean', 'none'] as const)('leaves no memory behind: %s', (reduction) => {
    const leaves = ofLeaves();
    const live = (): number => device.stats().liveBuffers;
    const before = live();
    const result = scope(() => loss(leaves, { reduction }));
    expect(live()).toBeGreaterThan(before);
    scope(() => {
      result.backward(reduction === 'none' ? result.detach() : undefined);
    });
    const grads = leaves.filter(({ grad }) => grad !== null).length;
    expect(live()).toBe(before + 1 + grads);
    for (const one of [result, leaves[0].grad, leaves[1].grad]) one?.dispose();
    expect(live()).toBe(before);
    // Without a backward pass, the graph goes with its result.
    scope(() => loss(leaves, { reduction })).dispose();
    expect(live()).toBe(before);
  });
});
