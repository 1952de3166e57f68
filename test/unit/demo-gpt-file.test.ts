// Files of GPTs whose header says nothing, as where another program has saved them again: sizes are those of the tensors, what
// shapes do not tell is what foretells the text best.
import { beforeAll, describe, expect, it } from 'vitest';
import { DEFAULTS, type GptConfig } from '../../demo/writing/config.ts';
import { saveModel } from '../../demo/writing/file.ts';
import { openModel } from '../../demo/writing/foreign.ts';
import { Gpt } from '../../demo/writing/gpt.ts';
import { splitText, Vocabulary } from '../../demo/writing/text.ts';
import { Writer } from '../../demo/writing/writer.ts';
import { init, manualSeed, safetensors, tensor } from '../../src/index.ts';

const device = await init({ backend: 'cpu' });
// attention has to look back to the last digit
const text = Array.from({ length: 900 }, (_, i) =>
  i % 5 === 0 ? String((i / 5) % 4) : 'abcd'[(i * 7) % 4],
).join('');
const vocabulary = Vocabulary.of(text);
const config: GptConfig = {
  vocabulary: vocabulary.size,
  ...{ context: 12, layers: 2, width: 16, heads: 2, dropout: 0 },
  ...{ activation: 'reluSquared', norm: 'rmsNorm', positions: 'rotary' },
};
const known = { text, context: 12 };

let writer: Writer;
beforeAll(async () => {
  const settings = { ...DEFAULTS, steps: 80, batchSize: 8, learningRate: 1e-2, testEvery: 80 };
  const corpus = splitText(vocabulary.encode(text));
  writer = new Writer({ config, settings, corpus, device });
  for await (const _ of writer.train()) continue;
});

/** Without a header of ours. */
const bare = async (model: Gpt, metadata: Record<string, string> = {}) =>
  new Uint8Array(await safetensors.save(model.stateDict(), { metadata }));

describe('a GPT in a file without words', () => {
  it('gets its sizes from its shapes, heads and activation from the text', async () => {
    const {
      model,
      vocabulary: found,
      note,
    } = await openModel(await bare(writer.model), known, device);
    expect(model.config).toEqual(config);
    expect(found.characters).toEqual(vocabulary.characters);
    expect(note).toContain('2 layers of 16 numbers');
    expect(note).toContain('2 and reluSquared foretell the text best');
    model.dispose();
  });

  it('is as its header says where that says a part', async () => {
    const said = { ...config, heads: 4 };
    const file = await bare(writer.model, { config: JSON.stringify(said) });
    const { model } = await openModel(file, known, device);
    expect(model.config).toEqual(said);
    model.dispose();
    const whole = new Uint8Array(await saveModel({ model: writer.model, vocabulary }));
    const opened = await openModel(whole, { text: 'another', context: 3 }, device);
    expect(opened.model.config).toEqual(config);
    expect(opened.note).toBeUndefined();
    opened.model.dispose();
  });

  it('may have learned positions, gates, and biases in its norms', async () => {
    manualSeed(4);
    const other: GptConfig = {
      ...config,
      ...{ context: 10, activation: 'swiglu', norm: 'layerNorm', positions: 'learned' },
    };
    const own = new Gpt(other, device);
    const { model } = await openModel(await bare(own), known, device);
    // any number of heads is as good as any other before it has learned
    expect({ ...model.config, heads: 2 }).toEqual(other);
    own.dispose();
    model.dispose();
  });

  it('is refused, and nothing is made, where it cannot be one', async () => {
    const own = await init({ backend: 'cpu' });
    const file = await bare(writer.model);
    await expect(openModel(file, { text: 'ab', context: 12 }, own)).rejects.toThrow(
      'its 8 numbers are, and the text that is chosen has 2 different ones',
    );
    const save = async (shapes: Readonly<Record<string, readonly number[]>>) => {
      const entries = Object.entries(shapes).map(([name, shape]) => {
        const size = shape.reduce((a, b) => a * b, 1);
        return [name, tensor(new Float32Array(size), { shape: [...shape], device })] as const;
      });
      return new Uint8Array(await safetensors.save(Object.fromEntries(entries)));
    };
    const perceptron = { '0.weight': [5, 4], '0.bias': [5], '2.weight': [3, 5], '2.bias': [3] };
    await expect(openModel(await save(perceptron), known, own)).rejects.toThrow(
      'a multilayer perceptron of 4 → 5 → 3, which the view Train of this page loads',
    );
    await expect(openModel(await save({ 'conv.weight': [2, 2, 2] }), known, own)).rejects.toThrow(
      'expected the tensors of a GPT as this page saves it',
    );
    const { 'blocks.1.mlp.up.bias': _, ...most } = writer.model.stateDict();
    const damaged = new Uint8Array(await safetensors.save(most));
    await expect(openModel(damaged, known, own)).rejects.toThrow('blocks.1.mlp.up.bias');
    expect(own.stats().liveBuffers).toBe(0);
    own.dispose();
  });
});
