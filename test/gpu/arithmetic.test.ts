// The stated bounds under the arithmetic that hardware may have: each op in one mode. Each in every mode:
// test/hostile/arithmetic.test.ts.
import { describe, expect, it } from 'vitest';
import {
  groupNorm,
  init,
  layerNorm,
  linearCrossEntropy,
  tensor,
  type Device,
  type Tensor,
} from '../../src/index.ts';
import { random } from '../accuracy/inputs.ts';
import { withArithmetic } from '../arithmetic/device.ts';
import { HELPERS, MODES } from '../arithmetic/helpers.ts';
import { arithmeticSuite } from './arithmetic-suite.ts';
import { readFloats, requestGpuDevice, storageBuffer } from './gpu-device.ts';

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

/** Elements near both ends of float32: a difference of two of them overflows, unless they are made smaller first. */
const ends = (count: number): Float32Array =>
  Float32Array.from({ length: count }, (_, i) => (i % 3 === 0 ? -3e38 : 2.5e38 - 1e37 * (i % 7)));

const FAR_APART: Readonly<Record<string, (device: Device) => Tensor>> = {
  layerNorm: (device) => layerNorm(tensor(ends(800), { shape: [2, 400], device }), [400]),
  groupNorm: (device) => groupNorm(tensor(ends(1280), { shape: [1, 8, 160], device }), 2),
  'linearCrossEntropy, smoothed': (device) =>
    linearCrossEntropy(
      tensor([1e19, -1e19], { shape: [2, 1], device }),
      tensor(
        Array.from({ length: 300 }, (_, i) => (i % 3 === 0 ? -8e18 : 7e18)),
        { shape: [300, 1], device },
      ),
      tensor([3, 1], { dtype: 'int32', device }),
      { labelSmoothing: 0.1, reduction: 'none' },
    ),
};

describe.each(['hardware', 'software'] as const)(
  'numbers that are far apart, where products are reordered, by the plan for %s',
  (tuning) => {
    it.each(Object.entries(FAR_APART))('%s', async (_, call) => {
      const gpu = await init({
        device: withArithmetic(await requestGpuDevice(), 'reorder'),
        tuning,
      });
      const cpu = await init({ backend: 'cpu' });
      const want = await call(cpu).data();
      const got = await call(gpu).data();
      const wrong = Array.from(got).flatMap((value, i) => {
        const expected = want[i] ?? NaN;
        const near = Math.abs(value - expected) <= 1e-5 * Math.max(1, Math.abs(expected));
        return near || Object.is(value, expected) ? [] : [`[${i}] = ${value}, not ${expected}`];
      });
      expect(wrong.slice(0, 5)).toEqual([]);
      gpu.gpuDevice?.destroy();
      gpu.dispose();
    });
  },
);

// The kernels of norms take long to compile when they are rewritten.
arithmeticSuite((kind, op, mode) => kind !== 'norm' && (op + mode) % MODES.length === 0);
