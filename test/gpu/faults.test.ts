// A failed command fails what it would have written and all that is computed from that, at every read; nothing else.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  add,
  crossEntropy,
  defineActivation,
  init,
  mseLoss,
  mul,
  NonlinError,
  optim,
  relu,
  reshape,
  scope,
  ShaderError,
  sigmoid,
  sum,
  tensor,
  Tensor,
  type Device,
} from '../../src/index.ts';
import { requestGpuDevice, requestHardwareLike, storageBuffer } from './gpu-device.ts';

const brokenAs = (name: string) =>
  defineActivation({
    name,
    wgsl: 'fn forward(x: f32, p: Params) -> f32 { return undeclared(x); }\nfn backward(x: f32, g: f32, p: Params) -> f32 { return g; }',
    forward: (x) => x,
    backward: (_x, gradOutput) => gradOutput,
  });
const broken = brokenAs('broken');
const brokenToo = brokenAs('brokenToo');
/** Its forward shader is right, its gradient's is not. */
const brokenBackward = defineActivation({
  name: 'brokenBackward',
  wgsl: 'fn forward(x: f32, p: Params) -> f32 { return x; }\nfn backward(x: f32, g: f32, p: Params) -> f32 { return undeclared(g); }',
  forward: (x) => x,
  backward: (_x, gradOutput) => gradOutput,
});

const statuses = async (reads: readonly Promise<unknown>[]): Promise<string[]> =>
  (await Promise.allSettled(reads)).map(({ status }) => status);

/** What a read rejects with. */
async function errorOf(read: Promise<unknown>): Promise<NonlinError> {
  const error = await read.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(error instanceof NonlinError)) throw new Error(`no error of ours: ${String(error)}`);
  return error;
}

