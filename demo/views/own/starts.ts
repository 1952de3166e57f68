// The activations and losses to start from: what the editors hold at first, and what a link names in place of code.
import type { OwnCode } from './protocol.ts';

export interface Start extends OwnCode {
  readonly about: string;
}

const SOFTCLIP: Start = {
  name: 'softclip',
  kind: 'activation',
  about: 'Nearly x round 0, never beyond the limit.',
  wgsl: `// x / (1 + |x| / limit). p holds the options.
fn forward(x: f32, p: Params) -> f32 {
  return x / (1.0 + abs(x) / p.limit);
}

// The derivative, times the gradient from above.
fn backward(x: f32, g: f32, p: Params) -> f32 {
  let d = 1.0 + abs(x) / p.limit;
  return g / (d * d);
}
`,
  js: `// The options with their defaults: plain numbers,
// or { default, min, max, above: true }.
const params = { limit: { default: 1, min: 0, above: true } };

// The same in float64: this is what is right.
function forward(x, { limit }) {
  return x / (1 + Math.abs(x) / limit);
}

function backward(x, gradOutput, { limit }) {
  return gradOutput / (1 + Math.abs(x) / limit) ** 2;
}
`,
};

const SNAKE: Start = {
  name: 'snake',
  kind: 'activation',
  about: 'The identity with a wave, for periodic data (Ziyin, Hartwig & Ueda 2020).',
  wgsl: `//#include "lib/sin.wgsl"
// x + sin(alpha x)^2 / alpha. nl_sin is nonlin's sine,
// of a number in two parts: WGSL's may be off by 2^-11.
fn forward(x: f32, p: Params) -> f32 {
  let s = nl_sin(p.alpha * x, 0.0);
  return x + s * s / p.alpha;
}

fn backward(x: f32, g: f32, p: Params) -> f32 {
  let s = nl_sin(2.0 * p.alpha * x, 0.0);
  return g * (1.0 + s);
}
`,
  js: `const params = { alpha: { default: 1, min: 0, above: true } };

function forward(x, { alpha }) {
  return x + Math.sin(alpha * x) ** 2 / alpha;
}

function backward(x, gradOutput, { alpha }) {
  return gradOutput * (1 + Math.sin(2 * alpha * x));
}

// Optional: the largest term of the derivative. Where the
// sum 1 + sin crosses 0, errors are in ULP of this.
function largestTerm() {
  return 1;
}
`,
};

const SQUAREPLUS: Start = {
  name: 'squareplus',
  kind: 'activation',
  about: 'A smooth relu without an exponential (Barron 2021).',
  wgsl: `//#include "lib/sqrt.wgsl"
// (x + sqrt(x^2 + b)) / 2. Below 0 the sum would cancel:
// there it is b / 2 over the difference.
fn forward(x: f32, p: Params) -> f32 {
  let r = nl_sqrt(x * x + p.b);
  return 0.5 * select(x + r, p.b / (r - x), x < 0.0);
}

fn backward(x: f32, g: f32, p: Params) -> f32 {
  return g * forward(x, p) / nl_sqrt(x * x + p.b);
}
`,
  js: `const params = { b: { default: 4, min: 0, above: true } };

function forward(x, { b }) {
  const r = Math.sqrt(x * x + b);
  return x < 0 ? b / 2 / (r - x) : (x + r) / 2;
}

function backward(x, gradOutput, { b }) {
  return (gradOutput * forward(x, { b })) / Math.sqrt(x * x + b);
}
`,
};

const BUMP: Start = {
  name: 'gaussianBump',
  kind: 'activation',
  about: 'Looks at one place only: networks of such units are called radial.',
  wgsl: `//#include "lib/exp.wgsl"
// exp(-x^2 / (2 width^2))
fn forward(x: f32, p: Params) -> f32 {
  let z = x / p.width;
  return nl_exp(-0.5 * z * z);
}

fn backward(x: f32, g: f32, p: Params) -> f32 {
  let z = x / p.width;
  return -g * (z / p.width) * forward(x, p);
}
`,
  js: `const params = { width: { default: 1, min: 0, above: true } };

function forward(x, { width }) {
  return Math.exp(-0.5 * (x / width) ** 2);
}

function backward(x, gradOutput, { width }) {
  return -gradOutput * (x / width ** 2) * forward(x, { width });
}
`,
};

const GEMAN_MCCLURE: Start = {
  name: 'gemanMcClure',
  kind: 'loss',
  about: 'Squared near the target, at most 1 far from it: outliers hardly pull.',
  wgsl: `// d^2 / (1 + d^2), d = (input - expected) / scale
fn loss(input: f32, expected: f32, p: Params) -> f32 {
  let d = (input - expected) / p.scale;
  return d * d / (1.0 + d * d);
}

// The gradients of input and target.
fn loss_grad(input: f32, expected: f32, grad_output: f32, p: Params) -> vec2f {
  let d = (input - expected) / p.scale;
  let s = 1.0 + d * d;
  let g = grad_output * 2.0 * d / (s * s * p.scale);
  return vec2f(g, -g);
}
`,
  js: `const params = { scale: { default: 1, min: 0, above: true } };

// The loss of one element.
function forward(input, target, { scale }) {
  const d = (input - target) / scale;
  return (d * d) / (1 + d * d);
}

// The gradients of input and target.
function backward(input, target, gradOutput, { scale }) {
  const d = (input - target) / scale;
  const g = (gradOutput * 2 * d) / ((1 + d * d) ** 2 * scale);
  return [g, -g];
}
`,
};

const ASYMMETRIC: Start = {
  name: 'asymmetricSquare',
  kind: 'loss',
  about: 'Squared error that counts too high more than too low.',
  wgsl: `// Squared, times tilt above the target and 1 - tilt below it.
fn loss(input: f32, expected: f32, p: Params) -> f32 {
  let d = input - expected;
  return select(1.0 - p.tilt, p.tilt, d > 0.0) * (d * d);
}

// The gradients of input and target.
fn loss_grad(input: f32, expected: f32, grad_output: f32, p: Params) -> vec2f {
  let d = input - expected;
  let g = grad_output * 2.0 * select(1.0 - p.tilt, p.tilt, d > 0.0) * d;
  return vec2f(g, -g);
}
`,
  js: `const params = { tilt: { default: 0.75, min: 0, max: 1 } };

const weight = (d, tilt) => (d > 0 ? tilt : 1 - tilt);

function forward(input, target, { tilt }) {
  const d = input - target;
  return weight(d, tilt) * d * d;
}

function backward(input, target, gradOutput, { tilt }) {
  const d = input - target;
  const g = gradOutput * 2 * weight(d, tilt) * d;
  return [g, -g];
}
`,
};

/** The first is what an address without code shows. */
export const STARTS: readonly Start[] = [
  SOFTCLIP,
  SNAKE,
  SQUAREPLUS,
  BUMP,
  GEMAN_MCCLURE,
  ASYMMETRIC,
];

export const FIRST = SOFTCLIP;

/** The starting point that code still is, to the letter. */
export function startOf(code: OwnCode): Start | undefined {
  return STARTS.find((start) =>
    (['kind', 'name', 'wgsl', 'js'] as const).every((part) => start[part] === code[part]),
  );
}
