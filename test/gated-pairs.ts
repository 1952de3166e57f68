// Takes a backend, and gives tests of gated units of two tensors: their modules, what they refuse, the bounds of the clamps.
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  geglu,
  init,
  nn,
  noGrad,
  OptionError,
  reglu,
  ShapeError,
  swiglu,
  tensor,
  type Device,
  type InitOptions,
  type Tensor,
} from '../src/index.ts';

export function gatedPairSuite(options: InitOptions): void {
  let device: Device;
  beforeAll(async () => {
    device = await init(options);
  });
  afterAll(() => {
    device.dispose();
  });
  const of = (...data: number[]): Tensor => tensor(data, { device, requiresGrad: true });

  it.each([
    ['swiglu', swiglu],
    ['geglu', geglu],
    ['reglu', reglu],
  ] as [string, typeof reglu][])('%s of two tensors is that of their halves', async (_, fn) => {
    const both = tensor([-1, 0.5, 2, 3, -4, 5], { device });
    const halves = fn(both);
    const pair = fn(tensor([-1, 0.5, 2], { device }), tensor([3, -4, 5], { device }));
    const want = await halves.data();
    (await pair.data()).forEach((value, i) => {
      expect(value).toBeCloseTo(want[i] ?? NaN, 6);
    });
  });

  it('swiglu passes gradients up to the limit, and none of NaN', async () => {
    const gate = of(2, 2.5, NaN, 1, 1, 1);
    const up = of(1, 1, 1, -2, -2.5, NaN);
    const y = swiglu(gate, up, { limit: 2, offset: 1, alpha: 1.702 });
    y.backward(tensor([1, 1, 1, 1, 1, 1], { device }));
    const [g, u] = [await gate.grad?.data(), await up.grad?.data()].map((list) => [
      ...(list ?? []),
    ]);
    const silu = (x: number): number => x / (1 + Math.exp(-1.702 * x));
    expect(g?.slice(1, 3)).toEqual([0, 0]);
    expect(g?.[0]).toBeGreaterThan(1);
    expect(u?.[3]).toBeCloseTo(silu(1), 6);
    expect(u?.slice(4)).toEqual([0, 0]);
    expect((await y.data())[1]).toBeCloseTo(2 * silu(2), 5);
    expect((await y.data())[4]).toBeCloseTo(-silu(1), 6);
  });

  it('gives a gradient to what needs one', async () => {
    const gate = tensor([1, -1], { device });
    const up = of(2, 3);
    const y = reglu(gate, up);
    y.backward(tensor([5, 7], { device }));
    expect(gate.grad).toBeNull();
    expect(await up.grad?.array()).toEqual([5, 0]);
  });

  it('writes over either', async () => {
    for (const at of [0, 1]) {
      const pair = [tensor([1, -2, 3], { device }), tensor([4, 5, 6], { device })] as const;
      const out = pair[at] ?? pair[0];
      expect(noGrad(() => reglu(...pair, { out }))).toBe(out);
      expect(await out.array()).toEqual([4, 0, 18]);
    }
  });

  it('is a module of one tensor or two', async () => {
    const [gate, up] = [of(1, 2), of(3, 4)];
    const layer = new nn.SwiGLU({ alpha: 1.702, limit: 7 });
    const want = await swiglu(gate, up, { alpha: 1.702, limit: 7 }).array();
    expect(await layer.forward(gate, up).array()).toEqual(want);
    expect(() => layer.forward(gate)).toThrow(OptionError);
    expect(await new nn.ReGLU().forward(of(1, 2)).array()).toEqual([2]);
    expect(await new nn.GEGLU({ approximate: 'tanh' }).forward(gate, up).data()).toHaveLength(2);
  });

  it('refuses what does not fit', () => {
    const [gate, up] = [of(1, 2), of(3, 4)];
    expect(() => swiglu(gate, of(1))).toThrow(ShapeError);
    expect(() => swiglu(gate, tensor([1, 2], { device, dtype: 'float16' }))).toThrow('swiglu: up');
    expect(() => swiglu(gate, 5 as unknown as Tensor, {})).toThrow('swiglu: up');
    expect(() => swiglu(gate, up, { limit: -1 })).toThrow('swiglu: limit');
    expect(() => swiglu(gate, up, { alpha: NaN })).toThrow('swiglu: alpha');
    expect(() => swiglu(gate, up, { offset: Infinity })).toThrow('swiglu: offset');
    expect(() => swiglu(gate, up, { dim: 1 } as object)).toThrow('swiglu: dim');
    expect(() => geglu(gate, up, { approximate: 'erf' as 'none' })).toThrow('geglu: approximate');
    expect(() => reglu(gate, up, { out: gate })).toThrow('reglu: out');
  });
}
