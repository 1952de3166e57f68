// What a valid call of an op is, and arguments that must be refused, in plain data.
import {
  tensor,
  OptionError,
  ShapeError,
  type Device,
  type NonlinError,
  type Tensor,
} from '../../src/index.ts';
import type { Call, TensorSpec } from './call.ts';

export type ErrorClass = new (...args: never[]) => NonlinError;

/** What to put in the place of an argument. */
export interface Wrong {
  /** Completes `op: argument …`. */
  readonly what: string;
  readonly argument: string;
  readonly value: (made: Made) => unknown;
  readonly error: ErrorClass;
  /** The argument named in the error, where it is another. */
  readonly names?: string;
  /** Needs tensors with requiresGrad. */
  readonly grad?: boolean;
}

/** What wrong arguments are made of. */
export interface Made {
  readonly device: Device;
  readonly other: Device;
  readonly valid: Tensor | undefined;
}

export const numbers = (shape: readonly number[], start = 0.5): TensorSpec => ({
  shape,
  dtype: 'float',
  data: Array.from({ length: shape.reduce((n, d) => n * d, 1) }, (_, i) => start + i / 4),
});
export const classes = (...data: number[]): TensorSpec => ({
  shape: [data.length],
  dtype: 'int32',
  data,
});

export function call(op: string, positional: Call['positional'], some: Partial<Call> = {}): Call {
  const differentiable = Object.keys(positional).filter(
    (name) => positional[name]?.dtype === 'float',
  );
  return { op, positional, optional: {}, options: {}, differentiable, scale: 0, ...some };
}

export const shaped =
  (shape: readonly number[], dtype?: 'int32' | 'float16') =>
  ({ device }: Made): Tensor =>
    tensor(new Float32Array(shape.reduce((n, d) => n * d, 1)), {
      shape,
      device,
      ...(dtype ? { dtype } : {}),
    });
export const constant = (value: unknown) => (): unknown => value;

export function show(value: unknown): string {
  if (typeof value === 'function') return 'a function';
  return typeof value === 'number' || value === undefined ? String(value) : JSON.stringify(value);
}

export const wrongShape = (argument: string, shape: readonly number[], names?: string): Wrong => ({
  what: `of shape [${shape.join()}]`,
  argument,
  value: shaped(shape),
  error: ShapeError,
  ...(names === undefined ? {} : { names }),
});
export const wrongOption = (
  argument: string,
  value: unknown,
  error: ErrorClass = OptionError,
): Wrong => ({
  what: `= ${show(value)}`,
  argument,
  value: constant(value),
  error,
});
