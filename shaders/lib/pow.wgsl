//#include "lib/bits.wgsl"
// nl_pow(x, y) = x^y for x >= 0, with the special cases of C's powf. A negative x gives NaN, or 1 where y is 0. At most 4 ULP
// (measured: 3.1 for results near 2^-126 and 2^128, 1.5 for x in [0, 1] and y in [0, 5]); results under 2^-126 may be
// flushed to 0.
// It is 2^(y log2 x), where log2 x is a sum k + c + t + r of floats with about 33 correct bits, as in fdlibm's pow:
// x = 2^k a (1 + q) / (1 - q), where a is 1 or 1.5 and |q| <= 0.102; c = log2(a); and
// log2((1 + q) / (1 - q)) = 2/ln2 q + q^3 P(q^2). The polynomials P and 2^r are our own fits.
// Every product that must be exact has at most 24 bits, so it does not matter whether fma is fused. Sums are explicit fma
// in an order that compilers may not change.

fn nl_pow(x: f32, y: f32) -> f32 {
  let b = bitcast<u32>(x) & 0x7fffffffu;
  // The bits of a subnormal, as an integer, are its value times 2^149.
  let subnormal = b < 0x00800000u;
  let i = bitcast<i32>(select(b, bitcast<u32>(f32(b)), subnormal));
  // m is in [sqrt(3)/2, sqrt(3)). Below sqrt(1.5) it is nearer to 1, above to 1.5.
  let e = (i - 0x3f5db3d7) & -0x00800000;
  let k = fma(f32(e), 0x1p-23f, select(0.0f, -149.0f, subnormal));
  let m = bitcast<f32>(i - e);
  let upper = m >= 1.2247449f;
  let a = select(1.0f, 1.5f, upper);
  let c = select(0.0f, 0x1.2b8p-1f, upper);

  // q = (m - a) / (m + a) = qh + ql, where qh has the first 10 bits. Only the last, small term of the remainder
  // m - a - qh (m + a) is rounded, so ql has 24 more correct bits, however inaccurate the division is.
  let f = m - a;
  let w = 1.0f / (m + a);
  let qh = bitcast<f32>(bitcast<u32>(f * w) & 0xffffc000u);
  let mh = bitcast<f32>(bitcast<u32>(m) & 0xfffff000u);
  // The clamp changes no value. Without it Mesa's compiler would add both factors of qh to one float. The same below.
  let q1 = max(fma(-qh, a, f), -1e30f);
  let q2 = max(fma(-qh, mh, q1), -1e30f);
  let ql = fma(-qh, m - mh, q2) * w;

  // 2/ln2 = 2.875 + 0.01039. The product of 2.875, which has 5 bits, with the 10 bits of qh is exact.
  let t = 2.875f * qh;
  let q = qh + ql;
  let s = q * q;
  let p = fma(fma(s, 0x1.acb472p-2f, 0x1.2771aap-1f), s, 0x1.ec70a0p-1f);
  let cl = select(0.0f, 0x1.a39fbep-20f, upper);
  let r = fma(q * s, p, fma(ql, 0x1.715476p+1f, fma(qh, 0x1.547652p-7f, cl)));

  // n is the integer part of z = y log2 x, which has 24 bits. Beyond +-160 the result is Inf or 0.
  let l = k + c + (t + r);
  let z = y * l;
  let far = !(abs(z) < 160.0f);
  let n = bitcast<i32>(select(z, 0.0f, far) + 12582912.0f) - 0x4b400000;
  // z - n is computed again, term by term. Products of 9 bits of y with k, c and t are exact.
  let yh = bitcast<f32>(bitcast<u32>(y) & 0xffff8000u);
  let g1 = max(fma(yh, k, -f32(n)), -1e30f);
  let g2 = max(fma(yh, c, g1), -1e30f);
  let g = fma(yh, t, g2);
  let d = fma(y, r, fma(y - yh, k + c + t, g));
  var h = fma(d, 0x1.42d580p-13f, 0x1.5f0e0ap-10f);
  h = fma(h, d, 0x1.3b2c08p-7f);
  h = fma(h, d, 0x1.c6af72p-5f);
  h = fma(h, d, 0x1.ebfbdep-3f);
  h = fma(h, d, 0x1.62e430p-1f);
  h = fma(h, d, 1.0f);

  // 2^n as in nl_exp.
  let low = n < -62;
  let u = bitcast<f32>(bitcast<i32>(h) + to_exponent(select(n, n + 64, low)));
  let v = u * select(1.0f, 0x1p-64f, low);

  // x is 0 or Inf, y is +-Inf, or |z| is large: the result is Inf if log2 x and y have the same sign, else 0.
  let ends = (b == 0u) | (b == 0x7f800000u) | is_inf(y) | far;
  let inf = select(n > select(128, 127, h >= 1.0f), (b > 0x3f800000u) == (bitcast<i32>(y) >= 0), ends);
  let value = select(select(v, 0.0f, ends), infinity(), inf);
  let bad = is_nan(x) | is_nan(y) | (bitcast<u32>(x) > 0x80000000u);
  // The bits are compared, because a comparison of floats may take a subnormal y for 0.
  let one = ((bitcast<u32>(y) & 0x7fffffffu) == 0u) | (bitcast<u32>(x) == 0x3f800000u);
  return select(select(value, nan(), bad), 1.0f, one);
}
