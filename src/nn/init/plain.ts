// Initial values that are the same everywhere, drawn from a distribution, or a pattern.
import erfc from '@stdlib/math-base-special-erfc';
import { OptionError, ShapeError } from '../../core/errors.ts';
import { nextKey, openUniformAt, uniformAt } from '../../core/random.ts';
import { formatShape, sizeOf } from '../../core/shape.ts';
import type { Tensor } from '../../core/tensor.ts';
import { checkNumber, checkOptionNames, checkOrder } from '../../core/validate-options.ts';
import { checkTarget, drawNormal, drawUniform, fill } from './fill.ts';

/**
 * Fills a tensor from the uniform distribution U(a, b), in place, and returns it. Defaults: `a` 0, `b` 1. As
 * `torch.nn.init.uniform_`; `manualSeed` makes it repeatable.
 *
 * @example
 * nn.init.uniform_(layer.weight, { a: -0.1, b: 0.1 });
 * @throws `DTypeError` for what is no float tensor.
 * @throws `OptionError` for an option that is unknown, or a value out of its range.
 * @throws `DisposedError` for a tensor that is disposed.
 */
export function uniform_(
  tensor: Tensor,
  options: {
    /** The least value. Defaults to 0. */
    a?: number;
    /** The bound above. Defaults to 1. */
    b?: number;
  } = {},
): Tensor {
  checkTarget('uniform_', tensor);
  checkOptionNames('uniform_', options, ['a', 'b']);
  const { a = 0, b = 1 } = options;
  checkFinite('uniform_', { a, b });
  checkOrder('uniform_', ['a', a], ['b', b]);
  return fill('uniform_', tensor, (y) => {
    drawUniform(y, a, b);
  });
}

/**
 * Fills a tensor from the normal distribution N(mean, std²), in place. Defaults: `mean` 0, `std` 1.
 *
 * @throws `DTypeError` for what is no float tensor.
 * @throws `OptionError` for an option that is unknown, or a value out of its range.
 * @throws `DisposedError` for a tensor that is disposed.
 */
export function normal_(
  tensor: Tensor,
  options: {
    /** Defaults to 0. */
    mean?: number;
    /** The standard deviation, from 0. Defaults to 1. */
    std?: number;
  } = {},
): Tensor {
  checkTarget('normal_', tensor);
  checkOptionNames('normal_', options, ['mean', 'std']);
  const { mean = 0, std = 1 } = options;
  checkFinite('normal_', { mean, std });
  checkNumber('normal_', 'std', std, { min: 0 });
  return fill('normal_', tensor, (y) => {
    drawNormal(y, mean, std);
  });
}

/**
 * Fills a tensor from the normal distribution N(mean, std²) held between `a` and `b`, in place: by the inverse of the
 * distribution, as `torch.nn.init.trunc_normal_`. Defaults: `mean` 0, `std` 1, `a` -2, `b` 2 (values, not multiples of std).
 *
 * @throws `DTypeError` for what is no float tensor.
 * @throws `OptionError` for an option that is unknown, or a value out of its range.
 * @throws `DisposedError` for a tensor that is disposed.
 */
export function truncNormal_(
  tensor: Tensor,
  options: {
    /** That of the distribution before it is cut. Defaults to 0. */
    mean?: number;
    /** The standard deviation before it is cut, above 0. Defaults to 1. */
    std?: number;
    /** The least value. Defaults to -2. */
    a?: number;
    /** The greatest value. Defaults to 2. */
    b?: number;
  } = {},
): Tensor {
  const op = 'truncNormal_';
  checkTarget(op, tensor);
  checkOptionNames(op, options, ['mean', 'std', 'a', 'b']);
  const { mean = 0, std = 1, a = -2, b = 2 } = options;
  checkFinite(op, { mean, std });
  checkNumber(op, 'std', std, { min: 0, above: true });
  checkNumber(op, 'a', a);
  checkNumber(op, 'b', b);
  checkOrder(op, ['a', a], ['b', b]);
  return fill(op, tensor, (y) => {
    const key = nextKey();
    // In the left tail, where the distribution keeps its digits; the right one is its mirror image.
    const side = a > mean ? -1 : 1;
    const [from, to] = side > 0 ? [a, b] : [b, a];
    const low = phi((side * (from - mean)) / std);
    const high = phi((side * (to - mean)) / std);
    for (let i = 0; i < y.length; i++) {
      const value = quantile(low + (high - low) * openUniformAt(key, i));
      y[i] = Math.min(Math.max(mean + side * std * value, a), b);
    }
  });
}

