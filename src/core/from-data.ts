// Makes a tensor of numbers.
import { currentDevice } from './current.ts';
import type { Device } from './device.ts';
import { isFloat, type DType } from './dtype.ts';
import { OptionError, ShapeError } from './errors.ts';
import { encodeChecked, flatten, type TensorData } from './host-data.ts';
import { formatShape, sizeOf, type Shape } from './shape.ts';
import { fromHost, type Tensor } from './tensor.ts';
import { checkDType, checkIsDevice, checkShape } from './validate.ts';
import { checkBoolean, checkOptionNames } from './validate-options.ts';

/** Options of `tensor`. */
export interface TensorOptions {
  /** Defaults to the shape of the nested lists of `data`, or to its length. */
  shape?: Shape;
  /** Defaults to `'float32'`. */
  dtype?: DType;
  /** Defaults to the device of the latest `init()`, or the CPU before any. */
  device?: Device;
  /** Whether operations on it are recorded for `backward()`. Defaults to false. */
  requiresGrad?: boolean;
}

/**
 * A tensor of the given numbers: one, nested lists (the shape is theirs) or a flat list. Lists are arrays and typed arrays of
 * any kind; big integers have to fit, and booleans are 1 and 0 where `dtype` says of what.
 *
 * @example tensor([[1, 2], [3, 4]], { requiresGrad: true })
 * @throws `ShapeError` where nesting or `shape` do not fit the data.
 * @throws `DTypeError` for what is no number.
 * @throws `OptionError` for an option that is unknown, or a value that it may not have.
 * @throws `DisposedError` for a device that is disposed.
 */
export function tensor(data: TensorData, options: TensorOptions = {}): Tensor {
  checkOptionNames('tensor', options, ['shape', 'dtype', 'device', 'requiresGrad']);
  const { dtype = 'float32', device = currentDevice(), requiresGrad = false } = options;
  checkDType('tensor', dtype);
  checkBoolean('tensor', 'requiresGrad', requiresGrad);
  checkIsDevice('tensor', device);
  if (requiresGrad && !isFloat(dtype)) {
    throw new OptionError({
      op: 'tensor',
      argument: 'requiresGrad',
      expected: 'false for an int32 tensor',
      received: 'true',
    });
  }
  const flat = flatten(data, options.dtype);
  const { shape: wanted = flat.shape } = options;
  checkShape('tensor', 'shape', wanted);
  if (sizeOf(wanted) !== flat.values.length) {
    throw new ShapeError({
      op: 'tensor',
      argument: 'shape',
      expected: `a shape of ${flat.values.length} elements`,
      received: formatShape(wanted),
    });
  }
  return fromHost(encodeChecked(dtype, flat), wanted, dtype, device, requiresGrad);
}
