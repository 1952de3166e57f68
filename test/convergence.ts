// Takes a device and digits, and gives a test per loss that a small model learns with it: digits by class losses, a line
// through points with outliers by regression losses. A loss is added by a line of a table.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { PIXELS, SIDE, sliceDigits, toFloats, type Digits } from '../demo/training/digits.ts';
import {
  binaryCrossEntropyWithLogits,
  clipLoss,
  crossEntropy,
  focalLoss,
  gaussianNllLoss,
  huberLoss,
  l1Loss,
  linear,
  linearCrossEntropy,
  logSoftmax,
  manualSeed,
  matmul,
  mseLoss,
  multilabelMarginLoss,
  multilabelSoftMarginLoss,
  multiMarginLoss,
  narrow,
  nllLoss,
  nn,
  noGrad,
  normalize,
  optim,
  poissonNllLoss,
  polyLoss,
  scope,
  smoothL1Loss,
  supConLoss,
  tensor,
  transpose,
  tverskyLoss,
  type Device,
  type Tensor,
} from '../src/index.ts';
import { randomNumbers } from './calls/draw.ts';
import { openOn } from './open.ts';

const CLASSES = 10;
/** Digits are averaged over blocks of 4 x 4 pixels: 7 x 7 of them. */
const BLOCK = 4;
const FEATURES = (SIDE / BLOCK) ** 2;
const TRAINING = 512;
const HELD_OUT = 500;
const STEPS = 60;
/** Of the held-out digits: a tenth would be chance. A linear model of this size reaches 0.74 to 0.8. */
const ACCURACY = 0.7;

/** The classes of digits in all the forms that losses take. */
interface Labels {
  /** int32 [N]. */
  readonly indices: Tensor;
  /** float32 [N, 10]. */
  readonly oneHot: Tensor;
  /** int32 [N, 10]: lists of one label. */
  readonly lists: Tensor;
}

/** What is trained: a loss of features, and scores of all classes, to tell how often they are right. */
interface Learner {
  readonly parameters: Tensor[];
  readonly loss: (features: Tensor, labels: Labels) => Tensor;
  readonly scores: (features: Tensor) => Tensor;
  /** The learning rate at first; 0.2 by default. */
  readonly lr?: number;
}

/** A linear layer, and a loss of its scores. */
const onScores =
  (loss: (scores: Tensor, labels: Labels) => Tensor) =>
  (device: Device): Learner => {
    const layer = new nn.Linear(FEATURES, CLASSES, { device });
    return {
      parameters: layer.parameters(),
      loss: (features, labels) => loss(layer.forward(features), labels),
      scores: (features) => layer.forward(features),
    };
  };

/** With layers of its own: digits 0 to 3 in the shortlist, the others in two clusters. */
const adaptive = (device: Device): Learner => {
  const module = new nn.AdaptiveLogSoftmaxWithLoss(FEATURES, CLASSES, [4, 7], {
    divValue: 2,
    headBias: true,
    device,
  });
  return {
    parameters: module.parameters(),
    loss: (features, { indices }) => module.forward(features, indices).loss,
    scores: (features) => module.logProb(features),
  };
};

/** The last layer within the loss. */
const fused = (device: Device): Learner => {
  const { weight, bias } = new nn.Linear(FEATURES, CLASSES, { device });
  if (!bias) throw new Error('a layer without bias');
  return {
    parameters: [weight, bias],
    loss: (features, { indices }) =>
      linearCrossEntropy(features, weight, indices, { linearBias: bias }),
    scores: (features) => linear(features, weight, { bias }),
  };
};

