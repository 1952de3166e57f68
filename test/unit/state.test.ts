import { expect, it } from 'vitest';
import { stateSuite } from '../state.ts';
import { defineActivation, init, mul, relu, sum, tensor } from '../../src/index.ts';

stateSuite(() => init({ backend: 'cpu' }));

it("a backward function of the caller's that throws leaves all gradients as they were", async () => {
  const device = await init({ backend: 'cpu' });
  let broken = true;
  const mine = defineActivation({
    name: 'mine',
    wgsl: `fn forward(x: f32, p: Params) -> f32 { return x; }
fn backward(x: f32, grad_output: f32, p: Params) -> f32 { return grad_output; }`,
    forward: (x) => x,
    backward: (_, gradOutput) => {
      if (broken) throw new TypeError('mine');
      return gradOutput;
    },
  });
  const [a, b] = [tensor([1], { requiresGrad: true }), tensor([2], { requiresGrad: true })];
  b.grad = tensor([100]);
  // The gradient of b is known before that of a is asked for.
  const loss = sum(mul(mine(relu(a)), b));
  const buffers = device.stats().liveBuffers;
  expect(() => {
    loss.backward(undefined, { retainGraph: true });
  }).toThrow('mine');
  expect(a.grad).toBeNull();
  expect(await b.grad.array()).toEqual([100]);
  expect(device.stats().liveBuffers).toBe(buffers);
  broken = false;
  loss.backward();
  expect(await a.grad?.array()).toEqual([2]);
  expect(await b.grad.array()).toEqual([101]);
});
