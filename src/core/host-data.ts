// Turns a caller's numbers into one flat list with a shape, or throws an error that names the element that is wrong.
import { describe } from './describe.ts';
import { BYTES, encode, type DType, type HostArray } from './dtype.ts';
import { DTypeError, ShapeError } from './errors.ts';
import { allocating } from './memory.ts';
import { formatShape, type Shape } from './shape.ts';

/** A typed array of any kind. */
export type NumberView = ArrayBufferView & ArrayLike<number | bigint>;
/** Numbers in lists that are nested regularly. true and false count as 1 and 0 if a dtype is given. */
export type TensorData = number | bigint | boolean | readonly TensorData[] | NumberView;

export interface FlatData {
  readonly values: ArrayLike<number>;
  readonly shape: number[];
}

/** The largest number of dimensions. Lists that are nested deeper, or that contain themselves, would overflow the stack. */
const DEEPEST = 64;

function isView(value: unknown): value is NumberView {
  return ArrayBuffer.isView(value) && !(value instanceof DataView);
}

function isList(value: unknown): value is ArrayLike<unknown> {
  return Array.isArray(value) || isView(value);
}

/** Whether the memory of a typed array was transferred or is out of bounds. Such an array looks like an empty one. */
function isDetached(view: ArrayBufferView): boolean {
  try {
    // Methods check the memory and throw, which `length` does not.
    Uint8Array.prototype.at.call(view as Uint8Array, 0);
    return false;
  } catch {
    return true;
  }
}

/** The name of element `index` of lists nested as `shape`. */
function nameOf(index: number, shape: Shape): string {
  let name = '';
  for (let d = shape.length - 1, rest = index; d >= 0; d--) {
    const extent = shape[d] ?? 1;
    name = `[${rest % extent}]${name}`;
    rest = Math.floor(rest / extent);
  }
  return `data${name}`;
}

function wrong(argument: string, expected: string, received: string, hint?: string): DTypeError {
  return new DTypeError({
    op: 'tensor',
    argument,
    expected,
    received,
    ...(hint === undefined ? {} : { hint }),
  });
}

/** The lengths of the first list of each depth. All others must have the same lengths. */
function nestingOf(data: unknown): number[] {
  const shape: number[] = [];
  for (let level = data; isList(level); level = level[0]) {
    if (shape.length === DEEPEST) {
      throw new ShapeError({
        op: 'tensor',
        argument: 'data',
        expected: `lists nested at most ${DEEPEST} deep`,
        received: 'one nested deeper, or within itself',
      });
    }
    shape.push(level.length);
  }
  return shape;
}

/** `dtype`: as the caller gave it. */
export function flatten(data: unknown, dtype: DType | undefined): FlatData {
  const shape = nestingOf(data);
  if (isView(data) && typeof data[0] !== 'bigint') {
    checkAttached(data);
    return { values: data as ArrayLike<number>, shape };
  }
  const values: number[] = [];
  const walk = (level: unknown, depth: number): void => {
    const list = isList(level);
    if (list ? level.length !== shape[depth] : isNumeric(level) && depth !== shape.length) {
      throw new ShapeError({
        op: 'tensor',
        argument: 'data',
        expected: `numbers nested evenly as ${formatShape(shape)}`,
        received: `${list ? `a list of ${level.length}` : describe(level)} at depth ${depth}`,
      });
    }
    if (!list) {
      values.push(numberOf(level, nameOf(values.length, shape.slice(0, depth)), dtype));
      return;
    }
    if (isView(level)) checkAttached(level);
    for (let i = 0; i < level.length; i++) walk(level[i], depth + 1);
  };
  walk(data, 0);
  return { values, shape };
}

function checkAttached(view: NumberView): void {
  if (view.length === 0 && isDetached(view))
    throw wrong('data', 'numbers', `${describe(view)} whose memory was detached`);
}

function isNumeric(value: unknown): boolean {
  return typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean';
}

function numberOf(value: unknown, name: string, dtype: DType | undefined): number {
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint' && BigInt(Number(value)) === value) return Number(value);
  if (typeof value === 'boolean' && dtype !== undefined) return Number(value);
  throw wrong(
    name,
    typeof value === 'bigint' ? 'an integer that a number holds exactly' : 'a number',
    describe(value),
    typeof value === 'boolean' ? "true and false are 1 and 0 with { dtype: 'int32' }" : undefined,
  );
}

/** The elements as they are stored; those of int32 have to be integers of 32 bits. */
export function encodeChecked(dtype: DType, { values, shape }: FlatData): HostArray {
  if (dtype === 'int32' && !(values instanceof Int32Array)) {
    for (let i = 0; i < values.length; i++) {
      const value = values[i] ?? NaN;
      if (value !== (value | 0)) throw wrong(nameOf(i, shape), 'an int32 number', String(value));
    }
  }
  return allocating('tensor', values.length * BYTES[dtype], () => encode(dtype, values));
}
