// What the losses of a policy share: the limits of a ratio of probabilities, and the clipped loss in float64.

/** The options of the limits: 1 - epsLow and 1 + epsHigh. */
export const CLIP_SPECS = {
  /** How far a ratio may fall below 1 and still count; below 1. */
  epsLow: { default: 0.2, min: 0, max: 1, below: true },
  /** How far it may rise above 1. */
  epsHigh: { default: 0.2, min: 0 },
} as const;

interface Limits {
  readonly epsLow: number;
  readonly epsHigh: number;
}

/** What the WGSL has of them: the limits and their logarithms. */
export const CLIP_DERIVED = {
  low: ({ epsLow }: Limits): number => Math.log1p(-epsLow),
  high: ({ epsHigh }: Limits): number => Math.log1p(epsHigh),
  floor: ({ epsLow }: Limits): number => 1 - epsLow,
  ceiling: ({ epsHigh }: Limits): number => 1 + epsHigh,
} as const;

const isClipped = (l: number, a: number, { epsLow, epsHigh }: Limits): boolean =>
  a < 0 ? l < Math.log1p(-epsLow) : l > Math.log1p(epsHigh);

/** -min(r a, clip(r, 1 - epsLow, 1 + epsHigh) a) with r = e^l and an advantage a. */
export function clippedRatio(l: number, a: number, limits: Limits): number {
  if (isClipped(l, a, limits)) return -a * (a < 0 ? 1 - limits.epsLow : 1 + limits.epsHigh);
  return -a * Math.exp(l);
}

/** Its derivative by l. */
export function clippedRatioGrad(l: number, a: number, limits: Limits): number {
  return isClipped(l, a, limits) ? 0 : -a * Math.exp(l);
}
