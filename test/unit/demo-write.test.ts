// The view that writes, without its page: settings and address, what heads look at, how runs stand, and the engine of its worker.
import { gzipSync } from 'node:zlib';
import { describe, expect, it, vi } from 'vitest';
import { generator } from '../../demo/training/random.ts';
import { gazeOf, mostSeen, nameOf, squareOf } from '../../demo/views/write/attention.ts';
import { decodeText, faultOf, leastLength } from '../../demo/views/write/corpus.ts';
import { Engine } from '../../demo/views/write/engine.ts';
import type { Happening, Job } from '../../demo/views/write/protocol.ts';
import { charactersPerSecond, Run, textOf, type Sample } from '../../demo/views/write/run.ts';
import {
  configOf,
  formatChoice,
  parseChoice,
  sameChoice,
  settingsOf,
  SIZE_NAMES,
  SIZES,
} from '../../demo/views/write/settings.ts';
import { loadModel, saveModel } from '../../demo/writing/file.ts';
import { DEFAULTS, type GptConfig } from '../../demo/writing/config.ts';
import { Gpt } from '../../demo/writing/gpt.ts';
import { weightsOf, write } from '../../demo/writing/sample.ts';
import { splitText, Vocabulary } from '../../demo/writing/text.ts';
import { Writer } from '../../demo/writing/writer.ts';
import { init, manualSeed } from '../../src/index.ts';

const device = await init({ backend: 'cpu' });

const TINY: Omit<GptConfig, 'vocabulary'> = {
  ...{ context: 8, layers: 2, width: 12, heads: 2, dropout: 0 },
  ...{ activation: 'gelu', norm: 'layerNorm', positions: 'rotary' },
};
const SETTINGS = { ...DEFAULTS, steps: 12, batchSize: 4, learningRate: 1e-2, testEvery: 6 };
const TEXT = 'the whale and the sea and the ship. '.repeat(30);

describe('settings', () => {
  it('come from the address, over those that fit the adapter, and go back', () => {
    const { choice, faults } = parseChoice(
      new URLSearchParams('size=Small&activation=swiglu&steps=70'),
      'hardware',
    );
    expect(faults).toEqual([]);
    expect(choice).toEqual({
      ...{ size: 'small', activation: 'swiglu', norm: 'layerNorm', steps: 70, seed: 1 },
    });
    const entries = Object.entries(formatChoice(choice, 'moby', 'hardware')).filter(
      ([, value]) => value,
    );
    const query = new URLSearchParams(entries as [string, string][]);
    expect(query.toString()).toBe('size=small&activation=swiglu&steps=70');
    expect(sameChoice(parseChoice(query, 'hardware').choice, choice)).toBe(true);
  });

  it('are smaller where the adapter is a program', () => {
    const sizeFor = (kind: 'cpu' | 'software' | 'hardware') =>
      parseChoice(new URLSearchParams(), kind).choice.size;
    expect([sizeFor('cpu'), sizeFor('software'), sizeFor('hardware')]).toEqual([
      ...['tiny', 'tiny', 'medium'],
    ]);
  });

  it.each(['size=huge', 'activation=tanh', 'steps=0', 'steps=', 'seed=1.5', 'norm=batchNorm'])(
    'that cannot be are named: %s',
    (query) => {
      const { choice, faults } = parseChoice(new URLSearchParams(query), 'cpu');
      expect(faults).toHaveLength(1);
      expect(faults[0]).toContain(query.split('=')[0]);
      expect(choice).toEqual(parseChoice(new URLSearchParams(), 'cpu').choice);
    },
  );

  it.each(SIZE_NAMES)('of the size %s make a model', (size) => {
    const { layers, heads, width } = SIZES[size];
    expect(width % (2 * heads)).toBe(0);
    const { choice } = parseChoice(new URLSearchParams({ size }), 'cpu');
    expect(configOf(choice)).toMatchObject({ layers, heads, width, positions: 'rotary' });
    expect(settingsOf(choice).steps).toBe(SIZES[size].steps);
  });
});

describe('a text', () => {
  it('has to be longer than what the model sees, in both of its parts', () => {
    expect(faultOf('x'.repeat(leastLength(32)), 32)).toBeUndefined();
    expect(faultOf('x'.repeat(99), 32)).toContain('99 characters');
    const { heldOut } = splitText(new Int32Array(leastLength(32)));
    expect(heldOut.length).toBeGreaterThan(33);
  });

  it('is unzipped, unless that was done on its way', async () => {
    const bytes = new TextEncoder().encode('Call me Ishmael.');
    expect(await decodeText(bytes)).toBe('Call me Ishmael.');
    expect(await decodeText(new Uint8Array(gzipSync(bytes)))).toBe('Call me Ishmael.');
  });
});

