// The small GPT of the demo: its text, its sampling, its file, that it learns, and its command line.
import { describe, expect, it } from 'vitest';
import { parseGptCommandLine } from '../../demo/cli/gpt-options.ts';
import { plain, readMobyDick } from '../../scripts/moby.mjs';
import { readNames } from '../../scripts/names.mjs';
import { generator } from '../../demo/training/random.ts';
import { loadModel, saveModel } from '../../demo/writing/file.ts';
import {
  ACTIVATIONS,
  DEFAULTS,
  NORMS,
  POSITIONS,
  type GptConfig,
} from '../../demo/writing/config.ts';
import { Gpt } from '../../demo/writing/gpt.ts';
import { draw, sample } from '../../demo/writing/sample.ts';
import { drawPieces, evenPieces, splitText, Vocabulary } from '../../demo/writing/text.ts';
import { Writer } from '../../demo/writing/writer.ts';
import { init, manualSeed, noGrad, safetensors, scope, tensor } from '../../src/index.ts';

const device = await init({ backend: 'cpu' });

const TINY: GptConfig = {
  vocabulary: 5,
  context: 8,
  layers: 2,
  width: 12,
  heads: 2,
  dropout: 0,
  activation: 'gelu',
  norm: 'layerNorm',
  positions: 'rotary',
};
const SETTINGS = { ...DEFAULTS, steps: 60, batchSize: 8, learningRate: 1e-2, testEvery: 30 };

/** A text that can be foretold but for its beginning. */
function cycle(length: number): Int32Array {
  return Int32Array.from({ length }, (_, i) => (i % 7) % 5);
}

describe('text', () => {
  it('becomes numbers and back, and unknown characters are left out', () => {
    const vocabulary = Vocabulary.of('hello world');
    expect(vocabulary.decode(vocabulary.encode('lowered'))).toBe('lowered');
    expect(vocabulary.decode(vocabulary.encode('lazy old'))).toBe('l old');
  });

  it('has targets one character behind the inputs, inside its part of the text', () => {
    const { training, heldOut } = splitText(Int32Array.from({ length: 100 }, (_, i) => i));
    expect([training.length, heldOut.length]).toEqual([90, 10]);
    const pieces = [drawPieces(training, 50, 16, generator(3)), evenPieces(heldOut, 4, 6)];
    for (const { inputs, targets } of pieces) {
      expect(Array.from(targets)).toEqual(Array.from(inputs, (value) => value + 1));
    }
    expect(Math.max(...(pieces[0]?.targets ?? []))).toBeLessThan(90);
    expect(Math.min(...(pieces[1]?.inputs ?? []))).toBe(90);
  });

  it('is Moby Dick in plain characters', () => {
    const text = readMobyDick();
    expect(text.length).toBeGreaterThan(1e6);
    expect(text).toContain('Call me Ishmael.');
    expect(Vocabulary.of(text).size).toBeLessThan(90);
    expect(plain('\u201cA\u2014b\u2019s\u201d\r\n\u00e9')).toBe('"A--b\'s"\n');
  });
});

describe('names', () => {
  it('are lines of letters, the same each time, and by chance: the last tenth has all first letters', () => {
    const text = readNames();
    expect(text).toMatch(/^([A-Za-z]+\n){8403}$/);
    expect(text).toBe(readNames());
    const last = text.slice(-text.length / 10).split('\n');
    expect(new Set(last.map((name) => name.charAt(0))).size).toBeGreaterThan(20);
  });
});

describe('draw', () => {
  const options = { temperature: 1, topK: 0, random: generator(1) };

  it('is as likely as the softmax says', () => {
    const counts = [0, 0, 0];
    for (let i = 0; i < 20_000; i++) {
      const index = draw([Math.log(1), Math.log(2), Math.log(5)], options);
      counts[index] = (counts[index] ?? 0) + 1;
    }
    const shares = counts.map((count) => count / 20_000);
    [1 / 8, 2 / 8, 5 / 8].forEach((share, i) => {
      expect(Math.abs((shares[i] ?? NaN) - share)).toBeLessThan(0.015);
    });
  });

  it('takes the likeliest at temperature 0, and none but the likeliest k', () => {
    expect(draw([0, 3, 1], { ...options, temperature: 0 })).toBe(1);
    const drawn = Array.from({ length: 300 }, () => draw([0, 3, 1, 2], { ...options, topK: 2 }));
    expect(new Set(drawn)).toEqual(new Set([1, 3]));
  });

  it('knows logits of any size', () => {
    expect(draw([1e30, -Infinity, 0], options)).toBe(0);
  });
});

