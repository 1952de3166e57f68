// Takes the network's ten numbers (logits) and the true labels, and gives the input and target that a loss takes.
import { logSoftmax, sigmoid, softmax, tensor, type Device, type Tensor } from 'nonlin';

/** What a loss takes as its input: the logits, or what is computed from them. */
type InputForm = 'logits' | 'probabilities' | 'logProbabilities' | 'sigmoids';

/**
 * What a loss takes as its target: class indices, or per class 1 and 0, 1 and -1, 0 and -Infinity (the logarithm of 1
 * and 0), or the indices of the true classes ended by -1.
 */
type TargetForm = 'classes' | 'oneHot' | 'signs' | 'logOneHot' | 'labelSet';

export interface Form {
  readonly input: InputForm;
  readonly target: TargetForm;
}

/** Tried in this order for a loss not named below. */
const GENERAL: readonly Form[] = [
  { input: 'logits', target: 'classes' },
  { input: 'logits', target: 'oneHot' },
  { input: 'logProbabilities', target: 'classes' },
  { input: 'logProbabilities', target: 'oneHot' },
  { input: 'probabilities', target: 'oneHot' },
];

/** Losses that would also accept a form above, but are meant for another. */
const MEANT: Readonly<Partial<Record<string, Form>>> = {
  nllLoss: { input: 'logProbabilities', target: 'classes' },
  klDiv: { input: 'logProbabilities', target: 'oneHot' },
  jsd: { input: 'logProbabilities', target: 'logOneHot' },
  binaryCrossEntropy: { input: 'sigmoids', target: 'oneHot' },
  diceLoss: { input: 'probabilities', target: 'oneHot' },
  tvDistanceLoss: { input: 'probabilities', target: 'oneHot' },
  squaredHingeLoss: { input: 'logits', target: 'signs' },
  softMarginLoss: { input: 'logits', target: 'signs' },
  multilabelMarginLoss: { input: 'logits', target: 'labelSet' },
};

/** The forms worth trying for a loss. */
export function formsOf(op: string): readonly Form[] {
  const meant = MEANT[op];
  return meant ? [meant] : GENERAL;
}

/** The loss's input, from logits of shape [N, classes]. */
export function toInput(form: Form, logits: Tensor): Tensor {
  switch (form.input) {
    case 'logits':
      return logits;
    case 'probabilities':
      return softmax(logits, { dim: 1 });
    case 'logProbabilities':
      return logSoftmax(logits, { dim: 1 });
    case 'sigmoids':
      return sigmoid(logits);
  }
}

/** The loss's target, from N labels. */
export function toTarget(
  form: Form,
  labels: ArrayLike<number>,
  classes: number,
  device: Device,
): Tensor {
  const perClass = (yes: number, no: number) => {
    const values = new Float32Array(labels.length * classes).fill(no);
    for (let i = 0; i < labels.length; i++) values[i * classes + (labels[i] ?? 0)] = yes;
    return tensor(values, { shape: [labels.length, classes], device });
  };
  switch (form.target) {
    case 'classes':
      return tensor(Int32Array.from(labels), { dtype: 'int32', device });
    case 'oneHot':
      return perClass(1, 0);
    case 'signs':
      return perClass(1, -1);
    case 'logOneHot':
      return perClass(0, -Infinity);
    case 'labelSet': {
      const values = new Int32Array(labels.length * classes).fill(-1);
      for (let i = 0; i < labels.length; i++) values[i * classes] = labels[i] ?? 0;
      return tensor(values, { shape: [labels.length, classes], dtype: 'int32', device });
    }
  }
}