const CLASS_LOSSES: Readonly<Record<string, (device: Device) => Learner>> = {
  crossEntropy: onScores((x, { indices }) => crossEntropy(x, indices)),
  'crossEntropy of probabilities': onScores((x, { oneHot }) => crossEntropy(x, oneHot)),
  nllLoss: onScores((x, { indices }) => nllLoss(logSoftmax(x, { dim: 1 }), indices)),
  focalLoss: onScores((x, { indices }) => focalLoss(x, indices)),
  polyLoss: onScores((x, { indices }) => polyLoss(x, indices)),
  multiMarginLoss: onScores((x, { indices }) => multiMarginLoss(x, indices)),
  'multiMarginLoss squared': onScores((x, { indices }) => multiMarginLoss(x, indices, { p: 2 })),
  multilabelMarginLoss: onScores((x, { lists }) => multilabelMarginLoss(x, lists)),
  multilabelSoftMarginLoss: onScores((x, { oneHot }) => multilabelSoftMarginLoss(x, oneHot)),
  adaptiveLogSoftmaxWithLoss: adaptive,
  linearCrossEntropy: fused,
  binaryCrossEntropyWithLogits: onScores((x, { oneHot }) =>
    binaryCrossEntropyWithLogits(x, oneHot),
  ),
};

/** Elements of an embedding. */
const EMBEDDING = 16;
/** Embeddings that are compared with each other. */
const COMPARED = 300;
const some = (x: Tensor): Tensor => narrow(x, 0, 0, COMPARED);

/** Embeddings of digits, each compared with a direction of its class. */
const byClip = (device: Device): Learner => {
  const layer = new nn.Linear(FEATURES, EMBEDDING, { device });
  const classes = new nn.Linear(CLASSES, EMBEDDING, { device, bias: false });
  const unit = (x: Tensor): Tensor => normalize(x);
  const scale = tensor(1.5, { device, requiresGrad: true });
  return {
    parameters: [...layer.parameters(), ...classes.parameters(), scale],
    lr: 0.02,
    loss: (features, { oneHot }) =>
      clipLoss(unit(layer.forward(some(features))), unit(classes.forward(some(oneHot))), {
        logitScale: scale,
      }),
    scores: (features) =>
      scope(() => {
        const directions = unit(transpose(classes.weight, 0, 1));
        return matmul(unit(layer.forward(features)), transpose(directions, 0, 1));
      }),
  };
};

/** Embeddings of which those of one class are to be alike; scores by the mean embedding of each class. */
const bySupCon = (device: Device): Learner => {
  const layer = new nn.Linear(FEATURES, EMBEDDING, { device });
  let means: (() => Tensor) | null = null;
  return {
    parameters: layer.parameters(),
    lr: 0.02,
    loss: (features, { indices, oneHot }) => {
      means = () => matmul(transpose(oneHot, 0, 1), normalize(layer.forward(features)));
      return supConLoss(layer.forward(some(features)), some(indices), { temperature: 0.5 });
    },
    scores: (features) =>
      scope(() => {
        if (!means) throw new Error('not trained');
        return matmul(normalize(layer.forward(features)), transpose(normalize(means()), 0, 1));
      }),
  };
};

/** What is learned by comparing embeddings of frozen features. */
const EMBEDDING_LOSSES: Readonly<Record<string, (device: Device) => Learner>> = {
  clipLoss: byClip,
  supConLoss: bySupCon,
};

/** Of pictures with a small bright and a small dark disc in each: the pixels with those around them, and what they are of. */
interface Pictures {
  readonly pixels: Float32Array;
  readonly kinds: Int32Array;
}

const PICTURE = 20;
const WINDOW = 9;

