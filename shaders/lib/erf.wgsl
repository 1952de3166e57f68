//#include "lib/bits.wgsl"
//#include "lib/div.wgsl"
//#include "lib/exp.wgsl"
// nl_erfcx(x) = e^(x^2) erfc(x) for x in [0, 10.2]: a polynomial in (x - 3) / (x + 3), divided by 1 + x.
// nl_erfc(x): at most 3.5 ULP (measured: 3.05), down to where it underflows. For x < 0 it is 2 - erfc(-x).
// nl_erf(x): at most 2 ULP (measured: 1.37). It is x + x P(x^2) for |x| < 1, with a minimax polynomial P of degree 6, and
// 1 - erfc(x) elsewhere.
// NaN stays NaN. The coefficients of both polynomials are our own fits.

fn nl_erfcx(x: f32) -> f32 {
  let t = (x - 3.0) / (x + 3.0);
  var p = fma(t, -0x1.3a3652p-14f, -0x1.414228p-12f);
  p = fma(p, t, 0x1.7aff80p-11f);
  p = fma(p, t, 0x1.a2cf6ap-10f);
  p = fma(p, t, -0x1.40b720p-7f);
  p = fma(p, t, 0x1.67cb2cp-6f);
  p = fma(p, t, -0x1.85e320p-6f);
  p = fma(p, t, -0x1.4f64f8p-7f);
  p = fma(p, t, 0x1.959648p-4f);
  p = fma(p, t, -0x1.d8f06ep-3f);
  p = fma(p, t, 0x1.6e9828p-1f);
  return nl_quotient(p, 1.0 + x);
}

// n and t of e^(-k x^2) = 2^n (1 + t), for k = 1 or 1/2 and x in [0, 14.5]. x^2 is a sum of two floats.
struct Gauss {
  n: i32,
  t: f32,
}

fn nl_gauss(x: f32, k: f32) -> Gauss {
  let xh = bitcast<f32>(bitcast<u32>(x) & 0xfffff000u);
  let h = -k * xh;
  let hi = h * xh;
  let lo = (x - xh) * fma(x, -k, h);
  // As nl_exp_n, of hi and half of the largest possible lo.
  let n = bitcast<i32>(fma(hi, 0x1.716d0cp+0f, 12582912.0f)) - 0x4b400000;
  // As nl_exp_t_low. lo is the result of a computation here, so no compiler adds both parts of ln2 to one float.
  let nf = f32(n);
  let r = fma(nf, -0x1.62e4p-1f, hi) + fma(nf, -0x1.7f7d1cp-20f, lo);
  return Gauss(n, nl_exp_rest(r, r));
}

fn nl_erfc(x: f32) -> f32 {
  // erfc(10.2) is 0 in float32. The comparison is false for NaN, which therefore stays.
  let a = select(abs(x), 10.2, abs(x) > 10.2);
  let g = nl_gauss(a, 1.0);
  let m = nl_erfcx(a);
  let tail = (fma(g.t, m, m) * pow2i(g.n + 64)) * 0x1p-64f;
  return select(select(tail, 2.0 - tail, x < 0.0), x, is_nan(x));
}

fn nl_erf(x: f32) -> f32 {
  let z = x * x;
  var p = fma(z, 0x1.4772c0p-14f, -0x1.a35186p-11f);
  p = fma(p, z, 0x1.53f226p-8f);
  p = fma(p, z, -0x1.b7f71ap-6f);
  p = fma(p, z, 0x1.ce2ce6p-4f);
  p = fma(p, z, -0x1.81273ep-2f);
  p = fma(p, z, 0x1.06eba8p-3f);
  // Below 2^-60 the product x p may underflow, and a subnormal x may be flushed. There x is an integer times 2^-149.
  let b = bitcast<u32>(x) & 0x7fffffffu;
  let tiny = scale2(fma(f32(b), 0x1.06eba8p-3f, f32(b)), -149);
  let least = select(abs(x) * 0x1.20dd76p+0f, tiny, b < 0x00800000u);
  let small = select(fma(x, p, x), select(least, -least, bitcast<i32>(x) < 0), b < 0x21800000u);
  let big = 1.0 - nl_erfc(abs(x));
  return select(select(select(big, -big, x < 0.0), small, b < 0x3f800000u), x, is_nan(x));
}
