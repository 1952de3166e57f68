// A network of another program: the page finds out what is in the file, and leaves all as it is where that is something else.
import { readFile } from 'node:fs/promises';
import { expect, test, type Page } from 'playwright/test';
import { faultsOf, lookAt } from './lab.ts';
import { draw, expectPhase, figureOf, ONE, openTraining, train } from './train-page.ts';

interface Entry {
  readonly shape: number[];
  readonly values: Float32Array;
}

function decode(bytes: Buffer): Record<string, Entry> {
  const length = Number(bytes.readBigUInt64LE(0));
  type Header = Record<string, { shape: number[]; data_offsets: [number, number] }>;
  const header = JSON.parse(bytes.subarray(8, 8 + length).toString()) as Header;
  return Object.fromEntries(
    Object.entries(header)
      .filter(([name]) => name !== '__metadata__')
      .map(([name, { shape, data_offsets: ends }]) => {
        const [from, to] = ends.map((end) => 8 + length + end);
        return [name, { shape, values: new Float32Array(bytes.buffer.slice(from, to)) }];
      }),
  );
}

function encode(tensors: Readonly<Record<string, Entry>>): Buffer {
  let at = 0;
  const header = Object.fromEntries(
    Object.entries(tensors).map(([name, { shape, values }]) => {
      const data_offsets = [at, (at += 4 * values.length)];
      return [name, { dtype: 'F32', shape, data_offsets }];
    }),
  );
  const text = Buffer.from(JSON.stringify(header));
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(text.length));
  const data = Object.values(tensors).map(({ values }) => Buffer.from(values.buffer));
  return Buffer.concat([size, text, ...data]);
}

function transposed({ shape: [rows = 0, columns = 0], values }: Entry): Entry {
  const turned = Float32Array.from(values, (_, i) => {
    const [row, column] = [Math.floor(i / rows), i % rows];
    return values[column * columns + row] ?? NaN;
  });
  return { shape: [columns, rows], values: turned };
}

const load = (page: Page, name: string, buffer: Buffer) =>
  page.locator('#load').setInputFiles({ name, mimeType: 'application/octet-stream', buffer });

