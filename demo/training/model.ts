// In: sizes and an activation. Out: a multi-layer perceptron from pixels to ten logits.
import { nn, type Device } from 'nonlin';
import type { ActivationChoice } from './activations.ts';
import { PIXELS } from './digits.ts';

export const CLASSES = 10;

export interface ModelOptions {
  readonly activation: ActivationChoice;
  readonly width: number;
  /** Hidden layers. */
  readonly layers: number;
  /** Must be the device of the latest `init()`: activations with parameters are made there. */
  readonly device: Device;
}

/** Linear and activation, `layers` times, then a linear layer to the logits. */
export function createModel({ activation, width, layers, device }: ModelOptions): nn.Sequential {
  const modules: nn.Module[] = [];
  let features = PIXELS;
  for (let layer = 0; layer < layers; layer++) {
    // a gated unit gives half of what it takes
    modules.push(
      new nn.Linear(features, width / activation.ratio, { device }),
      activation.create(),
    );
    features = width;
  }
  modules.push(new nn.Linear(features, CLASSES, { device }));
  return new nn.Sequential(...modules);
}