describe('attention', () => {
  /** Two heads over `ab` + `cd`: the first looks at what is nearest, the second everywhere. */
  const sample: Sample = {
    step: 0,
    prompt: ['a', 'b'],
    whole: true,
    characters: [
      { character: 'c', probability: 0.5, seen: 2, attention: Float32Array.of(0, 1, 0.5, 0.5) },
      {
        ...{ character: 'd', probability: 0.25, seen: 3 },
        attention: Float32Array.of(0, 0, 1, 0.25, 0.25, 0.5),
      },
    ],
  };

  it('of a character is that of one head, or the mean of all', () => {
    expect(gazeOf(sample, 1, 0)).toBeUndefined();
    expect(gazeOf(sample, 2, 0)).toEqual({ from: 0, weights: Float32Array.of(0, 1) });
    expect(gazeOf(sample, 2, undefined)?.weights).toEqual(Float32Array.of(0.25, 0.75));
    expect(gazeOf(sample, 3, 1)?.weights).toEqual(Float32Array.of(0.25, 0.25, 0.5));
    const gaze = gazeOf(sample, 3, undefined);
    expect(gaze && mostSeen(gaze, 1)).toEqual([{ at: 2, weight: 0.75 }]);
    expect(textOf(sample)).toBe('abcd');
  });

  it('is a square of the last characters', () => {
    expect(squareOf(sample, 4, 0)).toEqual({
      ...{ side: 4, first: 0 },
      weights: Float32Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0),
    });
    // what is out of sight on the left is left out
    expect(squareOf(sample, 2, 1)).toEqual({
      ...{ side: 2, first: 2 },
      weights: Float32Array.of(0, 0, 0.5, 0),
    });
  });

  it('has names for what cannot be seen', () => {
    expect([' ', '\n', 'x'].map(nameOf)).toEqual(['space', 'new line', '‘x’']);
  });

  it('is the softmax of what can be seen', () => {
    const weights = weightsOf([Math.log(1), Math.log(3), 50, 0, 0, 0], 3, 2, 1);
    [0.25, 0.75, 0.5, 0.5].forEach((weight, i) => expect(weights[i]).toBeCloseTo(weight, 6));
  });

  it('of a model is what its weights say', async () => {
    manualSeed(4);
    const config: GptConfig = { ...TINY, vocabulary: 5, layers: 1, positions: 'learned' };
    const model = new Gpt(config, device);
    const state = model.stateDict();
    const matrix = async (name: string) => state[name]?.data() ?? [];
    const [tokens, positions] = [await matrix('tokens.weight'), await matrix('positions.weight')];
    const { width } = config;
    const prompt = Int32Array.of(1, 4, 2);
    const normed = Array.from(prompt, (token, i) => {
      const x = Array.from(
        { length: width },
        (_, k) => (tokens[token * width + k] ?? 0) + (positions[i * width + k] ?? 0),
      );
      const mean = x.reduce((a, b) => a + b, 0) / width;
      const variance = x.reduce((a, b) => a + (b - mean) ** 2, 0) / width;
      return x.map((value) => (value - mean) / Math.sqrt(variance + 1e-5));
    });
    const project = async (name: string, x: readonly number[]) => {
      const weight = await matrix(`blocks.0.attention.${name}.weight`);
      const bias = await matrix(`blocks.0.attention.${name}.bias`);
      return Array.from({ length: width }, (_, row) =>
        x.reduce((sum, value, k) => sum + value * (weight[row * width + k] ?? 0), bias[row] ?? 0),
      );
    };
    const query = await project('query', normed[2] ?? []);
    const keys = await Promise.all(normed.map((x) => project('key', x)));
    const size = width / config.heads;
    const expected = Array.from({ length: config.heads }, (_, head) => {
      const powers = keys.map((key) => {
        let sum = 0;
        for (let k = head * size; k < (head + 1) * size; k++)
          sum += (query[k] ?? 0) * (key[k] ?? 0);
        return Math.exp(sum / Math.sqrt(size));
      });
      const all = powers.reduce((a, b) => a + b, 0);
      return powers.map((power) => power / all);
    }).flat();
    const options = () => ({ temperature: 1, topK: 0, random: generator(1) });
    const { value } = await write(model, device, prompt, options).next();
    expect(value.seen).toBe(3);
    expect(value.attention).toHaveLength(expected.length);
    expected.forEach((weight, i) => expect(value.attention[i]).toBeCloseTo(weight, 5));
    expect(value.probability).toBeGreaterThan(0.1);
    model.dispose();
  });
});

