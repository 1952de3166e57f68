import { describe, expect, it } from 'vitest';
import { decode, encode, fromHalf, toHalf } from '../../src/core/dtype.ts';

/** The value of float16 bits, by way of float32 bits: not the way of the source. */
function halfByBits(bits: number): number {
  const sign = (bits & 0x8000) << 16;
  const exponent = (bits >> 10) & 31;
  const mantissa = bits & 0x3ff;
  const word = new DataView(new ArrayBuffer(4));
  if (exponent === 0) {
    const value = mantissa / 2 ** 24;
    return sign < 0 ? -value : value;
  }
  word.setInt32(0, sign | ((exponent === 31 ? 255 : exponent + 112) << 23) | (mantissa << 13));
  return word.getFloat32(0);
}

const isNaNBits = (bits: number): boolean => (bits & 0x7fff) > 0x7c00;

/** All float16 bits from 0 to the largest finite number. */
const POSITIVE = Array.from({ length: 0x7c00 }, (_, bits) => bits);

describe('float16', () => {
  it('has the right value for all 65,536 bit patterns', () => {
    const wrong = [];
    for (let bits = 0; bits < 65536; bits++) {
      if (!Object.is(fromHalf(bits), halfByBits(bits))) wrong.push(bits);
    }
    expect(wrong).toEqual([]);
  });

  it('comes back as the same bits', () => {
    const wrong = [];
    for (let bits = 0; bits < 65536; bits++) {
      const back = toHalf(fromHalf(bits));
      if (isNaNBits(bits) ? !isNaNBits(back) : back !== bits) wrong.push(bits);
    }
    expect(wrong).toEqual([]);
  });

  it('rounds to nearest, ties to even, for both signs', () => {
    const wrong: number[] = [];
    const check = (value: number, bits: number): void => {
      if (toHalf(value) !== bits || toHalf(-value) !== (bits | 0x8000)) wrong.push(value);
    };
    for (const bits of POSITIVE.slice(0, -1)) {
      const [low, high] = [halfByBits(bits), halfByBits(bits + 1)];
      const middle = (low + high) / 2;
      const even = bits % 2 === 0 ? bits : bits + 1;
      check(middle, even);
      // The nearest float64 on either side of the tie.
      const step = middle * 2 ** -52;
      check(middle - step, bits);
      check(middle + step, bits + 1);
      check(low + (high - low) / 4, bits);
      check(high - (high - low) / 4, bits + 1);
    }
    expect(wrong).toEqual([]);
  });

  it('overflows from 65520, underflows to zero at half the smallest', () => {
    expect(toHalf(65504)).toBe(0x7bff);
    expect(toHalf(65519.99999999999)).toBe(0x7bff);
    expect(toHalf(65520)).toBe(0x7c00);
    expect(toHalf(-65520)).toBe(0xfc00);
    expect(toHalf(1e300)).toBe(0x7c00);
    expect(toHalf(Infinity)).toBe(0x7c00);
    expect(toHalf(-Infinity)).toBe(0xfc00);
    expect(toHalf(2 ** -25)).toBe(0);
    expect(toHalf(2 ** -25 * (1 + 2 ** -52))).toBe(1);
    expect(toHalf(3 * 2 ** -25)).toBe(2);
    expect(toHalf(5e-324)).toBe(0);
    expect(toHalf(-5e-324)).toBe(0x8000);
    expect(toHalf(-0)).toBe(0x8000);
    expect(toHalf(0)).toBe(0);
  });

  it('rounds float64 once, not by way of float32', () => {
    // Just above a tie, by less than float32 can hold: twice rounded, it would go down to even.
    expect(toHalf(1 + 2 ** -11 + 2 ** -40)).toBe(0x3c01);
    expect(toHalf(1 + 3 * 2 ** -11 - 2 ** -40)).toBe(0x3c01);
  });
});

describe('encode and decode', () => {
  it('round to the dtype and widen exactly', () => {
    const values = [0.1, -2.5, 70000, 2 ** -20];
    expect([...encode('float32', values)]).toEqual(values.map(Math.fround));
    const half = encode('float16', values);
    expect(half).toBeInstanceOf(Uint16Array);
    const bytes = half.buffer as ArrayBuffer;
    expect([...decode('float16', bytes, 0, 4)]).toEqual([
      0.0999755859375,
      -2.5,
      Infinity,
      2 ** -20,
    ]);
    expect([...encode('int32', [1, -2])]).toEqual([1, -2]);
  });

  it('never share memory with what they were given', () => {
    const floats = new Float32Array([1, 2]);
    const ints = new Int32Array([1, 2]);
    encode('float32', floats)[0] = 9;
    encode('int32', ints)[0] = 9;
    expect([...floats, ...ints]).toEqual([1, 2, 1, 2]);
  });
});
