// Takes the file of weights beside the page, and gives a network that reads digits on any device. `npm run digits` has
// trained it: `npm run digits -- --width 64 --epochs 12 --lr 0.002 --dtype float16 --save demo/public/digits.safetensors`.
import { nn, noGrad, scope, softmax, tensor, type Device } from 'nonlin';
import { PIXELS } from '../../training/digits.ts';
import { readState, type StateFile } from '../../training/state-file.ts';
import { CLASSES } from '../../training/tasks/digits.ts';

export interface DigitNetwork {
  /** The probability of each digit. */
  readonly read: (pixels: Float32Array) => Promise<Float32Array>;
  readonly dispose: () => void;
}

/** The share of 2,000 digits that it has not seen and got right, and how to put it on a device. */
export interface TrainedDigits {
  readonly accuracy: number;
  readonly on: (device: Device) => DigitNetwork;
}

export async function fetchDigitNetwork(): Promise<TrainedDigits> {
  const response = await fetch(new URL('digits.safetensors', document.baseURI));
  if (!response.ok) throw new Error(`the digit network: HTTP ${response.status}`);
  const file = readState(await response.arrayBuffer());
  const width = Number(file.params?.get('width'));
  if (!(width > 0) || file.accuracy === undefined) throw new Error('the digit network is damaged');
  return { accuracy: file.accuracy, on: (device) => networkOn(file, width, device) };
}

function networkOn(file: StateFile, width: number, device: Device): DigitNetwork {
  const network = new nn.Sequential(
    new nn.Linear(PIXELS, width, { device }),
    new nn.ReLU(),
    new nn.Linear(width, CLASSES, { device }),
  );
  file.into(network, device);
  return {
    read: async (pixels) => {
      const row = () => tensor(pixels, { shape: [1, PIXELS], device });
      const probabilities = noGrad(() => scope(() => softmax(network.forward(row()), { dim: 1 })));
      try {
        return Float32Array.from(await probabilities.data());
      } finally {
        probabilities.dispose();
      }
    },
    dispose: () => network.dispose(),
  };
}