/** The normal distribution's function. */
function phi(x: number): number {
  return erfc(-x * Math.SQRT1_2) / 2;
}

/** Its inverse: a rational approximation (Acklam 2003), and a step of Halley's method. */
function quantile(p: number): number {
  if (p > 0.5) return -quantile(1 - p);
  if (p <= 0) return -Infinity;
  const x = p < 0.02425 ? tail(Math.sqrt(-2 * Math.log(p))) : centre(p - 0.5);
  const error = (phi(x) - p) * Math.sqrt(2 * Math.PI) * Math.exp((x * x) / 2);
  return Number.isFinite(error) ? x - error / (1 + (x * error) / 2) : x;
}

const polynomial = (coefficients: readonly number[], x: number): number =>
  coefficients.reduce((sum, c) => sum * x + c, 0);

function tail(q: number): number {
  const above = [
    -7.784894002430293e-3, -0.3223964580411365, -2.400758277161838, -2.549732539343734,
    4.374664141464968, 2.938163982698783,
  ];
  const below = [7.784695709041462e-3, 0.3224671290700398, 2.445134137142996, 3.754408661907416, 1];
  return polynomial(above, q) / polynomial(below, q);
}

function centre(q: number): number {
  const above = [
    -39.69683028665376, 220.9460984245205, -275.9285104469687, 138.357751867269, -30.66479806614716,
    2.506628277459239,
  ];
  const below = [
    -54.47609879822406, 161.5858368580409, -155.6989798598866, 66.80131188771972,
    -13.28068155288572, 1,
  ];
  return (q * polynomial(above, q * q)) / polynomial(below, q * q);
}

/**
 * Fills a tensor with one number, in place.
 *
 * @throws `DTypeError` for what is no float tensor.
 * @throws `OptionError` for what is no number.
 * @throws `DisposedError` for a tensor that is disposed.
 */
export function constant_(tensor: Tensor, value: number): Tensor {
  checkTarget('constant_', tensor);
  if (!Number.isNaN(value)) checkNumber('constant_', 'value', value);
  return fill('constant_', tensor, (y) => {
    y.fill(value);
  });
}

/**
 * Fills a tensor with 1, in place.
 *
 * @throws `DTypeError` for what is no float tensor.
 * @throws `DisposedError` for a tensor that is disposed.
 */
export function ones_(tensor: Tensor): Tensor {
  checkTarget('ones_', tensor);
  return fill('ones_', tensor, (y) => {
    y.fill(1);
  });
}

/**
 * Fills a tensor with 0, in place.
 *
 * @throws `DTypeError` for what is no float tensor.
 * @throws `DisposedError` for a tensor that is disposed.
 */
export function zeros_(tensor: Tensor): Tensor {
  checkTarget('zeros_', tensor);
  return fill('zeros_', tensor, () => undefined);
}

/**
 * Makes a matrix the identity, as far as it has rows and columns, in place.
 *
 * @throws `DTypeError` for what is no float tensor.
 * @throws `ShapeError` for a tensor of too few or too many dimensions.
 * @throws `DisposedError` for a tensor that is disposed.
 */
export function eye_(tensor: Tensor): Tensor {
  checkTarget('eye_', tensor, [2, 2]);
  const [rows = 0, columns = 0] = tensor.shape;
  return fill('eye_', tensor, (y) => {
    for (let i = 0; i < Math.min(rows, columns); i++) y[i * columns + i] = 1;
  });
}

