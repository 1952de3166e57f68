// Plans of gated units: one half of a tensor times an activation of the other, or the same of two tensors.
import { checkShapeIs } from '../core/validate.ts';
import { activationOps, resolveActivation } from '../define/activation-ops.ts';
import type { ActivationDeclaration } from '../define/activation.ts';
import { gatedArgs, gatedOp } from '../define/gated-call.ts';
import { pairOf, pairOps, type GatedPair } from '../define/gated-pair.ts';
import type { ParamOptions, ParamSpecs } from '../define/params.ts';
import { gated } from '../kernels/gated/plan.ts';
import { pointwisePlanner } from '../kernels/pointwise/planner.ts';
import type { Call } from './call.ts';
import { kernelPass } from './kernel-pass.ts';
import type { KernelOp, Passes } from './types.ts';

/** Options of a plan of a gated unit of one tensor. */
export type GatedKernelOptions<S extends ParamSpecs> = ParamOptions<S> & {
  /** The dimension that is split into halves; from the end where negative. Defaults to -1. */
  readonly dim?: number;
};

/** A gated unit for `planOf`: which half the activation is applied to. */
export function gatedKernel<const S extends ParamSpecs>(
  name: string,
  activation: ActivationDeclaration<S>,
  gate: 'first' | 'second',
): KernelOp<GatedKernelOptions<S>, 'input'> {
  return {
    op: name,
    kind: 'gated',
    inputs: ['input'],
    differentiable: ['input'],
    passes: (call) => halves(name, activation, gate, call),
  };
}

/**
 * One that also takes two tensors: where the shape of `up` is there, `input` is the gate alone. Options are then those of that
 * form, `O`.
 */
export function pairedKernel<const S extends ParamSpecs, O extends object = ParamOptions<S>>(
  name: string,
  activation: ActivationDeclaration<S>,
  own?: GatedPair,
): KernelOp<GatedKernelOptions<S> & O, 'input' | 'up'> {
  const { file, layout } = activationOps(activation);
  const resolve = (op: string, options: object = {}, others: readonly string[] = []) =>
    resolveActivation(activation, op, others, options);
  const pair = own ?? pairOf({ epilogue: { ...activation, source: file, layout, resolve } });
  const { forwardOp, backwardOp } = pairOps(name, pair);
  return {
    op: name,
    kind: 'gated',
    inputs: ['input', 'up'],
    differentiable: ['input', 'up'],
    passes: (call) => {
      if (!call.has('up')) return halves(name, activation, 'first', call);
      const params = pair.resolve(name, call.options, []);
      const operands = [call.input(), call.input('up')] as const;
      const [x, up] = operands;
      checkShapeIs(name, 'up', up, x.shape);
      const y = call.tensor('output', x.shape, x.dtype);
      const args = { params, shape: x.shape };
      return {
        forward: kernelPass(call, (pass) => {
          pass.run(pointwisePlanner, { op: forwardOp, ...args }, operands, [y]);
        }),
        backward: operands.some((part) => call.wants(part.name))
          ? kernelPass(call, (pass) => {
              const outputs = operands.map((part) =>
                call.wants(part.name) ? call.gradOf(part) : pass.temporary(x.shape, x.dtype),
              );
              const inputs = [...operands, call.gradOf(y)];
              pass.run(pointwisePlanner, { op: backwardOp, ...args }, inputs, outputs);
            })
          : null,
      };
    },
  };
}

function halves<const S extends ParamSpecs>(
  name: string,
  activation: ActivationDeclaration<S>,
  gate: 'first' | 'second',
  call: Call<GatedKernelOptions<S>>,
): Passes {
  const { file, layout } = activationOps(activation);
  const op = gatedOp(name, { ...activation, source: file, layout }, gate);
  const params = resolveActivation(activation, name, ['dim'], call.options);
  const x = call.input();
  const { shape, ...extents } = gatedArgs(name, x.shape, call.options.dim);
  const args = { op, params, ...extents };
  const y = call.tensor('output', shape, x.dtype);
  return {
    forward: kernelPass(call, (pass) => {
      pass.run(gated, { ...args, direction: 'forward' }, [x], [y]);
    }),
    backward: call.wants('input')
      ? kernelPass(call, (pass) => {
          const inputs = [x, call.gradOf(y)];
          pass.run(gated, { ...args, direction: 'backward' }, inputs, [call.gradOf(x)]);
        })
      : null,
  };
}
