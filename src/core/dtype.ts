// How numbers are stored as float32, float16 or int32. float16 is kept as raw bits in a Uint16Array.

/** Storage types; arithmetic is float32 on the GPU and float64 on the CPU path, whatever the storage. */
export type DType = 'float32' | 'float16' | 'int32';
/** The dtypes of floating-point numbers, which gradients have. */
export type FloatDType = Exclude<DType, 'int32'>;

/** The typed arrays that hold a tensor's elements on the host. */
export type HostArray = Float32Array | Int32Array | Uint16Array;
/** The arrays that CPU kernels read and write. */
export type NumericArray = Float64Array | Float32Array | Int32Array;

export const BYTES: Readonly<Record<DType, number>> = { float32: 4, float16: 2, int32: 4 };

export function isDType(value: unknown): value is DType {
  return value === 'float32' || value === 'float16' || value === 'int32';
}

export function isFloat(dtype: DType): dtype is FloatDType {
  return dtype !== 'int32';
}

const word = /* @__PURE__ */ new DataView(/* @__PURE__ */ new ArrayBuffer(8));

/** float16 bits of a float64, rounded once to nearest even; overflow (from 65520) gives infinity. */
export function toHalf(value: number): number {
  word.setFloat64(0, value);
  const high = word.getUint32(0);
  const sign = (high >>> 16) & 0x8000;
  if (Number.isNaN(value)) return sign | 0x7e00;
  const magnitude = Math.abs(value);
  if (magnitude >= 65520) return sign | 0x7c00;
  // Adding 2^k forces the sum's last bit to be the half's last bit, so the addition itself rounds to nearest even.
  const exponent = Math.max(((high >>> 20) & 0x7ff) - 1023, -14);
  const magic = 2 ** (exponent + 42);
  const rounded = magnitude + magic - magic;
  // The rounded value may have reached the next power of two; the arithmetic below carries it into the exponent.
  return sign | (Math.round(rounded * 2 ** (10 - exponent)) + ((exponent + 14) << 10));
}

/** The value of float16 bits. */
export function fromHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >>> 10) & 0x1f;
  const mantissa = bits & 0x3ff;
  if (exponent === 31) return mantissa === 0 ? sign * Infinity : NaN;
  return exponent === 0
    ? sign * mantissa * 2 ** -24
    : sign * (1024 + mantissa) * 2 ** (exponent - 25);
}

/** Elements of any dtype as numbers that a CPU kernel can use. float16 is converted to float32, which is exact. */
export function decode(
  dtype: DType,
  bytes: ArrayBuffer,
  byteOffset: number,
  size: number,
): Float32Array | Int32Array {
  if (dtype === 'float32') return new Float32Array(bytes, byteOffset, size);
  if (dtype === 'int32') return new Int32Array(bytes, byteOffset, size);
  return Float32Array.from(new Uint16Array(bytes, byteOffset, size), fromHalf);
}

/** Numbers as stored elements, rounded once. */
export function encode(dtype: DType, values: ArrayLike<number>): HostArray {
  if (dtype === 'float32')
    return values instanceof Float32Array ? values.slice() : Float32Array.from(values);
  if (dtype === 'int32')
    return values instanceof Int32Array ? values.slice() : Int32Array.from(values);
  return Uint16Array.from(values, toHalf);
}

/** The smallest and the largest element, and whether one is NaN. Without elements they are Infinity and -Infinity. */
export interface Bounds {
  readonly min: number;
  readonly max: number;
  readonly nan: boolean;
}

export function boundsOf(values: ArrayLike<number>): Bounds {
  let [min, max, nan] = [Infinity, -Infinity, false];
  for (let i = 0; i < values.length; i++) {
    const value = values[i] ?? NaN;
    min = value < min ? value : min;
    max = value > max ? value : max;
    nan ||= value !== value;
  }
  return { min, max, nan };
}

/** The largest float32. */
export const LARGEST = 2 ** 128 - 2 ** 104;
