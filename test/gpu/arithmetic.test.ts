// The stated bounds under the arithmetic that hardware may have: a small sweep of every activation and row-wise op in each mode
// of test/arithmetic. `npm run accuracy -- --arithmetic MODE` is the large one.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { init, type Device } from '../../src/index.ts';
import { measured, optionSets } from '../accuracy/cases.ts';
import { constantsOf, random, runsRound, stratified } from '../accuracy/inputs.ts';
import type { Worst } from '../accuracy/measure.ts';
import { rowBound, sweep, sweepRows, type Errors } from '../accuracy/sweep.ts';
import { withArithmetic } from '../arithmetic/device.ts';
import { HELPERS, MODES, type Arithmetic } from '../arithmetic/helpers.ts';
import { readFloats, requestGpuDevice, storageBuffer } from './gpu-device.ts';

const INPUTS = 2 ** 12;

describe('contraction', () => {
  it('is rounded once', async () => {
    const device = await requestGpuDevice();
    const next = random(3);
    const count = 2 ** 18;
    const operands = new Float32Array(3 * count);
    for (let i = 0; i < count; i++) {
      const scale = 2 ** Math.floor(next() * 60 - 30);
      const a = Math.fround((next() - 0.5) * scale);
      const b = Math.fround((next() - 0.5) / scale);
      // Beside the product, far from it, and so near its negative that all but the rounding cancels.
      const near = -a * b * (1 + Math.floor(next() * 5 - 2) * 2 ** -23);
      const c = i % 3 === 0 ? near : (next() - 0.5) * 2 ** Math.floor(next() * 80 - 60);
      operands.set([a, b, Math.fround(c)], 3 * i);
    }
    const input = storageBuffer(device, operands);
    const output = storageBuffer(device, new Float32Array(count));
    const code = `${HELPERS.contract}
      @group(0) @binding(0) var<storage, read> x: array<f32>;
      @group(0) @binding(1) var<storage, read_write> y: array<f32>;
      @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
        let i = 3u * id.x;
        y[id.x] = arith_fma(x[i], x[i + 1u], x[i + 2u]);
      }`;
    const module = device.createShaderModule({ code });
    const pipeline = device.createComputePipeline({ layout: 'auto', compute: { module } });
    const entries = [input, output].map((buffer, binding) => ({ binding, resource: { buffer } }));
    const layout = pipeline.getBindGroupLayout(0);
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, device.createBindGroup({ layout, entries }));
    pass.dispatchWorkgroups(count / 64);
    pass.end();
    device.queue.submit([encoder.finish()]);
    const got = await readFloats(device, output);
    const wrong: string[] = [];
    got.forEach((value, i) => {
      const [a = 0, b = 0, c = 0] = operands.subarray(3 * i, 3 * i + 3);
      const want = roundedOnce(a * b, c);
      if (value !== want) wrong.push(`fma(${a}, ${b}, ${c}) = ${value}, not ${want}`);
    });
    expect(wrong.slice(0, 5)).toEqual([]);
    device.destroy();
  });
});

/** x + y of float64 as float32, rounded once: float64 rounds to odd, which leaves the second rounding right. */
function roundedOnce(x: number, y: number): number {
  const sum = x + y;
  const t = sum - x;
  const rest = x - (sum - t) + (y - t);
  const word = new BigInt64Array([0n]);
  const double = new Float64Array(word.buffer);
  double[0] = sum;
  const bits = word[0] ?? 0n;
  if (rest !== 0 && sum !== 0) {
    word[0] = (Math.sign(rest) === Math.sign(sum) ? bits : bits - 1n) | 1n;
  }
  return Math.fround(double[0]);
}

const describeWorst = ({ ulp, x, got, want }: Worst): string =>
  `${ulp.toFixed(2)} ULP off at x = ${x}: ${got}, not ${want}`;

function expectWithin(errors: Errors, bound: { forward: number; backward: number }, where: string) {
  const wrong = (['forward', 'backward'] as const)
    .filter((direction) => !(errors[direction].ulp <= bound[direction]))
    .map(
      (direction) => `${direction} ${describeWorst(errors[direction])}, bound ${bound[direction]}`,
    );
  expect(wrong, where).toEqual([]);
}

/** Contraction in small pieces, as one element is compiled then, not four; the others as on hardware. */
async function open(mode: Arithmetic): Promise<Device> {
  const device = withArithmetic(await requestGpuDevice(), mode);
  return init({ device, tuning: mode === 'contract' ? 'software' : 'hardware' });
}

describe.each(MODES)('stated accuracy with %s', (mode) => {
  let device: Device;
  beforeAll(async () => {
    device = await open(mode);
  });
  afterAll(() => {
    device.dispose();
  });

  for (const op of measured.filter(({ kind }) => kind !== 'rowwise')) {
    it(op.op, async () => {
      const chunks = [...stratified(INPUTS), ...runsRound(constantsOf(op))];
      for (const options of optionSets(op)) {
        const errors = await sweep(device, op, options, chunks, 'float32');
        expectWithin(errors, op.accuracy, `${op.op} ${JSON.stringify(options)}`);
      }
    });
  }

  for (const op of measured.filter(({ kind }) => kind === 'rowwise')) {
    it(op.op, async () => {
      for (const n of [3, 257]) {
        for (const options of optionSets(op)) {
          const errors = await sweepRows(device, op, options, n, INPUTS, 'float32');
          const bound = { forward: rowBound(n), backward: rowBound(n) };
          expectWithin(errors, bound, `${op.op} ${JSON.stringify(options)}, rows of ${n}`);
        }
      }
    });
  }
});
