// Takes ops by name, and gives this library's calls, on WebGPU or on the CPU.
import {
  crossEntropy,
  gelu,
  init,
  leakyRelu,
  logSoftmax,
  mseLoss,
  relu,
  sigmoid,
  silu,
  softmax,
  softplus,
  tanh,
  tensor,
  type Device,
  type Tensor,
} from '../../../src/index.ts';
import type { Inputs, Library, OpName, Runner } from '../types.ts';

interface Tensors {
  readonly x: Tensor;
  readonly y: Tensor;
  readonly bias: Tensor;
  readonly classes: Tensor;
}

const OPS: Record<OpName, (t: Tensors) => Tensor> = {
  relu: ({ x }) => relu(x),
  leakyRelu: ({ x }) => leakyRelu(x),
  gelu: ({ x }) => gelu(x),
  geluTanh: ({ x }) => gelu(x, { approximate: 'tanh' }),
  tanh: ({ x }) => tanh(x),
  sigmoid: ({ x }) => sigmoid(x),
  silu: ({ x }) => silu(x),
  softplus: ({ x }) => softplus(x),
  biasGelu: ({ x, bias }) => gelu(x, { bias }),
  mse: ({ x, y }) => mseLoss(x, y),
  softmax: ({ x }) => softmax(x, { dim: 1 }),
  logSoftmax: ({ x }) => logSoftmax(x, { dim: 1 }),
  crossEntropy: ({ x, classes }) => crossEntropy(x, classes),
  reluGrad: ({ x, y }) => {
    const result = relu(x);
    result.backward(y);
    return result;
  },
  crossEntropyGrad: ({ x, classes }) => {
    const loss = crossEntropy(x, classes);
    loss.backward();
    return loss;
  },
};

export async function load(backend: 'webgpu' | 'cpu'): Promise<Library> {
  return libraryOn(await init({ backend }));
}

export function libraryOn(device: Device): Library {
  return {
    prepare: (op: OpName, { shape, x, y, bias, classes }: Inputs): Runner => {
      const [rows] = shape;
      const on = { device } as const;
      const tensors: Tensors = {
        x: tensor(x, { ...on, shape, requiresGrad: op.endsWith('Grad') }),
        y: tensor(y, { ...on, shape: y.length > 0 ? shape : [0] }),
        bias: tensor(bias, on),
        classes: tensor(classes, { ...on, dtype: 'int32', shape: [classes.length > 0 ? rows : 0] }),
      };
      const call = OPS[op];
      const release = (result: Tensor): void => {
        result.dispose();
        tensors.x.grad?.dispose();
        tensors.x.grad = null;
      };
      return {
        run: (calls) => {
          for (let i = 0; i < calls; i++) release(call(tensors));
        },
        sync: () => device.synchronize(),
        read: async () => {
          const result = call(tensors);
          const { grad } = tensors.x;
          const data = await Promise.all([result.data(), ...(grad ? [grad.data()] : [])]);
          release(result);
          return data;
        },
        free: () => {
          for (const one of Object.values(tensors) as Tensor[]) one.dispose();
        },
      };
    },
  };
}
