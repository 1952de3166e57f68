// Quotients within 1 ULP, whatever the 2.5 ULP that WGSL grants a division and whether fma is fused.
// nl_rcp1p(e) = 1 / (1 + e) for e in [0, 1]: at most 1.5 ULP, 0.6 where fma is fused.
// One Newton step on the division's result q, with the residual 1 - q - e q taken from e itself:
// it undoes the rounding of 1 + e and the 2.5 ULP that WGSL grants a division.
// 1 - q is exact, as q is in [0.5, 1].
fn nl_rcp1p(e: f32) -> f32 {
  let q = 1.0f / (1.0f + e);
  return fma(fma(-e, q, 1.0f - q), q, q);
}

// x - q y, nearly exact for q near x / y: products of 12-bit halves have no rounding to lose.
fn nl_remainder(x: f32, y: f32, q: f32) -> f32 {
  let qh = bitcast<f32>(bitcast<u32>(q) & 0xfffff000u);
  let yh = bitcast<f32>(bitcast<u32>(y) & 0xfffff000u);
  let ql = q - qh;
  let yl = y - yh;
  return fma(-ql, yl, fma(-ql, yh, fma(-qh, yl, fma(-qh, yh, x))));
}

// 1 + a for a >= 0, off by its last bit at most, and what that leaves of 1 + a: rest is exact, and no compiler can take it
// for 0, as it may take (1 + a) - 1 - a.
struct OnePlus {
  sum: f32,
  rest: f32,
}

fn nl_one_plus(a: f32) -> OnePlus {
  let d = bitcast<f32>(bitcast<u32>(1.0 + a) & 0xfffffffeu);
  return OnePlus(d, select(1.0 - (d - a), a - (d - 1.0), a < 1.0));
}

// nl_quotient(x, y) = x / y: at most 1 ULP (measured: 0.51) for finite x and y with x, y and the quotient well within
// the range of normal numbers. One Newton step, as above.
fn nl_quotient(x: f32, y: f32) -> f32 {
  let q = x / y;
  return q + nl_remainder(x, y, q) / y;
}

// nl_divide(x, y) = x / y for any x and y: nl_quotient where its step is finite and small, else the division's own result; so
// too near 0, where parts of the remainder are subnormal numbers, which a device may take for 0.
fn nl_divide(x: f32, y: f32) -> f32 {
  let q = x / y;
  let step = nl_remainder(x, y, q) / y;
  let least = min(min(abs(x), abs(y)), abs(q));
  return select(q, q + step, (abs(step) < abs(q)) & (least > 0x1p-100));
}

// nl_sixth(x) = x / 6: at most 0.51 ULP. Without its last bits the first guess times 6 is exact, and so is the remainder,
// whether fma is fused or not; as -4q - 2q it was not: lavapipe's compiler makes a rounded -6q of that.
fn nl_sixth(x: f32) -> f32 {
  let q = x * 0x1.555556p-3f;
  let qh = bitcast<f32>(bitcast<u32>(q) & 0xfffffff8u);
  return select(q, fma(fma(-6.0, qh, x), 0x1.555556p-3f, qh), abs(q) < 0x1p127f);
}
