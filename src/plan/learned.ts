// Plans of activations with a learned tensor.
import type { ActivationDeclaration } from '../define/activation.ts';
import { alongChannels } from '../define/along-channels.ts';
import { learnedOps, type LearnedDeclaration } from '../define/learned.ts';
import type { ParamOptions, ParamSpecs } from '../define/params.ts';
import { pointwisePlanner } from '../kernels/pointwise/planner.ts';
import { activationKernel } from './activation.ts';
import type { Call } from './call.ts';
import { kernelPass } from './kernel-pass.ts';
import { seenAs } from './pass.ts';
import { sumTo } from './sum-to.ts';
import type { KernelOp, Passes } from './types.ts';

/** An activation with a learned tensor for `planOf`. It has one element unless the request names its shape. */
export function learnedKernel<const L extends string>(
  declaration: LearnedDeclaration & { readonly learned: L },
): KernelOp<object, 'input' | L> {
  return made(declaration, (call) => learnedPasses(declaration, call));
}

/** One whose learned tensor may be an option, a number, as which it is taken unless the request names its shape. */
export function numberOrLearnedKernel<const L extends string, const S extends ParamSpecs>({
  learned: declaration,
  ofNumber,
}: {
  readonly learned: LearnedDeclaration & { readonly learned: L };
  readonly ofNumber: ActivationDeclaration<S>;
}): KernelOp<ParamOptions<S>, 'input' | L> {
  const { passes } = activationKernel(ofNumber);
  return made(declaration, (call) =>
    call.has(declaration.learned) ? learnedPasses(declaration, call) : passes(call),
  );
}

function made<L extends string, O extends object>(
  { name, learned }: LearnedDeclaration & { readonly learned: L },
  passes: (call: Call<O>) => Passes,
): KernelOp<O, 'input' | L> {
  const inputs = ['input', learned] as const;
  return { op: name, kind: 'activation', inputs, differentiable: inputs, passes };
}

function learnedPasses(declaration: LearnedDeclaration, call: Call): Passes {
  const { name, learned } = declaration;
  const { forwardOp, backwardOp } = learnedOps(declaration);
  call.takes([]);
  const x = call.input();
  const part = call.input(learned, [1]);
  const along = alongChannels(name, learned, x, part);
  const spread = seenAs(part, along);
  const y = call.tensor('output', x.shape, x.dtype);
  const args = { params: {}, shape: x.shape };
  return {
    forward: kernelPass(call, (pass) => {
      pass.run(pointwisePlanner, { ...args, op: forwardOp }, [x, spread], [y]);
    }),
    backward:
      call.wants('input') || call.wants(learned)
        ? kernelPass(call, (pass) => {
            const grad = call.wants('input') ? call.gradOf(x) : pass.temporary(x.shape, x.dtype);
            const wide = pass.temporary(x.shape, 'float32');
            const inputs = [x, spread, call.gradOf(y)];
            pass.run(pointwisePlanner, { ...args, op: backwardOp }, inputs, [grad, wide]);
            if (call.wants(learned)) sumTo(pass, wide, seenAs(call.gradOf(part), along));
          })
        : null,
  };
}
