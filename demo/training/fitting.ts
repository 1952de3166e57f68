// Takes networks with the same weights and different activations, and gives how well each fits held-out examples: a file
// of weights does not name the activation between them. Where a file says what is there, gives the activation's name.
import { noGrad, scope, tensor, type Device } from 'nonlin';
import type { ActivationChoice } from './activations.ts';
import { PerceptronError } from './perceptron.ts';
import type { Between } from './state-file.ts';
import type { Trainer } from './trainer.ts';

/** Activations that networks in files have most often. */
export const USUAL = ['relu', 'tanh', 'gelu', 'sigmoid', 'silu', 'leakyRelu', 'elu'] as const;

/** Activations of each number by itself that learn nothing. */
export const plainOf = (choices: readonly ActivationChoice[], device: Device): ActivationChoice[] =>
  choices.filter(
    ({ group, create }) => group === 'Elementwise' && create(device).parameters().length === 0,
  );

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

/** Values that are apart by less are the same, rounded to float32. */
const SAME = 2e-5;
/** Far enough that relu6 is not relu. */
const PLACES = Float32Array.from({ length: 241 }, (_, i) => (i - 120) / 8);

/** The one activation that is between all layers; undefined where there is but one layer. */
export async function activationBetween(
  between: readonly Between[],
  choices: readonly ActivationChoice[],
  device: Device,
): Promise<string | undefined> {
  const names: string[] = [];
  const plain = plainOf(choices, device);
  for (const [i, { curve, ops }] of between.entries()) {
    const found = await firstOf(plain, (choice) => isSame(curve, choice, device));
    if (!found) {
      const what = ops.length > 0 ? ops.join(', ') : 'nothing';
      throw new PerceptronError(
        `${what} after layer ${i + 1} stands in the way: it is no activation of this page with its default options`,
      );
    }
    names.push(found.op);
  }
  const [first] = names;
  const other = names.findIndex((name) => name !== first);
  if (first !== undefined && other >= 0) {
    throw new PerceptronError(
      `${first} after layer 1 and ${names[other] ?? ''} after layer ${other + 1}: the networks of this page have one activation`,
    );
  }
  return first;
}

async function firstOf<T>(
  all: readonly T[],
  test: (one: T) => Promise<boolean>,
): Promise<T | undefined> {
  for (const one of all) if (await test(one)) return one;
  return undefined;
}

async function isSame(
  curve: (x: number) => number,
  { create }: ActivationChoice,
  device: Device,
): Promise<boolean> {
  const y = scope(() => noGrad(() => create(device).eval().forward(tensor(PLACES, { device }))));
  const values = await y.data();
  y.dispose();
  return PLACES.every((x, i) => {
    const expected = curve(x);
    return Math.abs(expected - (values[i] ?? NaN)) < SAME * Math.max(1, Math.abs(expected));
  });
}
