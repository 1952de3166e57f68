// Takes the lists of what is measured, and gives what cases, libraries and measurements say to each other, and the results
// that leave the page.
import type {
  BEFORE,
  CPU_LIBRARIES,
  ELEMENTWISE,
  GPU_LIBRARIES,
  ROWWISE,
  STARTED,
} from './ops.mjs';

export type ElementwiseName = (typeof ELEMENTWISE)[number];
export type RowwiseName = (typeof ROWWISE)[number];
export type OpName = ElementwiseName | RowwiseName;

/** Rows and columns. An elementwise op sees its elements as rows of 1000. */
export type Shape = readonly [rows: number, columns: number];

/** What an op is called with, on the host. */
export interface Inputs {
  readonly shape: Shape;
  readonly x: Float32Array<ArrayBuffer>;
  /** reluGrad: the upstream gradient; mse: the target; of x's shape. */
  readonly y: Float32Array<ArrayBuffer>;
  /** biasGelu: one number per column. */
  readonly bias: Float32Array<ArrayBuffer>;
  /** Cross-entropy: one class per row. */
  readonly classes: Int32Array<ArrayBuffer>;
}

/** An op of one library, with its inputs on the library's device. */
export interface Runner {
  /** Calls the op so often. Results stay on the device; those of a call are released before the next, or by `sync`. */
  readonly run: (calls: number) => void | Promise<void>;
  /** Waits until everything called for is computed. */
  readonly sync: () => Promise<void>;
  /** The results of one more call: value, then gradient. */
  readonly read: () => Promise<ArrayLike<number>[]>;
  readonly free: () => void;
}

export interface Library {
  /** Null where the library has no such op. */
  readonly prepare: (op: OpName, inputs: Inputs) => Runner | Promise<Runner | null> | null;
}

export type GpuLibraryName = (typeof GPU_LIBRARIES)[number];
export type LibraryName =
  | (typeof GPU_LIBRARIES)[number]
  | (typeof CPU_LIBRARIES)[number]
  | (typeof STARTED)[number]
  | (typeof BEFORE)[number];

/** One library's times for one op and shape. */
export type Timing =
  | {
      readonly status: 'ok';
      /** Nanoseconds per element, the median over rounds. */
      readonly ns: number;
      /** Multiple of the floor's time in the same round, the median over rounds. */
      readonly ratio: number;
      /** Quartiles of that multiple. */
      readonly quartiles: readonly [number, number];
    }
  | { readonly status: 'wrong' | 'failed'; readonly detail: string }
  | { readonly status: 'none' };

export interface Cell {
  readonly op: OpName;
  readonly shape: Shape;
  readonly rounds: number;
  readonly timings: Readonly<Partial<Record<LibraryName, Timing>>>;
}

/** Cost of a call on 256 elements, in microseconds. */
export interface Overhead {
  readonly library: LibraryName;
  readonly total: number;
  /** Until the last submit, on the calling thread. */
  readonly javascript: number;
  /** Multiple of the hand-written total in the same round, the median over rounds. */
  readonly ratio: number;
}

/** In milliseconds, each in a browser that has just started. */
export interface ColdStart {
  /** From import to the first result of relu on the host, of a program that uses relu alone. */
  readonly relu: number;
  /** After a first result of relu, the first results of ten other ops, all called before the first is waited for. */
  readonly ten: number;
}

/** What one call asks of WebGPU, in the steady state. */
export interface Counts {
  readonly op: OpName;
  readonly dispatches: number;
  readonly submits: number;
  readonly buffers: number;
  readonly bindGroups: number;
}

export interface Memory {
  readonly shape: Shape;
  /** Bytes of all buffers alive at the worst moment, inputs included, as a multiple of the logits' bytes. */
  readonly peak: number;
}
