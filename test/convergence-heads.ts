// Takes a device, and gives tests that small heads learn with losses of whole boxes and of survival times: corners of boxes from
// features, and the weights of hazards from times, some of them cut short.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  completeBoxIouLoss,
  coxPhLoss,
  linear,
  noGrad,
  reshape,
  tensor,
  type Device,
  type Tensor,
} from '../src/index.ts';
import { randomNumbers } from './calls/draw.ts';
import { train } from './convergence.ts';
import { openOn } from './open.ts';

const FEATURES = 6;

type Four = [number, number, number, number];

/** Boxes of sides from 0.4 to 1.2, and features from which a linear layer can tell their corners. */
function boxesOf(count: number, seed: number): { features: Float32Array; boxes: Float32Array } {
  const random = randomNumbers(seed);
  const mix = randomNumbers(77);
  const weights = Array.from({ length: FEATURES * 4 }, () => 2 * mix() - 1);
  const features = new Float32Array(count * FEATURES);
  const boxes = new Float32Array(count * 4);
  for (let n = 0; n < count; n++) {
    const [x, y, w, h] = [random(), random(), random(), random()].map((v) => 2 * v - 1) as Four;
    const [right, down] = [0.4 + 0.2 * w, 0.4 + 0.2 * h];
    boxes.set([1 + x - right, 1 + y - down, 1 + x + right, 1 + y + down], 4 * n);
    for (let f = 0; f < FEATURES; f++) {
      const sum = [x, y, w, h].reduce((total, v, k) => total + v * (weights[4 * f + k] ?? NaN), 0);
      features[n * FEATURES + f] = sum + 0.02 * (random() - 0.5);
    }
  }
  return { features, boxes };
}

const TRUE_WEIGHTS = [1, -0.8, 0.5];

/** Times with hazards e^(w x), a quarter of them cut short. */
function survivalsOf(count: number): { x: Float32Array; time: Float32Array; event: Int32Array } {
  const random = randomNumbers(5);
  const x = Float32Array.from({ length: 3 * count }, () => 3 * random() - 1.5);
  const event = new Int32Array(count);
  const time = new Float32Array(count);
  for (let n = 0; n < count; n++) {
    const hazard = TRUE_WEIGHTS.reduce((sum, w, k) => sum + w * (x[3 * n + k] ?? NaN), 0);
    const whole = -Math.log(1 - random()) * Math.exp(-hazard);
    const cut = random() < 0.25;
    event[n] = cut ? 0 : 1;
    // In steps, so that there are ties.
    time[n] = Math.ceil(64 * (cut ? whole * random() : whole)) / 64;
  }
  return { x, time, event };
}

/** Registers both tests. */
export function headsSuite(backend: 'cpu' | 'webgpu'): void {
  let device: Device;
  beforeAll(async () => {
    device = await openOn(backend);
  });
  afterEach(() => device.synchronize());
  afterAll(() => {
    device.dispose();
  });

  describe('heads learn', () => {
    it('corners of boxes with completeBoxIouLoss', { timeout: 60_000 }, async () => {
      const put = ({ features, boxes }: ReturnType<typeof boxesOf>): [Tensor, Tensor] => [
        tensor(features, { shape: [features.length / FEATURES, FEATURES], device }),
        tensor(boxes, { shape: [boxes.length / 4, 4], device }),
      ];
      const [features, boxes] = put(boxesOf(128, 1));
      const [others, theirs] = put(boxesOf(64, 2));
      // It begins with one box for all.
      const weight = tensor(new Float32Array(4 * FEATURES), {
        shape: [4, FEATURES],
        device,
        requiresGrad: true,
      });
      const bias = tensor([0.6, 0.6, 1.4, 1.4], { device, requiresGrad: true });
      const [first, last] = await train([weight, bias], 0.05, 120, () =>
        completeBoxIouLoss(linear(features, weight, { bias }), boxes, { reduction: 'mean' }),
      );
      expect(last).toBeLessThan(0.2 * first);
      const heldOut = noGrad(() =>
        completeBoxIouLoss(linear(others, weight, { bias }), theirs, { reduction: 'mean' }),
      );
      expect(await heldOut.item()).toBeLessThan(0.15);
      for (const one of [features, boxes, others, theirs, heldOut, weight, bias]) one.dispose();
    });

    it('hazards with coxPhLoss', { timeout: 60_000 }, async () => {
      const { x, time, event } = survivalsOf(400);
      const count = time.length;
      const [features, times, events] = [
        tensor(x, { shape: [count, 3], device }),
        tensor(time, { device }),
        tensor(event, { dtype: 'int32', device }),
      ];
      const weight = tensor([[0, 0, 0]], { device, requiresGrad: true });
      const [first, last] = await train([weight], 0.1, 80, () =>
        coxPhLoss(reshape(linear(features, weight), [count]), times, events),
      );
      expect(last).toBeLessThan(first);
      const learned = await weight.data();
      TRUE_WEIGHTS.forEach((w, k) => {
        expect(Math.abs((learned[k] ?? NaN) - w)).toBeLessThan(0.2);
      });
      for (const one of [features, times, events, weight]) one.dispose();
    });
  });
}
