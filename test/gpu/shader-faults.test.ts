// A shader of the user's that does not compile is an error at the next read, with the compiler's words, and nothing else.
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  defineActivation,
  defineLoss,
  init,
  linear,
  relu,
  ShaderError,
  tensor,
  wgsl as shaders,
  type Device,
} from '../../src/index.ts';
import { requestGpuDevice } from './gpu-device.ts';

const broken = defineActivation({
  name: 'broken',
  wgsl: 'fn forward(x: f32, p: Params) -> f32 { return undeclared(x); }\nfn backward(x: f32, g: f32, p: Params) -> f32 { return g; }',
  forward: (x) => x,
  backward: (_x, gradOutput) => gradOutput,
});

let gpu: GPUDevice;
let device: Device;
const uncaptured: string[] = [];

beforeEach(async () => {
  gpu = await requestGpuDevice();
  uncaptured.length = 0;
  gpu.addEventListener('uncapturederror', (event) => uncaptured.push(event.error.message));
  device = await init({ device: gpu });
});

afterEach(() => {
  device.dispose();
  gpu.destroy();
});

test('at the next read, once', async () => {
  const x = tensor([-1, 2], { device });
  const y = broken(x);
  await expect(y.data()).rejects.toThrow(ShaderError);
  // The device is as good as before.
  expect(Array.from(await relu(x).data())).toEqual([0, 2]);
  expect(uncaptured).toEqual([]);
});

test('with the message of the compiler', async () => {
  const y = broken(tensor([1], { device }));
  await expect(y.data()).rejects.toThrow(/undeclared/);
});

test('with the line of the declaration’s WGSL that each message is about', async () => {
  const wgsl = `// a comment that is left out
//#include "lib/exp.wgsl"
/* and one
   over lines */
fn backward(x: f32, g: f32, p: Params) -> f32 { return g * nl_exp(x); }
fn forward(x: f32, p: Params) -> f32 {
  return nl_exp(x) + undeclared;
}
fn unused() -> f32 {
  return 1u;
}`;
  const placed = defineActivation({
    name: 'placed',
    wgsl,
    includes: [shaders.exp],
    forward: (x) => x,
    backward: (_x, gradOutput) => gradOutput,
  });
  for (const dtype of ['float32', 'float16'] as const) {
    const y = placed(tensor([1, 2], { device, dtype }));
    const error: unknown = await y.data().catch((e: unknown) => e);
    if (!(error instanceof ShaderError)) throw error;
    const [first] = error.messages.filter(({ type }) => type === 'error');
    expect(first?.message).toContain('undeclared');
    expect(first).toMatchObject({ line: 7, column: 22 });
    expect(error.message).toContain('line 7:22: ');
  }
  // as the epilogue of a product too
  const [x, weight] = [tensor([[1, 2]], { device }), tensor([[3, 4]], { device })];
  const z = linear(x, weight, { activation: placed });
  const error: unknown = await z.data().catch((e: unknown) => e);
  if (!(error instanceof ShaderError)) throw error;
  expect(error.messages.some(({ line, type }) => line === 7 && type === 'error')).toBe(true);
});

test('of a loss, and without a line where a brace is never closed', async () => {
  const lossOf = (end: string) =>
    defineLoss({
      name: 'unclosed',
      wgsl: `fn loss(input: f32, expected: f32, p: Params) -> f32 { return 0.0 }
fn loss_grad(input: f32, expected: f32, g: f32, p: Params) -> vec2f { return vec2f(); ${end}`,
      forward: () => 0,
      backward: () => [0, 0],
    });
  const messagesOf = async (end: string) => {
    const x = tensor([1], { device });
    const error: unknown = await lossOf(end)(x, x)
      .data()
      .catch((e: unknown) => e);
    if (!(error instanceof ShaderError)) throw error;
    return error.messages.filter(({ type }) => type === 'error');
  };
  // a missing semicolon
  expect((await messagesOf('}'))[0]?.line).toBe(1);
  expect(await messagesOf('')).not.toEqual([]);
});

test('where it cannot be put together', async () => {
  const wgsl =
    '//#include "missing.wgsl"\nfn forward(x: f32, p: Params) -> f32 { return x; }\nfn backward(x: f32, g: f32, p: Params) -> f32 { return g; }';
  const lacking = defineActivation({
    name: 'lacking',
    wgsl,
    forward: (x) => x,
    backward: (_x, gradOutput) => gradOutput,
  });
  const y = lacking(tensor([1], { device }));
  await expect(y.data()).rejects.toThrow(ShaderError);
  await expect(device.prepare([lacking])).rejects.toThrow(/missing\.wgsl/);
  expect(Array.from(await relu(tensor([-1], { device })).data())).toEqual([0]);
});

test('in prepare, before any use', async () => {
  await expect(device.prepare([broken])).rejects.toThrow(ShaderError);
});

test('recorded into an encoder', async () => {
  const x = tensor([1], { device });
  const encoder = gpu.createCommandEncoder();
  const y = device.record(encoder, () => broken(x));
  gpu.pushErrorScope('validation');
  gpu.queue.submit([encoder.finish()]);
  await gpu.popErrorScope();
  await expect(y.data()).rejects.toThrow(ShaderError);
  expect(Array.from(await relu(x).data())).toEqual([1]);
});