describe('a run', () => {
  const { choice } = parseChoice(new URLSearchParams('size=tiny'), 'cpu');
  const runOf = () =>
    Run.of({ id: 1, slot: 1, choice, source: { kind: 'own', text: TEXT }, loaded: undefined }, 100);
  const started = (step: number): Happening => ({
    ...{ kind: 'started', id: 1, characters: ['a'], parameters: 9, length: 99, step },
    config: { ...TINY, vocabulary: 1, context: 32 },
  });
  const steps = (step: number, ...losses: number[]): Happening => ({
    ...{ kind: 'steps', id: 1, step, losses, seconds: losses.length / 10 },
    cost: { launches: 150, submits: 1 },
  });

  it('keeps curves and figures, and forgets what came after the step that it goes on from', () => {
    const run = runOf();
    run.take(started(0));
    run.take({ kind: 'trains', id: 1, trains: true });
    expect(run.state.phase).toBe('running');
    run.take({ kind: 'test', id: 1, step: 0, loss: 4 });
    run.take(steps(2, 4, 2));
    run.take(steps(3, 3));
    expect([...run.state.training]).toEqual([
      [2, 3],
      [3, 3],
    ]);
    expect(run.state.trainingLoss).toBe(3);
    expect(run.pace.stepsPerSecond).toBeCloseTo(10, 6);
    expect(charactersPerSecond(run, 8)).toBeCloseTo(10 * 8 * 32, 3);
    run.take(started(2));
    expect([...run.state.training]).toEqual([[2, 3]]);
    run.take({ kind: 'trains', id: 1, trains: false });
    expect(run.state.phase).toBe('paused');
    run.take({ kind: 'done', id: 1 });
    run.take({ kind: 'trains', id: 1, trains: false });
    expect(run.state.phase).toBe('done');
    expect([run.letter, run.name]).toEqual(['B', 'gelu · layerNorm · tiny · own text']);
  });

  it('puts away what it wrote, the last of each step', () => {
    const run = runOf();
    const say = (step: number, text: string) => {
      run.take({ kind: 'writing', id: 1, step, prompt: '>' });
      for (const character of text) {
        const attention = new Float32Array(4);
        run.take({ kind: 'character', id: 1, character, probability: 1, seen: 1, attention });
      }
      run.take({ kind: 'written', id: 1, perSecond: 50 });
    };
    say(0, 'x');
    say(5, 'ab');
    say(5, 'cd');
    say(9, 'e');
    expect(run.state.earlier).toEqual([
      { step: 0, text: '>x' },
      { step: 5, text: '>cd' },
    ]);
    expect(run.sample?.whole).toBe(true);
    for (let step = 10; step < 60; step++) say(step, 'f');
    expect(run.state.earlier.length).toBeLessThanOrEqual(40);
    expect(run.state.earlier[0]).toEqual({ step: 0, text: '>x' });
  });
});

describe('a writer', () => {
  it('goes on from a checkpoint as if it had never stopped', async () => {
    const vocabulary = Vocabulary.of(TEXT);
    const corpus = splitText(vocabulary.encode(TEXT));
    const config = { ...TINY, vocabulary: vocabulary.size };
    const options = { config, settings: SETTINGS, corpus, device };
    const lossesOf = async (writer: Writer, until = Infinity) => {
      const losses: number[] = [];
      for await (const report of writer.train()) {
        if (report.kind === 'steps') losses.push(...report.losses);
        if (report.kind === 'test' && report.step >= until) break;
      }
      return losses;
    };
    const whole = new Writer(options);
    const expected = await lossesOf(whole);
    const first = new Writer(options);
    const half = await lossesOf(first, 6);
    const second = new Writer({ ...options, from: await first.checkpoint() });
    expect(second.step).toBe(6);
    expect([...half, ...(await lossesOf(second))]).toEqual(expected);
    for (const writer of [whole, first, second]) writer.dispose();
  });
});

