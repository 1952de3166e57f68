// Norms without operands, whose gradient follows from the input: what their functions and their plans share.
import { isRecording, record } from '../core/autograd.ts';
import { runOne } from '../core/dispatcher.ts';
import type { Kernel } from '../core/kernel.ts';
import type { Shape } from '../core/shape.ts';
import type { Tensor } from '../core/tensor.ts';
import { checkOut } from '../core/validate.ts';

export interface PlainNormDeclaration<A extends object, O extends object = object> {
  readonly name: string;
  /** Forward it reads x, backward x and the upstream gradient. */
  readonly kernel: Kernel<A & { readonly direction: 'forward' | 'backward' }>;
  /** What a call is for the kernel. Throws for what it refuses but for the dtype. `others` are names of options that are not numbers. */
  readonly call: (x: { readonly shape: Shape }, options: O, others: readonly string[]) => A;
}

/** A declaration as it is, with its types. */
export function declarePlainNorm<A extends object, O extends object>(
  declaration: PlainNormDeclaration<A, O>,
): PlainNormDeclaration<A, O> {
  return declaration;
}

/** Runs and records a call. `x` is a float tensor of a live device. */
export function plainNorm<A extends object, O extends object>(
  { name, kernel, call }: PlainNormDeclaration<A, O>,
  x: Tensor,
  options: O,
  out: Tensor | undefined,
): Tensor {
  const args = call(x, options, ['out']);
  const like = x.like();
  checkOut(name, out, { ...like, device: x.device }, isRecording([x]));
  const result = runOne(kernel, { ...args, direction: 'forward' }, [x], out ?? like);
  return record(result, name, [x], [x], ({ tensor }, [saved]) => [
    saved ? runOne(kernel, { ...args, direction: 'backward' }, [saved, tensor], like) : null,
  ]);
}
