// nl_rcp1p(e) = 1 / (1 + e) for e in [0, 1]: at most 1.5 ULP, 0.6 where fma is fused.
// One Newton step on the division's result q, with the residual 1 - q - e q taken from e itself:
// it undoes the rounding of 1 + e and the 2.5 ULP that WGSL grants a division.
// 1 - q is exact, as q is in [0.5, 1].
fn nl_rcp1p(e: f32) -> f32 {
  let q = 1.0f / (1.0f + e);
  return fma(fma(-e, q, 1.0f - q), q, q);
}
