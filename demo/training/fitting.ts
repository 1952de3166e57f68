// Takes networks with the same weights and different activations, and gives how well each fits held-out examples: a file
// of weights does not name the activation between them.
import type { Trainer } from './trainer.ts';

/** Activations that networks in files have most often. */
export const USUAL = ['relu', 'tanh', 'gelu', 'sigmoid', 'silu', 'leakyRelu', 'elu'] as const;

/** Examples times weights, and the fewest examples: several activations are tried, and a CPU is not to take minutes. */
const WORK = 1e8;
const FEWEST = 300;

/** The mean of -log p of the right class, or of squared errors; NaN counts as worst. */
export async function misfitOf(trainer: Trainer): Promise<number> {
  const { goal, heldOut, outputs } = trainer.task;
  const weights = trainer.network.parameters().reduce((all, { size }) => all + size, 0);
  const count = Math.min(Math.max(FEWEST, Math.floor(WORK / weights)), heldOut.count);
  const { x, wanted } = heldOut.gather(Uint32Array.from({ length: count }, (_, i) => i));
  const found = await trainer.predict(x);
  let sum = 0;
  if (goal === 'classes') {
    for (let i = 0; i < count; i++) {
      // a probability of 0 in float32 is not infinitely wrong
      sum -= Math.log(Math.max(1e-30, found[i * outputs + (wanted[i] ?? 0)] ?? NaN));
    }
  } else {
    found.forEach((value, i) => (sum += (value - (wanted[i] ?? NaN)) ** 2));
  }
  return Number.isNaN(sum) ? Infinity : sum / found.length;
}
