// Takes a backend, and gives tests of attention modules and of the layers of transformers; those against PyTorch's are golden.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  manualSeed,
  nn,
  OptionError,
  reshape,
  scope,
  ShapeError,
  sum,
  tanh,
  tensor,
  type Device,
  type Tensor,
} from '../src/index.ts';
import { randomNumbers } from './calls.ts';
import { camelCase, decodeTensor, type EncodedTensor, type Tensors } from './golden.ts';
import { openOn, type Wanted } from './open.ts';
import { inParts } from './parts.ts';
import { unpack } from './unpack.ts';

interface LayerCase {
  readonly id: string;
  readonly kind: 'TransformerEncoderLayer' | 'TransformerDecoderLayer';
  readonly options: Readonly<Record<string, unknown>>;
  readonly state: Tensors;
  readonly inputs: Tensors;
  readonly masks: Tensors;
  readonly grad_output: EncodedTensor;
  readonly out: EncodedTensor;
  readonly grads: Tensors;
}

const [load] = Object.values(
  import.meta.glob<string>('./golden/training/transformer.json.gz', {
    query: '?inline',
    import: 'default',
  }),
);
if (!load) throw new Error('no golden file of transformers');
const { cases } = JSON.parse(await unpack(await load())) as { cases: readonly LayerCase[] };

/** How far off a result or gradient may be. */
const TOLERANCE = 1e-5;

const renamed = (values: object): Record<string, unknown> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [camelCase(name), value]));

function expectNear(
  got: ArrayLike<number>,
  want: ArrayLike<number>,
  what: string,
  by = TOLERANCE,
): void {
  expect(got.length, what).toBe(want.length);
  const off = Array.from(want, (e, i) => Math.abs((got[i] ?? NaN) - e) / Math.max(1, Math.abs(e)));
  const worst = off.reduce((a, b) => (b <= a ? a : b), 0);
  expect(worst, `${what}: off by ${worst}`).toBeLessThanOrEqual(by);
}

