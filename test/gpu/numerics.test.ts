// Holds each function of shaders/lib to the bound its comment states, against float64.
import erfc from '@stdlib/math-base-special-erfc';
import { beforeAll, describe, expect, it } from 'vitest';
import * as lib from '../../src/shader/lib.ts';
import { link, source, type Source } from '../../src/shader/link.ts';
import { SMALLEST_NORMAL, ulp32 } from '../ulp.ts';

let device: GPUDevice;
beforeAll(async () => {
  const adapter = await navigator.gpu.requestAdapter();
  if (!adapter) throw new Error('no WebGPU adapter');
  device = await adapter.requestDevice();
});

/** Runs `body` for each i over `input`, one word or `outWords` words out for `inWords` in. */
async function run(
  file: Source,
  body: string,
  input: Uint32Array<ArrayBuffer>,
  inWords = 1,
  outWords = 1,
): Promise<Uint32Array> {
  const kernel = `//#include "${file.name}"
@group(0) @binding(0) var<storage, read> words: array<u32>;
@group(0) @binding(1) var<storage, read_write> result: array<u32>;
fn at(i: u32) -> f32 { return bitcast<f32>(words[i]); }
fn put(i: u32, x: f32) { result[i] = bitcast<u32>(x); }
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.x;
  if (i * ${inWords}u >= arrayLength(&words)) { return; }
  ${body}
}`;
  const code = link(source('test', kernel, [file]));
  const count = input.length / inWords;
  const size = count * outWords * 4;
  const words = device.createBuffer({
    size: input.byteLength,
    usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST,
  });
  const result = device.createBuffer({
    size,
    usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC,
  });
  const back = device.createBuffer({
    size,
    usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
  });
  device.queue.writeBuffer(words, 0, input);
  const pipeline = await device.createComputePipelineAsync({
    layout: 'auto',
    compute: { module: device.createShaderModule({ code }), entryPoint: 'main' },
  });
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(
    0,
    device.createBindGroup({
      layout: pipeline.getBindGroupLayout(0),
      entries: [
        { binding: 0, resource: { buffer: words } },
        { binding: 1, resource: { buffer: result } },
      ],
    }),
  );
  pass.dispatchWorkgroups(Math.ceil(count / 64));
  pass.end();
  encoder.copyBufferToBuffer(result, 0, back, 0, size);
  device.queue.submit([encoder.finish()]);
  await back.mapAsync(GPUMapMode.READ);
  const copy = new Uint32Array(back.getMappedRange().slice(0));
  for (const buffer of [words, result, back]) buffer.destroy();
  return copy;
}

const word = new Uint32Array(1);
const single = new Float32Array(word.buffer);
const bitsOf = (x: number): number => {
  single[0] = x;
  return word[0] ?? 0;
};
const hex = (bits: number): string => `0x${bits.toString(16).padStart(8, '0')}`;
const floats = (words: Uint32Array): Float32Array =>
  new Float32Array(words.buffer, words.byteOffset, words.length);

/** Repeatable numbers in [0, 1) (mulberry32). */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const clamp = (x: number): number => Math.min(Math.max(x, -(2 ** 128)), 2 ** 128);

/**
 * The error in units of the float32 spacing at `want`; infinite for a wrong NaN.
 * Inf counts as 2^128, and a result flushed from the subnormal range to 0 as right.
 */
function ulpError(got: number, want: number): number {
  if (Number.isNaN(got) || Number.isNaN(want)) {
    return Number.isNaN(got) && Number.isNaN(want) ? 0 : Infinity;
  }
  if (got === 0 && Math.abs(want) < SMALLEST_NORMAL) return 0;
  const finite = clamp(want);
  return Math.abs(clamp(got) - finite) / ulp32(finite);
}

/** Every sign and exponent with 2^10 mantissas each, and each float32 within 400 steps of a `near` value. */
function unaryInputs(near: readonly number[]): Uint32Array<ArrayBuffer> {
  const next = random(1);
  const inputs: number[] = [];
  for (let top = 0; top < 512; top++) {
    for (let i = 0; i < 1024; i++)
      inputs.push(top * 2 ** 23 + i * 2 ** 13 + Math.floor(next() * 2 ** 13));
  }
  for (const x of [0, -0, 1, -1, 2 ** -126, -(2 ** -126), ...near]) {
    const magnitude = bitsOf(x) & 0x7fffffff;
    const sign = bitsOf(x) - magnitude;
    for (let step = -400; step <= 400; step++) {
      if (magnitude + step >= 0) inputs.push(sign + magnitude + step);
    }
  }
  for (const special of [0, 0x7f800000, 0x7f800001, 0x7fc00000, 0x7fffffff]) {
    inputs.push(special, special + 2 ** 31);
  }
  return Uint32Array.from(inputs);
}

