// Makes the module class of a norm, with its operands as learned tensors.
import { currentDevice } from '../core/current.ts';
import { describe } from '../core/describe.ts';
import type { Device } from '../core/device.ts';
import { BYTES, encode, type FloatDType } from '../core/dtype.ts';
import { ShapeError } from '../core/errors.ts';
import { allocating } from '../core/memory.ts';
import { undone } from '../core/scope.ts';
import { sizeOf, type Shape } from '../core/shape.ts';
import { fromHost, type Tensor } from '../core/tensor.ts';
import { checkPlacement, checkShape } from '../core/validate.ts';
import { checkBoolean, checkNumber, checkOptionNames } from '../core/validate-options.ts';
import { Module } from '../nn/module.ts';
import type { ActivationModule } from './module.ts';
import type { Norm, NormOptions, OperandSpec } from './norm.ts';

/** Options of `nn.LayerNorm` and `nn.RMSNorm`. */
export interface NormModuleOptions {
  /** Defaults to that of the function. */
  eps?: number;
  /** Whether there are learned parameters. Defaults to true. */
  elementwiseAffine?: boolean;
  /** Defaults to the device of the latest `init()`. */
  device?: Device;
  /** Defaults to `'float32'`. */
  dtype?: FloatDType;
}

/** The learned tensors of a norm's module: null where it has none. */
export type NormParameters<O extends string> = Readonly<Record<O, Tensor | null>>;

export type NormModule<O extends string> = ActivationModule & NormParameters<O>;

/**
 * The module class of a norm, called `name`. Its operands are learned, and begin as what stands for them where they are left out; an
 * option of an operand's name, of which there are `flags`, says whether it is there.
 */
export function normModule<O extends string, F extends object = object>(
  name: string,
  norm: Norm<O>,
  flags: readonly (keyof F & O)[] = [],
): new (
  normalizedShape: number | readonly number[],
  options?: NormModuleOptions & F,
) => NormModule<O> {
  class OfNorm extends Module {
    readonly normalizedShape: Shape;
    readonly #eps: number | undefined;

    constructor(normalizedShape: number | readonly number[], options: NormModuleOptions = {}) {
      super();
      checkOptionNames(name, options, ['eps', 'elementwiseAffine', ...flags, 'device', 'dtype']);
      const shape = typeof normalizedShape === 'number' ? [normalizedShape] : normalizedShape;
      checkShape(name, 'normalizedShape', shape);
      if (shape.length === 0) {
        throw new ShapeError({
          op: name,
          argument: 'normalizedShape',
          expected: 'at least one dimension',
          received: describe(normalizedShape),
        });
      }
      this.normalizedShape = [...shape];
      const {
        eps,
        elementwiseAffine = true,
        device = currentDevice(),
        dtype = 'float32',
      } = options;
      if (eps !== undefined) checkNumber(name, 'eps', eps, { min: 0 });
      checkBoolean(name, 'elementwiseAffine', elementwiseAffine);
      const given = options as Readonly<Record<string, unknown>>;
      for (const flag of flags)
        if (given[flag] !== undefined) checkBoolean(name, flag, given[flag]);
      checkPlacement(name, device, dtype);
      this.#eps = eps;
      const size = sizeOf(shape);
      const bytes = size * BYTES[dtype];
      const operands = Object.entries<OperandSpec>(norm.operands);
      const tensors = undone(() =>
        operands.map(([operand, { absent }]): [string, Tensor | null] => {
          if (!elementwiseAffine || given[operand] === false) return [operand, null];
          device.checkBytes(name, bytes);
          const values = allocating(name, bytes, () =>
            encode(dtype, new Float64Array(size).fill(absent)),
          );
          return [operand, fromHost(values, shape, dtype, device)];
        }),
      );
      for (const [operand, tensor] of tensors) {
        Reflect.set(this, operand, tensor && this.parameter(operand, tensor));
      }
    }

    override forward(x: Tensor): Tensor {
      const own = this as unknown as NormParameters<O>;
      const tensors = Object.keys(norm.operands).map((operand) => [operand, own[operand as O]]);
      const eps = this.#eps === undefined ? {} : { eps: this.#eps };
      return norm(x, this.normalizedShape, {
        ...Object.fromEntries(tensors),
        ...eps,
      } as NormOptions<O>);
    }
  }
  return OfNorm as unknown as ReturnType<typeof normModule<O, F>>;
}
