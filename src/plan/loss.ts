// Plans of pointwise losses: reductions, weights, and gradients, which the forward pass may write.
import type { DType } from '../core/dtype.ts';
import { broadcastShapes, sameShape, sizeOf, type Shape } from '../core/shape.ts';
import { checkBroadcastsTo, checkShapeIs } from '../core/validate.ts';
import { checkOneOf } from '../core/validate-options.ts';
import { gradientLike, lossArgs, lossParts, namesOf, resolveLoss } from '../define/loss-call.ts';
import { lossOps, type Variant } from '../define/loss-ops.ts';
import type {
  InputAndTarget,
  LossDeclaration,
  TensorNames,
  NoTensors,
} from '../define/loss-types.ts';
import type { ParamOptions, ParamSpecs } from '../define/params.ts';
import type { AnyReduction, Reduction } from '../define/reduction.ts';
import { pointwisePlanner } from '../kernels/pointwise/planner.ts';
import { kernelPass, type KernelPass } from './kernel-pass.ts';
import { seenAs, type Part } from './pass.ts';
import { sumTo } from './sum-to.ts';
import type { KernelOp } from './types.ts';

/** Options of a plan of a pointwise loss. */
export type LossKernelOptions<S extends ParamSpecs, R extends AnyReduction> = ParamOptions<S> & {
  /** How the losses become one number, as in the function of that name. */
  readonly reduction?: R;
};

/** A pointwise loss for `planOf`, from its declaration: your own, as `defineLoss` takes it. */
export function lossKernel<
  const S extends ParamSpecs,
  const N extends TensorNames = InputAndTarget,
  const D extends TensorNames = N,
  const W extends TensorNames = NoTensors,
  const R extends AnyReduction = Reduction,
>(
  declaration: LossDeclaration<S, N, D, W, R>,
): KernelOp<LossKernelOptions<S, R>, N[number] | W[number]> {
  const { name, arrange, numbers = [], weightsLikeInput, meanByWeight } = declaration;
  const { inputs, differentiable, weights, reductions } = namesOf(declaration);
  const parts = lossParts(declaration);
  const ops = lossOps(parts);
  const ofWeights = parts.weightBackward ? weights : [];
  const made: KernelOp<{ reduction?: AnyReduction }> = {
    op: name,
    kind: 'loss',
    inputs: [...inputs, ...weights],
    differentiable: [...differentiable, ...ofWeights],
    passes: (call) => {
      const params = resolveLoss(declaration, call.options);
      const { reduction = reductions[0] } = call.options;
      checkOneOf(name, 'reduction', reduction, reductions);
      const first = call.input();
      const own = first.shape;
      const { dtype } = first;
      // A number is not rounded to the dtype of the others.
      const numeric = inputs.map((input) => numbers.includes(input) && call.isNumber(input));
      const isNumber = (i: number): boolean => numeric[i] === true;
      const given = inputs.map((input, i) =>
        i === 0 ? first : call.input(input, own, isNumber(i) ? ['float32'] : [dtype]),
      );
      // A number goes with any shape.
      const shapes = given.map((part, i) => (isNumber(i) ? own : part.shape));
      const seen = (arrange ? arrange(name, shapes, inputs) : shapes).map((shape, i) =>
        isNumber(i) ? [] : shape,
      );
      const shape = broadcastShapes(name, seen, inputs.at(-1));
      const factors = weights
        .filter((weight) => call.has(weight))
        .map((weight) => call.input(weight));
      for (const factor of factors) {
        if (weightsLikeInput) checkShapeIs(name, factor.name, factor, own);
        checkBroadcastsTo(name, factor.name, factor, shape);
      }
      const operands = [...given.map((part, i) => seenAs(part, seen[i] ?? part.shape)), ...factors];
      const operandOf = (input: string): Part | undefined =>
        operands.find((part) => part.name === input);

      const reduced = reduction !== 'none';
      const weighted = weights.map((weight) => call.has(weight));
      const [weight] = factors;
      const total =
        meanByWeight && reduction === 'mean' && weight
          ? call.tensor('weightSum', [], 'float32')
          : null;
      const needs: Variant = {
        needs: differentiable.map((input) => call.wants(input)),
        weightNeeds: weights.map((input, k) => weighted[k] === true && call.wants(input)),
        weighted,
        divided: total !== null,
      };
      const backs = [...needs.needs, ...needs.weightNeeds].includes(true);
      // The gradient of such a weight needs the mean, which the forward pass does not have yet.
      const late = total !== null && needs.weightNeeds.includes(true);
      const none = (flags: readonly boolean[]): boolean[] => flags.map(() => false);
      const fuses = reduced && call.fused && !late;
      const written: Variant = fuses
        ? needs
        : { ...needs, needs: none(needs.needs), weightNeeds: none(needs.weightNeeds) };
      const writes = [...written.needs, ...written.weightNeeds].includes(true);

      const y = call.tensor('output', reduced ? [] : shape, dtype);
      const mean = late && dtype === 'float16' ? call.tensor('mean', [], 'float32') : y;
      const weighs = total && weight ? weight.size : null;
      const args = lossArgs(ops, { params, shape, own, reduction, weighs });

      /** The gradients that a kernel writes, and what is to be done with them after it. */
      const gradients = (
        pass: KernelPass,
        variant: Variant,
      ): { outputs: Part[]; finish: () => void } => {
        const names = [
          ...differentiable.filter((_, k) => variant.needs[k]),
          ...weights.filter((_, k) => variant.weightNeeds[k]),
        ];
        const later: (() => void)[] = [];
        const outputs = names.flatMap((input) => {
          const operand = operandOf(input);
          const part = [...given, ...factors].find((one) => one.name === input);
          if (!operand || !part) return [];
          const grad = seenAs(call.gradOf(part), operand.shape);
          const like = gradientLike(operand, shape);
          if (isLike(grad, like)) return [grad];
          const wide = pass.temporary(like.shape, like.dtype);
          later.push(() => {
            sumTo(pass, wide, grad);
            pass.release(wide);
          });
          return [wide];
        });
        return { outputs, finish: () => later.forEach((step) => step()) };
      };
      return {
        forward: kernelPass(call, (pass) => {
          if (total && weight) sumTo(pass, weight, total);
          const sums = total ? pass.temporary([], 'float32') : y;
          const { outputs, finish } = gradients(pass, written);
          const reads = total && writes ? [...operands, total] : operands;
          pass.run(pointwisePlanner, args.forward(written), reads, [sums, ...outputs]);
          if (total) {
            const quotient = { op: ops.quotient, params: {}, shape: [] };
            pass.run(pointwisePlanner, quotient, [sums, total], [mean]);
            pass.release(sums);
          }
          if (mean !== y) pass.cast(mean, y);
          finish();
        }),
        backward: backs
          ? kernelPass(call, (pass) => {
              const { outputs, finish } = gradients(pass, needs);
              const reads = [
                ...operands,
                ...(total ? [total] : []),
                ...(late ? [mean] : []),
                call.gradOf(y),
              ];
              pass.run(pointwisePlanner, args.backward(needs), reads, outputs);
              finish();
            })
          : null,
      };
    },
  };
  return made;
}

function isLike(part: Part, like: { readonly shape: Shape; readonly dtype: DType }): boolean {
  return (
    part.dtype === like.dtype &&
    sameShape(part.shape, like.shape) &&
    sizeOf(like.shape) === part.size
  );
}
