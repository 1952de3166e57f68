// By mode, the WGSL that computes with its freedom. Each name ends in the size of its vectors.

/**
 * What hardware does to float arithmetic, and WGSL lets it: `rcp+`, `rcp-`: x / y as x times the reciprocal of y, which is
 * one ULP too large or too small, unless y is a power of two; `contract`: a b + c rounded once, fma too; `flush`: subnormal
 * operands and results of every operation are 0; `reorder`: a b + a c as a (b + c), and (a b) C, of a constant C, as (a C) b, as
 * Mesa's compiler has them.
 */
export const MODES = ['rcp+', 'rcp-', 'contract', 'flush', 'reorder'] as const;
export type Arithmetic = (typeof MODES)[number];

const PARTS = ['x', 'y', 'z', 'w'] as const;

/** The same function of vectors, part by part. */
function ofVectors(name: string, operands: readonly string[]): string {
  const sizes = [2, 3, 4].map((size) => {
    const type = `vec${size}f`;
    const values = PARTS.slice(0, size).map(
      (part) => `${name}(${operands.map((one) => `${one}.${part}`).join(', ')})`,
    );
    const parameters = operands.map((one) => `${one}: ${type}`).join(', ');
    return `fn ${name}${size}(${parameters}) -> ${type} { return ${type}(${values.join(', ')}); }`;
  });
  return sizes.join('\n');
}

const divide = (step: string): string => `
fn arith_div(x: f32, y: f32) -> f32 {
  let r = 1.0f / y;
  let b = bitcast<u32>(r);
  let e = (b >> 23u) & 0xffu;
  let exact = ((bitcast<u32>(y) & 0x7fffffu) == 0u) | (e == 0u) | (e == 0xffu);
  return x * select(bitcast<f32>(b ${step} 1u), r, exact);
}
${ofVectors('arith_div', ['x', 'y'])}`;

const FLUSH = `
fn arith_flush(x: f32) -> f32 {
  let b = bitcast<u32>(x);
  return select(x, bitcast<f32>(b & 0x80000000u), (b & 0x7f800000u) == 0u);
}
${ofVectors('arith_flush', ['x'])}`;

/**
 * a b + c rounded once, whatever fma does (Boldo and Melquiond, 2008): the product as a sum of two numbers, all three added
 * without loss, the small ones rounded to odd. a and b are brought to [1, 2) and c along, so that nothing leaves the range.
 * No rule of SPIR-V's optimizer changes these sums: it takes (s - b) + b for s, and adds up constants, but has neither here.
 * The operands must be normal: subnormal ones are left to a * b + c.
 */
const CONTRACT = `
fn arith_two_sum(a: f32, b: f32) -> vec2f {
  let s = a + b;
  let t = s - a;
  return vec2f(s, (a - (s - t)) + (b - t));
}
fn arith_fma(a: f32, b: f32, c: f32) -> f32 {
  let ba = bitcast<u32>(a);
  let bb = bitcast<u32>(b);
  let bc = bitcast<u32>(c);
  let ea = (ba >> 23u) & 0xffu;
  let eb = (bb >> 23u) & 0xffu;
  let ec = (bc >> 23u) & 0xffu;
  let x = bitcast<f32>((ba & 0x807fffffu) | 0x3f800000u);
  let y = bitcast<f32>((bb & 0x807fffffu) | 0x3f800000u);
  let k = i32(ea + eb) - 254;
  // So far below the product only its sign counts.
  let ez = clamp(i32(ec) - k, 67, 187);
  let z = select(bitcast<f32>((bc & 0x807fffffu) | (u32(ez) << 23u)), 0.0f, ec == 0u);
  let p = x * y;
  let xh = bitcast<f32>(bitcast<u32>(x) & 0xfffff000u);
  let yh = bitcast<f32>(bitcast<u32>(y) & 0xfffff000u);
  let xl = x - xh;
  let yl = y - yh;
  let u = arith_two_sum(z, ((((xh * yh) - p) + xh * yl) + xl * yh) + xl * yl);
  let t = arith_two_sum(p, u.x);
  let v = arith_two_sum(t.y, u.y);
  let bv = bitcast<u32>(v.x);
  let toward = (bv - ((bv ^ bitcast<u32>(v.y)) >> 31u)) | 1u;
  let odd = select(bitcast<f32>(toward), v.x, v.y == 0.0f);
  let h = (k + 256) / 2 - 128;
  let near = ((t.x + odd) * bitcast<f32>(u32(h + 127) << 23u)) * bitcast<f32>(u32(k - h + 127) << 23u);
  let far = select(near, c, i32(ec) - k > 187);
  let plain = (ea == 0u) | (ea == 0xffu) | (eb == 0u) | (eb == 0xffu) | (ec == 0xffu);
  return select(far, a * b + c, plain);
}
${ofVectors('arith_fma', ['a', 'b', 'c'])}`;

export const HELPERS: Readonly<Record<Arithmetic, string>> = {
  'rcp+': divide('+'),
  'rcp-': divide('-'),
  contract: CONTRACT,
  flush: FLUSH,
  reorder: '',
};
