// Takes digits, and gives the task of naming them, and the task of drawing them again from a few numbers.
import { PIXELS, type Digits } from '../digits.ts';
import type { Batch, Examples, Task } from '../task.ts';

export const CLASSES = 10;

interface Split {
  readonly training: Digits;
  readonly heldOut: Digits;
}

export function digitsTask({ training, heldOut }: Split): Task {
  return {
    goal: 'classes',
    inputs: PIXELS,
    outputs: CLASSES,
    training: examplesOf(training, true),
    heldOut: examplesOf(heldOut, true),
  };
}

/** Numbers that a digit is squeezed into. */
const CODE = 16;

export function autoencoderTask({ training, heldOut }: Split): Task {
  return {
    goal: 'shares',
    inputs: PIXELS,
    outputs: PIXELS,
    code: CODE,
    training: examplesOf(training, false),
    heldOut: examplesOf(heldOut, false),
  };
}

/** Pixels from 0 to 1, made of the file's bytes batch by batch. */
function examplesOf(digits: Digits, named: boolean): Examples {
  return {
    count: digits.count,
    gather(indices): Batch {
      const labels = new Uint8Array(indices.length);
      const x = new Float32Array(indices.length * PIXELS);
      indices.forEach((index, i) => {
        labels[i] = digits.labels[index] ?? 0;
        const from = index * PIXELS;
        for (let k = 0; k < PIXELS; k++) x[i * PIXELS + k] = (digits.pixels[from + k] ?? 0) / 255;
      });
      return { count: indices.length, x, wanted: named ? labels : x };
    },
  };
}
