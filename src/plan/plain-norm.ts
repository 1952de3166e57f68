// Plans of norms without operands.
import type { PlainNormDeclaration } from '../define/plain-norm.ts';
import { planMerged } from '../gpu/merge.ts';
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
        forward: call.pass((pass) => {
          pass.run(kernel, { ...args, direction: 'forward' }, [x], [y]);
        }, planMerged),
        backward: call.wants('input')
          ? call.pass((pass) => {
              const reads = [x, call.gradOf(y)];
              pass.run(kernel, { ...args, direction: 'backward' }, reads, [call.gradOf(x)]);
            }, planMerged)
          : null,
      };
    },
  };
}
