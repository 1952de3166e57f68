// Quotients with an error of at most 1 ULP. WGSL allows a division 2.5 ULP. Nothing here depends on whether fma is fused.
// nl_rcp1p(e) = 1 / (1 + e) for e in [0, 1]: at most 1.5 ULP, 0.6 where fma is fused. One Newton step improves the result q
// of a division. Its residual 1 - q - e q is computed from e, so that it corrects the rounding of 1 + e as well as the error
// of the division. 1 - q is exact, because q is in [0.5, 1].
fn nl_rcp1p(e: f32) -> f32 {
  let q = 1.0f / (1.0f + e);
  return fma(fma(-e, q, 1.0f - q), q, q);
}

// -1 / (1 + e), the same with the other sign.
fn nl_neg_rcp1p(e: f32) -> f32 {
  let q = -1.0f / (1.0f + e);
  return fma(fma(e, q, 1.0f + q), q, q);
}

// x - q y, nearly exact for q near x / y. The factors are split into halves of 12 bits, whose products are exact.
fn nl_remainder(x: f32, y: f32, q: f32) -> f32 {
  let qh = bitcast<f32>(bitcast<u32>(q) & 0xfffff000u);
  let yh = bitcast<f32>(bitcast<u32>(y) & 0xfffff000u);
  let ql = q - qh;
  let yl = y - yh;
  return fma(-ql, yl, fma(-ql, yh, fma(-qh, yl, fma(-qh, yh, x))));
}

// 1 + a for a >= 0 as a sum of two floats: `sum` is 1 + a without its last bit, and `rest` is exactly what is missing. As the
// bits of `sum` were changed, no compiler can replace `rest` by 0, as it may do with a - ((1 + a) - 1).
struct OnePlus {
  sum: f32,
  rest: f32,
}

fn nl_one_plus(a: f32) -> OnePlus {
  let d = bitcast<f32>(bitcast<u32>(1.0 + a) & 0xfffffffeu);
  return OnePlus(d, select(1.0 - (d - a), a - (d - 1.0), a < 1.0));
}

// nl_quotient(x, y) = x / y: at most 1 ULP (measured: 0.51), by one Newton step. x, y and the quotient must be finite and
// not near the ends of the range of normal numbers.
fn nl_quotient(x: f32, y: f32) -> f32 {
  let q = x / y;
  return q + nl_remainder(x, y, q) / y;
}

// nl_divide(x, y) = x / y for any x and y. The Newton step of nl_quotient is added where it is finite and small. Elsewhere
// the result is that of the division; also near 0, where parts of the remainder are subnormal and a device may flush them.
fn nl_divide(x: f32, y: f32) -> f32 {
  let q = x / y;
  let step = nl_remainder(x, y, q) / y;
  let least = min(min(abs(x), abs(y)), abs(q));
  return select(q, q + step, (abs(step) < abs(q)) & (least > 0x1p-100));
}

// nl_sixth(x) = x / 6: at most 0.51 ULP. The last bits of the first guess q are removed. 6 q and the remainder are then
// exact, whether fma is fused or not. -4q - 2q would not do: lavapipe's compiler makes a rounded -6q of it.
fn nl_sixth(x: f32) -> f32 {
  let q = x * 0x1.555556p-3f;
  let qh = bitcast<f32>(bitcast<u32>(q) & 0xfffffff8u);
  return select(q, fma(fma(-6.0, qh, x), 0x1.555556p-3f, qh), abs(q) < 0x1p127f);
}
