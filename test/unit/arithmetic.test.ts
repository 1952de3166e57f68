// The WGSL rewriter of test/arithmetic: what becomes of each operation.
import { describe, expect, it } from 'vitest';
import { rewrite } from '../arithmetic/rewrite.ts';
import type { Arithmetic } from '../arithmetic/helpers.ts';

/** The first line, in one function of floats a, b, c, integers i, k and vectors v, w. */
function line(statement: string, mode: Arithmetic): string {
  const head = 'fn f(a: f32, b: f32, c: f32, i: u32, k: u32, v: vec4f, w: vec4f) {';
  const text = rewrite(`${head}\n${statement}\n}`, mode);
  return text.split('\n')[1] ?? '';
}

describe('arithmetic', () => {
  it.each([
    ['let q = a / b;', 'let q = arith_div(a, b);'],
    ['let q = 1.0 / (a + b / c);', 'let q = arith_div(1.0, (a + arith_div(b, c)));'],
    ['let q = i / k + 4u / 2u;', 'let q = i / k + 4u / 2u;'],
    ['let q = f32(i) / f32(k);', 'let q = arith_div(f32(i), f32(k));'],
    ['let q = v / a + 2.0 / v;', 'let q = arith_div4(v, vec4f(a)) + arith_div4(vec4f(2.0), v);'],
    ['let q = v.xy / w.x;', 'let q = arith_div2(v.xy, vec2f(w.x));'],
    ['let q = a * b / c;', 'let q = arith_div(a * b, c);'],
    ['let q = a / b / c;', 'let q = arith_div(arith_div(a, b), c);'],
    ['let q = a < b / c + a;', 'let q = a < arith_div(b, c) + a;'],
    ['var q = a; q /= b;', 'var q = a; q = arith_div(q, b);'],
    ['const q = 1.0f / 3.0f;', 'const q = 1.0f / 3.0f;'],
    ['let q = a * (1.0 / 0x1.8p+3);', 'let q = a * (1.0 / 0x1.8p+3);'],
    ['if (a / b > c) { return; }', 'if (arith_div(a, b) > c) { return; }'],
  ])('a division as a product with a reciprocal: %s', (before, after) => {
    expect(line(before, 'rcp+')).toBe(after);
  });

  it.each([
    ['let q = a * b + c;', 'let q = arith_fma(a, b, (c));'],
    ['let q = a * b - c;', 'let q = arith_fma(a, b, -(c));'],
    ['let q = c - a * b;', 'let q = arith_fma(-(a), b, c);'],
    ['let q = c + (-(a * b));', 'let q = arith_fma((-(a)), b, c);'],
    ['let q = fma(a, b * c + a, c);', 'let q = arith_fma(a, arith_fma(b, c, (a)), c);'],
    ['let q = i * k + 2u;', 'let q = i * k + 2u;'],
    ['let q = v * a + w;', 'let q = arith_fma4(v, vec4f(a), (w));'],
    ['var q = a; q += b * c;', 'var q = a; q = arith_fma((b), c, q);'],
    ['var q = a; q -= b * c;', 'var q = a; q = arith_fma(-(b), c, q);'],
    ['let q = a < b * c + a;', 'let q = a < arith_fma(b, c, (a));'],
  ])('a product and a sum as one operation: %s', (before, after) => {
    expect(line(before, 'contract')).toBe(after);
  });

  it('a product that has a name is contracted where it is added', () => {
    expect(line('let p = a * b; let q = p + c;', 'contract')).toMatch(
      /^let (\w+) = a; let (\w+) = b; let p = \1 \* \2; let q = arith_fma\(\1, \2, \(c\)\);$/,
    );
  });

  it.each([
    ['let q = a + b;', 'let q = arith_flush(arith_flush(a) + arith_flush(b));'],
    [
      'let q = a * 2.0 + b;',
      'let q = arith_flush(arith_flush(arith_flush(a) * 2.0) + arith_flush(b));',
    ],
    ['let q = a < 0.0;', 'let q = (arith_flush(a) < 0.0);'],
    [
      'let q = select(select(a, b, a < b), c, a > c);',
      'let q = select(select(a, b, (arith_flush(a) < arith_flush(b))), c, (arith_flush(a) > arith_flush(c)));',
    ],
    ['let q = max(a, b);', 'let q = arith_flush(max(arith_flush(a), arith_flush(b)));'],
    ['let q = max(i, k);', 'let q = max(i, k);'],
    ['let q = select(a, b, i < k);', 'let q = select(a, b, i < k);'],
    ['let q = v * a;', 'let q = arith_flush4(arith_flush4(v) * arith_flush(a));'],
    ['let q = bitcast<u32>(a) & 1u;', 'let q = bitcast<u32>(a) & 1u;'],
  ])('subnormal numbers are 0 for every operation: %s', (before, after) => {
    expect(line(before, 'flush')).toBe(after);
  });

  it.each([
    ['let q = a * b + a * c;', 'let q = ((a) * ((b) + (c)));'],
    ['let q = b * 0.5 - c * 0.5;', 'let q = ((0.5) * ((b) - (c)));'],
    ['let q = v * a - w * a;', 'let q = ((vec4f(a)) * ((v) - (w)));'],
    ['let q = a * b * 16.0;', 'let q = (((a) * 16.0) * (b));'],
    ['var q = a * 2.0 * 16.0;', 'var q = a * 2.0 * 16.0;'],
    ['let q = a * b + c * c;', 'let q = a * b + c * c;'],
    ['let q = i * k + i * i;', 'let q = i * k + i * i;'],
  ])('sums of products and products with constants, in another order: %s', (before, after) => {
    expect(line(before, 'reorder')).toBe(after);
  });

  it('a product that has a name is one of the sum', () => {
    expect(line('let s = c * 0.5; let q = v.x * 0.5 - s;', 'reorder')).toMatch(
      /let q = \(\(0\.5\) \* \(\(v\.x\) - \((\w+)\)\)\);$/,
    );
  });

  it('what it cannot read is an error, not left out', () => {
    expect(() => rewrite('fn f() { let a = ; }', 'flush')).toThrow();
    expect(() => rewrite('fn f() { let a = unknown_function() / 2.0; }', 'rcp+')).toThrow();
  });
});
