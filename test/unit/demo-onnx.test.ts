// ONNX files of PyTorch (`test/onnx/make.py`): their perceptrons give PyTorch's outputs, and what is none is refused with the reason.
import { readFileSync } from 'node:fs';
import { PbfWriter } from 'pbf';
import { beforeAll, describe, expect, it } from 'vitest';
import { findActivations, type ActivationChoice } from '../../demo/training/activations.ts';
import { activationBetween } from '../../demo/training/fitting.ts';
import { createModel } from '../../demo/training/model.ts';
import { readOnnxState } from '../../demo/training/onnx-file.ts';
import { init, noGrad, tensor } from '../../src/index.ts';

interface Perceptron {
  readonly name: string;
  readonly file: string;
  readonly activation: string | null;
  readonly input: readonly number[];
  readonly output: readonly number[];
}
interface Refused {
  readonly name: string;
  readonly file: string;
  readonly words: string;
}

const cases = JSON.parse(readFileSync(new URL('../onnx/cases.json', import.meta.url), 'utf8')) as {
  readonly perceptrons: readonly Perceptron[];
  readonly refused: readonly Refused[];
};

const device = await init({ backend: 'cpu' });
let activations: readonly ActivationChoice[];
beforeAll(async () => {
  activations = await findActivations(device);
});

const bytesOf = (text: string): ArrayBuffer => new Uint8Array(Buffer.from(text, 'base64')).buffer;

/** What the file's network gives for rows of inputs. */
async function outputsOf(bytes: ArrayBuffer, x: readonly number[]): Promise<number[]> {
  const file = readOnnxState(bytes);
  const [inputs = 0, ...rest] = file.layers?.sizes ?? [];
  const outputs = rest.pop() ?? 0;
  const name = (await activationBetween(file.between ?? [], activations, device)) ?? 'relu';
  const activation = activations.find(({ op }) => op === name);
  if (!activation) throw new Error(`no ${name}`);
  const task = { inputs, outputs };
  const widths = { width: 1, layers: rest.length, sizes: rest };
  const { network } = createModel({ task, activation, ...widths, device });
  file.into(network, device);
  const rows = tensor(Float32Array.from(x), { shape: [x.length / inputs, inputs], device });
  return Array.from(await noGrad(() => network.forward(rows)).data());
}

describe('an ONNX file', () => {
  it.each(cases.perceptrons)('of a perceptron gives PyTorch’s outputs: $name', async (one) => {
    const { between = [] } = readOnnxState(bytesOf(one.file));
    const name = await activationBetween(between, activations, device);
    expect(name ?? null).toBe(one.activation);
    const found = await outputsOf(bytesOf(one.file), one.input);
    expect(found).toHaveLength(one.output.length);
    found.forEach((value, i) => {
      expect(Math.abs(value - (one.output[i] ?? NaN))).toBeLessThan(2e-5 * (1 + Math.abs(value)));
    });
  });

  it.each(cases.refused)('of something else is refused: $name', async ({ file, words }) => {
    const read = async () => {
      const { between = [], layers } = readOnnxState(bytesOf(file));
      await activationBetween(between, activations, device);
      throw new Error(layers?.sizes.join(' to '));
    };
    await expect(read()).rejects.toThrow(words);
  });

  it.each([
    ['nothing', new Uint8Array(), 'no graph'],
    ['text', new TextEncoder().encode('<!doctype html> nothing of this is a model'), 'ONNX'],
    [
      'half a file',
      new Uint8Array(bytesOf(cases.perceptrons[0]?.file ?? '')).slice(0, 200),
      'damaged',
    ],
  ])('that is none is refused: %s', (_, bytes, words) => {
    expect(() => readOnnxState(bytes.slice().buffer)).toThrow(words);
  });
});

/** A model as other programs write it: [op, inputs, output] in order, weights in float16, GELU as an operator of its own. */
function modelOf(
  nodes: readonly (readonly [op: string, inputs: readonly string[], output: string])[],
  weights: Readonly<Record<string, { shape: readonly number[]; halves: readonly number[] }>>,
): ArrayBuffer {
  const pbf = new PbfWriter();
  pbf.writeVarintField(1, 8);
  pbf.writeMessage(
    7,
    (_, graph) => {
      for (const node of nodes) {
        graph.writeMessage(
          1,
          ([op, inputs, output], one) => {
            for (const input of inputs) one.writeStringField(1, input);
            one.writeStringField(2, output);
            one.writeStringField(4, op);
          },
          node,
        );
      }
      for (const [name, weight] of Object.entries(weights)) {
        graph.writeMessage(
          5,
          ({ shape, halves }, one) => {
            one.writePackedVarint(1, [...shape]);
            one.writeVarintField(2, 10);
            one.writePackedVarint(5, [...halves]);
            one.writeStringField(8, name);
          },
          weight,
        );
      }
      graph.writeMessage(11, (name, one) => one.writeStringField(1, name), 'x');
      graph.writeMessage(12, (name, one) => one.writeStringField(1, name), 'y');
    },
    undefined,
  );
  return new Uint8Array(pbf.finish()).buffer;
}

describe('an ONNX file of another program', () => {
  // 1, -2, 0.5 and 3 in float16
  const w = { shape: [2, 2], halves: [0x3c00, 0xc000, 0x3800, 0x4200] };
  const b = { shape: [1, 2], halves: [0x3c00, 0x0000] };

  it('may hold float16, and operators of newer versions', async () => {
    const gelu = modelOf(
      [
        ['Flatten', ['x'], 'flat'],
        ['MatMul', ['flat', 'w'], 'product'],
        ['Add', ['b', 'product'], 'sum'],
        ['Gelu', ['sum'], 'bent'],
        ['Gemm', ['bent', 'w'], 'logits'],
        ['Softmax', ['logits'], 'y'],
      ],
      { w, b },
    );
    const [first, second] = await outputsOf(gelu, [1, 2]);
    // [1, 2] · w + b
    const [a = NaN, c = NaN] = [3, 4].map((x) => 0.5 * x * (1 + erfOf(x / Math.SQRT2)));
    expect(first).toBeCloseTo(a + 0.5 * c, 5);
    expect(second).toBeCloseTo(-2 * a + 3 * c, 5);
  });
});

/** By its series, which is exact enough for arguments below 4. */
function erfOf(x: number): number {
  let term = x;
  let sum = x;
  for (let n = 1; n < 80; n++) {
    term *= -(x * x) / n;
    sum += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}