/** `short`: the golden layers alone. */
export function transformerSuite(
  backend: 'cpu' | 'webgpu',
  wanted: Wanted = {},
  short = false,
): void {
  let device: Device;
  beforeAll(async () => {
    device = await openOn(backend, wanted);
  });
  afterAll(async () => {
    await device.synchronize();
    device.dispose();
  });

  const random = randomNumbers(11);
  const draw = (shape: readonly number[], requiresGrad = false): Tensor =>
    tensor(
      Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => 2 * random() - 1),
      { shape, device, requiresGrad },
    );
  const ints = (data: readonly number[], shape: readonly number[]): Tensor =>
    tensor([...data], { shape, dtype: 'int32', device });
  const upload = ({ dtype, shape, ...rest }: EncodedTensor): Tensor =>
    tensor(decodeTensor({ dtype, shape, ...rest }), {
      shape,
      dtype: dtype === 'uint8' ? 'int32' : 'float32',
      device,
    });
  const uploadAll = (all: Tensors): Record<string, Tensor> =>
    Object.fromEntries(Object.entries(all).map(([name, one]) => [name, upload(one)]));
  const dataOf = async (x: Tensor | null | undefined): Promise<number[]> =>
    x ? [...(await x.data())] : [];

  describe('layers of transformers are PyTorch’s', () => {
    it.each(cases.map((one) => [one.id, one] as const))('%s', async (_, golden) => {
      const { kind, inputs, masks, state, grads } = golden;
      const settings = { dimFeedforward: 24, device, ...renamed(golden.options) };
      const [x, memory] = Object.values(uploadAll(inputs)).map((one) => {
        one.requiresGrad = true;
        return one;
      });
      if (!x) throw new Error('no input');
      const given = renamed(uploadAll(masks));
      const run = (layer: nn.TransformerEncoderLayer | nn.TransformerDecoderLayer): Tensor => {
        layer.eval();
        expect(Object.keys(layer.stateDict()).sort()).toEqual(Object.keys(state).sort());
        layer.loadStateDict(uploadAll(state));
        if (layer instanceof nn.TransformerEncoderLayer) return layer.forward(x, given);
        if (!memory) throw new Error('no memory');
        return layer.forward(x, memory, given);
      };
      const layer = new nn[kind](16, 4, settings);
      const out = run(layer);
      out.backward(upload(golden.grad_output));
      expectNear(await out.data(), decodeTensor(golden.out), 'out');
      const all = {
        ...Object.fromEntries(Object.keys(inputs).map((name, i) => [name, i === 0 ? x : memory])),
        ...Object.fromEntries(layer.namedParameters()),
      };
      for (const [name, expected] of Object.entries(grads))
        expectNear(await dataOf(all[name]?.grad), decodeTensor(expected), name);
      layer.dispose();
    });
  });

  if (short) return;

  describe('nn.MultiheadAttention', () => {
    it('begins as PyTorch’s does', async () => {
      manualSeed(1);
      const layer = new nn.MultiheadAttention(12, 3, { addBiasKv: true, device });
      expect(layer.namedParameters().map(([name, { shape }]) => [name, ...shape])).toEqual([
        ['in_proj_weight', 36, 12],
        ['in_proj_bias', 36],
        ['bias_k', 1, 1, 12],
        ['bias_v', 1, 1, 12],
        ['out_proj.weight', 12, 12],
        ['out_proj.bias', 12],
      ]);
      const state = layer.stateDict();
      const [weight, out] = [
        await dataOf(state.in_proj_weight),
        await dataOf(state['out_proj.weight']),
      ];
      const most = (values: readonly number[]): number => Math.max(...values.map(Math.abs));
      const bounds = [Math.sqrt(6 / 48), 1 / Math.sqrt(12)];
      [weight, out].forEach((values, i) => {
        expect(most(values)).toBeLessThanOrEqual(bounds[i] ?? 0);
        expect(most(values)).toBeGreaterThan(0.9 * (bounds[i] ?? Infinity));
      });
      expect(most(await dataOf(state.in_proj_bias))).toBe(0);
      expect(most(await dataOf(state['out_proj.bias']))).toBe(0);
      expect(most(await dataOf(state.bias_k))).toBeGreaterThan(0.1);
      layer.dispose();
      const other = new nn.MultiheadAttention(4, 2, { kdim: 3, bias: false, device });
      expect(other.namedParameters().map(([name, { shape }]) => [name, ...shape])).toEqual([
        ['q_proj_weight', 4, 4],
        ['k_proj_weight', 4, 3],
        ['v_proj_weight', 4, 4],
        ['out_proj.weight', 4, 4],
      ]);
      other.dispose();
    });

    it.each([false, true])(
      'projects what is one tensor together: weights %s',
      async (needWeights) => {
        const layer = new nn.MultiheadAttention(8, 2, { device });
        const results: number[][][] = [];
        // One tensor; key and value alike; three tensors of the same numbers.
        for (const copies of [1, 2, 3]) {
          const x = tensor(
            Array.from({ length: 48 }, (_, i) => Math.sin(i)),
            { shape: [3, 2, 8], device, requiresGrad: true },
          );
          const y = copies > 1 ? reshape(x, x.shape) : x;
          const z = copies > 2 ? reshape(x, x.shape) : y;
          layer.zeroGrad();
          const { output } = layer.forward(x, y, z, { needWeights });
          output.backward(
            tensor(
              Array.from({ length: 48 }, (_, i) => Math.cos(i)),
              { shape: [3, 2, 8], device },
            ),
          );
          const grads = layer.parameters().map(({ grad }) => grad);
          results.push(await Promise.all([output, x.grad, ...grads].map((one) => dataOf(one))));
        }
        const [first = [], ...others] = results;
        for (const other of others)
          other.forEach((values, i) => {
            expectNear(values, first[i] ?? [], `tensor ${i}`);
          });
        layer.dispose();
      },
    );

    const MASKS = [
      ['int32', true],
      ['int32', false],
      ['float32', true],
      ['float32', false],
    ] as const;
    for (const [masks, tags] of inParts(MASKS, 3)) {
      it.each(masks)(
        'gives 0 to a row that attends to nothing: %s mask, weights %s',
        tags,
        async (dtype, needWeights) => {
          const layer = new nn.MultiheadAttention(4, 2, { device, batchFirst: true });
          const bias = draw([4]);
          layer.loadStateDict({ 'out_proj.bias': bias }, { strict: false });
          const x = draw([1, 3, 4], true);
          const ignored = [0, 1, 1, 1, 1, 1, 0, 0, 0];
          const attnMask =
            dtype === 'int32'
              ? ints(ignored, [3, 3])
              : tensor(
                  ignored.map((i) => (i ? -Infinity : 0)),
                  { shape: [3, 3], device },
                );
          const { output, weights } = layer.forward(x, x, x, {
            attnMask,
            needWeights,
            averageAttnWeights: false,
          });
          sum(tanh(output)).backward();
          const rows = (await output.array()) as number[][][];
          expectNear(rows[0]?.[1] ?? [], await bias.data(), 'the empty row', 0);
          expect(weights === null).toBe(!needWeights);
          if (weights) {
            const all = await dataOf(weights);
            expect(weights.shape).toEqual([1, 2, 3, 3]);
            expect([0, 9].flatMap((head) => all.slice(head, head + 6))).toEqual([
              1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0,
            ]);
          }
          for (const one of [x, ...layer.parameters()])
            expect((await dataOf(one.grad)).every(Number.isFinite)).toBe(true);
          layer.dispose();
        },
      );
    }

    it('takes the causal hint, and differentiates masks that are added, alike with weights and without', async () => {
      const layer = new nn.MultiheadAttention(8, 4, { device });
      const x = draw([5, 2, 8]);
      const causal = ints(
        Array.from({ length: 25 }, (_, i) => Number(i % 5 > Math.floor(i / 5))),
        [5, 5],
      );
      const [hinted, masked] = [true, false].map(
        (isCausal) =>
          layer.forward(x, x, x, { attnMask: causal, isCausal, needWeights: false }).output,
      );
      expectNear(await dataOf(hinted), await dataOf(masked), 'by the hint');
      const grads: number[][] = [];
      const keyPaddingMask = ints([0, 0, 0, 0, 1, 0, 1, 0, 0, 0], [2, 5]);
      for (const needWeights of [true, false]) {
        const attnMask = tensor(
          Array.from({ length: 200 }, (_, i) => Math.sin(3 * i)),
          { shape: [8, 5, 5], device, requiresGrad: true },
        );
        const { output } = layer.forward(x, x, x, { attnMask, keyPaddingMask, needWeights });
        sum(tanh(output)).backward();
        grads.push(await dataOf(attnMask.grad));
      }
      expect(grads[0]?.some((value) => Math.abs(value) > 1e-3)).toBe(true);
      expectNear(grads[1] ?? [], grads[0] ?? [], 'gradient of the mask');
      layer.dispose();
    });

    it('drops weights in training, repeatably', async () => {
      const layer = new nn.MultiheadAttention(4, 2, { dropout: 0.5, device });
      const x = draw([6, 2, 4]);
      const weightsOf = async (): Promise<number[]> =>
        dataOf(layer.forward(x, x, x, { averageAttnWeights: false }).weights);
      manualSeed(3);
      const dropped = await weightsOf();
      manualSeed(3);
      expect(await weightsOf()).toEqual(dropped);
      const zeros = dropped.filter((value) => value === 0).length;
      expect(zeros).toBeGreaterThan(40);
      expect(zeros).toBeLessThan(104);
      layer.eval();
      const whole = await weightsOf();
      dropped.forEach((value, i) => {
        if (value !== 0) expect(value).toBeCloseTo(2 * (whole[i] ?? NaN), 5);
      });
      layer.train();
      const all = new nn.MultiheadAttention(4, 2, { dropout: 1, bias: false, device });
      expect(new Set(await dataOf(all.forward(x, x, x, { needWeights: false }).output))).toEqual(
        new Set([0]),
      );
      for (const one of [layer, all]) one.dispose();
    });

    it('computes float16', async () => {
      const wide = new nn.MultiheadAttention(8, 2, { device, batchFirst: true });
      const half = new nn.MultiheadAttention(8, 2, { device, batchFirst: true, dtype: 'float16' });
      const x = draw([2, 5, 8]);
      const narrow = async (from: Tensor): Promise<Tensor> =>
        tensor(await from.data(), { shape: from.shape, dtype: 'float16', device });
      const state: Record<string, Tensor> = {};
      for (const [name, value] of Object.entries(wide.stateDict()))
        state[name] = await narrow(value);
      half.loadStateDict(state);
      const h = await narrow(x);
      const keyPaddingMask = ints([0, 0, 0, 0, 1, 0, 0, 0, 1, 1], [2, 5]);
      for (const needWeights of [true, false]) {
        const [a, b] = [
          wide.forward(x, x, x, { keyPaddingMask, needWeights }),
          half.forward(h, h, h, { keyPaddingMask, needWeights }),
        ];
        expect(b.output.dtype).toBe('float16');
        expectNear(await b.output.data(), await a.output.data(), 'output', 4e-3);
        expectNear(await dataOf(b.weights), await dataOf(a.weights), 'weights', 4e-3);
      }
      for (const one of [wide, half]) one.dispose();
    });

    it('takes what is empty', async () => {
      const layer = new nn.MultiheadAttention(4, 2, { device });
      for (const needWeights of [true, false]) {
        const none = layer.forward(draw([0, 2, 4]), draw([3, 2, 4]), draw([3, 2, 4]), {
          needWeights,
        });
        expect(none.output.shape).toEqual([0, 2, 4]);
        const nothing = layer.forward(draw([3, 0, 4]), draw([5, 0, 4]), draw([5, 0, 4]), {
          needWeights,
        });
        expect(nothing.output.shape).toEqual([3, 0, 4]);
        const { output, weights } = layer.forward(
          draw([2, 1, 4]),
          draw([0, 1, 4]),
          draw([0, 1, 4]),
          { needWeights },
        );
        expect(await dataOf(output)).toEqual(new Array(8).fill(0));
        expect(weights?.shape).toEqual(needWeights ? [1, 2, 0] : undefined);
      }
      layer.dispose();
    });

    it('refuses what does not fit, before anything is computed', () => {
      const layer = new nn.MultiheadAttention(4, 2, { device });
      const [x, long] = [draw([3, 2, 4]), draw([5, 2, 4])];
      const before = device.stats();
      const calls: readonly (readonly [() => unknown, new (...args: never[]) => Error, string])[] =
        [
          [() => new nn.MultiheadAttention(5, 2, { device }), OptionError, 'numHeads'],
          [() => new nn.MultiheadAttention(4, 2, { dropout: 2, device }), OptionError, 'dropout'],
          [() => layer.forward(x, long, x), ShapeError, 'value'],
          [() => layer.forward(draw([4]), x, x), ShapeError, 'query'],
          [() => layer.forward(x, x, x, { isCausal: true }), OptionError, 'isCausal'],
          [() => layer.forward(x, x, x, { attnMask: long }), ShapeError, 'attnMask'],
          [
            () => layer.forward(x, x, x, { keyPaddingMask: ints([0, 0, 0], [3]) }),
            ShapeError,
            'keyPaddingMask',
          ],
          [() => layer.forward(x, x, x, { mask: x } as object), OptionError, 'mask'],
        ];
      for (const [call, kind, argument] of calls) {
        expect(call).toThrow(kind);
        expect(call).toThrow(`MultiheadAttention: ${argument}`);
      }
      const { dispatches } = device.stats();
      expect(dispatches).toBe(before.dispatches);
      layer.dispose();
    });
  });

  it('stacks copy a layer, which stays as it is', async () => {
    const layer = new nn.TransformerEncoderLayer(8, 2, { dimFeedforward: 8, device }).eval();
    const norm = new nn.LayerNorm(8, { device });
    const encoder = new nn.TransformerEncoder(layer, 2, { norm });
    const names = Object.keys(encoder.stateDict());
    expect(names).toContain('layers.1.self_attn.in_proj_weight');
    expect(names).toContain('norm.weight');
    expect(names.length).toBe(2 * Object.keys(layer.stateDict()).length + 2);
    const [x, mask] = [draw([3, 2, 8]), ints([0, 1, 1, 0, 0, 1, 0, 0, 0], [3, 3])];
    const twice = layer.forward(layer.forward(x, { srcMask: mask }), { srcMask: mask });
    const y = encoder.forward(x, { mask, isCausal: true });
    expectNear(await y.data(), await norm.forward(twice).data(), 'two layers');
    sum(y).backward();
    expect(encoder.parameters().every(({ grad }) => grad !== null)).toBe(true);
    expect(layer.parameters().every(({ grad }) => grad === null)).toBe(true);
    const part = new nn.TransformerDecoderLayer(8, 2, { dimFeedforward: 8, device }).eval();
    const decoder = new nn.TransformerDecoder(part, 1);
    const options = { tgtMask: mask, tgtIsCausal: true };
    const decoded = await decoder.forward(x, y, options).data();
    expectNear(decoded, await part.forward(x, y, options).data(), 'one layer');
    expect(() => new nn.TransformerEncoder(part as never, 1)).toThrow('TransformerEncoder: layer');
    expect(() => new nn.TransformerEncoder(layer, -1)).toThrow('numLayers');
    for (const one of [layer, encoder, part, decoder]) one.dispose();
  });

  it('layers leave nothing behind but their results', () => {
    const layer = new nn.TransformerEncoderLayer(8, 2, {
      dimFeedforward: 8,
      device,
      activation: tanh,
    });
    const x = draw([3, 1, 8]);
    layer.eval();
    scope(() => {
      layer.forward(x);
    });
    const before = device.stats().liveBuffers;
    const y = layer.forward(x);
    y.dispose();
    expect(device.stats().liveBuffers).toBe(before);
    expect(() => new nn.TransformerEncoderLayer(8, 3, { device })).toThrow(
      'TransformerEncoderLayer: nhead',
    );
    expect(
      () => new nn.TransformerDecoderLayer(8, 2, { activation: 'tanh' as never, device }),
    ).toThrow('TransformerDecoderLayer: activation');
    layer.dispose();
  });
}
