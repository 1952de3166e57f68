// Points that a network of nonlin moves, drawn by three.js from the buffer that nonlin writes.
import { init, linear, tanh, Tensor, tensor } from 'nonlin';
import { float, storage } from 'three/tsl';
import * as THREE from 'three/webgpu';

const COUNT = 16;

/** What three.js's types leave out. */
interface Backend {
  readonly device: GPUDevice;
  createStorageAttribute(attribute: THREE.BufferAttribute): void;
  get(attribute: THREE.BufferAttribute): { readonly buffer: GPUBuffer };
}
const backendOf = (renderer: THREE.WebGPURenderer) => renderer.backend as unknown as Backend;

const canvas = document.querySelector('canvas') as HTMLCanvasElement;

/** three.js on the device of nonlin. */
async function give() {
  const device = await init({ backend: 'webgpu' });
  const renderer = new THREE.WebGPURenderer({
    canvas,
    alpha: false,
    device: device.gpuDevice as GPUDevice,
  });
  await renderer.init();
  return { device, renderer };
}

/** Or nonlin on the device of three.js. */
async function take() {
  const renderer = new THREE.WebGPURenderer({ canvas, alpha: false });
  await renderer.init();
  return { device: await init({ device: backendOf(renderer).device }), renderer };
}

const { device, renderer } = await (location.search === '?take' ? take() : give());

// memory of three.js: a position for each sprite, of four numbers as storage has them
const places = new THREE.StorageInstancedBufferAttribute(COUNT, 4);
const backend = backendOf(renderer);
backend.createStorageAttribute(places);
const positions = Tensor.fromBuffer(backend.get(places).buffer, { shape: [COUNT, 4] });

const material = new THREE.SpriteNodeMaterial();
material.positionNode = storage(places, 'vec4', COUNT).toAttribute().xyz;
material.scaleNode = float(0.05);
const sprites = new THREE.Sprite(material);
sprites.count = COUNT;
sprites.frustumCulled = false;
const scene = new THREE.Scene().add(sprites);
const camera = new THREE.OrthographicCamera(-1, 1, 1, -1, -1, 1);

const circle = Array.from({ length: COUNT }, (_, i) => (2 * Math.PI * i) / COUNT);
const x = tensor(circle.map((angle) => [Math.cos(angle), Math.sin(angle)]));
const weight = tensor([
  [0.9, 0.4],
  [-0.2, 0.7],
  [0, 0],
  [0, 0],
]);

// a frame: nonlin writes where three.js reads
linear(x, weight, { activation: tanh, out: positions });
positions.buffer(); // what waits is submitted, before three.js draws
renderer.render(scene, camera);

const output = document.querySelector('output');
if (output) {
  const numbers = (await positions.array({ rank: 2 })).map(([x, y]) => `${x} ${y}`).join(' ');
  output.value = `done on ${device.type}: ${numbers}`;
}