interface Unary {
  readonly file: Source;
  readonly name: string;
  /** In ULP, as the file's comment states it. */
  readonly bound: number;
  readonly want: (x: number) => number;
  /** Where the code or the result switches. */
  readonly near: readonly number[];
  /** Results that must hold exactly, the sign of zero included. */
  readonly exact: readonly (readonly [x: number, y: number])[];
}

const ln2 = Math.LN2;
/** The points where the reduced argument jumps. */
const halfOdds = [
  -150.5, -127.5, -126.5, -24.5, -2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 23.5, 24.5, 127.5,
];
const steps = halfOdds.map((n) => n * ln2);
const bell = (x: number): number => {
  const e = Math.exp(-Math.abs(x));
  return e / (1 + e) ** 2;
};

/** By its series near 0, where 1 - erfc cancels. */
function erf(x: number): number {
  if (!(Math.abs(x) < 1)) return 1 - erfc(x);
  let sum = 0;
  let power = x;
  for (let n = 0; n < 20; n++) {
    sum += power / (2 * n + 1);
    power *= (-x * x) / (n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}

const unary: readonly Unary[] = [
  {
    file: lib.exp,
    name: 'nl_exp',
    bound: 1.1,
    want: Math.exp,
    near: [...steps, 88.72283, 89, -87.336544, -103.97208, -104.5, -62.5 * ln2],
    exact: [
      [0, 1],
      [-0, 1],
      [89, Infinity],
      [3.4e38, Infinity],
      [Infinity, Infinity],
      [-110, 0],
      [-3.4e38, 0],
      [-Infinity, 0],
      [NaN, NaN],
    ],
  },
  {
    file: lib.expm1,
    name: 'nl_expm1',
    bound: 1.5,
    want: Math.expm1,
    near: [...steps, 0.5, -0.35, 88.72283, -18, -17.328679, 2 ** -24, -(2 ** -24)],
    exact: [
      [0, 0],
      [-0, -0],
      [1e-10, Math.fround(1e-10)],
      [-1e-10, Math.fround(-1e-10)],
      [100, Infinity],
      [Infinity, Infinity],
      [-30, -1],
      [-3.4e38, -1],
      [-Infinity, -1],
      [NaN, NaN],
    ],
  },
  {
    file: lib.log,
    name: 'nl_log',
    bound: 1,
    want: Math.log,
    near: [2 / 3, 4 / 3, 0.5, 2, 1e-38, 1e-45],
    exact: [
      [1, 0],
      [0, -Infinity],
      [-0, -Infinity],
      [-1, NaN],
      [-1e-45, NaN],
      [-3.4e38, NaN],
      [-Infinity, NaN],
      [Infinity, Infinity],
      [NaN, NaN],
    ],
  },
  {
    file: lib.log1p,
    name: 'nl_log1p',
    bound: 2,
    want: Math.log1p,
    near: [-1 / 3, 1 / 3, 2 ** -24, -(2 ** -24), 2 ** 24, 2 ** 64, 2 ** 127, -2 / 3],
    exact: [
      [0, 0],
      [-0, -0],
      [1e-10, Math.fround(1e-10)],
      [-1e-10, Math.fround(-1e-10)],
      [-1, -Infinity],
      [-1.0000001, NaN],
      [-3.4e38, NaN],
      [-Infinity, NaN],
      [Infinity, Infinity],
      [NaN, NaN],
    ],
  },
  {
    file: lib.tanh,
    name: 'nl_tanh',
    bound: 1.25,
    want: Math.tanh,
    near: [
      0.55,
      -0.55,
      2 ** -13,
      -(2 ** -13),
      9.010913,
      -9.010913,
      10,
      -10,
      ...steps.map((x) => x / 2),
    ],
    exact: [
      [0, 0],
      [-0, -0],
      [1e-6, Math.fround(1e-6)],
      [-1e-6, Math.fround(-1e-6)],
      [10, 1],
      [-20, -1],
      [3.4e38, 1],
      [-3.4e38, -1],
      [Infinity, 1],
      [-Infinity, -1],
      [NaN, NaN],
    ],
  },
  {
    file: lib.tanh,
    name: 'nl_sech2',
    bound: 2.5,
    want: (x) => 4 * bell(2 * x),
    near: [
      Math.log(0.3) / 2,
      -Math.log(0.3) / 2,
      43.668272,
      44.36,
      52.25,
      1e-4,
      ...steps.map((x) => x / 2),
    ],
    exact: [
      [0, 1],
      [-0, 1],
      [1e-6, 1],
      [100, 0],
      [-3.4e38, 0],
      [Infinity, 0],
      [-Infinity, 0],
      [NaN, NaN],
    ],
  },
  {
    file: lib.sigmoid,
    name: 'nl_sigmoid',
    bound: 1.5,
    want: (x) => (x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x))),
    near: [...steps, 17.328679, -87.336544, -103.97208, -104.5],
    exact: [
      [0, 0.5],
      [-0, 0.5],
      [20, 1],
      [3.4e38, 1],
      [Infinity, 1],
      [-110, 0],
      [-3.4e38, 0],
      [-Infinity, 0],
      [NaN, NaN],
    ],
  },
  {
    file: lib.sigmoid,
    name: 'nl_sigmoid_grad',
    bound: 2.5,
    want: bell,
    near: [...steps, Math.log(0.3), -Math.log(0.3), 87.336544, -87.336544, 104.5],
    exact: [
      [0, 0.25],
      [-0, 0.25],
      [110, 0],
      [-110, 0],
      [3.4e38, 0],
      [Infinity, 0],
      [-Infinity, 0],
      [NaN, NaN],
    ],
  },
  {
    file: lib.softplus,
    name: 'nl_softplus',
    bound: 2,
    want: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
    near: [...steps, 17.328679, -17.328679, -87.336544, -103.97208, -104.5],
    exact: [
      [-110, 0],
      [-3.4e38, 0],
      [-Infinity, 0],
      [20, 20],
      [Infinity, Infinity],
      [NaN, NaN],
    ],
  },
  {
    file: lib.erf,
    name: 'nl_erf',
    bound: 2,
    want: erf,
    near: [1, -1, 3.9, -3.9, 0.5, 2 ** -13],
    exact: [
      [0, 0],
      [-0, -0],
      [10, 1],
      [-10, -1],
      [3.4e38, 1],
      [Infinity, 1],
      [-Infinity, -1],
      [NaN, NaN],
    ],
  },
  {
    file: lib.erf,
    name: 'nl_erfc',
    bound: 3.5,
    want: erfc,
    near: [0.5, -0.5, 1, -1, 3, 9.194, 10, 10.2, -3.9],
    exact: [
      [0, 1],
      [-0, 1],
      [11, 0],
      [3.4e38, 0],
      [-10, 2],
      [Infinity, 0],
      [-Infinity, 2],
      [NaN, NaN],
    ],
  },
];

