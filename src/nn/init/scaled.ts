// Initial weights that keep the size of signals, or of gradients, from layer to layer.
import { describe } from '../../core/describe.ts';
import { OptionError } from '../../core/errors.ts';
import type { Tensor } from '../../core/tensor.ts';
import { checkNumber, checkOneOf, checkOptionNames } from '../../core/validate-options.ts';
import { checkTarget, drawNormal, drawUniform, fill } from './fill.ts';
import { fansOf } from './plain.ts';

/** What follows a layer. */
export type Nonlinearity =
  | 'linear'
  | 'conv1d'
  | 'conv2d'
  | 'conv3d'
  | 'convTranspose1d'
  | 'convTranspose2d'
  | 'convTranspose3d'
  | 'sigmoid'
  | 'tanh'
  | 'relu'
  | 'leakyRelu'
  | 'selu';

const NONLINEARITIES: readonly Nonlinearity[] = [
  'linear',
  'conv1d',
  'conv2d',
  'conv3d',
  'convTranspose1d',
  'convTranspose2d',
  'convTranspose3d',
  'sigmoid',
  'tanh',
  'relu',
  'leakyRelu',
  'selu',
];

/**
 * The factor of a layer's standard deviation for what follows it, as `torch.nn.init.calculate_gain`: 1 for `linear`, convolutions
 * and `sigmoid`, 5/3 for `tanh`, √2 for `relu`, √(2 / (1 + param²)) for `leakyRelu` (`param` is its negative slope, 0.01), 3/4
 * for `selu`.
 *
 * @throws `OptionError` for a nonlinearity that is unknown, or what is no number.
 */
export function calculateGain(nonlinearity: Nonlinearity, param = 0.01): number {
  checkOneOf('calculateGain', 'nonlinearity', nonlinearity, NONLINEARITIES);
  checkNumber('calculateGain', 'param', param);
  switch (nonlinearity) {
    case 'tanh':
      return 5 / 3;
    case 'relu':
      return Math.SQRT2;
    case 'leakyRelu':
      return Math.sqrt(2 / (1 + param ** 2));
    case 'selu':
      return 3 / 4;
    default:
      return 1;
  }
}

/** Options of `nn.init.xavierUniform_` and `nn.init.xavierNormal_`. */
export interface XavierOptions {
  /** A factor, such as `calculateGain('tanh')`. Defaults to 1. */
  gain?: number;
}

function xavierStd(op: string, tensor: Tensor, options: XavierOptions): number {
  checkTarget(op, tensor);
  checkOptionNames(op, options, ['gain']);
  const { gain = 1 } = options;
  checkNumber(op, 'gain', gain, { min: 0 });
  const { fanIn, fanOut } = fansOf(op, tensor);
  return gain * Math.sqrt(2 / (fanIn + fanOut));
}

/**
 * Fills weights [out, in, …] from U(-√3 std, √3 std) with std = gain √(2 / (fanIn + fanOut)), in place (Glorot & Bengio 2010).
 *
 * @throws `DTypeError` for what is no float tensor.
 * @throws `ShapeError` for a tensor of too few or too many dimensions.
 * @throws `OptionError` for an option that is unknown, or a value out of its range.
 * @throws `DisposedError` for a tensor that is disposed.
 */
export function xavierUniform_(tensor: Tensor, options: XavierOptions = {}): Tensor {
  const bound = Math.sqrt(3) * xavierStd('xavierUniform_', tensor, options);
  return fill('xavierUniform_', tensor, (y) => {
    drawUniform(y, -bound, bound);
  });
}

/**
 * Fills weights [out, in, …] from N(0, std²) with std = gain √(2 / (fanIn + fanOut)), in place (Glorot & Bengio 2010).
 *
 * @throws `DTypeError` for what is no float tensor.
 * @throws `ShapeError` for a tensor of too few or too many dimensions.
 * @throws `OptionError` for an option that is unknown, or a value out of its range.
 * @throws `DisposedError` for a tensor that is disposed.
 */
export function xavierNormal_(tensor: Tensor, options: XavierOptions = {}): Tensor {
  const std = xavierStd('xavierNormal_', tensor, options);
  return fill('xavierNormal_', tensor, (y) => {
    drawNormal(y, 0, std);
  });
}

/** Options of `nn.init.kaimingUniform_` and `nn.init.kaimingNormal_`. */
export interface KaimingOptions {
  /** The negative slope of `leakyRelu`. Defaults to 0. */
  a?: number;
  /** Whether signals (`fanIn`) or gradients (`fanOut`) keep their size. Defaults to `'fanIn'`. */
  mode?: 'fanIn' | 'fanOut';
  /** What follows. Defaults to `'leakyRelu'`. */
  nonlinearity?: Nonlinearity;
}