describe('the engine', () => {
  const job: Job = {
    ...{ id: 1, config: TINY, settings: SETTINGS, trains: true },
    source: { kind: 'own', text: TEXT },
  };
  const begin = async () => {
    const own = await init({ backend: 'cpu' });
    const told: Happening[] = [];
    const engine = new Engine(own, (happening) => told.push(happening));
    const living = engine.live();
    const of = <K extends Happening['kind']>(kind: K) =>
      told.filter((one): one is Extract<Happening, { kind: K }> => one.kind === kind);
    const until = (kind: Happening['kind'], count = 1) =>
      vi.waitFor(() => expect(of(kind).length).toBeGreaterThanOrEqual(count), { timeout: 20_000 });
    const end = async () => {
      engine.end();
      await living;
      expect(own.stats().liveBuffers).toBe(0);
      own.dispose();
    };
    return { engine, told, of, until, end };
  };

  it('trains, tests, writes, tells where it is, and leaves nothing behind', async () => {
    const { engine, of, until, end } = await begin();
    engine.take({
      kind: 'sampling',
      sampling: { temperature: 1, topK: 5, prompt: 'the ' },
    });
    engine.take({ kind: 'run', job });
    await until('done');
    await until('written', 2);
    expect(of('started')[0]).toMatchObject({ id: 1, length: TEXT.length, step: 0 });
    expect(of('steps').flatMap(({ losses }) => losses)).toHaveLength(12);
    expect(of('steps').at(-1)?.cost?.launches).toBeGreaterThan(50);
    expect(of('test').map(({ step }) => step)).toEqual([0, 6, 12]);
    expect(of('checkpoint').at(-1)?.checkpoint.step).toBe(12);
    expect(of('writing').map(({ step, prompt }) => [step, prompt])).toEqual([
      [0, 'the '],
      [12, 'the '],
    ]);
    const [character] = of('character');
    expect(character?.seen).toBe(4);
    expect(character?.attention).toHaveLength(2 * 2 * 4);
    await end();
  });

  it('waits when it is paused or held, and writes then where that is wished', async () => {
    const { engine, of, until, end } = await begin();
    engine.take({ kind: 'run', job: { ...job, trains: false } });
    await until('written');
    expect(of('steps')).toEqual([]);
    expect(of('trains').at(-1)?.trains).toBe(false);
    engine.take({ kind: 'write' });
    await until('written', 2);
    engine.take({ kind: 'hold', held: true });
    engine.take({ kind: 'resume' });
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(of('steps')).toEqual([]);
    engine.take({ kind: 'hold', held: false });
    await until('done');
    await end();
  });

  it('keeps the run that it has where another cannot begin', async () => {
    const { engine, of, until, end } = await begin();
    engine.take({ kind: 'run', job: { ...job, trains: false } });
    await until('written');
    engine.take({ kind: 'run', job: { ...job, id: 2, source: { kind: 'own', text: 'short' } } });
    engine.take({ kind: 'run', job: { ...job, id: 3, file: new Uint8Array(20) } });
    await until('refused', 2);
    expect(of('refused').map(({ id }) => id)).toEqual([2, 3]);
    engine.take({ kind: 'resume' });
    await until('done');
    expect(of('done')[0]?.id).toBe(1);
    await end();
  });

  it('takes a file’s model with its own characters, and gives it back', async () => {
    const { engine, of, until, end } = await begin();
    const vocabulary = Vocabulary.of(`${TEXT}XYZ`);
    manualSeed(9);
    const config: GptConfig = { ...TINY, vocabulary: vocabulary.size, norm: 'rmsNorm' };
    const model = new Gpt(config, device);
    const file = new Uint8Array(await saveModel({ model, vocabulary }));
    engine.take({ kind: 'run', job: { ...job, file, trains: false } });
    await until('written');
    expect(of('started')[0]).toMatchObject({ config, characters: vocabulary.characters });
    engine.take({ kind: 'save' });
    await until('saved');
    const saved = of('saved')[0]?.file;
    const back = saved && loadModel(saved, device);
    expect(back?.model.config).toEqual(config);
    expect(back?.vocabulary.characters).toEqual(vocabulary.characters);
    const weights = (of: Gpt | undefined) =>
      Promise.all(Object.values(of?.stateDict() ?? {}).map((tensor) => tensor.data()));
    expect(await weights(back?.model)).toEqual(await weights(model));
    await end();
  });
});
