// The options of cross-entropies that change the logits, or add a term of their sum of exponentials.
import { checkNumber } from '../core/validate-options.ts';
import type { Temper } from '../kernels/class-loss/temper.ts';

/** What is done to logits before their softmax, and a term that keeps its divisor small. */
export interface TemperOptions {
  /** Above 0: logits x become softcap · tanh(x / softcap) first. None by default. */
  softcap?: number;
  /** Above 0: logits are divided by it then. Defaults to 1. */
  temperature?: number;
  /** zLoss · logsumexp(logits)² is added to the loss of each target that is not ignored, whatever its weight. Defaults to 0. */
  zLoss?: number;
}

export const TEMPER = ['softcap', 'temperature', 'zLoss'];

/** The options as kernels take them; null where they change nothing. */
export function resolveTemper(op: string, options: TemperOptions): Temper | null {
  const { softcap = Infinity, temperature = 1, zLoss = 0 } = options;
  checkNumber(op, 'softcap', softcap, { min: 0, above: true });
  checkNumber(op, 'temperature', temperature, { min: 0, above: true });
  checkNumber(op, 'zLoss', zLoss, { min: 0 });
  if (softcap === Infinity && temperature === 1 && zLoss === 0) return null;
  return { softcap: softcap === Infinity ? 0 : softcap, inverse: 1 / temperature, zLoss };
}