/** At most a few lines, each with everything needed to see what is wrong. */
class Report {
  readonly lines: string[] = [];

  add(call: string, bits: readonly number[], got: number, want: number, error: number): void {
    if (this.lines.length >= 5) return;
    const words = bits.map(hex).join(', ');
    this.lines.push(`${call} (${words}): got ${got}, expected ${want}, off by ${error} ULP`);
  }
}

describe.each(unary)('$name', ({ file, name, bound, want, near, exact }) => {
  const body = `put(i, ${name}(at(i)));`;

  it(`is within ${bound} ULP for all signs and exponents`, async () => {
    const inputs = unaryInputs(near);
    const got = floats(await run(file, body, inputs));
    const xs = floats(inputs);
    const report = new Report();
    got.forEach((y, i) => {
      const x = xs[i] ?? NaN;
      const error = ulpError(y, want(x));
      if (error > bound) report.add(`${name}(${x})`, [inputs[i] ?? 0], y, want(x), error);
    });
    expect(report.lines).toEqual([]);
  });

  it('is exact where it must be', async () => {
    const inputs = Uint32Array.from(exact, ([x]) => bitsOf(x));
    const got = floats(await run(file, body, inputs));
    expect(exact.map(([x], i) => [x, got[i]])).toEqual(exact.map(([x, y]) => [x, y]));
  });

  it('keeps or flushes subnormals', async () => {
    const inputs = Uint32Array.of(1, 0x80000001, 0x7fffff, 0x807fffff);
    const got = floats(await run(file, body, inputs));
    const right = [...floats(inputs)].map((x, i) =>
      [Math.fround(want(x)), want(0)].includes(got[i] ?? NaN),
    );
    expect(right).toEqual([true, true, true, true]);
  });
});

