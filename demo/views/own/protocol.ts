// What the page and the worker that runs a person's code say to each other.
import type { GradientCheck } from 'nonlin';
import type { Curve } from '../../lab/curve.ts';
import type { Values } from '../../lab/options.ts';
import type { Standing } from '../../training/race.ts';
import type { Sweep } from './sweep.ts';

export type Kind = 'activation' | 'loss';

/** What a person has written. */
export interface OwnCode {
  readonly kind: Kind;
  readonly name: string;
  readonly wgsl: string;
  /** The reference in float64, with the options. */
  readonly js: string;
}

export type Where = 'wgsl' | 'js';

/** Something wrong with the code, and where, as far as that is known. */
export interface Problem {
  readonly where: Where;
  readonly words: string;
  /** From 1. */
  readonly line?: number | undefined;
  readonly column?: number | undefined;
}

export type TrainingTask = 'spirals' | 'digits';

/** What is done with the code. What is said of it comes with its number: the code may be another by then. */
export interface Job {
  readonly id: number;
  readonly code: OwnCode;
  readonly values: Values;
}

export interface CheckJob extends Job {
  readonly type: 'check';
  /** Of a loss: what the picture's input is compared with. */
  readonly target: number;
}

export interface TrainJob extends Job {
  readonly type: 'train';
  readonly task: TrainingTask;
  /** Inputs of which the pictures show the answers. */
  readonly places?: Float32Array;
  /** The address of the digits. */
  readonly digits: string;
}

export type ToWorker =
  | { readonly type: 'open'; readonly backend: 'webgpu' | 'cpu' }
  | { readonly type: 'ping' }
  | { readonly type: 'stop' }
  | CheckJob
  | TrainJob;

/** The options, as the library describes them. */
export interface Declared {
  readonly params: Values;
  readonly specs: Readonly<Record<string, unknown>>;
}

export interface Curves {
  readonly x: Float32Array;
  readonly reference: Curve;
  /** By the WGSL; undefined on the CPU, and until it is known. */
  readonly device: Curve | undefined;
}

export type FromWorker =
  | { readonly type: 'ready'; readonly gpu: boolean }
  | { readonly type: 'lost' }
  | { readonly type: 'pong' }
  /** Something other than the code is at fault. */
  | { readonly type: 'failed'; readonly words: string }
  | ({ readonly id: number } & AboutJob);

type AboutJob =
  | { readonly type: 'declared'; readonly declared: Declared }
  | { readonly type: 'curves'; readonly curves: Curves }
  | {
      readonly type: 'checked';
      readonly gradient: GradientCheck;
      readonly sweep: Sweep | undefined;
    }
  | { readonly type: 'problems'; readonly problems: readonly Problem[] }
  | {
      readonly type: 'moved';
      readonly standings: readonly Standing[];
      readonly step: number;
      readonly steps: number;
    }
  /** The check or the training is over, well or not. */
  | { readonly type: 'over'; readonly job: 'check' | 'train' };
