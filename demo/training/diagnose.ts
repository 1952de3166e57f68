// Takes a model, a loss, a few examples, and gives per layer how many units are dead or saturated, and how large its
// gradient is.
import { mul, scope, sum, tensor, type Device, type nn, type Tensor } from 'nonlin';
import { lossOf, type LossChoice } from './loss.ts';
import type { Model } from './model.ts';
import type { Batch } from './task.ts';

export interface LayerHealth {
  /** The Euclidean norm of the loss's gradient by the layer's weights. */
  readonly gradientNorm: number;
  /** Share of units whose slope is 0 at every example; undefined where a unit has no slope of its own. */
  readonly dead: number | undefined;
  /** Share of units whose slope is below 5 % of the layer's largest at 9 of 10 examples. */
  readonly saturated: number | undefined;
}

const FLAT = 0.05;
const MOSTLY = 0.9;

/** Leaves no gradients behind. `elementwise`: whether each unit's slope is its own; `breathe`: called between layers. */
export async function diagnose(
  { network, layers }: Model,
  loss: LossChoice,
  batch: Batch,
  elementwise: boolean,
  device: Device,
  breathe: () => Promise<void> = () => Promise.resolve(),
): Promise<LayerHealth[]> {
  const squares: Tensor[] = [];
  const slopes: Tensor[] = [];
  const inputs = batch.x.length / batch.count;
  let value = tensor(batch.x, { shape: [batch.count, inputs], device });
  try {
    network.zeroGrad();
    const input = value;
    scope(() => lossOf(loss, network.forward(input), batch.wanted).backward());
    await breathe();
    for (const { linear } of layers) {
      const { grad } = linear.weight;
      if (!grad) throw new Error('no gradient');
      squares.push(scope(() => sum(mul(grad, grad))));
      await breathe();
    }
    network.zeroGrad();
    for (const { linear, activation } of elementwise ? layers : []) {
      if (!activation) break;
      const before = value;
      const { y, slope } = scope(() => slopesOf(linear, activation, before, device));
      before.dispose();
      value = y;
      if (slope) slopes.push(slope);
      await breathe();
    }
    return await Promise.all(squares.map((own, i) => healthOf(own, slopes[i], batch.count)));
  } finally {
    for (const made of [value, ...squares, ...slopes]) made.dispose();
  }
}

/** A layer's results, and its activation's slope at each unit of each example. */
function slopesOf(
  linear: nn.Linear,
  activation: nn.Module,
  value: Tensor,
  device: Device,
): { y: Tensor; slope: Tensor | undefined } {
  const z = linear.forward(value).detach();
  z.requiresGrad = true;
  const y = activation.forward(z);
  y.backward(tensor(new Float32Array(y.size).fill(1), { shape: y.shape, device }));
  activation.zeroGrad();
  return { y: y.detach(), slope: z.grad ?? undefined };
}

async function healthOf(
  squares: Tensor,
  slope: Tensor | undefined,
  count: number,
): Promise<LayerHealth> {
  const [square, slopes] = await Promise.all([squares.item(), slope?.data()]);
  const gradientNorm = Math.sqrt(square);
  if (!slopes) return { gradientNorm, dead: undefined, saturated: undefined };
  const units = slopes.length / count;
  let steepest = 0;
  for (const value of slopes) steepest = Math.max(steepest, Math.abs(value));
  let [dead, saturated] = [0, 0];
  for (let unit = 0; unit < units; unit++) {
    let [zero, flat] = [0, 0];
    for (let i = 0; i < count; i++) {
      const value = Math.abs(slopes[i * units + unit] ?? 0);
      if (value === 0) zero++;
      if (value < FLAT * steepest || value === 0) flat++;
    }
    if (zero === count) dead++;
    if (flat >= MOSTLY * count) saturated++;
  }
  return { gradientNorm, dead: dead / units, saturated: saturated / units };
}
