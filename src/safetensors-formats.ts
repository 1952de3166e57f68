// The dtypes of safetensors files, and what their elements become here.
import { encode, fromHalf, type DType, type HostArray } from './core/dtype.ts';
import { DTypeError } from './core/errors.ts';
import { allocating } from './core/memory.ts';
import { sizeOf } from './core/shape.ts';
import { broken, type Entry } from './safetensors-header.ts';

/** The bytes of an element, what it becomes, and how it is read. */
interface Format {
  readonly bytes: number;
  readonly dtype: DType;
  readonly read: (view: DataView, at: number) => number;
}

const FORMATS: Readonly<Record<string, Format>> = {
  F32: { bytes: 4, dtype: 'float32', read: (view, at) => view.getFloat32(at, true) },
  F16: { bytes: 2, dtype: 'float16', read: (view, at) => fromHalf(view.getUint16(at, true)) },
  I32: { bytes: 4, dtype: 'int32', read: (view, at) => view.getInt32(at, true) },
  F64: { bytes: 8, dtype: 'float32', read: (view, at) => view.getFloat64(at, true) },
  BF16: { bytes: 2, dtype: 'float32', read: brainFloat },
  I64: { bytes: 8, dtype: 'int32', read: (view, at) => Number(view.getBigInt64(at, true)) },
  I16: { bytes: 2, dtype: 'int32', read: (view, at) => view.getInt16(at, true) },
  U16: { bytes: 2, dtype: 'int32', read: (view, at) => view.getUint16(at, true) },
  I8: { bytes: 1, dtype: 'int32', read: (view, at) => view.getInt8(at) },
  U8: { bytes: 1, dtype: 'int32', read: (view, at) => view.getUint8(at) },
  BOOL: { bytes: 1, dtype: 'int32', read: (view, at) => view.getUint8(at) },
};

/** Typed arrays of the elements as they lie in the file. */
const SAME: Readonly<Record<string, new (buffer: ArrayBuffer) => HostArray>> = {
  F32: Float32Array,
  F16: Uint16Array,
  I32: Int32Array,
};

/** The upper half of a float32. */
function brainFloat(view: DataView, at: number): number {
  const single = new DataView(new ArrayBuffer(4));
  single.setUint16(0, view.getUint16(at, true));
  return single.getFloat32(0);
}

/** The format of an entry; throws for one that is unknown, or whose bytes are not those of its shape. */
export function checkFormat(op: string, name: string, entry: Entry): Format {
  const format = Object.hasOwn(FORMATS, entry.dtype) ? FORMATS[entry.dtype] : undefined;
  if (!format) {
    throw new DTypeError({
      op,
      argument: name,
      expected: `one of ${Object.keys(FORMATS).join(', ')}`,
      received: entry.dtype,
    });
  }
  const size = sizeOf(entry.shape);
  const [from, to] = entry.data_offsets;
  if (to - from !== size * format.bytes)
    throw broken(op, `"${name}" of ${size} elements in ${to - from} bytes`);
  return format;
}

/** A tensor's elements from its bytes, which may become those of the result. */
export function decode(
  op: string,
  name: string,
  entry: Entry,
  bytes: Uint8Array<ArrayBuffer>,
): { dtype: DType; host: HostArray } {
  const format = checkFormat(op, name, entry);
  const { dtype } = format;
  const Same = isLittleEndian() ? SAME[entry.dtype] : undefined;
  if (Same) return { dtype, host: new Same(bytes.buffer) };
  const size = sizeOf(entry.shape);
  const view = new DataView(bytes.buffer);
  const Elements = dtype === 'int32' ? Int32Array : Float32Array;
  const host = allocating(op, size * 4, () => new Elements(size));
  for (let i = 0; i < size; i++) {
    const value = format.read(view, i * format.bytes);
    if (dtype === 'int32' && value !== (value | 0)) {
      throw new DTypeError({
        op,
        argument: `${name}[${i}]`,
        expected: 'a number that fits int32',
        received: String(value),
      });
    }
    host[i] = value;
  }
  return { dtype, host: dtype === 'float16' ? encode(dtype, host) : host };
}

/** Files are; and so is every machine with a GPU. */
function isLittleEndian(): boolean {
  return new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;
}
