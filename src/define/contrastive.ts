// Makes a loss of the similarities of all rows with all columns from its declaration: options, reductions and gradients.
import { describe } from '../core/describe.ts';
import { run } from '../core/dispatcher.ts';
import { DTypeError } from '../core/errors.ts';
import { isTensor } from '../core/is-tensor.ts';
import { fromHost, type Tensor } from '../core/tensor.ts';
import {
  checkDevice,
  checkOut,
  checkShapeIs,
  checkTensor,
  checkTensors,
} from '../core/validate.ts';
import { checkNumber, checkOneOf } from '../core/validate-options.ts';
import type { ContrastiveArgs, TensorName } from '../kernels/contrastive/args.ts';
import { mul } from '../math/arithmetic.ts';
import { Module } from '../nn/module.ts';
import {
  contrastiveArgs,
  kernelOf,
  placesOf,
  resolveContrastive,
  type ContrastiveDeclaration,
} from './contrastive-call.ts';
import { likesOf, planGradients, recordFused } from './fused-gradient.ts';
import { nameOf, optionsFor } from './module.ts';
import { defineOp, type Declared } from './op.ts';
import { defaultsOf } from './params.ts';
import { warmUp } from './prepare.ts';
import type { Reduction } from './reduction.ts';

export { declareContrastive, SHORT_ROWS } from './contrastive-call.ts';

/** Options whose values are not numbers. */
interface Others extends Readonly<Record<string, unknown>> {
  readonly negatives?: Tensor;
  readonly reduction?: Reduction;
  readonly out?: Tensor;
}

/** Checks an option that is a number, or a scalar tensor, which then has a gradient; returns the number, or the tensor. */
function scalarOf(op: string, argument: string, value: unknown): number | Tensor {
  if (isTensor(value)) {
    checkShapeIs(op, argument, value, []);
    return value;
  }
  if (typeof value !== 'number') {
    const expected = 'a number or a scalar tensor';
    throw new DTypeError({ op, argument, expected, received: describe(value) });
  }
  checkNumber(op, argument, value);
  return value;
}

/** The arguments of a contrastive loss. */
export type ContrastiveArguments = [first: Tensor, second: Tensor, options?: object];

/** A loss of the similarities of embeddings, with its arguments. */
export interface Contrastive<A extends ContrastiveArguments> extends Declared {
  (...args: A): Tensor;
  /** Its family. */
  readonly kind: 'loss';
}

/** Declares a contrastive loss. `A` are its arguments, with their names. */
export function defineContrastive<A extends ContrastiveArguments>(
  declaration: ContrastiveDeclaration,
): Contrastive<A> {
  const { name, inputs, scalars = {}, pairing, reductions, accuracy, docs } = declaration;
  const { params: specs = {} } = declaration;
  const [firstName, secondName] = inputs;
  const labelled = pairing === 'labels';
  const kernel = kernelOf(declaration);

  const apply = (first: Tensor, second: Tensor, options: object = {}): Tensor => {
    const params = resolveContrastive(declaration, ['out'], options);
    const { negatives, reduction = 'mean', out, ...rest } = options as Others;
    if (reductions) checkOneOf(name, 'reduction', reduction, reductions);
    const given = Object.entries(scalars).map(([option, standard]): [string, number | Tensor] => [
      option,
      scalarOf(name, option, rest[option] === undefined ? standard : rest[option]),
    ]);
    const floats: Record<string, Tensor> = {
      [firstName]: first,
      ...(labelled ? {} : { [secondName]: second }),
      ...(negatives === undefined ? {} : { negatives }),
      ...Object.fromEntries(given.filter((one): one is [string, Tensor] => isTensor(one[1]))),
    };
    const device = checkTensors(name, floats);
    if (labelled) {
      checkTensor(name, secondName, second, ['int32']);
      checkDevice(name, secondName, second, device);
    }
    const [scale, bias] = given.map(([, value]) => (isTensor(value) ? undefined : value));
    const { rowShape, ...base } = contrastiveArgs(declaration, [first, second, negatives], params, {
      reduction,
      ...(scale === undefined ? {} : { scale }),
      ...(bias === undefined ? {} : { bias }),
    });

    const placed = placesOf(declaration, { ...floats, [secondName]: second });
    const leaves = placed.filter(({ name: place }) => place !== 'labels');
    const differentiable = leaves.map(({ tensor }) => tensor);
    const plan = planGradients(differentiable, reduction);
    const like = { device, dtype: first.dtype, shape: reduction === 'none' ? rowShape : [] };
    checkOut(name, out, like, plan.recording);
    const wanted = (flags: readonly boolean[]): TensorName[] =>
      leaves.flatMap(({ name: place }, i) => (flags[i] ? [place] : []));
    const all = placed.map(({ tensor }) => tensor);
    const args: ContrastiveArgs = {
      ...base,
      inputs: placed.map(({ name: place }) => place),
      outputs: ['loss', ...wanted(plan.fused)],
    };
    // Another upstream gradient than 1 multiplies what was written in the forward pass; not in float16, where that may have
    // underflowed or overflowed.
    const again = plan.recording && (reduction === 'none' || first.dtype === 'float16');
    const later: ContrastiveArgs = {
      ...args,
      inputs: [...args.inputs, 'gradOutput'],
      outputs: wanted(plan.needs),
    };
    const likes = likesOf(differentiable, plan.needs);
    return recordFused({
      op: name,
      inputs: differentiable,
      plan,
      operands: again ? all : [],
      outputs: run(kernel, args, all, [out ?? like, ...likesOf(differentiable, plan.fused)]),
      backward: (saved, gradOutput, fused) =>
        again
          ? run(kernel, later, [...saved, gradOutput], likes)
          : fused.map((grad) => mul(grad, gradOutput)),
    });
  };

  return defineOp((...[first, second, options]: A) => apply(first, second, options), {
    op: name,
    kind: 'loss',
    params: defaultsOf(specs),
    specs,
    reductions: reductions ?? [],
    accuracy,
    docs,
    prepare: (device, dtype) => {
      const variants = reductions ? [{}, { reduction: 'none' }] : [{}];
      for (const n of [3, 64]) {
        const shapes = labelled ? [[n, n]] : Array(2).fill([n, n]);
        const labels = labelled && fromHost(new Int32Array(n), [n], 'int32', device);
        for (const options of variants)
          warmUp(device, dtype, shapes, (a, b) => apply(a, labels || b, options));
      }
    },
  });
}

/** A module of two tensors, and of negatives where a call has some. */
export interface NegativesModule extends Module {
  /** The loss of a batch. */
  forward(first: Tensor, second: Tensor, negatives?: Tensor): Tensor;
}

/** The module class of a loss with an option `negatives`: those of a call come before those of the module. */
export function negativesModule<O extends object>(
  loss: (first: Tensor, second: Tensor, options?: O & { negatives?: Tensor }) => Tensor,
): new (options?: Omit<O, 'out'>) => NegativesModule {
  return class extends Module {
    readonly #options: O;

    constructor(options?: Omit<O, 'out'>) {
      super();
      this.#options = optionsFor(nameOf(loss), options as O);
    }

    override forward(first: Tensor, second: Tensor, negatives?: Tensor): Tensor {
      const given = negatives === undefined ? {} : { negatives };
      return loss(first, second, { ...this.#options, ...given });
    }
  };
}