function kaimingStd(op: string, tensor: Tensor, options: KaimingOptions): number {
  checkTarget(op, tensor);
  checkOptionNames(op, options, ['a', 'mode', 'nonlinearity']);
  const { a = 0, mode = 'fanIn', nonlinearity = 'leakyRelu' } = options;
  checkNumber(op, 'a', a);
  checkOneOf(op, 'mode', mode, ['fanIn', 'fanOut']);
  checkOneOf(op, 'nonlinearity', nonlinearity, NONLINEARITIES);
  return calculateGain(nonlinearity, a) / Math.sqrt(fansOf(op, tensor)[mode]);
}

/**
 * Fills weights [out, in, …] from U(-√3 std, √3 std) with std = gain / √fan, in place (He et al. 2015). PyTorch's layers begin
 * with `a` = √5, which is U(-1/√in, 1/√in).
 *
 * @example
 * nn.init.kaimingUniform_(layer.weight, { nonlinearity: 'relu' });
 * @throws `DTypeError` for what is no float tensor.
 * @throws `ShapeError` for a tensor of too few or too many dimensions.
 * @throws `OptionError` for an option that is unknown, or a value out of its range.
 * @throws `DisposedError` for a tensor that is disposed.
 */
export function kaimingUniform_(tensor: Tensor, options: KaimingOptions = {}): Tensor {
  const bound = Math.sqrt(3) * kaimingStd('kaimingUniform_', tensor, options);
  return fill('kaimingUniform_', tensor, (y) => {
    drawUniform(y, -bound, bound);
  });
}

/**
 * Fills weights [out, in, …] from N(0, std²) with std = gain / √fan, in place (He et al. 2015).
 *
 * @throws `DTypeError` for what is no float tensor.
 * @throws `ShapeError` for a tensor of too few or too many dimensions.
 * @throws `OptionError` for an option that is unknown, or a value out of its range.
 * @throws `DisposedError` for a tensor that is disposed.
 */
export function kaimingNormal_(tensor: Tensor, options: KaimingOptions = {}): Tensor {
  const std = kaimingStd('kaimingNormal_', tensor, options);
  return fill('kaimingNormal_', tensor, (y) => {
    drawNormal(y, 0, std);
  });
}

/**
 * Fills weights [out, …] with a random orthogonal matrix times `gain` (1), in place (Saxe et al. 2014): seen as [out, the rest],
 * rows are orthonormal, or columns where there are fewer of them. Uniform over all such matrices (Mezzadri 2006). Computed on
 * the host, in rows · columns · the lesser of both operations.
 *
 * @throws `DTypeError` for what is no float tensor.
 * @throws `ShapeError` for a tensor of too few or too many dimensions.
 * @throws `OptionError` for an option that is unknown, or a value out of its range.
 * @throws `DisposedError` for a tensor that is disposed.
 */
export function orthogonal_(tensor: Tensor, options: XavierOptions = {}): Tensor {
  const op = 'orthogonal_';
  checkTarget(op, tensor, [2, Infinity]);
  checkOptionNames(op, options, ['gain']);
  const { gain = 1 } = options;
  if (typeof gain !== 'number' || Number.isNaN(gain)) {
    throw new OptionError({ op, argument: 'gain', expected: 'a number', received: describe(gain) });
  }
  const rows = tensor.shape[0] ?? 0;
  const columns = rows === 0 ? 0 : tensor.size / rows;
  return fill(op, tensor, (y) => {
    drawNormal(y, 0, 1);
    // Vectors are rows where there are fewer rows.
    const wide = rows <= columns;
    const [count, length] = wide ? [rows, columns] : [columns, rows];
    const vectors = new Float64Array(y.length);
    for (let i = 0; i < count; i++) {
      for (let k = 0; k < length; k++) {
        vectors[i * length + k] = y[wide ? i * columns + k : k * columns + i] ?? NaN;
      }
    }
    orthonormalise(vectors, count, length);
    for (let i = 0; i < count; i++) {
      for (let k = 0; k < length; k++) {
        y[wide ? i * columns + k : k * columns + i] = gain * (vectors[i * length + k] ?? NaN);
      }
    }
  });
}

/** Gram-Schmidt, twice over each vector: once leaves what rounding adds where vectors are nearly alike. */
function orthonormalise(vectors: Float64Array, count: number, length: number): void {
  const at = (i: number): Float64Array => vectors.subarray(i * length, (i + 1) * length);
  const dot = (a: Float64Array, b: Float64Array): number => {
    let sum = 0;
    for (let k = 0; k < length; k++) sum += (a[k] ?? NaN) * (b[k] ?? NaN);
    return sum;
  };
  for (let i = 0; i < count; i++) {
    const own = at(i);
    for (let pass = 0; pass < 2; pass++) {
      for (let j = 0; j < i; j++) {
        const other = at(j);
        const share = dot(own, other);
        for (let k = 0; k < length; k++) own[k] = (own[k] ?? NaN) - share * (other[k] ?? NaN);
      }
    }
    const norm = Math.sqrt(dot(own, own));
    for (let k = 0; k < length; k++) own[k] = (own[k] ?? NaN) / norm;
  }
}
