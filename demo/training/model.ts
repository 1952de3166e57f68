// Takes sizes and an activation, and gives a multi-layer perceptron, with its parts by layer for who looks inside.
import { nn, type Device } from 'nonlin';
import type { ActivationChoice } from './activations.ts';
import type { Task } from './task.ts';

export interface ModelOptions {
  readonly task: Pick<Task, 'inputs' | 'outputs' | 'code'>;
  readonly activation: ActivationChoice;
  readonly width: number;
  /** Hidden layers; of a model with a narrow middle, on each side of it. */
  readonly layers: number;
  /** Units of each hidden layer, in place of `width` and `layers`. */
  readonly sizes?: readonly number[];
  readonly device: Device;
}

/** A linear layer, and the activation after it: none after the last. */
export interface Layer {
  readonly linear: nn.Linear;
  readonly activation: nn.Module | undefined;
}

export interface Model {
  readonly network: nn.Sequential;
  readonly layers: readonly Layer[];
  readonly parameterCount: number;
}

/** Linear and activation, `layers` times, then a linear layer to the outputs. */
export function createModel(options: ModelOptions): Model {
  const making = makeModel(options);
  let made = making.next();
  while (!made.done) made = making.next();
  return made.value;
}

/** The same with a `breathe` after each layer: drawing a large one's first weights takes a while. */
export async function createModelGently(
  options: ModelOptions,
  breathe: () => Promise<void>,
): Promise<Model> {
  const making = makeModel(options);
  let made = making.next();
  while (!made.done) {
    await breathe();
    made = making.next();
  }
  return made.value;
}

/** Yields after each layer. */
function* makeModel({
  task,
  activation,
  width,
  layers,
  sizes,
  device,
}: ModelOptions): Generator<undefined, Model, undefined> {
  const hidden = new Array<number>(layers).fill(width);
  const widths = sizes ?? (task.code === undefined ? hidden : [...hidden, task.code, ...hidden]);
  const parts: Layer[] = [];
  let features = task.inputs;
  for (const size of widths) {
    parts.push({
      // a gated unit gives half of what it takes
      linear: new nn.Linear(features, size / activation.ratio, { device }),
      activation: activation.create(device),
    });
    features = size;
    yield;
  }
  parts.push({ linear: new nn.Linear(features, task.outputs, { device }), activation: undefined });
  const modules = parts.flatMap(({ linear, activation: unit }): nn.Module[] =>
    unit ? [linear, unit] : [linear],
  );
  const network = new nn.Sequential(...modules);
  const parameterCount = network.parameters().reduce((sum, { size }) => sum + size, 0);
  return { network, layers: parts, parameterCount };
}
