// What another library's device or buffer may lack: nonlin says what, by errors of its own, and goes on with what is whole.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { build, serve, type Pages } from '../package/serve.ts';

const APP = `
import { init, relu, Tensor, tensor } from 'nonlin';
import * as THREE from 'three/webgpu';
import tgpu, { d } from 'typegpu';

const said = {};
const told = (name) => (error) => {
  said[name] = { class: error.name, op: error.op, message: error.message };
};

// a vertex buffer of three.js has no usage STORAGE
const renderer = new THREE.WebGPURenderer();
await renderer.init();
const { backend } = renderer;
const attribute = new THREE.BufferAttribute(new Float32Array(8), 4);
backend.createAttribute(attribute);
const device = await init({ device: backend.device });
try {
  Tensor.fromBuffer(backend.get(attribute).buffer, { shape: [8] });
} catch (error) {
  told('vertex')(error);
}

// a buffer of another device
const root = await tgpu.init();
const foreign = root.createBuffer(d.arrayOf(d.f32, 4)).$usage('storage');
const x = Tensor.fromBuffer(root.unwrap(foreign), { shape: [4], device });
await relu(x).data().catch(told('foreign'));
said.after = await relu(tensor([-1, 2], { device })).array();

// TypeGPU destroys the device that it has made
const shared = await init({ device: root.device });
const y = tensor([1, 2], { device: shared });
root.destroy();
await root.device.lost;
await relu(y).data().catch(told('lost'));
await init({ device: root.device }).catch(told('init'));

document.querySelector('output').value = 'done ' + JSON.stringify(said);
`;

let pages: Pages;

beforeAll(async () => {
  pages = await serve(inject('examples'));
});

afterAll(() => pages.close());

it('says what is missing', async () => {
  const folder = join(inject('examples'), 'refusals');
  await mkdir(folder);
  await writeFile(join(folder, 'main.js'), APP);
  await writeFile(
    join(folder, 'index.html'),
    '<!doctype html><link rel="icon" href="data:,"><output></output><script type="module" src="./main.js"></script>',
  );
  const text = await pages.open(await build(inject('examples'), 'refusals'));
  const told = (name: string, op: string, message: RegExp) => ({
    class: name,
    op,
    message: expect.stringMatching(message) as string,
  });
  expect(JSON.parse(text.replace(/^done /, ''))).toEqual({
    vertex: told(
      'OptionError',
      'Tensor.fromBuffer',
      /buffer: expected usage STORAGE, received usage 0x/,
    ),
    foreign: told(
      'DeviceMismatchError',
      'relu',
      /expected buffers of its tensors' device, received one of another GPUDevice/,
    ),
    // what is whole goes on
    after: [0, 2],
    lost: told(
      'DeviceLostError',
      'data',
      /expected a live GPU device, received a lost one \(destroyed/,
    ),
    init: told(
      'DeviceLostError',
      'init',
      /device: expected a live GPU device, received a lost one/,
    ),
  });
});
