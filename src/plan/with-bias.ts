// Plans of activations whose input gets a bias first, in the same kernel.
import { activationOps, biasOps, resolveActivation } from '../define/activation-ops.ts';
import type { ParamOptions, ParamSpecs } from '../define/params.ts';
import { checkShapeIs } from '../core/validate.ts';
import { pointwisePlanner } from '../kernels/pointwise/planner.ts';
import type { ActivationKernel } from './activation.ts';
import { kernelPass } from './kernel-pass.ts';
import { sumTo } from './sum-to.ts';
import type { KernelOp } from './types.ts';

/**
 * The same activation of `input + bias`, in one kernel: `bias` has the length of the last dimension, which is its default shape.
 *
 * @example planOf(withBias(gelu), { shape: [64, 1000], gradients: ['input', 'bias'] })
 */
export function withBias<S extends ParamSpecs>({
  declaration,
}: ActivationKernel<S>): KernelOp<ParamOptions<S>, 'input' | 'bias'> {
  const { name } = declaration;
  const { forwardBiasOp, backwardBiasOp } = biasOps(declaration, activationOps(declaration));
  return {
    op: name,
    kind: 'activation',
    inputs: ['input', 'bias'],
    differentiable: ['input', 'bias'],
    passes: (call) => {
      const params = resolveActivation(declaration, name, [], call.options);
      const x = call.input();
      const bias = call.input('bias', x.shape.slice(-1));
      checkShapeIs(name, 'bias', bias, x.shape.slice(-1));
      const y = call.tensor('output', x.shape, x.dtype);
      const args = { params, shape: x.shape };
      const [needsX, needsBias] = [call.wants('input'), call.wants('bias')];
      return {
        forward: kernelPass(call, (pass) => {
          pass.run(pointwisePlanner, { ...args, op: forwardBiasOp }, [x, bias], [y]);
        }),
        backward:
          needsX || needsBias
            ? kernelPass(call, (pass) => {
                const inputs = [x, call.gradOf(y), bias];
                // The bias gradient is summed from float32, so that it is rounded once.
                const own = needsX ? call.gradOf(x) : null;
                const direct = own && (own.dtype === 'float32' || !needsBias);
                const grad = direct ? own : pass.temporary(x.shape, 'float32');
                pass.run(pointwisePlanner, { ...args, op: backwardBiasOp }, inputs, [grad]);
                if (own && grad !== own) pass.cast(grad, own);
                if (needsBias) sumTo(pass, grad, call.gradOf(bias));
                if (grad !== own) pass.release(grad);
              })
            : null,
      };
    },
  };
}