describe('nl_pow', () => {
  const bound = 4;
  const body = 'put(i, nl_pow(at(2u * i), at(2u * i + 1u)));';

  /** As C's powf, and NaN for negative x. */
  function want(x: number, y: number): number {
    if (y === 0 || x === 1) return 1;
    if (x < 0 || Number.isNaN(x) || Number.isNaN(y)) return NaN;
    if (Math.abs(y) === Infinity) return x > 1 === y > 0 ? Infinity : 0;
    return Math.abs(x) ** y;
  }

  async function check(pairs: Float32Array<ArrayBuffer>, limit: number): Promise<void> {
    const bits = new Uint32Array(pairs.buffer);
    const got = floats(await run(lib.pow, body, bits, 2));
    const report = new Report();
    got.forEach((z, i) => {
      const [x = NaN, y = NaN] = pairs.subarray(2 * i, 2 * i + 2);
      const error = ulpError(z, want(x, y));
      if (error <= limit) return;
      report.add(`nl_pow(${x}, ${y})`, [...bits.subarray(2 * i, 2 * i + 2)], z, want(x, y), error);
    });
    expect(report.lines).toEqual([]);
  }

  it(`is within ${bound} ULP for all exponents of x and results`, async () => {
    const next = random(2);
    const pairs = new Float32Array(2 ** 20);
    for (let i = 0; i < pairs.length; i += 2) {
      // x over every exponent and, half of the time, near 1, where y has to be large
      const spread = next() < 0.5 ? 300 * next() - 150 : (next() - 0.5) * 2 ** (-23 * next());
      const x = Math.fround(2 ** Math.max(Math.min(spread, 127.9), -149));
      pairs.set([x, (next() * 282 - 152) / Math.log2(x)], i);
    }
    await check(pairs, bound);
  });

  it('is within 2 ULP for probabilities and the powers of a focal loss', async () => {
    const next = random(3);
    const pairs = new Float32Array(2 ** 18);
    const gammas = [0.5, 1, 1.5, 2, 3, 5];
    for (let i = 0; i < pairs.length; i += 2) {
      const exponent = next() < 0.5 ? 0 : -24 * next();
      const x = next() * 2 ** exponent;
      pairs.set([next() < 0.5 ? x : 1 - x, gammas[i % gammas.length] ?? 5 * next()], i);
    }
    await check(pairs, 2);
  });

  it('has the special cases of powf', async () => {
    const positive = [0, 1e-45, 1e-38, 0.5, 0.99999994, 1, 1.0000001, 1.5, 2, 3, 3.4e38, Infinity];
    const values = [...positive, ...positive.map((x) => -x), NaN];
    const pairs = values.flatMap((x) => values.flatMap((y) => [x, y]));
    await check(Float32Array.from(pairs), 1.5);
  });
});

/** Numbers of both signs, their exponents from `least` to `most`. */
function spreadInputs(least: number, most: number, seed: number): Float32Array<ArrayBuffer> {
  const next = random(seed);
  return Float32Array.from({ length: 2 ** 18 }, () => {
    const size = (1 + next()) * 2 ** (least + Math.floor(next() * (most - least)));
    return next() < 0.5 ? size : -size;
  });
}

describe('sqrt', () => {
  it('nl_sqrt is within 1 ULP in its range, and keeps 0, Inf and NaN', async () => {
    const xs = spreadInputs(-90, 126, 5).map(Math.abs);
    const special = [0, Infinity, NaN, 1, 4, 2 ** 100];
    xs.set(special);
    const got = floats(await run(lib.sqrt, 'put(i, nl_sqrt(at(i)));', new Uint32Array(xs.buffer)));
    const report = new Report();
    xs.forEach((x, i) => {
      const y = got[i] ?? NaN;
      const error = ulpError(y, Math.sqrt(x));
      if (error > (i < special.length ? 0 : 1)) {
        report.add(`nl_sqrt(${x})`, [bitsOf(x)], y, Math.sqrt(x), error);
      }
    });
    expect(report.lines).toEqual([]);
  });

  it('nl_reciprocal is within 1 ULP in its range, and right at 0, Inf and NaN', async () => {
    const xs = spreadInputs(-100, 100, 6);
    xs.set([0, Infinity, -Infinity, NaN, 1, -8]);
    const got = floats(
      await run(lib.sqrt, 'put(i, nl_reciprocal(at(i)));', new Uint32Array(xs.buffer)),
    );
    const report = new Report();
    xs.forEach((x, i) => {
      const y = got[i] ?? NaN;
      const error = ulpError(y, 1 / x);
      if (error > 1) report.add(`nl_reciprocal(${x})`, [bitsOf(x)], y, 1 / x, error);
    });
    expect(report.lines).toEqual([]);
  });
});

