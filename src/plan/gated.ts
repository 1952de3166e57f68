// Plans of gated units: one half of a tensor times an activation of the other.
import { activationOps, resolveActivation } from '../define/activation-ops.ts';
import type { ActivationDeclaration } from '../define/activation.ts';
import { gatedArgs, gatedOp } from '../define/gated-call.ts';
import type { ParamOptions, ParamSpecs } from '../define/params.ts';
import { gated } from '../kernels/gated/plan.ts';
import type { KernelOp } from './types.ts';

/** A gated unit for `planOf`: which half the activation is applied to. */
export function gatedKernel<const S extends ParamSpecs>(
  name: string,
  activation: ActivationDeclaration<S>,
  gate: 'first' | 'second',
): KernelOp<ParamOptions<S> & { readonly dim?: number }, 'input'> {
  const { file, layout } = activationOps(activation);
  const op = gatedOp(name, { ...activation, source: file, layout }, gate);
  return {
    op: name,
    kind: 'gated',
    inputs: ['input'],
    differentiable: ['input'],
    passes: (call) => {
      const params = resolveActivation(activation, name, ['dim'], call.options);
      const x = call.input();
      const { dim } = call.options;
      const { shape, ...extents } = gatedArgs(name, x.shape, dim);
      const args = { op, params, ...extents };
      const y = call.tensor('output', shape, x.dtype);
      return {
        forward: call.pass((pass) => {
          pass.run(gated, { ...args, direction: 'forward' }, [x], [y]);
        }),
        backward: call.wants('input')
          ? call.pass((pass) => {
              const inputs = [x, call.gradOf(y)];
              pass.run(gated, { ...args, direction: 'backward' }, inputs, [call.gradOf(x)]);
            })
          : null,
      };
    },
  };
}
