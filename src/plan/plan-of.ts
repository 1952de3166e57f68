// The launches of an op, for engines that have a device, memory and gradients of their own.
import { describe } from '../core/describe.ts';
import { OptionError } from '../core/errors.ts';
import { Call } from './call.ts';
import type { KernelOp, KernelPlan, PlanRequest } from './types.ts';

/**
 * The launches of an op of `nonlin/kernels`, forward and backward: WGSL, constants, bindings, uniforms, workgroups and scratch. They
 * are those that nonlin's own GPU device runs. Needs no GPU, and is the same for the same request: keep it.
 *
 * @example planOf(gelu, { shape: [64, 1000], limits: device.limits }).forward.launches
 * @throws `OptionError`, `ShapeError` or `DTypeError` for what the op would refuse.
 * @throws `IndexOutOfRangeError` for a dimension that is not there.
 * @throws `LimitError` or `OutOfMemoryError` for what no launch of the device can bind.
 */
export function planOf<O extends object, I extends string>(
  op: KernelOp<O, I>,
  // the op says what options there are, so that editors know them at the call
  request: PlanRequest<NoInfer<O>, I>,
): KernelPlan {
  const given: unknown = op;
  if (!isKernelOp(given)) {
    const known = typeof given === 'function' && 'op' in given && typeof given.op === 'string';
    throw new OptionError({
      op: 'planOf',
      argument: 'op',
      expected: 'an op of nonlin/kernels',
      received: known ? `the function ${String(given.op)}` : describe(given),
      ...(known
        ? {
            hint: `import { ${String(given.op)} } from 'nonlin/kernels', if it is there: ops that run other ops, or draw random numbers, have no plan of their own`,
          }
        : {}),
    });
  }
  const call = new Call<O>(op, request);
  const { forward, backward } = op.passes(call);
  const known = [...forward.reads, ...forward.writes];
  const saved = backward?.reads.filter((name) => known.includes(name)) ?? [];
  return { op: op.op, tensors: call.tensors, forward, backward, saved };
}

function isKernelOp(value: unknown): value is KernelOp {
  return typeof value === 'object' && value !== null && 'passes' in value && 'inputs' in value;
}
