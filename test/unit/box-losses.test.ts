// The gradient of completeBoxIouLoss: alpha is held fixed, as torchvision computes it without gradients.
import { expect, it } from 'vitest';
import { completeBoxIouLoss, distanceBoxIouLoss, init, tensor } from '../../src/index.ts';

const FIRST = [0.1, 0.3, 1.6, 2.2];
const SECOND = [0.4, 0.2, 2.5, 1.7];

const angleOf = ([x1 = 0, y1 = 0, x2 = 0, y2 = 0]: readonly number[]): number =>
  Math.atan((x2 - x1) / (y2 - y1));

it('holds alpha fixed', async () => {
  const device = await init({ backend: 'cpu' });
  const boxes = (data: readonly number[], requiresGrad = false) =>
    tensor([...data], { device, requiresGrad });
  const [first, alone, second] = [boxes(FIRST, true), boxes(FIRST, true), boxes(SECOND)];
  const [complete, distance] = [
    completeBoxIouLoss(first, second),
    distanceBoxIouLoss(alone, second),
  ];
  complete.backward();
  distance.backward();
  const v = (box: readonly number[]): number =>
    (4 / Math.PI ** 2) * (angleOf(SECOND) - angleOf(box)) ** 2;
  const alpha = ((await complete.item()) - (await distance.item())) / v(FIRST);
  const [all, part] = [await first.grad?.data(), await alone.grad?.data()];
  FIRST.forEach((_, i) => {
    const moved = (by: number): readonly number[] => FIRST.map((x, k) => (k === i ? x + by : x));
    const slope = (v(moved(1e-5)) - v(moved(-1e-5))) / 2e-5;
    expect((all?.[i] ?? NaN) - (part?.[i] ?? NaN)).toBeCloseTo(alpha * slope, 5);
  });
  device.dispose();
});
