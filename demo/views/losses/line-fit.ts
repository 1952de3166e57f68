// Takes points, a loss, and gives the line that it gives, fitted by the package itself: a linear layer, the loss, Adam.
import { linear, optim, scope, tensor, type Device, type Tensor } from 'nonlin';
import type { LossFunction } from '../../lab/losses.ts';
import type { Values } from '../../lab/options.ts';

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** y = slope · x + intercept. */
export interface Line {
  readonly slope: number;
  readonly intercept: number;
}

const STEPS = 150;
const FIRST_RATE = 0.15;
/** Steps shrink, so that a loss with a kink at the bottom comes to rest. */
const DECAY = 0.965;

/** From `start`, which is near where a dragged point moved the line a little. */
export async function fitLine(
  loss: LossFunction,
  values: Values,
  points: readonly Point[],
  start: Line,
  device: Device,
): Promise<Line> {
  const made: Tensor[] = [];
  const keep = (t: Tensor) => {
    made.push(t);
    return t;
  };
  const x = keep(
    tensor(
      points.map((point) => [point.x]),
      { device },
    ),
  );
  const y = keep(
    tensor(
      points.map((point) => [point.y]),
      { device },
    ),
  );
  const weight = keep(tensor([[start.slope]], { device, requiresGrad: true }));
  const bias = keep(tensor([start.intercept], { device, requiresGrad: true }));
  const optimizer = new optim.Adam([weight, bias], { lr: FIRST_RATE, betas: [0.8, 0.99] });
  try {
    for (let step = 0; step < STEPS; step++) {
      optimizer.lr = FIRST_RATE * DECAY ** step;
      scope(() => {
        optimizer.zeroGrad();
        const fitted = linear(x, weight, { bias });
        loss(fitted, y, { ...values, reduction: 'mean' }).backward();
        optimizer.step();
      });
    }
    optimizer.zeroGrad();
    const [[slope = NaN], [intercept = NaN]] = await Promise.all([weight.data(), bias.data()]);
    return { slope, intercept };
  } finally {
    optimizer.dispose();
    for (const t of made) t.dispose();
  }
}
