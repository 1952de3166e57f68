// What the page and its worker tell each other: wishes one way, what happened the other.
import type { Checkpoint } from '../../training/checkpoint.ts';
import type { GptConfig, WriterSettings } from '../../writing/config.ts';
import type { StepCost } from '../../writing/writer.ts';
import type { TextName } from './settings.ts';

/** Where the text comes from. */
export type Source =
  | { readonly kind: TextName; readonly url: string }
  | { readonly kind: 'own'; readonly text: string };

export function sameSource(a: Source, b: Source): boolean {
  return a.kind === 'own' && b.kind === 'own' ? a.text === b.text : a.kind === b.kind;
}

/** A run, as it begins or goes on. */
export interface Job {
  readonly id: number;
  readonly config: Omit<GptConfig, 'vocabulary'>;
  readonly settings: WriterSettings;
  readonly source: Source;
  /** The characters that the model knows, in its order; by default those of the text. */
  readonly characters?: readonly string[];
  /** Where it was left. */
  readonly from?: Checkpoint;
  /** A model of a file, to begin with; its configuration and characters are the run's. */
  readonly file?: Uint8Array<ArrayBuffer>;
  /** Whether it trains at once. */
  readonly trains: boolean;
}

/** How it writes. */
export interface Sampling {
  readonly temperature: number;
  /** 0 is all. */
  readonly topK: number;
  /** What it writes on from. */
  readonly prompt: string;
}

export type Command =
  | { readonly kind: 'open'; readonly backend: 'webgpu' | 'cpu' }
  | { readonly kind: 'run'; readonly job: Job }
  | { readonly kind: 'pause' }
  | { readonly kind: 'resume' }
  /** Nobody looks: nothing is done meanwhile. */
  | { readonly kind: 'hold'; readonly held: boolean }
  | { readonly kind: 'sampling'; readonly sampling: Sampling }
  | { readonly kind: 'write' }
  | { readonly kind: 'save' };

/** A character that was written, and what led to it: see `Drawn`. */
export interface Character {
  readonly character: string;
  readonly probability: number;
  readonly seen: number;
  readonly attention: Float32Array;
}

export interface Started {
  readonly config: GptConfig;
  readonly characters: readonly string[];
  /** Learned numbers. */
  readonly parameters: number;
  /** Characters of the text. */
  readonly length: number;
  readonly step: number;
  /** What was found out of a file that does not say it, in words. */
  readonly note?: string;
}

export interface Steps {
  readonly step: number;
  readonly losses: readonly number[];
  readonly seconds: number;
  /** Of one step; undefined before the third. */
  readonly cost: StepCost | undefined;
}

export type Happening =
  | { readonly kind: 'opened'; readonly type: 'webgpu' | 'cpu'; readonly name: string }
  /** What follows is of the run with that number. */
  | ({ readonly kind: 'started'; readonly id: number } & Started)
  | ({ readonly kind: 'steps'; readonly id: number } & Steps)
  | { readonly kind: 'test'; readonly id: number; readonly step: number; readonly loss: number }
  | { readonly kind: 'trains'; readonly id: number; readonly trains: boolean }
  | { readonly kind: 'done'; readonly id: number }
  | { readonly kind: 'diverged'; readonly id: number; readonly step: number }
  | {
      readonly kind: 'writing';
      readonly id: number;
      readonly step: number;
      readonly prompt: string;
    }
  | ({ readonly kind: 'character'; readonly id: number } & Character)
  | { readonly kind: 'written'; readonly id: number; readonly perSecond: number }
  | { readonly kind: 'checkpoint'; readonly id: number; readonly checkpoint: Checkpoint }
  | { readonly kind: 'saved'; readonly id: number; readonly file: Uint8Array<ArrayBuffer> }
  /** The run could not be begun; what was there before goes on. */
  | { readonly kind: 'refused'; readonly id: number; readonly words: string }
  | { readonly kind: 'failed'; readonly words: string; readonly lost: boolean };