describe('the model', () => {
  it.each(ACTIVATIONS)('sees nothing of what follows (%s)', async (activation) => {
    for (const norm of NORMS) {
      for (const positions of POSITIONS) {
        manualSeed(5);
        const model = new Gpt({ ...TINY, activation, norm, positions }, device);
        const hidden = (last: number) =>
          noGrad(() => model.forward(tensor([[1, 2, 3, last]], { dtype: 'int32', device })));
        const [one, other] = [await hidden(4).data(), await hidden(0).data()];
        const seen = 3 * TINY.width;
        expect(one.slice(0, seen)).toEqual(other.slice(0, seen));
        expect(one.slice(seen)).not.toEqual(other.slice(seen));
        model.dispose();
      }
    }
  });

  it('learns, and leaves nothing behind', async () => {
    // Of its own: what other tests made may be collected meanwhile.
    const own = await init({ backend: 'cpu' });
    const corpus = splitText(cycle(2000));
    const writer = new Writer({ config: TINY, settings: SETTINGS, corpus, device: own });
    const tests: number[] = [];
    let steps = 0;
    for await (const report of writer.train()) {
      if (report.kind === 'test') tests.push(report.loss);
      else steps += report.losses.length;
    }
    expect(steps).toBe(60);
    expect(tests).toHaveLength(3);
    // Nearly as likely as any other of five at first; foretold at last, but for the first characters of a piece.
    expect(Math.abs((tests[0] ?? NaN) - Math.log(5))).toBeLessThan(0.4);
    expect(tests[2]).toBeLessThan(0.5);
    const options = { count: 14, temperature: 0, topK: 0, random: generator(1) };
    const written: number[] = [];
    for await (const token of sample(writer.model, own, cycle(7), options)) written.push(token);
    expect(written).toEqual(Array.from(cycle(21).subarray(7)));
    writer.dispose();
    expect(own.stats().liveBuffers).toBe(0);
    own.dispose();
  });

  it('goes into a file and comes back', async () => {
    manualSeed(2);
    const vocabulary = new Vocabulary(['a', 'b', 'c', '\n', '"']);
    const model = new Gpt({ ...TINY, activation: 'swiglu', positions: 'learned' }, device);
    const file = await saveModel({ model, vocabulary });
    const loaded = loadModel(file, device);
    expect(loaded.vocabulary.characters).toEqual(vocabulary.characters);
    expect(loaded.model.config).toEqual(model.config);
    const indices = tensor([[0, 1, 2, 3]], { dtype: 'int32', device });
    const answers = scope(() => [model.forward(indices), loaded.model.forward(indices)] as const);
    expect(await answers[1].data()).toEqual(await answers[0].data());
  });

  it('does not come from another file, and nothing is made then', async () => {
    const other = await safetensors.save({ x: tensor([1], { device }) });
    const damaged = await safetensors.save(
      { x: tensor([1], { device }) },
      { metadata: { config: JSON.stringify(TINY), characters: '["a","b","c","d","e"]' } },
    );
    const own = await init({ backend: 'cpu' });
    expect(() => loadModel(other, own)).toThrow('no model of this program');
    expect(() => loadModel(damaged, own)).toThrow('loadStateDict');
    expect(own.stats().liveBuffers).toBe(0);
    own.dispose();
  });
});

describe('the command line', () => {
  it('has defaults, and takes options', () => {
    const line = parseGptCommandLine([]);
    expect(line.config).toEqual({
      ...TINY,
      vocabulary: undefined,
      context: 64,
      layers: 4,
      width: 128,
      heads: 4,
    });
    const other = parseGptCommandLine(['--steps', '7', '--norm', 'rmsnorm', '--top-k', '3']);
    expect([other.settings.steps, other.config.norm, other.topK]).toEqual([7, 'rmsNorm', 3]);
  });

  it.each([
    ['--steps', '0'],
    ['--steps', 'many'],
    ['--width', '30'],
    ['--norm', 'batch'],
    ['--temperature', '-1'],
    ['--what', '1'],
  ])('refuses %s %s', (option, value) => {
    expect(() => parseGptCommandLine([option, value])).toThrow(option);
  });
});
