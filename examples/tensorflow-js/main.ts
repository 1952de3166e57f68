// A tensor of TensorFlow.js to nonlin and back, on one device: nonlin computes a loss and its gradient, TensorFlow.js goes on with it.
import { focalLoss, init, Tensor, tensor } from 'nonlin';
import { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import * as tf from '@tensorflow/tfjs-core';

/** TensorFlow.js on the device of nonlin: its kernels are those of the backend `webgpu`, so that is replaced. */
async function give() {
  const device = await init({ backend: 'webgpu' });
  const gpu = device.gpuDevice as GPUDevice;
  tf.removeBackend('webgpu');
  tf.registerBackend('webgpu', () => new WebGPUBackend(gpu, gpu.adapterInfo));
  await tf.setBackend('webgpu');
  return device;
}

/** Or nonlin on the device of TensorFlow.js. */
async function take() {
  await tf.setBackend('webgpu');
  await tf.ready();
  return init({ device: (tf.backend() as WebGPUBackend).device });
}

const device = await (location.search === '?take' ? take() : give());

// logits of a model of TensorFlow.js
const weight = tf.tensor2d([0.5, -1, 2, 0.25, 1, -0.5], [2, 3]);
const logits = tf.matMul(tf.tensor2d([1, 2, -1, 0.5], [2, 2]), weight);

// to nonlin: dataToGPU copies on the GPU, and tensorRef keeps the copy alive
const { buffer, tensorRef } = logits.dataToGPU();
const x = Tensor.fromBuffer(buffer as GPUBuffer, { shape: logits.shape });
x.requiresGrad = true;
const loss = focalLoss(x, tensor([0, 2], { dtype: 'int32' }), { gamma: 2 });
loss.backward();

// and back: no copy, and nonlin's memory stays nonlin's
const grad = x.grad as Tensor;
const gradient = tf.tensor(
  { buffer: grad.buffer().buffer, zeroCopy: true },
  [...grad.shape],
  'float32',
);
const gradWeight = tf.matMul(tf.tensor2d([1, 2, -1, 0.5], [2, 2]), gradient, true);

const output = document.querySelector('output');
if (output) {
  const values = (await gradWeight.data()).join(' ');
  output.value = `done on ${device.type}: loss ${await loss.item()}; gradient ${values}`;
}
tensorRef.dispose();
