// Takes ops by name, and gives TensorFlow.js's calls, on one of its backends. Where it has no op, the formula its users
// write.
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-core/dist/register_all_gradients';
import type { Inputs, Library, OpName, Runner } from '../types.ts';

interface Tensors {
  readonly x: tf.Tensor;
  readonly y: tf.Tensor;
  readonly bias: tf.Tensor;
  readonly classes: tf.Tensor;
  readonly columns: number;
}

const gelu = (x: tf.Tensor): tf.Tensor =>
  tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1));

const crossEntropy = (x: tf.Tensor, { classes, columns }: Tensors): tf.Tensor =>
  tf.losses.softmaxCrossEntropy(tf.oneHot(classes, columns), x);

const OPS: Record<OpName, (t: Tensors) => tf.Tensor[]> = {
  relu: ({ x }) => [tf.relu(x)],
  leakyRelu: ({ x }) => [tf.leakyRelu(x, 0.01)],
  gelu: ({ x }) => [gelu(x)],
  geluTanh: ({ x }) => {
    const inner = tf.mul(tf.add(x, tf.mul(tf.pow(x, 3), 0.044715)), Math.sqrt(2 / Math.PI));
    return [tf.mul(tf.mul(x, 0.5), tf.add(tf.tanh(inner), 1))];
  },
  tanh: ({ x }) => [tf.tanh(x)],
  sigmoid: ({ x }) => [tf.sigmoid(x)],
  silu: ({ x }) => [tf.mul(x, tf.sigmoid(x))],
  softplus: ({ x }) => [tf.softplus(x)],
  biasGelu: ({ x, bias }) => [gelu(tf.add(x, bias))],
  mse: ({ x, y }) => [tf.losses.meanSquaredError(y, x)],
  softmax: ({ x }) => [tf.softmax(x)],
  logSoftmax: ({ x }) => [tf.logSoftmax(x)],
  crossEntropy: (t) => [crossEntropy(t.x, t)],
  reluGrad: ({ x, y }) => {
    const { value, grad } = tf.valueAndGrad(tf.relu)(x, y);
    return [value, grad];
  },
  crossEntropyGrad: (t) => {
    const { value, grad } = tf.valueAndGrad((x) => crossEntropy(x, t))(t.x);
    return [value, grad];
  },
};

/** `waitFor`: until the backend has computed everything. */
export function library(backend: string, waitFor: () => Promise<void>): Library {
  return {
    prepare: async (op: OpName, { shape, x, y, bias, classes }: Inputs): Promise<Runner> => {
      await tf.setBackend(backend);
      const tensors: Tensors = {
        x: tf.tensor(x, shape),
        y: tf.tensor(y, y.length > 0 ? shape : [0]),
        bias: tf.tensor(bias, [bias.length]),
        classes: tf.tensor(classes, [classes.length], 'int32'),
        columns: shape[1],
      };
      const call = (): tf.Tensor[] => tf.tidy(() => OPS[op](tensors));
      return {
        run: async (calls) => {
          // Backends share one engine.
          if (tf.getBackend() !== backend) await tf.setBackend(backend);
          for (let i = 0; i < calls; i++) tf.dispose(call());
        },
        sync: waitFor,
        read: async () => {
          if (tf.getBackend() !== backend) await tf.setBackend(backend);
          const results = call();
          const data = await Promise.all(results.map((result) => result.data()));
          tf.dispose(results);
          return data;
        },
        free: () => {
          const { x: x1, y: y1, bias: bias1, classes: classes1 } = tensors;
          tf.dispose([x1, y1, bias1, classes1]);
        },
      };
    },
  };
}
