// The examples with other libraries: the real ones, bundled with the packed package, on one device of a headless Chromium.
import { readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { node, root, tool } from '../package/run.ts';
import { build, litPixels, numbersOf, serve, type Pages, type Point } from '../package/serve.ts';
import { embeddingOf, featureModel, featuresOf, writeEmbeddingModel } from './models.ts';
import { WITH_OTHERS } from './names.mjs';

const examples = inject('examples');
const require = createRequire(join(root, 'test/interop/package.json'));
let pages: Pages;

beforeAll(async () => {
  pages = await serve(examples);
});

afterAll(() => pages.close());

/** Both ways to share: nonlin gives its device, or takes the other's. */
const WAYS = ['', '?take'];

function close(actual: readonly number[], expected: readonly number[], digits: number): void {
  expect(actual).toHaveLength(expected.length);
  for (const [i, value] of actual.entries()) expect(value).toBeCloseTo(expected[i] ?? NaN, digits);
}

it('check against the types of the package and of the other libraries', async () => {
  await writeFile(
    join(examples, 'tsconfig.json'),
    JSON.stringify({
      compilerOptions: {
        target: 'ES2023',
        lib: ['ES2023', 'DOM', 'DOM.Iterable', 'ESNext.Disposable'],
        module: 'ESNext',
        moduleResolution: 'bundler',
        jsx: 'react-jsx',
        types: [],
        strict: true,
        noUncheckedIndexedAccess: true,
        verbatimModuleSyntax: true,
        skipLibCheck: true,
        noEmit: true,
      },
      include: WITH_OTHERS.flatMap((name) => [`${name}/*.ts`, `${name}/*.tsx`]),
    }),
  );
  await node(tool('typescript/bin/tsc'), ['-p', '.'], examples);
});

it('react trains, under StrictMode and when its property changes, and keeps nothing', async () => {
  const text = await pages.open(await build(examples, 'react'), {
    before: async (page) => {
      await page.getByText(/^loss/).waitFor();
      await page.getByRole('spinbutton').fill('24');
    },
  });
  expect(text).toMatch(/^done on webgpu: loss 0\.00\d+; 0 bytes held$/);
});

it('onnxruntime-web has the model that models.ts makes', async () => {
  const file = join(examples, 'onnxruntime-web/public/features.onnx');
  expect(new Uint8Array(await readFile(file))).toEqual(new Uint8Array(featureModel()));
});

it.each(WAYS)('onnxruntime-web: features of a session train a head%s', async (way) => {
  const text = await pages.open((await build(examples, 'onnxruntime-web')) + way, { devices: 1 });
  expect(text).toMatch(/^done on webgpu: 6[0-4] of 64 right; /);
  close(numbersOf(text), featuresOf([-0.9, -0.9]), 5);
});

it.each(['from the hub', "from the page's own server"])(
  'transformers-js: embeddings train a head, model %s',
  async (where) => {
    const own = where !== 'from the hub';
    // the version of ONNX Runtime that Transformers.js has, from where npm has put it
    const entry = createRequire(require.resolve('@huggingface/transformers')).resolve(
      'onnxruntime-web',
    );
    const ort = dirname(dirname(entry));
    const { version } = JSON.parse(await readFile(join(ort, 'package.json'), 'utf8')) as {
      version: string;
    };
    const model = 'Xenova/all-MiniLM-L6-v2';
    const hub = join(inject('work'), 'hub', model);
    await writeEmbeddingModel(own ? join(examples, 'models', model) : hub);
    const main = join(examples, 'transformers-js/main.ts');
    const source = await readFile(main, 'utf8');
    const settings =
      "Object.assign(env, { allowLocalModels: true, localModelPath: '/models/', allowRemoteModels: false });\n";
    if (own) await writeFile(main, source.replace('const embed', `${settings}const embed`));
    const text = await pages.open(await build(examples, 'transformers-js'), {
      devices: 1,
      from: {
        [`https://cdn.jsdelivr.net/npm/onnxruntime-web@${version}/`]: ort,
        ...(own ? {} : { [`https://huggingface.co/${model}/resolve/main/`]: hub }),
      },
    });
    expect(text).toMatch(/^done on webgpu: \[1,0\]; /);
    const sentences = [
      ...['great food', 'a lovely place', 'lovely and great', 'the food was lovely'],
      ...['awful food', 'a terrible place', 'terrible and awful', 'the food was terrible'],
    ];
    close(numbersOf(text), sentences.flatMap(embeddingOf), 5);
  },
);

it.each(WAYS)('tensorflow-js: a loss and its gradient%s', async (way) => {
  const text = await pages.open((await build(examples, 'tensorflow-js')) + way, { devices: 1 });
  expect(text).toMatch(/^done on webgpu: loss /);
  const x = [
    [1, 2],
    [-1, 0.5],
  ];
  const weight = [
    [0.5, -1, 2],
    [0.25, 1, -0.5],
  ];
  const at = (m: number[][], i: number, j: number) => m[i]?.[j] ?? NaN;
  /** The focal loss, gamma 2, of classes 0 and 2, summed in float64. */
  const lossOf = (w: number[][]) => {
    const losses = [0, 2].map((label, i) => {
      const logits = [0, 1, 2].map((j) => at(x, i, 0) * at(w, 0, j) + at(x, i, 1) * at(w, 1, j));
      const sum = logits.reduce((total, z) => total + Math.exp(z), 0);
      const p = Math.exp(logits[label] ?? NaN) / sum;
      return -((1 - p) ** 2) * Math.log(p);
    });
    return losses.reduce((a, b) => a + b) / 2;
  };
  const gradient = [0, 1].flatMap((i) =>
    [0, 1, 2].map((j) => {
      const moved = (by: number) =>
        weight.map((row, k) => row.map((v, l) => (k === i && l === j ? v + by : v)));
      return (lossOf(moved(1e-5)) - lossOf(moved(-1e-5))) / 2e-5;
    }),
  );
  const [, loss] = /loss (\S+);/.exec(text) ?? [];
  expect(Number(loss)).toBeCloseTo(lossOf(weight), 5);
  close(numbersOf(text), gradient, 5);
});

it.each(WAYS)('typegpu: typed buffers through a layer%s', async (way) => {
  const text = await pages.open((await build(examples, 'typegpu')) + way, { devices: 1 });
  expect(text).toMatch(/^done on webgpu: /);
  const points = [
    [0, 1],
    [1, 0],
    [-1, 2],
    [3, -2],
  ];
  const weight = [
    [1, 0.5],
    [-0.5, 1],
    [0.25, 0.25],
    [2, -1],
  ];
  const expected = points.flatMap(([x = 0, y = 0]) =>
    weight.map(([a = 0, b = 0]) => {
      const z = a * x + b * y;
      return z / (1 + Math.exp(-z));
    }),
  );
  close(numbersOf(text), expected, 5);
});

it.each(WAYS)('three-js: draws points where nonlin writes them%s', async (way) => {
  let lit: Point[] = [];
  const text = await pages.open((await build(examples, 'three-js')) + way, {
    devices: 1,
    after: async (page) => {
      lit = await litPixels(page);
    },
  });
  expect(text).toMatch(/^done on webgpu: /);
  const expected = Array.from({ length: 16 }, (_, i) => {
    const [c, s] = [Math.cos((Math.PI * i) / 8), Math.sin((Math.PI * i) / 8)];
    return [Math.tanh(0.9 * c + 0.4 * s), Math.tanh(0.7 * s - 0.2 * c)] as const;
  });
  close(numbersOf(text), expected.flat(), 5);
  const pixels = expected.map(([x, y]) => ({ x: 128 * (1 + x), y: 128 * (1 - y) }));
  const near = (a: Point, b: Point) => Math.hypot(a.x - b.x, a.y - b.y) < 6;
  // each sprite is where it should be, and nothing else is drawn
  expect(pixels.filter((pixel) => !lit.some((point) => near(point, pixel)))).toEqual([]);
  expect(lit.filter((point) => !pixels.some((pixel) => near(point, pixel)))).toEqual([]);
});
