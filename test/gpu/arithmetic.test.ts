// The stated bounds under the arithmetic that hardware may have: each op in one mode or two. Each in every mode:
// test/hostile/arithmetic.test.ts.
import { describe, expect, it } from 'vitest';
import { random } from '../accuracy/inputs.ts';
import { HELPERS } from '../arithmetic/helpers.ts';
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

arithmeticSuite((op, mode) => (op + mode) % 3 === 0);