/**
 * Makes the kernel of a convolution, [out, in, …] of 3 to 5 dimensions, pass its inputs on, in place: 1 in the middle of channel
 * i for output i, in each of `groups` (1) groups of outputs.
 *
 * @throws `DTypeError` for what is no float tensor.
 * @throws `ShapeError` for a tensor of too few or too many dimensions.
 * @throws `OptionError` for an option that is unknown, or a value out of its range.
 * @throws `DisposedError` for a tensor that is disposed.
 */
export function dirac_(
  tensor: Tensor,
  options: {
    /** Groups of outputs, whose number is divisible by it. Defaults to 1. */
    groups?: number;
  } = {},
): Tensor {
  checkTarget('dirac_', tensor, [3, 5]);
  checkOptionNames('dirac_', options, ['groups']);
  const { groups = 1 } = options;
  checkNumber('dirac_', 'groups', groups, { min: 1, integer: true });
  const [out = 0, inner = 0, ...field] = tensor.shape;
  if (out % groups !== 0) {
    throw new OptionError({
      op: 'dirac_',
      argument: 'groups',
      expected: `a divisor of the first dimension of shape ${formatShape(tensor.shape)}`,
      received: String(groups),
    });
  }
  const area = sizeOf(field);
  const middle = field.reduce((index, d) => index * d + Math.floor(d / 2), 0);
  return fill('dirac_', tensor, (y) => {
    if (area === 0) return;
    const perGroup = out / groups;
    for (let g = 0; g < groups; g++) {
      for (let d = 0; d < Math.min(perGroup, inner); d++) {
        y[((g * perGroup + d) * inner + d) * area + middle] = 1;
      }
    }
  });
}

/**
 * Fills a matrix from N(0, std²), in place, and sets a share `sparsity` of the rows, rounded up, to 0 in each column (Martens
 * 2010). Default: `std` 0.01.
 *
 * @throws `DTypeError` for what is no float tensor.
 * @throws `ShapeError` for a tensor of too few or too many dimensions.
 * @throws `OptionError` for an option that is unknown, or a value out of its range.
 * @throws `DisposedError` for a tensor that is disposed.
 */
export function sparse_(
  tensor: Tensor,
  sparsity: number,
  options: {
    /** The standard deviation of what is not 0, from 0. Defaults to 0.01. */
    std?: number;
  } = {},
): Tensor {
  checkTarget('sparse_', tensor, [2, 2]);
  checkOptionNames('sparse_', options, ['std']);
  const { std = 0.01 } = options;
  checkNumber('sparse_', 'sparsity', sparsity, { min: 0, max: 1 });
  checkNumber('sparse_', 'std', std, { min: 0 });
  const [rows = 0, columns = 0] = tensor.shape;
  const zeros = Math.ceil(sparsity * rows);
  return fill('sparse_', tensor, (y) => {
    drawNormal(y, 0, std);
    const key = nextKey();
    const order = Array.from({ length: rows }, (_, row) => row);
    for (let column = 0; column < columns; column++) {
      for (let k = 0; k < zeros; k++) {
        const other = k + Math.floor(uniformAt(key, column * rows + k) * (rows - k));
        const row = order[other] ?? 0;
        order[other] = order[k] ?? 0;
        order[k] = row;
        y[row * columns + column] = 0;
      }
    }
  });
}

function checkFinite(op: string, numbers: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(numbers)) {
    checkNumber(op, name, value, { min: -Number.MAX_VALUE, max: Number.MAX_VALUE });
  }
}

/** Inputs and outputs of each element of a layer's result: [out, in, …], where … is the field of a convolution. */
export function fansOf(op: string, { shape }: Tensor): { fanIn: number; fanOut: number } {
  const [out = 0, inner = 0, ...field] = shape;
  if (shape.length < 2) {
    throw new ShapeError({
      op,
      argument: 'tensor',
      expected: 'at least 2 dimensions, [out, in, …]',
      received: `shape ${formatShape(shape)}`,
    });
  }
  const area = sizeOf(field);
  return { fanIn: inner * area, fanOut: out * area };
}
