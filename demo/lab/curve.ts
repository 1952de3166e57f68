// Takes a function of tensors and places, and gives its values and gradients there.
import { scope, tensor, type Device, type Tensor } from 'nonlin';

/** Values and, with an upstream gradient of 1, gradients. */
export interface Curve {
  readonly y: Float32Array;
  readonly slope: Float32Array;
}

/** An op and its gradient with respect to `x`, of shape [rows, n]. */
export async function compute(
  call: (x: Tensor) => Tensor,
  x: Float32Array,
  shape: readonly number[],
  device: Device,
): Promise<Curve> {
  const { y, slope } = scope(() => {
    const input = tensor(x, { shape, device, requiresGrad: true });
    const out = call(input);
    const ones = tensor(new Float32Array(out.size).fill(1), { shape: out.shape, device });
    out.backward(ones);
    if (!input.grad) throw new Error('no gradient');
    return { y: out, slope: input.grad };
  });
  try {
    const [values, gradients] = await Promise.all([y.data(), slope.data()]);
    return { y: Float32Array.from(values), slope: Float32Array.from(gradients) };
  } finally {
    y.dispose();
    slope.dispose();
  }
}

/** `count` places from `from` to `to`, both included. */
export function places(from: number, to: number, count: number): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => from + ((to - from) * i) / (count - 1));
}