describe('sin', () => {
  /** Numbers in two parts: u up to 2^21 at every scale and near multiples of pi / 2, and what is missing of it. */
  function parts(): Float32Array<ArrayBuffer> {
    const next = random(8);
    const pairs = new Float32Array(2 ** 20);
    for (let i = 0; i < pairs.length; i += 2) {
      const near = Math.round((next() - 0.5) * 2 ** (1 + 21 * next())) * (Math.PI / 2);
      const size = (1 + next()) * 2 ** (-30 + 50 * next());
      const whole = next() < 0.5 ? near : next() < 0.5 ? size : -size;
      const u = Math.fround(Math.max(-(2 ** 21), Math.min(2 ** 21, whole)));
      const low = next() < 0.25 ? 0 : (next() - 0.5) * ulp32(u === 0 ? 1e-30 : u);
      pairs.set([u, low], i);
    }
    pairs.set([0, 0, -0, 0, 2 ** 21, 0, -(2 ** 21), 0]);
    return pairs;
  }

  it('nl_sin is within 1 ULP of 1 for |u| up to 2^21, and of the result below pi / 4', async () => {
    const pairs = parts();
    const bits = new Uint32Array(pairs.buffer);
    const body = 'put(i, nl_sin(at(2u * i), at(2u * i + 1u)));';
    const got = floats(await run(lib.sin, body, bits, 2));
    const report = new Report();
    got.forEach((y, i) => {
      const [u = NaN, low = NaN] = pairs.subarray(2 * i, 2 * i + 2);
      const want = Math.sin(u + low);
      const unit = Math.abs(u) < Math.PI / 4 && want !== 0 ? ulp32(want) : ulp32(1);
      const error = Math.abs(y - want) / unit;
      // Subnormal numbers may be flushed.
      if (error <= 1 || Math.abs(y - want) < SMALLEST_NORMAL) return;
      report.add(`nl_sin(${u}, ${low})`, [bitsOf(u), bitsOf(low)], y, want, error);
    });
    expect(report.lines).toEqual([]);
  });

  it('nl_sin_pair is within 2^-23.5 of the magnitude', async () => {
    const pairs = parts();
    const bits = new Uint32Array(pairs.buffer);
    const body = `let s = nl_sin_pair(nl_turn(at(2u * i), at(2u * i + 1u)));
  put(2u * i, s.x);
  put(2u * i + 1u, s.y);`;
    const got = floats(await run(lib.sin, body, bits, 2, 2));
    const report = new Report();
    for (let i = 0; i < pairs.length; i += 2) {
      const [u = NaN, low = NaN] = pairs.subarray(i, i + 2);
      const [high = NaN, rest = NaN] = got.subarray(i, i + 2);
      const want = Math.sin(u + low);
      const sum = high + rest;
      // The quadrant that the pair leaves out turns its sign.
      const error = Math.min(Math.abs(sum - want), Math.abs(sum + want));
      if (error <= 2 ** -23.5) continue;
      const bits = [bitsOf(u), bitsOf(low)];
      report.add(`nl_sin_pair(${u}, ${low})`, bits, sum, want, error / ulp32(1));
    }
    expect(report.lines).toEqual([]);
  });

  it('nl_sin of NaN and infinities is NaN', async () => {
    const special = Float32Array.of(NaN, 0, Infinity, 0, -Infinity, 0);
    const body = 'put(i, nl_sin(at(2u * i), at(2u * i + 1u)));';
    const got = floats(await run(lib.sin, body, new Uint32Array(special.buffer), 2));
    expect([...got]).toEqual([NaN, NaN, NaN]);
  });
});

