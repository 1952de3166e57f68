// Plans of activations.
import { activationOps, resolveActivation } from '../define/activation-ops.ts';
import type { ActivationDeclaration } from '../define/activation.ts';
import type { ParamOptions, ParamSpecs } from '../define/params.ts';
import { elementwise } from '../kernels/pointwise/elements.ts';
import type { KernelOp } from './types.ts';

/** An activation as `planOf` takes it. */
export interface ActivationKernel<S extends ParamSpecs = ParamSpecs> extends KernelOp<
  ParamOptions<S>,
  'input'
> {
  /** What it is made of. */
  readonly declaration: ActivationDeclaration<S>;
}

/** An activation for `planOf`, from its declaration: your own, as `defineActivation` takes it. */
export function activationKernel<const S extends ParamSpecs>(
  declaration: ActivationDeclaration<S>,
): ActivationKernel<S> {
  const { name } = declaration;
  const { forwardOp, backwardOp } = activationOps(declaration);
  return {
    op: name,
    kind: 'activation',
    inputs: ['input'],
    differentiable: ['input'],
    declaration,
    passes: (call) => {
      const params = resolveActivation(declaration, name, [], call.options);
      const x = call.input();
      const y = call.tensor('output', x.shape, x.dtype);
      const args = { params, shape: x.shape };
      return {
        forward: call.pass((pass) => {
          pass.run(elementwise, { ...args, op: forwardOp }, [x], [y]);
        }),
        backward: call.wants('input')
          ? call.pass((pass) => {
              const inputs = [x, call.gradOf(y)];
              pass.run(elementwise, { ...args, op: backwardOp }, inputs, [call.gradOf(x)]);
            })
          : null,
      };
    },
  };
}
