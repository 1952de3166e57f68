// What a call of a declared classification loss is for its kernel: for its function, and for what is planned of it without one.
import temperText from '../../shaders/losses/tempered.wgsl?raw';
import type { DType } from '../core/dtype.ts';
import { OptionError, ShapeError } from '../core/errors.ts';
import { formatShape, type RowLayout, type Shape } from '../core/shape.ts';
import { checkNumber, checkOneOf } from '../core/validate-options.ts';
import { checkIndexShape, checkProbabilityShape } from '../core/validate-targets.ts';
import type { ClassLossArgs, ClassLossOp } from '../kernels/class-loss/args.ts';
import { div, tanh } from '../shader/lib.ts';
import { source } from '../shader/link.ts';
import type { ParamValues } from '../shader/params.ts';
import type { ClassLossDeclaration } from './class-loss.ts';
import { layoutOf, resolveParams, type ParamSpecs, type ParamsOf } from './params.ts';
import { REDUCTIONS, type Reduction } from './reduction.ts';
import { resolveTemper, TEMPER, type TemperOptions } from './temper.ts';

type Declaration<S extends ParamSpecs> = ClassLossDeclaration<S>;

export interface ClassLossOps {
  readonly plain: ClassLossOp;
  /** Where logits are tempered. */
  readonly tempered: ClassLossOp;
}

export function classLossOps<S extends ParamSpecs>(declaration: Declaration<S>): ClassLossOps {
  const { name, wgsl, includes, normalised, margin, params = {} } = declaration;
  const file = source(`${name}.wgsl`, wgsl, includes);
  const plain: ClassLossOp = {
    name,
    source: file,
    params: margin?.derive
      ? { names: Object.keys(margin.derive(resolveParams(name, params as S, []))) }
      : layoutOf(params),
    ...(margin ? { margin } : {}),
    normalised,
    loss: (l, p) => declaration.loss(l, p as ParamsOf<S>),
    grad: (l, p) => declaration.grad(l, p as ParamsOf<S>),
  };
  const tempered: ClassLossOp = {
    ...plain,
    tempered: true,
    source: source(`${name}-tempered.wgsl`, `${file.text}\n${temperText}`, [
      div,
      tanh,
      ...file.includes,
    ]),
    params: { names: ['softcap', 'inverse', 'zLoss'] },
  };
  return { plain, tempered };
}

export interface AnyClassLossOptions extends TemperOptions {
  readonly ignoreIndex?: number;
  readonly labelSmoothing?: number;
  readonly reduction?: Reduction;
}

type Options = Pick<
  ClassLossArgs,
  'op' | 'params' | 'reduction' | 'ignoreIndex' | 'labelSmoothing'
>;

/** The options but `weight` and `out`, checked, as the kernel takes them. */
export function resolveClassLoss<S extends ParamSpecs>(
  declaration: Declaration<S>,
  ops: ClassLossOps,
  options: AnyClassLossOptions,
): Options {
  const { name, soft, margin, params: specs = {} as S } = declaration;
  const others = [
    'weight',
    'ignoreIndex',
    'reduction',
    'out',
    ...(soft ? ['labelSmoothing', ...TEMPER] : []),
  ];
  const own = resolveParams(name, specs, others, options);
  const temper = soft ? resolveTemper(name, options) : null;
  const params: ParamValues = temper ? { ...temper } : margin?.derive ? margin.derive(own) : own;
  const { reduction = 'mean', ignoreIndex = -100, labelSmoothing = 0 } = options;
  checkOneOf(name, 'reduction', reduction, REDUCTIONS);
  checkNumber(name, 'ignoreIndex', ignoreIndex, { integer: true });
  checkNumber(name, 'labelSmoothing', labelSmoothing, { min: 0, max: 1 });
  return { op: temper ? ops.tempered : ops.plain, params, reduction, ignoreIndex, labelSmoothing };
}

export interface ClassLossTensors {
  readonly layout: RowLayout;
  /** How many targets a mean divides by, where the host knows. */
  readonly count: number | null;
  /** Whether targets are class indices. */
  readonly classes: boolean;
  readonly weights: boolean;
  /** Whether the divisor of a mean is kept for the backward direction. */
  readonly divided: boolean;
}

/** The kernel's arguments in either direction, and with these gradients. */
export function classLossArgs(
  options: Options,
  { layout, count, classes, weights, divided }: ClassLossTensors,
) {
  return (
    gradOutput: boolean,
    [gradScores = false, gradProbabilities = false]: readonly boolean[],
  ): ClassLossArgs => ({
    ...options,
    layout,
    count,
    inputs: {
      target: classes ? 'classes' : 'probabilities',
      weights,
      gradOutput,
      divisor: gradOutput && divided,
    },
    outputs: {
      loss: !gradOutput,
      gradScores,
      gradProbabilities,
      divisor: !gradOutput && divided,
    },
  });
}

interface Like {
  readonly shape: Shape;
  readonly dtype: DType;
}

/** Checks a target against the scores; returns the shape of one loss per target. */
export function checkTarget(
  op: string,
  input: Like,
  target: Like,
  dim: number,
  ignoreIndex: number | undefined,
): Shape {
  if (input.shape.length === 0) {
    throw new ShapeError({
      op,
      argument: 'input',
      expected: 'shape [C] or [N, C, ...]',
      received: 'a scalar',
    });
  }
  const rowShape = input.shape.filter((_, d) => d !== dim);
  if (target.dtype === 'int32') {
    checkIndexShape(op, target, input, rowShape);
    return rowShape;
  }
  if (ignoreIndex !== undefined && ignoreIndex >= 0) {
    throw new OptionError({
      op,
      argument: 'ignoreIndex',
      expected: 'none for targets that are class probabilities',
      received: String(ignoreIndex),
      hint: `target has shape ${formatShape(target.shape)} and dtype ${target.dtype}`,
    });
  }
  checkProbabilityShape(op, target, input.shape, rowShape);
  return rowShape;
}
