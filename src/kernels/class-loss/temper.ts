// What cross-entropies do to logits before the softmax, in float64.

export interface Temper {
  /** The bound of logits; 0 for none. */
  readonly softcap: number;
  /** One over the temperature. */
  readonly inverse: number;
  /** The factor of the squared logarithm of the sum of exponentials. */
  readonly zLoss: number;
}

/** A logit: bent towards a bound, then divided by a temperature. */
export function bend(x: number, { softcap, inverse }: Temper): number {
  return (softcap > 0 ? softcap * Math.tanh(x / softcap) : x) * inverse;
}

/** Its derivative. */
export function slopeOf(x: number, { softcap, inverse }: Temper): number {
  return softcap > 0 ? inverse / Math.cosh(x / softcap) ** 2 : inverse;
}
