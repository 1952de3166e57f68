// Takes a device, and gives tests of checkGradient with right and wrong ops; both lanes run them.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { catalog } from '../src/catalog.ts';
import type { Activation } from '../src/define/activation.ts';
import type { Loss } from '../src/define/loss.ts';
import { checkGradient, defineActivation, defineLoss, type Device } from '../src/index.ts';
import { openOn } from './open.ts';

const square = {
  name: 'square',
  params: { scale: 1 },
  wgsl: `fn forward(x: f32, p: Params) -> f32 { return p.scale * x * x; }
fn backward(x: f32, grad_output: f32, p: Params) -> f32 { return grad_output * 2.0 * p.scale * x; }`,
  forward: (x: number, { scale }: { scale: number }) => scale * x * x,
  backward: (x: number, g: number, { scale }: { scale: number }) => 2 * scale * x * g,
} as const;

const checkable = catalog.filter((op) => 'epilogue' in op || 'formula' in op);

export function checkGradientTests(backend: 'cpu' | 'webgpu'): void {
  describe(`checkGradient on ${backend}`, () => {
    let device: Device;
    beforeAll(async () => {
      device = await openOn(backend);
    });
    afterAll(() => {
      device.dispose();
    });

    for (const op of checkable) {
      it(`${op.op} is right`, async () => {
        const result = await checkGradient(op as unknown as Activation | Loss, { device });
        expect(result).toMatchObject({ ok: true });
        expect(result.gpu === null).toBe(backend === 'cpu');
      });
    }

    it('an own op is right, with other options too', async () => {
      const op = defineActivation(square);
      expect((await checkGradient(op, { device })).ok).toBe(true);
      expect((await checkGradient(op, { device, options: { scale: 0.3 } })).ok).toBe(true);
    });

    it('finds a wrong derivative, and where', async () => {
      const op = defineActivation({
        ...square,
        backward: (x, g, { scale }) => (x > 3 ? 2.001 : 2) * scale * x * g,
      });
      const result = await checkGradient(op, { device });
      expect(result.ok).toBe(false);
      expect(result.at).toBeGreaterThan(3);
      expect(result.worst).toBeCloseTo(0.0005, 5);
    });

    it('finds a backward that forgets its upstream gradient, or is NaN', async () => {
      const forgetful = defineActivation({ ...square, backward: (x) => 2 * x });
      expect((await checkGradient(forgetful, { device })).ok).toBe(false);
      const broken = defineActivation({ ...square, backward: (x, g) => (x < 9 ? 2 * x * g : NaN) });
      expect((await checkGradient(broken, { device })).worst).toBe(Infinity);
    });

    it('reports kinks instead of failing there', async () => {
      const bent = defineActivation({
        name: 'bent',
        wgsl: `fn forward(x: f32, p: Params) -> f32 { return abs(x - 2.0); }
fn backward(x: f32, g: f32, p: Params) -> f32 { return select(-g, g, x > 2.0); }`,
        forward: (x) => Math.abs(x - 2),
        backward: (x, g) => (x > 2 ? g : -g),
      });
      const result = await checkGradient(bent, { device, points: [-1, 1, 2, 3] });
      expect(result).toMatchObject({ ok: true, kinks: [2] });
    });

    it('finds a wrong gradient of a loss, of either argument', async () => {
      const loss = (wrong: number) =>
        defineLoss({
          name: 'product',
          wgsl: `fn loss(a: f32, b: f32, p: Params) -> f32 { return a * b; }
fn loss_grad(a: f32, b: f32, g: f32, p: Params) -> vec2f { return vec2f(b * g, a * g); }`,
          forward: (a, b) => a * b,
          backward: (a, b, g) => [b * g, wrong * a * g],
        });
      expect((await checkGradient(loss(1), { device })).ok).toBe(true);
      expect((await checkGradient(loss(1.1), { device })).ok).toBe(false);
    });

    if (backend === 'webgpu') {
      it('finds a shader that says something else', async () => {
        const op = defineActivation({
          ...square,
          wgsl: square.wgsl.replace('2.0 * p.scale * x', '2.0 * p.scale * (x + 0.001)'),
        });
        const result = await checkGradient(op, { device });
        expect(result.ok).toBe(false);
        expect(result.worst).toBeLessThan(1e-6);
        expect(result.gpu?.forward.worst).toBeLessThan(4);
        expect(result.gpu?.backward.worst).toBeGreaterThan(1024);
      });
    }
  });
}