for (const backend of ['webgpu', 'cpu']) {
  test(`its sizes, layout and activation are found out, on ${backend} @long`, async ({ page }) => {
    const faults = faultsOf(page);
    const settings = { backend, sizes: '24-12', activation: 'tanh', epochs: 2 };
    await openTraining(page, settings);
    await expect(page.locator('#sizes')).toHaveText('24, 12');
    await train(page, 100_000);
    const loss = await figureOf(page, 'held-out-loss');
    const accuracy = await figureOf(page, 'main');
    const download = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Save model' }).click();
    const own = decode(await readFile(await (await download).path()));
    const of = (name: string): Entry => {
      const entry = own[name];
      if (!entry) throw new Error(`no ${name}`);
      return entry;
    };
    const keras = encode({
      'dense_2/kernel:0': transposed(of('4.weight')),
      'dense_2/bias:0': of('4.bias'),
      'dense/kernel:0': transposed(of('0.weight')),
      'dense/bias:0': of('0.bias'),
      'dense_1/kernel:0': transposed(of('2.weight')),
      'dense_1/bias:0': of('2.bias'),
    });

    // from another task, with other settings: nothing is asked for
    await openTraining(page, { backend, task: 'spirals', width: 8 });
    await load(page, 'keras.safetensors', keras);
    await expectPhase(page, 'stopped');
    await expect(page.locator('#app')).toHaveAttribute('data-task', 'digits');
    await expect.poll(() => figureOf(page, 'held-out-loss')).toBeCloseTo(loss, 4);
    expect(await figureOf(page, 'main')).toBeCloseTo(accuracy, 3);
    await expect(page.locator('#alerts')).toContainText('A network of 784 → 24 → 12 → 10');
    await expect(page.locator('#alerts')).toContainText('tanh fits the held-out examples best');
    await expect(page.locator('#sizes')).toHaveText('24, 12');
    expect(page.url()).toContain('sizes=24-12');
    await expect(page.getByLabel('Activation', { exact: true })).toHaveValue('tanh');

    // what is something else leaves it alone, and says what it is
    const values = new Float32Array(72);
    for (const [name, tensors, words] of [
      [
        'conv.safetensors',
        { 'conv1.weight': { shape: [8, 1, 3, 3], values } },
        'conv1.weight of 4',
      ],
      ['chain.safetensors', { a: { shape: [9, 8], values }, b: { shape: [8, 9], values } }, 'lead'],
      ['norm.safetensors', { 'norm.weight': { shape: [72], values } }, 'no weight of two'],
    ] as const) {
      await load(page, name, encode(tensors as unknown as Record<string, Entry>));
      const alert = page.getByRole('alert');
      await expect(alert).toContainText(`${name} could not be loaded`);
      await expect(alert).toContainText(words);
      await expectPhase(page, 'stopped');
      expect(await figureOf(page, 'held-out-loss')).toBeCloseTo(loss, 4);
      await alert.getByRole('button', { name: 'Dismiss' }).click();
    }
    await draw(page, ONE);
    await expect(page.locator('#verdict')).toContainText('Reads as');
    if (backend === 'cpu') await lookAt(page, 'train-own-model');

    // it can learn on, and be left for layers of one width
    await page.getByRole('button', { name: 'Train it further' }).click();
    await expectPhase(page, 'done', 200_000);
    expect(await figureOf(page, 'held-out-loss')).toBeLessThan(loss);
    await page.getByRole('button', { name: 'Layers of one width' }).click();
    await expectPhase(page, 'idle');
    await expect(page.getByLabel('Width')).toHaveValue('128');
    expect(page.url()).not.toContain('sizes');
    expect(faults).toEqual([]);
  });
}

test('an ONNX file of PyTorch has PyTorch’s figures; what stands in the way of another is named @long', async ({
  page,
}) => {
  const faults = faultsOf(page);
  const folder = new URL('../onnx/', import.meta.url);
  const { digits, refused } = JSON.parse(await readFile(new URL('cases.json', folder), 'utf8')) as {
    digits: { loss: number; accuracy: number };
    refused: { name: string; file: string; words: string }[];
  };
  await openTraining(page, { backend: 'webgpu', task: 'spirals' });
  await load(page, 'digits.onnx', await readFile(new URL('digits.onnx', folder)));
  await expectPhase(page, 'stopped');
  await expect(page.locator('#app')).toHaveAttribute('data-task', 'digits');
  await expect.poll(() => figureOf(page, 'held-out-loss')).toBeCloseTo(digits.loss, 5);
  expect(await figureOf(page, 'main')).toBeCloseTo(digits.accuracy, 6);
  await expect(page.locator('#alerts')).toContainText('784 → 16 → 12 → 10 with gelu');
  await expect(page.getByLabel('Activation', { exact: true })).toHaveValue('gelu');

  const values = new Float32Array(4);
  const gpt = encode({
    'tokens.weight': { shape: [2, 2], values },
    'blocks.0.attention.query.weight': { shape: [2, 2], values },
  });
  const others = [
    ...refused.map(({ name, file, words }) => [name, Buffer.from(file, 'base64'), words] as const),
    ['gpt', gpt, 'it holds a GPT, which the view Write of this page loads'],
    ['text', Buffer.from('\b no model at all'), 'no ONNX file'],
  ] as const;
  for (const [name, file, words] of others) {
    await load(page, name, file);
    const alert = page.getByRole('alert');
    await expect(alert).toContainText(`${name} could not be loaded`);
    await expect(alert).toContainText(words);
    await alert.getByRole('button', { name: 'Dismiss' }).click();
  }
  await expectPhase(page, 'stopped');
  expect(await figureOf(page, 'held-out-loss')).toBeCloseTo(digits.loss, 5);
  expect(faults).toEqual([]);
});
