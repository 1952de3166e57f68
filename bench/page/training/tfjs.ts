// Takes a perceptron's task, and gives TensorFlow.js's training of it on WebGPU, by its fused layers and its own Adam.
import { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-core/dist/register_all_gradients';
import type { Learner, Task } from './types.ts';

export async function learn({ model, weights, batches, rule }: Task): Promise<Learner> {
  if (model.kind !== 'perceptron') throw new Error('TensorFlow.js: perceptrons alone');
  // It hands small inputs to the CPU otherwise.
  tf.env().set('WEBGPU_CPU_FORWARD', false);
  await tf.setBackend('webgpu');
  await tf.ready();
  const backend = tf.backend();
  if (!(backend instanceof WebGPUBackend)) throw new Error('no WebGPU backend');
  const variables = weights.map(({ shape, data }) => tf.variable(tf.tensor(data, shape)));
  const optimizer = tf.train.adam(rule.learningRate, ...rule.betas, 1e-8);
  const classes = model.sizes.at(-1) ?? 0;
  const forward = (x: tf.Tensor): tf.Tensor => {
    let h = x;
    for (let i = 0; i < variables.length; i += 2) {
      const [b, bias] = [variables[i], variables[i + 1]];
      if (!b || !bias) throw new Error('no weight');
      const last = i + 2 === variables.length;
      // of its fused activations tanh has no gradient
      const activation = !last && model.activation === 'relu' ? 'relu' : 'linear';
      h = tf.fused.matMul({ a: h, b, transposeB: true, bias, activation });
      if (!last && model.activation === 'tanh') h = tf.tanh(h);
    }
    return h;
  };
  let pending: tf.Tensor[] = [];
  let next = 0;
  return {
    step: () => {
      const batch = batches[next++ % batches.length];
      if (!batch) throw new Error('no batches');
      const loss = tf.tidy(() => {
        const x = tf.tensor(batch.x, [model.batch, model.sizes[0]]);
        const wanted = tf.oneHot(tf.tensor(batch.y, [batch.y.length], 'int32'), classes);
        return optimizer.minimize(
          () => tf.losses.softmaxCrossEntropy(wanted, forward(x)),
          true,
          variables,
        );
      });
      if (loss) pending.push(loss);
    },
    losses: async () => {
      const read = pending;
      pending = [];
      const all = tf.stack(read);
      const values = Array.from(await all.data());
      tf.dispose([...read, all]);
      // The last update comes after the last loss.
      backend.ensureCommandEncoderReady();
      backend.endComputePassEncoder();
      backend.submitQueue();
      await backend.queue.onSubmittedWorkDone();
      return values;
    },
    free: () => {
      tf.dispose(variables);
      optimizer.dispose();
    },
  };
}
