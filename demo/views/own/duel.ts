// Takes a person's op, and gives a training with it beside one with the usual op: relu, or for losses the squared error.
import {
  activationModule,
  crossEntropy,
  mseLoss,
  nn,
  type Activation,
  type Device,
  type Tensor,
} from 'nonlin';
import type { ActivationChoice } from '../../training/activations.ts';
import { digitsTask } from '../../training/tasks/digits.ts';
import { fetchDigits, splitDigits } from '../../training/digits.ts';
import { toTarget } from '../../training/forms.ts';
import type { LossChoice } from '../../training/loss.ts';
import { Race, type Entrant, type RaceEvents } from '../../training/race.ts';
import { SMALL_DIGITS, SMALL_SPIRALS } from '../../training/small.ts';
import type { Task } from '../../training/task.ts';
import type { OwnOp } from './declare.ts';
import type { TrainJob } from './protocol.ts';

/** What the own op is held against. */
export const RIVAL = { activation: 'relu', loss: 'mseLoss' } as const;

let digits: Promise<Task> | undefined;

function loadDigits(address: string): Promise<Task> {
  digits ??= fetchDigits(address).then((all) => digitsTask(splitDigits(all)));
  // what failed once may be tried again
  digits.catch(() => (digits = undefined));
  return digits;
}

export async function startDuel(
  { op, options }: OwnOp,
  { code, task, places, digits: address }: TrainJob,
  device: Device,
  events: RaceEvents,
): Promise<Race> {
  const usual = { activation: activationOf('relu', () => new nn.ReLU()), loss: CROSS_ENTROPY };
  const entrants: readonly Entrant[] =
    op.kind === 'activation'
      ? [
          { name: RIVAL.activation, ...usual },
          { name: code.name, ...usual, activation: ownActivation(op, options) },
        ]
      : [
          { name: RIVAL.loss, ...usual, loss: pointwise('mseLoss', mseLoss) },
          {
            name: code.name,
            ...usual,
            loss: pointwise(code.name, (outputs, wanted) => op(outputs, wanted, options)),
          },
        ];
  const learned =
    task === 'spirals'
      ? SMALL_SPIRALS
      : { task: await loadDigits(address), settings: SMALL_DIGITS };
  return new Race({ ...learned, device, entrants, ...(places ? { places } : {}) }, events);
}

function activationOf(op: string, create: () => nn.Module): ActivationChoice {
  return { op, use: '', group: 'Elementwise', ratio: 1, create, curve: undefined };
}

function ownActivation(op: Activation, options: object): ActivationChoice {
  const Own = activationModule(op);
  return activationOf(op.op, () => new Own(options));
}

type Compute = (outputs: Tensor, target: Tensor) => Tensor;

function lossChoice(op: string, target: 'classes' | 'oneHot', compute: Compute): LossChoice {
  const form = { input: 'logits', target } as const;
  return {
    op,
    use: '',
    separable: true,
    target: (labels, classes, device) => toTarget(form, labels, classes, device),
    compute,
  };
}

const CROSS_ENTROPY = lossChoice('crossEntropy', 'classes', (outputs, target) =>
  crossEntropy(outputs, target),
);

/** A loss of each output by itself: 1 is wanted of the true class, 0 of the others. */
const pointwise = (op: string, compute: Compute): LossChoice => lossChoice(op, 'oneHot', compute);
