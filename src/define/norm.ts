// Makes a norm from its declaration: a function with gradients of x and of its operands.
import type { Device } from '../core/device.ts';
import type { FloatDType } from '../core/dtype.ts';
import type { Tensor } from '../core/tensor.ts';
import { checkShapeIs, checkTensors } from '../core/validate.ts';
import type { NormOp } from '../kernels/norm/args.ts';
import { normKernel } from '../kernels/norm/plan.ts';
import type { Source } from '../shader/link.ts';
import { checkNormalizedShape, normCall, normOp } from './norm-call.ts';
import { defineOp, type Accuracy, type Declared, type OpDocs } from './op.ts';
import { resolveParams } from './params.ts';
import { warmUp } from './prepare.ts';
import { callRows } from './rows.ts';

/** An operand of a norm: a tensor of the normalised shape, which a call may leave out. */
export interface OperandSpec {
  /** What stands for it where it is left out: 1 of a factor, 0 of a term. Also what a module begins with. */
  readonly absent: number;
  /** Whether the gradient of x depends on it. */
  readonly saved: boolean;
}

export interface NormDeclaration<O extends string> {
  readonly name: string;
  /**
   * WGSL, by quads of a row's elements; `z` is one normalised: x, less the row's mean where `const centred` is true, times the
   * row's factor. `fn term(d: vec4f) -> vec4f`, 0 of 0: summed over the row, of elements before that, times `scale`, a power of
   * two that keeps squares within float32; `fn factor_of(mean: f32, shift: f32, scale: f32, eps: f32) -> f32`, from the mean of the
   * terms, and of what was summed where centred (next to 0): the row's factor over that scale; `fn forward(z: vec4f, o: Operands)
   * -> vec4f`, the result, of operands by name. For gradients `fn backward_terms(z: vec4f, g: vec4f, o: Operands) -> Terms`, two,
   * whose means over the row are the last argument of `fn backward(z: vec4f, g: vec4f, o: Operands, means: vec2f) -> vec4f`, the
   * gradient of x over the row's factor; `fn operand_terms(z: vec4f, g: vec4f) -> Operands`, those of the operands at one row.
   */
  readonly wgsl: string;
  readonly includes?: readonly Source[];
  /** The operands in the order of `Operands`. */
  readonly operands: Readonly<Record<O, OperandSpec>>;
  /** How often `term` multiplies an element by another: 2 of squares, and so how often `factor_of` multiplies eps by `scale`. */
  readonly degree: number;
  /** What is added to the measure of a row, so that it is not 0: the default of the option. */
  readonly eps: number;
  /** A row in float64. Operands that are left out are there all the same. */
  readonly forward: (rows: NormRowsOf<O>, eps: number, y: Float64Array) => void;
  /** A row's gradients in float64: sets that of x, and adds the row's share of the others to what is there. */
  readonly backward: (
    rows: NormRowsOf<O>,
    eps: number,
    gradOutput: Float64Array,
    grads: NormRowsOf<O>,
  ) => void;
  /** Bounds for the tests. */
  readonly accuracy?: Accuracy;
  /** For tables and the demo; the build leaves it out. */
  readonly docs?: OpDocs;
}

type NormRowsOf<O extends string> = Readonly<Record<O | 'x', Float64Array>>;

/** What a norm multiplies its rows by, and what it adds. */
export interface NormOperands {
  /** A factor of each element, of shape `normalizedShape`; null is none. */
  weight?: Tensor | null;
  /** A term of each element, of shape `normalizedShape`; null is none. */
  bias?: Tensor | null;
}

/** The operands, of the normalised shape; null is none, as PyTorch's None. */
export type NormOptions<O extends string = never> = Pick<NormOperands, O & keyof NormOperands> & {
  /** At least 0. */
  eps?: number;
  /** Written instead of a new tensor; may be the input itself. Only where no gradient is recorded. */
  out?: Tensor;
};

/** A norm over the last dimensions of `x`, which `normalizedShape` names. Same shape, dtype and device as `x`. */
export interface Norm<O extends string = never> extends Declared {
  (x: Tensor, normalizedShape: readonly number[], options?: NormOptions<O>): Tensor;
  readonly kind: 'norm';
  /** @internal The operands, for the module class. */
  readonly operands: Readonly<Record<O, OperandSpec>>;
  /** @internal What the kernel computes, for the norm of a sum. */
  readonly rows: NormOp;
}

/** A declaration as it is, with its types: what is made of it here, and by `plan/norm.ts`. */
export function declareNorm<O extends string>(declaration: NormDeclaration<O>): NormDeclaration<O> {
  return declaration;
}

/** Declares a norm. */
export function defineNorm<O extends string>(declaration: NormDeclaration<O>): Norm<O> {
  const { name, operands, accuracy, docs } = declaration;
  const names = Object.keys(operands) as O[];
  const op = normOp(declaration);
  const specs = { eps: { default: declaration.eps, min: 0 } };

  const apply = (
    x: Tensor,
    normalizedShape: readonly number[],
    options: NormOptions<O> = {} as NormOptions<O>,
  ): Tensor => {
    const { eps } = resolveParams(name, specs, [...names, 'out'], options);
    const given = names.flatMap((operand): (readonly [O, Tensor])[] => {
      const value = (options as Readonly<Record<string, Tensor | null | undefined>>)[operand];
      return value === undefined || value === null ? [] : [[operand, value]];
    });
    checkTensors(name, { x, ...Object.fromEntries(given) });
    checkNormalizedShape(name, x, normalizedShape);
    for (const [operand, tensor] of given) checkShapeIs(name, operand, tensor, normalizedShape);
    const call = normCall(
      op,
      x.shape,
      normalizedShape,
      eps,
      given.map(([operand]) => operand),
    );
    return callRows({
      op: name,
      kernel: normKernel,
      inputs: [x, ...given.map(([, tensor]) => tensor)],
      out: options.out,
      saves: { inputs: call.saved, statistics: call.statistics },
      forward: call.forward,
      backward: call.backward,
    });
  };
  const declared = defineOp(apply, {
    op: name,
    kind: 'norm',
    docs,
    accuracy,
    params: { eps: declaration.eps },
    specs,
    weights: names,
    prepare: (device: Device, dtype: FloatDType) => {
      // Rows in chunks, in one piece, and few short ones; many of the last.
      for (const [rows, n] of [
        [1, 16384],
        [1, 1000],
        [1, 10],
        [8192, 2],
      ] as const) {
        warmUp(device, dtype, [[rows, n], ...names.map(() => [n])], (...leaves) => {
          const [x, ...others] = leaves as readonly Tensor[];
          const tensors = Object.fromEntries(names.map((operand, i) => [operand, others[i]]));
          return apply(x ?? leaves[0], [n], tensors as NormOptions<O>);
        });
      }
    },
  });
  return Object.assign(declared, { operands, rows: op });
}