describe('wide', () => {
  const all = [
    ...[-2000, -700.5, -104, -87.5, -20, -5, -1.25, -0.75, -1e-3, -1e-9, 0, 1e-5, 0.5, 3, 40, 800],
  ].map(Math.fround);

  it('comes back from e^x by its logarithm within 2 ULP of the larger of 1 and x', async () => {
    const next = random(7);
    const xs = Float32Array.from({ length: 2 ** 16 }, (_, i) => all[i] ?? (next() - 0.7) * 3000);
    const got = floats(
      await run(lib.wide, 'put(i, wide_ln(wide_exp(at(i))));', new Uint32Array(xs.buffer)),
    );
    const worst = xs.reduce(
      (most, x, i) =>
        Math.max(most, Math.abs((got[i] ?? NaN) - x) / ulp32(Math.max(1, Math.abs(x)))),
      0,
    );
    expect(worst).toBeLessThanOrEqual(2);
  });

  it('adds and multiplies e^a, e^b, e^c within 4 ULP of the larger of 1 and the logarithm', async () => {
    const body = `
      let none = vec2f(0.0, wide_lowest);
      let s = wide_sum_times(wide_sum_times(wide_exp(at(3u * i)), none, none, vec2f(1.0, 0.0)),
        wide_sum_times(none, wide_exp(at(3u * i + 1u)), none, vec2f(1.0, 0.0)), none, wide_exp(at(3u * i + 2u)));
      put(i, wide_ln(s));`;
    const triples = all.flatMap((a) => all.flatMap((b) => all.map((c) => [a, b, c] as const)));
    const inputs = Float32Array.from(triples.flat());
    const got = floats(await run(lib.wide, body, new Uint32Array(inputs.buffer), 3));
    const wrong = triples.flatMap(([a, b, c], i) => {
      const peak = Math.max(a, b);
      const want = peak + Math.log1p(Math.exp(-Math.abs(a - b))) + c;
      const terms = Math.max(1, Math.abs(peak), Math.abs(c), Math.abs(want));
      const error = Math.abs((got[i] ?? NaN) - want) / ulp32(terms);
      return error <= 4 ? [] : [`ln((e^${a} + e^${b}) e^${c}) = ${got[i] ?? NaN}, not ${want}`];
    });
    expect(wrong.slice(0, 5)).toEqual([]);
  });

  it('knows nothing, too little, and NaN', async () => {
    const xs = [-Infinity, Infinity, NaN, -1e30, -3e6];
    const inputs = new Uint32Array(Float32Array.from(xs).buffer);
    const got = floats(await run(lib.wide, 'put(i, wide_ln(wide_exp(at(i))));', inputs));
    expect([...got.subarray(0, 3)]).toEqual([-Infinity, NaN, NaN]);
    // So far out, to within a few ULP.
    for (const i of [3, 4]) expect((got[i] ?? NaN) / Math.fround(xs[i] ?? NaN)).toBeCloseTo(1, 6);
  });
});

describe('bits', () => {
  it('tells NaN and infinities', async () => {
    const inputs = unaryInputs([]);
    const xs = floats(inputs);
    const body = 'result[i] = u32(is_nan(at(i))) + 2u * u32(is_inf(at(i)));';
    const got = await run(lib.bits, body, inputs);
    const wrong = [...inputs].filter((_, i) => {
      const x = xs[i] ?? 0;
      return got[i] !== Number(Number.isNaN(x)) + 2 * Number(Math.abs(x) === Infinity);
    });
    expect(wrong.slice(0, 5).map(hex)).toEqual([]);
  });

  it('makes infinity, NaN and powers of two', async () => {
    const body =
      'put(3u * i, infinity()); put(3u * i + 1u, nan()); put(3u * i + 2u, pow2i(i32(i) - 126));';
    const got = await run(lib.bits, body, new Uint32Array(254), 1, 3);
    const want = Array.from({ length: 254 }, (_, i) => [0x7f800000, 0x7fc00000, (i + 1) * 2 ** 23]);
    expect([...got]).toEqual(want.flat());
  });

  it('scales by powers of two beyond the range of float32', async () => {
    const cases: [x: number, n: number][] = [];
    for (const x of [1, -1.5, 2 ** -126, 2 ** 127, Math.fround(1e-30), 0, -Infinity, NaN]) {
      for (let n = -252; n <= 254; n++) {
        const size = Math.abs(x) * 2 ** n;
        // whether a subnormal is kept, and what an overflow gives, is up to the device
        if (!(size > 0) || size === Infinity || (size >= SMALLEST_NORMAL && size < 2 ** 128)) {
          cases.push([x, n]);
        }
      }
    }
    const inputs = Uint32Array.from(cases.flatMap(([x, n]) => [bitsOf(x), n]));
    const got = floats(
      await run(lib.bits, 'put(i, scale2(at(2u * i), i32(words[2u * i + 1u])));', inputs, 2),
    );
    expect([...got]).toEqual(cases.map(([x, n]) => x * 2 ** n));
  });
});