for (const [adapter, request] of [
  ['as it is', requestGpuDevice],
  ['as hardware', requestHardwareLike],
] as const) {
  describe(`on an adapter ${adapter}`, () => {
    let gpu: GPUDevice;
    let device: Device;
    const uncaptured: string[] = [];
    beforeEach(async () => {
      gpu = await request();
      uncaptured.length = 0;
      gpu.addEventListener('uncapturederror', ({ error }) => uncaptured.push(error.message));
      device = await init({ device: gpu });
    });
    afterEach(() => {
      expect(uncaptured).toEqual([]);
      device.dispose();
      gpu.destroy();
    });

    /** A tensor over a buffer that its owner has destroyed: commands that read it are refused when they are submitted. */
    function destroyed(size = 4): Tensor {
      const buffer = storageBuffer(gpu, new Float32Array(size));
      const x = Tensor.fromBuffer(buffer, { shape: [size] });
      buffer.destroy();
      return x;
    }

    it('every tensor that fails rejects, each with the op that failed', async () => {
      const x = tensor([-1, 2]);
      const [y, z] = [broken(x), brokenToo(x)];
      expect(await statuses([y.data(), z.data()])).toEqual(['rejected', 'rejected']);
      expect(await errorOf(y.data())).toMatchObject({ op: 'broken', name: 'ShaderError' });
      expect(await errorOf(z.data())).toMatchObject({ op: 'brokenToo', name: 'ShaderError' });
    });

    for (const order of ['good first', 'bad first']) {
      it(`other tensors can be read: ${order}`, async () => {
        const x = tensor([-1, 2]);
        const results = order === 'good first' ? [relu(x), broken(x)] : [broken(x), relu(x)];
        const expected = ['fulfilled', 'rejected'];
        if (order === 'bad first') expected.reverse();
        expect(await statuses(results.map((y) => y.data()))).toEqual(expected);
        expect(await x.array()).toEqual([-1, 2]);
      });

      it(`other tensors can be read where the GPU refuses a submit: ${order}`, async () => {
        const x = tensor([-1, 2]);
        const bad = destroyed();
        const results = order === 'good first' ? [relu(x), relu(bad)] : [relu(bad), relu(x)];
        const expected = ['fulfilled', 'rejected'];
        if (order === 'bad first') expected.reverse();
        expect(await statuses(results.map((y) => y.data()))).toEqual(expected);
        expect(await statuses(results.map((y) => y.data()))).toEqual(expected);
      });
    }

    it('a tensor stays failed, at every read', async () => {
      const y = broken(tensor([1]));
      for (let i = 0; i < 3; i++) await expect(y.data()).rejects.toThrow(/^broken: .*undeclared/s);
      await expect(y.item()).rejects.toThrow(ShaderError);
      await expect(y.array()).rejects.toThrow(ShaderError);
    });

    it('what is computed from a failed tensor fails with its error, before and after that is known', async () => {
      const x = tensor([1, 2]);
      const y = broken(x);
      const before = sum(add(relu(y), x));
      const error = await errorOf(before.data());
      expect(error.op).toBe('broken');
      const after = mul(sigmoid(y), x);
      expect(await errorOf(after.data())).toBe(error);
      expect(await errorOf(y.data())).toBe(error);
    });

    it('what is computed from what the GPU refused fails, in later batches too', async () => {
      const y = relu(destroyed());
      const z = sigmoid(y);
      const error = await errorOf(sum(add(z, y)).data());
      expect(error).toMatchObject({ op: 'relu', name: 'ShaderError' });
      expect(await errorOf(sigmoid(z).data())).toBe(error);
    });

    it('a view of a failed tensor has failed, and so has memory that a failed op was to write', async () => {
      const y = broken(tensor([1, 2]));
      await expect(reshape(y, [2, 1]).data()).rejects.toThrow(ShaderError);
      const out = tensor([5, 6]);
      broken(tensor([1, 2]), { out });
      await expect(out.data()).rejects.toThrow(ShaderError);
      const inPlace = tensor([5, 6]);
      broken(inPlace, { out: inPlace });
      await expect(inPlace.data()).rejects.toThrow(ShaderError);
    });

    it('a tensor that is written anew is good again', async () => {
      const x = tensor([-1, 2]);
      const out = tensor([0, 0]);
      broken(x, { out });
      await expect(out.data()).rejects.toThrow(ShaderError);
      relu(x, { out });
      expect(await out.array()).toEqual([0, 2]);
      // …also where that was not waited for.
      broken(x, { out });
      const failed = out.data();
      relu(x, { out });
      expect(await statuses([failed, out.data()])).toEqual(['rejected', 'fulfilled']);
      const other = relu(destroyed(2));
      relu(x, { out: other });
      expect(await other.array()).toEqual([0, 2]);
    });

    it('memory of a failed tensor is as good as any other once it is used again', async () => {
      for (let i = 0; i < 4; i++) {
        scope(() => {
          broken(tensor([1, 2]));
        });
        expect(await relu(tensor([-1, 2])).array()).toEqual([0, 2]);
      }
    });

    it('synchronize throws what no read has thrown, each once', async () => {
      const x = tensor([1]);
      const [y] = [broken(x), brokenToo(x)];
      await expect(y.data()).rejects.toThrow(/^broken:/);
      await expect(device.synchronize()).rejects.toThrow(/^brokenToo:/);
      await device.synchronize();
      relu(destroyed());
      await expect(device.synchronize()).rejects.toThrow(/^relu:/);
      await device.synchronize();
    });

    it('indices out of range are told by a tensor computed with them, not by another', async () => {
      const logits = tensor([[1, 2, 3]], { requiresGrad: true });
      const target = Tensor.fromBuffer(storageBuffer(gpu, new Int32Array([7])), {
        shape: [1],
        dtype: 'int32',
      });
      const loss = crossEntropy(logits, target);
      const twice = mul(loss, loss);
      expect(await relu(tensor([-1, 2])).array()).toEqual([0, 2]);
      await expect(twice.data()).rejects.toThrow(/crossEntropy: target: .*0 to 2.*7/);
      expect(await loss.item()).toBeNaN();
      await device.synchronize();
    });

    describe('training', () => {
      const makers = {
        SGD: (w: Tensor) => new optim.SGD([w], { lr: 0.5, momentum: 0.9 }),
        Adam: (w: Tensor) => new optim.Adam([w], { lr: 0.5 }),
      };
      for (const [name, make] of Object.entries(makers)) {
        for (const [fault, loss] of Object.entries({
          'a gradient that does not compile': (w: Tensor) => sum(brokenBackward(w)),
          'a loss that does not compile': (w: Tensor) => mseLoss(broken(w), tensor([3, 3])),
          'a submit that is refused': (w: Tensor) => mseLoss(w, destroyed(2), { reduction: 'sum' }),
        })) {
          it(`${name}: parameters keep their values, and the step does not count: ${fault}`, async () => {
            const w = tensor([1, 2], { requiresGrad: true });
            const optimizer = make(w);
            const right = (x: Tensor): Tensor => mseLoss(x, tensor([3, 3]), { reduction: 'sum' });
            const step = (of: (w: Tensor) => Tensor): Tensor => {
              optimizer.zeroGrad();
              const result = of(w);
              result.backward();
              optimizer.step();
              return result;
            };
            // As it is without the fault in between.
            const v = tensor([1, 2], { requiresGrad: true });
            const other = make(v);
            for (let i = 0; i < 2; i++) {
              other.zeroGrad();
              right(v).backward();
              other.step();
            }
            step(right);
            const before = await w.array();
            step(loss);
            await expect(w.grad?.data()).rejects.toThrow(ShaderError);
            expect(await w.array()).toEqual(before);
            expect(optimizer.stateDict().steps).toEqual([1]);
            step(right);
            expect(await w.array()).toEqual(await v.array());
            expect(optimizer.stateDict().steps).toEqual([2]);
          });
        }
      }

      it('a first step that fails leaves no state', async () => {
        const w = tensor([1, 2], { requiresGrad: true });
        const optimizer = new optim.Adam([w], { lr: 0.5 });
        sum(brokenBackward(w)).backward();
        optimizer.step();
        expect(await w.array()).toEqual([1, 2]);
        expect(optimizer.stateDict().steps).toEqual([0]);
      });

      it('of several parameters none is updated where the gradient of one has failed', async () => {
        const [w, v] = [tensor([1], { requiresGrad: true }), tensor([2], { requiresGrad: true })];
        const optimizer = new optim.SGD([w, v], { lr: 1 });
        sum(add(w, brokenBackward(v))).backward();
        optimizer.step();
        expect(await w.array()).toEqual([1]);
        expect(await v.array()).toEqual([2]);
        expect(optimizer.stateDict().steps).toEqual([0, 0]);
      });
    });
  });
}
