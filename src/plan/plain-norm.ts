// Plans of norms without operands.
import type { PlainNormDeclaration } from '../define/plain-norm.ts';
import { kernelPass } from './kernel-pass.ts';
import type { KernelOp } from './types.ts';

/** A norm without operands for `planOf`, from its declaration. */
export function plainNormKernel<A extends object, O extends object>({
  name,
  kernel,
  call: argsOf,
}: PlainNormDeclaration<A, O>): KernelOp<Omit<O, 'out'>, 'input'> {
  return {
    op: name,
    kind: 'norm',
    inputs: ['input'],
    differentiable: ['input'],
    passes: (call) => {
      const x = call.input();
      const args = argsOf(x, call.options as O, []);
      const y = call.tensor('output', x.shape, x.dtype);
      return {
        forward: kernelPass(call, (pass) => {
          pass.run(kernel, { ...args, direction: 'forward' }, [x], [y]);
        }),
        backward: call.wants('input')
          ? kernelPass(call, (pass) => {
              const reads = [x, call.gradOf(y)];
              pass.run(kernel, { ...args, direction: 'backward' }, reads, [call.gradOf(x)]);
            })
          : null,
      };
    },
  };
}
