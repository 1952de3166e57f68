// TensorFlow.js on WebGPU.
import { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import * as tf from '@tensorflow/tfjs-core';
import type { Library } from '../types.ts';
import { library } from './tfjs.ts';

export async function load(): Promise<Library> {
  // It hands small inputs to the CPU otherwise.
  tf.env().set('WEBGPU_CPU_FORWARD', false);
  await tf.setBackend('webgpu');
  await tf.ready();
  const backend = tf.backend();
  if (!(backend instanceof WebGPUBackend)) throw new Error('no WebGPU backend');
  return library('webgpu', async () => {
    backend.ensureCommandEncoderReady();
    backend.endComputePassEncoder();
    backend.submitQueue();
    await backend.queue.onSubmittedWorkDone();
  });
}
