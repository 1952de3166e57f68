/**
 * An app that leaves the CPU path out, as docs/installing.md says: it trains on WebGPU, and where there is none says so.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { byEsbuild, byVite, makeApp, WEBGPU_ONLY } from './app.ts';
import { node } from './run.ts';
import { serve, type Pages } from './serve.ts';

let pages: Pages;

beforeAll(async () => {
  pages = await serve(inject('work'));
});

afterAll(() => pages.close());

const TRAINER = `
import { init, nn, optim, tensor } from 'nonlin';

const output = document.createElement('output');
document.body.append(output);
const run = async () => {
  // not by its backend: the adapter is a program here, which the CPU would stand for if it were there
  const device = await init();
  const model = new nn.Sequential(new nn.Linear(2, 8), new nn.ReLU(), new nn.Linear(8, 2));
  const optimizer = new optim.Adam(model.parameters(), { lr: 0.1 });
  const criterion = new nn.CrossEntropyLoss();
  const x = tensor([[0, 1], [1, 0]]);
  const target = tensor([0, 1], { dtype: 'int32' });
  const losses = [];
  for (let step = 0; step < 10; step++) {
    optimizer.zeroGrad();
    const loss = criterion.forward(model.forward(x), target);
    loss.backward();
    optimizer.step();
    losses.push(await loss.item());
  }
  output.value = 'done on ' + device.type + ': ' + (losses[9] < losses[0] / 2);
};
run().catch((error) => {
  output.value = 'failed: ' + error;
});
`;

it('trains on WebGPU, on a software adapter too', async () => {
  const app = await makeApp('without-cpu', { 'main.js': TRAINER });
  const files = await byVite(app, WEBGPU_ONLY);
  expect(files.some(({ text }) => text.includes('float64 loops'))).toBe(false);
  expect(await pages.open('without-cpu/dist/')).toBe('done on webgpu: true');
});

it('throws what it lacks where there is no GPU', async () => {
  const app = await makeApp('without-both', {
    'main.js': `
import { init, tensor } from 'nonlin';
const errors = [];
try {
  tensor([1]);
} catch (error) {
  errors.push(error);
}
for (const options of [{}, { backend: 'cpu' }]) {
  await init(options).catch((error) => errors.push(error));
}
console.log(JSON.stringify(errors.map(({ name, message }) => name + ': ' + message)));
`,
  });
  const [file] = await byEsbuild(app, WEBGPU_ONLY);
  await writeFile(join(app, 'out.mjs'), file?.text ?? '');
  expect(JSON.parse(await node('out.mjs', [], app))).toEqual([
    'DeviceUnavailableError: tensor: device: expected a device: call init() first, received none, and an app without the CPU path',
    'DeviceUnavailableError: init: backend: expected a WebGPU device, received no navigator.gpu',
    'DeviceUnavailableError: init: backend: expected the CPU path, received an app that leaves it out',
  ]);
});