describe('float16', () => {
  const all = Uint32Array.from({ length: 65536 }, (_, h) => h);

  /** Independent of the code under test: by arithmetic. */
  function value(half: number): number {
    const sign = half >= 0x8000 ? -1 : 1;
    const exponent = (half >>> 10) & 31;
    const mantissa = half & 1023;
    if (exponent === 31) return mantissa === 0 ? sign * Infinity : NaN;
    return sign * (exponent === 0 ? mantissa * 2 ** -24 : (1024 + mantissa) * 2 ** (exponent - 25));
  }

  /** The nearest half's bits, ties to even; 0x7e00 for NaN. */
  function nearest(x: number): number {
    if (Number.isNaN(x)) return 0x7e00;
    const sign = x < 0 || Object.is(x, -0) ? 0x8000 : 0;
    const size = Math.abs(x);
    if (size >= 65520) return sign + 0x7c00;
    const step = Math.max(ulp32(size) * 2 ** 13, 2 ** -24);
    // exact: powers of two
    const down = Math.floor(size / step);
    const rest = size / step - down;
    const units = down + Number(rest > 0.5 || (rest === 0.5 && down % 2 === 1));
    // units of 2^-24 are the bits up to 2048; beyond, each step of the exponent adds 1024
    return sign + units + 1024 * (Math.log2(step) + 24);
  }

  it('unpacks all 65,536 values exactly, in both halves of a word', async () => {
    const words = all.map((h) => h + (0xffff - h) * 65536);
    const body = 'let v = unpack_half2(words[i]); put(2u * i, v.x); put(2u * i + 1u, v.y);';
    const got = floats(await run(lib.float16, body, words, 1, 2));
    const want = [...all].flatMap((h) => [value(h), value(0xffff - h)]);
    const wrong = want.flatMap((v, i) =>
      Object.is(got[i], v) ? [] : [`${hex(i)}: ${got[i] ?? ''}, not ${v}`],
    );
    expect(wrong.slice(0, 5)).toEqual([]);
  });

  it('rounds as IEEE says, ties and both ends included', async () => {
    const next = random(4);
    const inputs: number[] = [...unaryInputs([65504, 65520, 2 ** -14, 2 ** -24, 2 ** -25])];
    for (let h = 0; h < 0x7c00; h++) {
      // each half and the midpoint above it, a step around both: all ties there are
      const middle = bitsOf((value(h) + Math.min(value(h + 1), 65536)) / 2);
      for (const b of [bitsOf(value(h)), middle]) inputs.push(b, Math.max(b - 1, 0), b + 1);
    }
    const signed = Uint32Array.from(inputs, (b) => (next() < 0.5 ? b : (b ^ 0x80000000) >>> 0));
    const body = 'result[i] = pack_half2(vec2f(at(i), -at(i)));';
    const got = await run(lib.float16, body, signed);
    const xs = floats(signed);
    const wrong: string[] = [];
    got.forEach((w, i) => {
      const want = nearest(xs[i] ?? 0);
      const low = w & 0xffff;
      // a NaN may have either sign
      const right = want === 0x7e00 ? (low & 0x7fff) === want : low === want;
      const other = (w >>> 16) & 0x7fff;
      if (!right || other !== (want & 0x7fff)) {
        wrong.push(`${xs[i] ?? ''} (${hex(signed[i] ?? 0)}): ${hex(w)}, not ${hex(want)}`);
      }
    });
    expect(wrong.slice(0, 5)).toEqual([]);
  });

  it('brings every half back', async () => {
    const body = 'result[i] = pack_half2(unpack_half2(words[i] * 65537u));';
    const got = await run(lib.float16, body, all);
    const isNan = (h: number): boolean => (h & 0x7fff) > 0x7c00;
    const wrong = [...all].filter((h) => {
      const want = isNan(h) ? (h & 0x8000) + 0x7e00 : h;
      return got[h] !== want * 65537;
    });
    expect(wrong.slice(0, 5).map(hex)).toEqual([]);
  });
});