/** Discs cover some 8 % of a picture each; the noise is half as strong as they are. */
function picturesOf(count: number, seed: number): Pictures {
  const random = randomNumbers(seed);
  const size = PICTURE * PICTURE;
  const kinds = new Int32Array(count * size);
  const pixels = new Float32Array(count * size * WINDOW);
  for (let picture = 0; picture < count; picture++) {
    const discs = [1, 2].map((kind) => ({
      kind,
      row: (kind === 1 ? 5 : 15) + 2 * (random() - 0.5),
      column: 3 + 14 * random(),
    }));
    const noisy = Float32Array.from({ length: size }, (_, i) => {
      const [row, column] = [Math.floor(i / PICTURE), i % PICTURE];
      const disc = discs.find((one) => Math.hypot(row - one.row, column - one.column) < 3.2);
      kinds[picture * size + i] = disc?.kind ?? 0;
      const light = disc ? (disc.kind === 1 ? 1 : -1) : 0;
      return light + 1.6 * (random() + random() - 1);
    });
    for (let i = 0; i < size; i++) {
      for (let k = 0; k < WINDOW; k++) {
        const row = Math.floor(i / PICTURE) + Math.floor(k / 3) - 1;
        const column = (i % PICTURE) + (k % 3) - 1;
        const inside = Math.min(row, column) >= 0 && Math.max(row, column) < PICTURE;
        const at = (picture * size + i) * WINDOW + k;
        pixels[at] = inside ? (noisy[row * PICTURE + column] ?? 0) : 0;
      }
    }
  }
  return { pixels, kinds };
}

/** Of the pixels that are of a kind, or are taken for it, how many are both. */
function overlapOf(scores: ArrayLike<number>, { kinds }: Pictures, kind: number): number {
  let [both, either] = [0, 0];
  kinds.forEach((own, i) => {
    const row = [0, 1, 2].map((c) => scores[3 * i + c] ?? NaN);
    const taken = row.indexOf(Math.max(...row)) === kind;
    both += Number(taken && own === kind);
    either += Number(taken || own === kind);
  });
  return both / either;
}

interface Regression {
  readonly loss: (predicted: Tensor, target: Tensor) => Tensor;
  readonly points: () => { x: Float32Array; y: Float32Array };
  /** The slope and intercept to be found. */
  readonly fit: (x: Float32Array, y: Float32Array) => [slope: number, intercept: number];
}

/** Losses that a tenth of points far off leave the line where it is. */
const robust = { points: pointsWithOutliers, fit: (): [number, number] => [2, -1] };
const squares = { points: pointsWithOutliers, fit: leastSquares };

const REGRESSION_LOSSES: Readonly<Record<string, Regression>> = {
  mseLoss: { loss: (x, y) => mseLoss(x, y), ...squares },
  l1Loss: { loss: (x, y) => l1Loss(x, y), ...robust },
  huberLoss: { loss: (x, y) => huberLoss(x, y, { delta: 0.2 }), ...robust },
  smoothL1Loss: { loss: (x, y) => smoothL1Loss(x, y, { beta: 0.2 }), ...robust },
  'gaussianNllLoss of one variance': {
    loss: (x, y) => {
      const variance = new Float32Array(x.size).fill(0.5);
      return gaussianNllLoss(x, y, tensor(variance, { shape: x.shape, device: x.device }));
    },
    ...squares,
  },
  poissonNllLoss: {
    loss: (x, y) => poissonNllLoss(x, y),
    points: countsWithOutliers,
    fit: poissonFit,
  },
};

/** Steps of Adam with a learning rate that falls to a hundredth; returns the first and the last loss. */
export async function train(
  parameters: Tensor[],
  lr: number,
  steps: number,
  lossOf: () => Tensor,
): Promise<[first: number, last: number]> {
  const optimizer = new optim.Adam(parameters, { lr });
  const read: Promise<number>[] = [];
  for (let step = 0; step < steps; step++) {
    optimizer.lr = lr * 0.01 ** (step / steps);
    const loss = scope(() => {
      const result = lossOf();
      optimizer.zeroGrad();
      result.backward();
      optimizer.step();
      return result;
    });
    if (step === 0 || step === steps - 1) read.push(loss.item());
    loss.dispose();
  }
  const [first = NaN, last = NaN] = await Promise.all(read);
  optimizer.zeroGrad();
  optimizer.dispose();
  return [first, last];
}

/** Means over blocks of pixels, from -0.5 (paper) to 0.5 (ink). */
function featuresOf({ count, pixels }: Digits): Float32Array {
  const features = new Float32Array(count * FEATURES).fill(-0.5);
  const side = SIDE / BLOCK;
  toFloats(pixels).forEach((value, i) => {
    const digit = Math.floor(i / PIXELS);
    const [row, column] = [Math.floor((i % PIXELS) / SIDE), i % SIDE];
    const at = digit * FEATURES + Math.floor(row / BLOCK) * side + Math.floor(column / BLOCK);
    features[at] = (features[at] ?? NaN) + value / BLOCK ** 2;
  });
  return features;
}

