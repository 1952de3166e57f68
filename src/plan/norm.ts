// Plans of norms over the last dimensions.
import type { Shape } from '../core/shape.ts';
import { checkShapeIs } from '../core/validate.ts';
import { checkNormalizedShape, normCall, normOp } from '../define/norm-call.ts';
import type { NormDeclaration } from '../define/norm.ts';
import { resolveParams } from '../define/params.ts';
import { normKernel as kernel } from '../kernels/norm/plan.ts';
import { kernelPass } from './kernel-pass.ts';
import type { KernelOp } from './types.ts';

/** Options of a plan of a norm. */
export interface NormKernelOptions {
  /** The last dimensions of `input`, at least one. */
  readonly normalizedShape: Shape;
  /** At least 0. Defaults to that of the op. */
  readonly eps?: number;
}

/** A norm for `planOf`, from its declaration. An operand, such as `weight`, is there where its shape is. */
export function normKernel<O extends string>(
  declaration: NormDeclaration<O>,
): KernelOp<NormKernelOptions, 'input' | O> {
  const { name, operands } = declaration;
  const op = normOp(declaration);
  const names = Object.keys(operands) as O[];
  const specs = { eps: { default: declaration.eps, min: 0 } };
  return {
    op: name,
    kind: 'norm',
    inputs: ['input', ...names],
    differentiable: ['input', ...names],
    passes: (call) => {
      const { eps } = resolveParams(name, specs, ['normalizedShape'], call.options);
      const { normalizedShape } = call.options;
      const x = call.input();
      checkNormalizedShape(name, x, normalizedShape);
      const given = names.filter((operand) => call.has(operand));
      const inputs = [x, ...given.map((operand) => call.input(operand))];
      for (const operand of inputs.slice(1)) {
        checkShapeIs(name, operand.name, operand, normalizedShape);
      }
      const { statistics, saved, forward, backward } = normCall(
        op,
        x.shape,
        normalizedShape,
        eps,
        given,
      );
      const needs = inputs.map((input) => call.wants(input.name));
      const keeps = needs.includes(true);
      const y = call.tensor('output', x.shape, x.dtype);
      const kept = keeps ? [call.tensor('statistics', statistics, 'float32')] : [];
      const [, ...others] = saved.flatMap((i) => inputs[i] ?? []);
      return {
        forward: kernelPass(call, (pass) => {
          pass.run(kernel, forward(keeps), inputs, [y, ...kept]);
        }),
        backward: keeps
          ? kernelPass(call, (pass) => {
              const reads = [x, ...kept, ...others, call.gradOf(y)];
              const grads = inputs.filter((_, i) => needs[i]).map((input) => call.gradOf(input));
              pass.run(kernel, backward(needs), reads, grads);
            })
          : null,
      };
    },
  };
}
