// The shader that sums up segments: where its entries are, and what becomes of the sums.
import segmentsText from '../../../shaders/kernels/embedding/segments.wgsl?raw';
import type { View } from '../../core/kernel.ts';
import { float16, sum } from '../../shader/lib.ts';
import { cachedProgram, source, type Program, type Source } from '../../shader/link.ts';

const kernel = /* @__PURE__ */ source('kernels/embedding/segments.wgsl', segmentsText, [sum]);

/** Where entries are: sorted pairs and gradients, or pairs that count 1 each, what the launch before left, or just rows. */
type Entries = 'pairs' | 'ones' | 'left' | 'dense';

/** The shader of entries whose gradients are `from`, for results `y`. */
export function programOf(
  entries: Entries,
  from: View,
  y: View,
  width: number,
  { leaves = false, divides = false } = {},
): Program {
  const packed = width % 4 === 0;
  const reads = entries === 'left' || entries === 'ones' ? 'float32' : from.dtype;
  const dtypes = [reads, y.dtype].map((dtype) => (dtype === 'float16' ? 'h' : 'f'));
  const key = [entries, ...dtypes, packed, leaves, divides].join();
  return cachedProgram(kernel, key, 'tableGrad', kernel, () => ({
    entries: entriesOf(entries, reads === 'float16', packed),
    result: resultOf(y.dtype === 'float16', packed),
    partials: leaves ? PARTIALS : 'fn leave(i: u32, q: u32, key: u32, v: vec4f) {\n}\n',
    ...(divides ? { share: SHARE } : {}),
  }));
}

/** Quotients by one Newton step: at most 1.5 ULP, also where fma is not fused. A row of a table that is not bound receives nothing. */
const SHARE = `@group(0) @binding(6) var<storage, read> divisors: array<f32>;
fn share_of(key: u32, v: vec4f) -> vec4f {
  let row = key - u.first;
  if (row >= u.height) {
    return vec4f();
  }
  let by = divisors[row];
  let r = 1.0 / by;
  let q = v * r;
  let step = fma(-q, vec4f(by), v) * r;
  return select(q, q + step, abs(step) < abs(q));
}
`;

const PARTIALS = `@group(0) @binding(4) var<storage, read_write> keys_left: array<u32>;
@group(0) @binding(5) var<storage, read_write> sums_left: array<vec4f>;
fn leave(i: u32, q: u32, key: u32, v: vec4f) {
  if (q == 0u) {
    keys_left[i] = key;
  }
  sums_left[i * u.quads + q] = v;
}
`;

/** Four columns of a row of gradients; a row that ends within them is filled up with its last element. */
function entriesOf(entries: Entries, half: boolean, packed: boolean): Source {
  const whole = packed || entries === 'left';
  const element = half ? (whole ? 'vec2u' : 'u32') : whole ? 'vec4f' : 'f32';
  const keys = entries === 'left' ? 'u32' : 'vec2u';
  const row = entries === 'pairs' ? 'keys[i].y' : 'i';
  const values = `@group(0) @binding(2) var<storage, read> values: array<${element}>;\n`;
  const one = (at: string): string =>
    half ? `unpack_half2(values[(${at}) >> 1u])[(${at}) & 1u]` : `values[${at}]`;
  const rows = whole
    ? half
      ? `  let w = values[${row} * u.quads + q];
  return vec4f(unpack_half2(w.x), unpack_half2(w.y));`
      : `  return values[${row} * u.quads + q];`
    : `  let at = vec4u(${row} * u.width) + min(vec4u(4u * q) + vec4u(0u, 1u, 2u, 3u), vec4u(u.width - 1u));
  return vec4f(${['x', 'y', 'z', 'w'].map((lane) => one(`at.${lane}`)).join(', ')});`;
  const body = entries === 'ones' ? '  return vec4f(1.0);' : rows;
  return source(
    'entries',
    `${half ? `//#include "${float16.name}"\n` : ''}@group(0) @binding(1) var<storage, read> keys: array<${keys}>;
${entries === 'ones' ? '' : values}fn key_at(i: u32) -> u32 {
  return ${entries === 'left' ? 'keys[i]' : 'keys[i].x'};
}
fn value_at(i: u32, q: u32) -> vec4f {
${body}
}
`,
    half ? [float16] : [],
  );
}

function resultOf(half: boolean, packed: boolean): Source {
  const element = half ? 'vec2u' : packed ? 'vec4f' : 'f32';
  const lanes = ['x', 'y', 'z', 'w'];
  const load = half
    ? `  let w = y[row * u.quads + q];
  return vec4f(unpack_half2(w.x), unpack_half2(w.y));`
    : packed
      ? '  return y[row * u.quads + q];'
      : `  let at = vec4u(row * u.width) + min(vec4u(4u * q) + vec4u(0u, 1u, 2u, 3u), vec4u(u.width - 1u));
  return vec4f(${lanes.map((lane) => `y[at.${lane}]`).join(', ')});`;
  const store = half
    ? '  y[row * u.quads + q] = vec2u(pack_half2(v.xy), pack_half2(v.zw));'
    : packed
      ? '  y[row * u.quads + q] = v;'
      : lanes
          .map(
            (lane, k) => `  if (4u * q + ${k}u < u.width) {
    y[row * u.width + 4u * q + ${k}u] = v.${lane};
  }`,
          )
          .join('\n');
  return source(
    'result',
    `${half ? `//#include "${float16.name}"\n` : ''}@group(0) @binding(3) var<storage, read_write> y: array<${element}>;
fn load(row: u32, q: u32) -> vec4f {
${load}
}
fn store(row: u32, q: u32, v: vec4f) {
${store}
}
`,
    half ? [float16] : [],
  );
}