function labelsOf({ labels, count }: Digits, device: Device): Labels {
  const oneHot = new Float32Array(count * CLASSES);
  const lists = new Int32Array(count * CLASSES).fill(-1);
  labels.forEach((label, i) => {
    oneHot[i * CLASSES + label] = 1;
    lists[i * CLASSES] = label;
  });
  const shape = [count, CLASSES];
  return {
    indices: tensor(Int32Array.from(labels), { dtype: 'int32', device }),
    oneHot: tensor(oneHot, { shape, device }),
    lists: tensor(lists, { shape, dtype: 'int32', device }),
  };
}

function accuracyOf(scores: Float32Array | Int32Array, labels: Uint8Array): number {
  let right = 0;
  labels.forEach((label, i) => {
    const own = [...scores.subarray(i * CLASSES, (i + 1) * CLASSES)];
    right += Number(own.indexOf(Math.max(...own)) === label);
  });
  return right / labels.length;
}

/** 200 points of y = 2 x - 1 with a little noise, every tenth of them far above. */
function pointsWithOutliers(): { x: Float32Array; y: Float32Array } {
  const random = randomNumbers(11);
  const x = Float32Array.from({ length: 200 }, () => 2 * random() - 1);
  const y = x.map((v, i) => 2 * v - 1 + 0.1 * (random() - 0.5) + (i % 10 === 0 ? 10 : 0));
  return { x, y };
}

/** 200 counts of mean e^(1.5 x + 0.5), every twentieth of them 10 too many. */
function countsWithOutliers(): { x: Float32Array; y: Float32Array } {
  const random = randomNumbers(12);
  const x = Float32Array.from({ length: 200 }, () => 2 * random() - 1);
  const y = x.map((v, i) => {
    // Knuth's way to draw a Poisson number: how many uniform ones have a product above e^-mean.
    const least = Math.exp(-Math.exp(1.5 * v + 0.5));
    let count = 0;
    for (let product = random(); product > least; product *= random()) count++;
    return count + (i % 20 === 0 ? 10 : 0);
  });
  return { x, y };
}

/** The most likely slope and intercept of the logarithm of Poisson means, by Newton's steps. */
function poissonFit(x: Float32Array, y: Float32Array): [slope: number, intercept: number] {
  let [slope, intercept] = [0, 0];
  for (let step = 0; step < 50; step++) {
    let [a, b, aa, ab, bb] = [0, 0, 0, 0, 0];
    x.forEach((v, i) => {
      const mean = Math.exp(slope * v + intercept);
      const off = (y[i] ?? NaN) - mean;
      [a, b] = [a + off * v, b + off];
      [aa, ab, bb] = [aa + mean * v * v, ab + mean * v, bb + mean];
    });
    const determinant = aa * bb - ab * ab;
    slope += (a * bb - b * ab) / determinant;
    intercept += (b * aa - a * ab) / determinant;
  }
  return [slope, intercept];
}

function leastSquares(x: Float32Array, y: Float32Array): [slope: number, intercept: number] {
  const mean = (v: Float32Array): number => v.reduce((a, b) => a + b, 0) / v.length;
  const [mx, my] = [mean(x), mean(y)];
  const slope =
    mean(x.map((v, i) => (v - mx) * ((y[i] ?? NaN) - my))) / mean(x.map((v) => (v - mx) ** 2));
  return [slope, my - slope * mx];
}

