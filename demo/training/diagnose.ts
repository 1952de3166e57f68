// In: a model, a loss, a few examples. Out: per layer how many units are dead or saturated, and how large its gradient is.
import { mul, scope, sum, tensor, type Device, type Tensor } from 'nonlin';
import type { LossChoice } from './losses.ts';
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

interface Probe {
  readonly squares: Tensor;
  readonly slope: Tensor | undefined;
}

/** Leaves no gradients behind. `elementwise`: whether each unit's slope is its own. */
export async function diagnose(
  { network, layers }: Model,
  loss: LossChoice,
  batch: Batch,
  elementwise: boolean,
  device: Device,
): Promise<LayerHealth[]> {
  const probes = scope((): Probe[] => {
    network.zeroGrad();
    const inputs = batch.x.length / batch.count;
    const input = tensor(batch.x, { shape: [batch.count, inputs], device });
    loss.compute(network.forward(input), batch.wanted).backward();
    const squares = layers.map(({ linear }) => {
      const { grad } = linear.weight;
      if (!grad) throw new Error('no gradient');
      return sum(mul(grad, grad));
    });
    network.zeroGrad();
    let value: Tensor = input;
    return layers.map(({ linear, activation }, i): Probe => {
      const own = squares[i];
      if (!own) throw new Error('no gradient');
      if (!activation) return { squares: own, slope: undefined };
      const z = linear.forward(value).detach();
      z.requiresGrad = true;
      const y = activation.forward(z);
      value = y.detach();
      if (!elementwise) return { squares: own, slope: undefined };
      y.backward(tensor(new Float32Array(y.size).fill(1), { shape: y.shape, device }));
      activation.zeroGrad();
      return { squares: own, slope: z.grad ?? undefined };
    });
  });
  try {
    return await Promise.all(probes.map((probe) => healthOf(probe, batch.count)));
  } finally {
    for (const { squares, slope } of probes) {
      squares.dispose();
      slope?.dispose();
    }
  }
}

async function healthOf({ squares, slope }: Probe, count: number): Promise<LayerHealth> {
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
