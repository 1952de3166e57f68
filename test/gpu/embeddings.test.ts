// Embeddings on the GPU by both plans; gradients scaled by frequency in parts, and in a captured step.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  capture,
  embedding,
  init,
  scope,
  tensor,
  type Device,
  type Tensor,
} from '../../src/index.ts';
import { randomNumbers } from '../calls.ts';
import { embeddingSuite } from '../embeddings.ts';
import { openGpu } from '../open.ts';

describe.each(['software', 'hardware'] as const)('planned for %s', (tuning) => {
  embeddingSuite({ backend: 'webgpu', tuning });

  describe('a gradient scaled by frequency', () => {
    let small: Device;
    let device: Device;
    let cpu: Device;
    beforeAll(async () => {
      cpu = await init({ backend: 'cpu' });
      small = await openGpu({ tuning, limits: { maxStorageBufferBindingSize: 4096 } });
      device = await openGpu({ tuning });
    });
    afterAll(() => {
      small.dispose();
      device.dispose();
    });

    const random = randomNumbers(9);
    const [rows, width, count] = [300, 12, 1500];
    const draw = (): Int32Array =>
      Int32Array.from({ length: count }, () => Math.floor(random() ** 3 * rows));
    const upstream = Float32Array.from({ length: count * width }, () => random() - 0.5);

    /** The gradient of a table, by a step that may be captured. */
    function stepOn(on: Device): (indices: Tensor) => Tensor {
      const weight = tensor(new Float32Array(rows * width), {
        shape: [rows, width],
        device: on,
        requiresGrad: true,
      });
      const grad = tensor(upstream, { shape: [count, width], device: on });
      return (indices) => {
        weight.zeroGrad();
        embedding(indices, weight, { scaleGradByFreq: true, paddingIdx: 5 }).backward(grad);
        if (!weight.grad) throw new Error('no gradient');
        return weight.grad.detach();
      };
    }
    const run = async (on: Device, step: (indices: Tensor) => Tensor, data: Int32Array) => {
      const got = scope(() => step(tensor(data, { dtype: 'int32', device: on })));
      return [...(await got.data())];
    };

    it('of tensors that go in parts', async () => {
      const data = draw();
      const [got, want] = [
        await run(small, stepOn(small), data),
        await run(cpu, stepOn(cpu), data),
      ];
      got.forEach((value, i) => {
        expect(Math.abs(value - (want[i] ?? NaN)), `element ${i}`).toBeLessThan(1e-6);
      });
    });

    it('has the counts of each call in a captured step', async () => {
      const [eager, captured] = [stepOn(device), capture(stepOn(device))];
      for (let i = 0; i < 4; i++) {
        const data = draw();
        const want = await run(device, eager, data);
        expect(await run(device, (indices) => captured(indices), data)).toEqual(want);
      }
      expect(captured.captures).toBeLessThan(4);
      captured.dispose();
    });
  });
});
