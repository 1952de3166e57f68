// Plans of contrastive losses.
import { checkShapeIs } from '../core/validate.ts';
import { checkNumber, checkOneOf } from '../core/validate-options.ts';
import {
  contrastiveArgs,
  kernelOf,
  placesOf,
  resolveContrastive,
  type ContrastiveDeclaration,
} from '../define/contrastive-call.ts';
import type { ParamOptions, ParamSpecs } from '../define/params.ts';
import type { Reduction } from '../define/reduction.ts';
import type { ContrastiveArgs } from '../kernels/contrastive/args.ts';
import { fusedPasses } from './fused.ts';
import type { Part } from './pass.ts';
import type { KernelOp } from './types.ts';

/** Options of a plan of a contrastive loss: those that are numbers, and the reduction where the loss has one. */
export type ContrastiveKernelOptions<S extends ParamSpecs> = ParamOptions<S> & {
  /** What similarities are multiplied by. */
  readonly logitScale?: number;
  /** What is added to them then. */
  readonly logitBias?: number;
  /** How the losses become one number, as in the function of that name. */
  readonly reduction?: Reduction;
};

/**
 * A contrastive loss for `planOf`, from its declaration. `logitScale` and `logitBias` are options, numbers, or scalars of memory
 * where the request names their shape, []; `negatives` are there where their shape is. Labels are int32.
 */
export function contrastiveKernel<const S extends ParamSpecs>(
  declaration: ContrastiveDeclaration<S>,
): KernelOp<ContrastiveKernelOptions<S>> {
  const { name, inputs, scalars = {}, pairing, negatives = false, reductions } = declaration;
  const [first, second] = inputs;
  const labelled = pairing === 'labels';
  const others = [...(negatives ? ['negatives'] : []), ...Object.keys(scalars)];
  const kernel = kernelOf(declaration);
  return {
    op: name,
    kind: 'loss',
    inputs: [...inputs, ...others],
    differentiable: [...(labelled ? [first] : inputs), ...others],
    passes: (call) => {
      const params = resolveContrastive(declaration, [], call.options);
      const options = call.options as Readonly<Record<string, unknown>>;
      const { reduction = 'mean' } = options as { readonly reduction?: Reduction };
      if (reductions) checkOneOf(name, 'reduction', reduction, reductions);
      const left = call.input();
      const right = call.input(
        second,
        labelled ? left.shape.slice(0, 1) : left.shape,
        labelled ? ['int32'] : [left.dtype],
      );
      const there = others.filter((other) => call.has(other)).map((other) => call.input(other));
      const numbers = Object.entries(scalars).map(([option, standard]) => {
        const part = there.find((one) => one.name === option);
        if (part) {
          checkShapeIs(name, option, part, []);
          return undefined;
        }
        const value = options[option] === undefined ? standard : options[option];
        checkNumber(name, option, value);
        return value as number;
      });
      const [scale, bias] = numbers;
      const given = there.find((part) => part.name === 'negatives');
      const { rowShape, ...base } = contrastiveArgs(declaration, [left, right, given], params, {
        reduction,
        ...(scale === undefined ? {} : { scale }),
        ...(bias === undefined ? {} : { bias }),
      });
      const parts: Record<string, Part> = { [first]: left, [second]: right };
      for (const part of there) parts[part.name] = part;
      const placed = placesOf(declaration, parts);
      const leaves = placed.filter((one) => one.name !== 'labels');
      const names = placed.map((one) => one.name);
      return fusedPasses(call, {
        kernel,
        operands: placed.map(({ tensor }) => tensor),
        differentiable: leaves.map(({ tensor }) => tensor),
        shape: reduction === 'none' ? rowShape : [],
        reduced: reduction !== 'none',
        args: (backward, wanted): ContrastiveArgs => {
          const grads = leaves.flatMap((leaf, i) => (wanted[i] ? [leaf.name] : []));
          return {
            ...base,
            inputs: backward ? [...names, 'gradOutput'] : names,
            outputs: backward ? grads : ['loss', ...grads],
          };
        },
      });
    },
  };
}