/** Registers a test per loss. */
export function convergenceSuite(
  backend: 'cpu' | 'webgpu',
  readDigits: () => Promise<Digits>,
): void {
  let device: Device;
  beforeAll(async () => {
    device = await openOn(backend);
    expect(device.type).toBe(backend);
  });
  afterEach(() => device.synchronize());
  afterAll(() => {
    device.dispose();
  });

  describe('digits are learned with', () => {
    let training: { features: Tensor; labels: Labels };
    let heldOut: { features: Tensor; labels: Uint8Array };
    beforeAll(async () => {
      const digits = await readDigits();
      const put = (part: Digits): Tensor =>
        tensor(featuresOf(part), { shape: [part.count, FEATURES], device });
      const [own, other] = [
        sliceDigits(digits, 0, TRAINING),
        sliceDigits(digits, TRAINING, TRAINING + HELD_OUT),
      ];
      training = { features: put(own), labels: labelsOf(own, device) };
      heldOut = { features: put(other), labels: other.labels };
    }, 60_000);

    for (const [name, make] of Object.entries({ ...CLASS_LOSSES, ...EMBEDDING_LOSSES })) {
      it(name, { timeout: 60_000 }, async () => {
        manualSeed(5);
        const learner = make(device);
        const before = device.stats().liveBuffers;
        const [first, last] = await train(learner.parameters, learner.lr ?? 0.2, STEPS, () =>
          learner.loss(training.features, training.labels),
        );
        // Fewer, where what an earlier test left is collected meanwhile.
        expect(device.stats().liveBuffers).toBeLessThanOrEqual(before);
        const scores = noGrad(() => learner.scores(heldOut.features));
        const accuracy = accuracyOf(await scores.data(), heldOut.labels);
        // Of embeddings each class is many times in the batch, which no loss of 0 can be reached for.
        expect(last).toBeLessThan((name in EMBEDDING_LOSSES ? 0.95 : 0.5) * first);
        expect(accuracy).toBeGreaterThan(ACCURACY);
        for (const one of [scores, ...learner.parameters]) one.dispose();
      });
    }
  });

  it('small discs in noise are found with tverskyLoss', { timeout: 60_000 }, async () => {
    manualSeed(7);
    const [training, heldOut] = [picturesOf(6, 21), picturesOf(3, 22)];
    const put = ({ pixels }: Pictures): Tensor =>
      tensor(pixels, { shape: [pixels.length / WINDOW, WINDOW], device });
    const model = new nn.Sequential(
      new nn.Linear(WINDOW, 16, { device }),
      new nn.Tanh(),
      new nn.Linear(16, 3, { device }),
    );
    const target = tensor(training.kinds, { dtype: 'int32', device });
    const [pixels, others] = [put(training), put(heldOut)];
    const [first, last] = await train(model.parameters(), 0.05, 80, () =>
      tverskyLoss(model.forward(pixels), target, { alpha: 0.4, beta: 0.6 }),
    );
    expect(last).toBeLessThan(0.6 * first);
    const scores = noGrad(() => model.forward(others));
    const read = await scores.data();
    for (const kind of [1, 2]) expect(overlapOf(read, heldOut, kind)).toBeGreaterThan(0.5);
    for (const one of [scores, target, pixels, others, ...model.parameters()]) one.dispose();
  });

  describe('a line through points with outliers is found with', () => {
    for (const [name, { loss, points: draw, fit }] of Object.entries(REGRESSION_LOSSES)) {
      it(name, { timeout: 60_000 }, async () => {
        const points = draw();
        const shape = [points.x.length, 1];
        const [x, y] = [tensor(points.x, { shape, device }), tensor(points.y, { shape, device })];
        const weight = tensor([[0]], { device, requiresGrad: true });
        const bias = tensor([0], { device, requiresGrad: true });
        const [first, last] = await train([weight, bias], 0.2, 100, () =>
          loss(linear(x, weight, { bias }), y),
        );
        expect(last).toBeLessThan(first);
        const [slope, intercept] = fit(points.x, points.y);
        expect(Math.abs((await weight.item()) - slope)).toBeLessThan(0.1);
        expect(Math.abs((await bias.item()) - intercept)).toBeLessThan(0.1);
        for (const one of [x, y, weight, bias]) one.dispose();
      });
    }
  });
}
