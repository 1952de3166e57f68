// Makes a gated activation: one half of a tensor multiplied by an activation of the other half.
import { isRecording, record } from '../core/autograd.ts';
import type { Device } from '../core/device.ts';
import { runOne } from '../core/dispatcher.ts';
import type { FloatDType } from '../core/dtype.ts';
import { gated } from '../kernels/gated/plan.ts';
import type { Tensor } from '../core/tensor.ts';
import { checkOut, checkTensors } from '../core/validate.ts';
import { checkNumber } from '../core/validate-options.ts';
import type { Activation } from './activation.ts';
import { gatedArgs, gatedOp } from './gated-call.ts';
import { definePair, type GatedPair } from './gated-pair.ts';
import { isTensor } from '../core/is-tensor.ts';
import { defineOp, type Accuracy, type Declared, type OpDocs } from './op.ts';
import { variantsOf, type ParamOptions, type ParamSpecs } from './params.ts';
import { warmUp } from './prepare.ts';

export interface GatedDeclaration<S extends ParamSpecs> {
  readonly name: string;
  /** The activation of the gate. Its options are also the options of the gated unit. */
  readonly activation: Activation<S>;
  /** The half that the activation is applied to; the other is multiplied. */
  readonly gate: 'first' | 'second';
  /** The form that takes the gate and the other operand as two tensors. */
  readonly pair?: GatedPair;
  /** Error bounds that the tests check. */
  readonly accuracy?: Accuracy;
  /** Documentation for tables and the demo. The build removes it. */
  readonly docs?: OpDocs;
}

/** Options of a gated unit of one tensor. */
export type GatedOptions<S extends ParamSpecs> = ParamOptions<S> & {
  /** The dimension whose halves are multiplied; negative ones count from the end. Defaults to -1. */
  dim?: number;
  /** Written instead of a new tensor. Only where no gradient is recorded. */
  out?: Tensor;
};

/** The options where the gate and what it is multiplied with are two tensors. */
export type PairOptions<S extends ParamSpecs> = ParamOptions<S> & {
  /** Written instead of a new tensor; may be either of them. Only where no gradient is recorded. */
  out?: Tensor;
};

/** A gated unit: half as long as `x` along `dim`. Same dtype and device. */
export interface Gated<S extends ParamSpecs = ParamSpecs> extends Declared {
  (x: Tensor, options?: GatedOptions<S>): Tensor;
  readonly kind: 'gated';
  /** @internal For the accuracy test over all inputs. */
  readonly activation: Activation<S>;
  /** @internal */
  readonly gate: GatedDeclaration<S>['gate'];
}

/** One that also takes its two operands as two tensors, of one shape. `O`: the options of that form. */
export type PairedGated<S extends ParamSpecs, O extends object> = Pick<Gated<S>, keyof Gated<S>> & {
  (gate: Tensor, up: Tensor, options?: O): Tensor;
  (x: Tensor, options?: GatedOptions<S>): Tensor;
};

/** Declares a gated unit: one half of `x` times an activation of the other; with `pair`, of two tensors too. */
export function defineGated<const S extends ParamSpecs, O extends object = PairOptions<S>>(
  declaration: GatedDeclaration<S> & { readonly pair: GatedPair },
): PairedGated<S, O>;
export function defineGated<const S extends ParamSpecs>(declaration: GatedDeclaration<S>): Gated<S>;
export function defineGated<const S extends ParamSpecs>(
  declaration: GatedDeclaration<S>,
): Gated<S> {
  const { name, activation, gate, accuracy, docs } = declaration;
  const paired = declaration.pair && definePair(name, declaration.pair);
  const { resolve } = activation.epilogue;
  const op = gatedOp(name, activation.epilogue, gate);

  const apply = (x: Tensor, second: Tensor | GatedOptions<S> = {}, third?: object): Tensor => {
    // Whoever gives a third argument, or a tensor, means the two operands.
    if (paired && (third !== undefined || isTensor(second))) {
      return paired(x, second as Tensor, third);
    }
    const options = second as GatedOptions<S>;
    const params = resolve(name, options, ['dim', 'out']);
    const { dim = -1, out } = options;
    checkNumber(name, 'dim', dim, { integer: true });
    checkTensors(name, { x });
    const { shape, ...extents } = gatedArgs(name, x.shape, dim);
    checkOut(name, out, { device: x.device, dtype: x.dtype, shape }, isRecording([x]));
    const args = { op, params, ...extents };
    const output = runOne(
      gated,
      { ...args, direction: 'forward' },
      [x],
      out ?? { shape, dtype: x.dtype },
    );
    return record(output, name, [x], [x], (upstream, [saved]) => {
      if (!saved) return [];
      const inputs = [saved, upstream.tensor];
      return [runOne(gated, { ...args, direction: 'backward' }, inputs, saved.like())];
    });
  };
  const declared = defineOp(apply, {
    op: name,
    kind: 'gated',
    docs,
    accuracy,
    params: activation.params,
    ...(activation.specs ? { specs: activation.specs } : {}),
    prepare: (device: Device, dtype: FloatDType) => {
      for (const options of variantsOf(activation.specs ?? {})) {
        warmUp(device, dtype, [[2]], (x) => apply(x, options as GatedOptions<S>));
        if (paired) warmUp(device, dtype, [[2], [2]], (a, b) => apply(a, b, options));
      }
    },
  });
  return Object.assign(declared, { activation, gate });
}
