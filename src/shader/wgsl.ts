/**
 * The WGSL numerics library, for `includes` of your own activations and losses; each is named by a `//#include` line.
 *
 * @module
 */
export {
  bits,
  exp,
  expm1,
  log,
  log1p,
  pow,
  sigmoid,
  sin,
  softplus,
  sqrt,
  tanh,
  threefry,
} from './lib.ts';
