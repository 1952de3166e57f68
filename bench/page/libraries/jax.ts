// Takes ops by name, and gives jax-js's calls, each compiled as a whole by its `jit`. Its functions consume their
// arguments: `ref` keeps one for the next call.
import {
  blockUntilReady,
  defaultDevice,
  init,
  jit,
  nn,
  numpy as np,
  valueAndGrad,
  vjp,
  type Array as JaxArray,
} from '@jax-js/jax';
import type { Inputs, Library, OpName, Runner } from '../types.ts';

interface Arrays {
  readonly x: JaxArray;
  readonly y: JaxArray;
  readonly bias: JaxArray;
  readonly classes: JaxArray;
}

type Call = (arrays: Arrays) => JaxArray[];

const unary = (fn: (x: JaxArray) => JaxArray): (() => Call) => {
  return () => {
    const compiled = jit(fn);
    return ({ x }) => [compiled(x.ref)];
  };
};

/** As optax does for integer labels. */
const crossEntropy = (x: JaxArray, classes: JaxArray): JaxArray => {
  const own = np.takeAlongAxis(x.ref, classes.reshape([-1, 1]), 1).reshape([-1]);
  return nn.logsumexp(x, -1).sub(own).mean();
};

/** Its `takeAlongAxis` has no gradient under `jit`; of what has one, this is the fastest and takes the least memory. */
const differentiable =
  (columns: number) =>
  (x: JaxArray, classes: JaxArray): JaxArray => {
    const indices = np.arange(columns, undefined, 1, { dtype: np.int32 });
    const hit = np.equal(indices, classes.reshape([-1, 1]));
    const own = np.where(hit, x.ref, 0).sum(-1);
    return nn.logsumexp(x, -1).sub(own).mean();
  };

const OPS: Record<OpName, (columns: number) => Call> = {
  relu: unary(nn.relu),
  leakyRelu: unary((x) => nn.leakyRelu(x, 0.01)),
  gelu: unary((x) => nn.gelu(x, { approximate: false })),
  geluTanh: unary((x) => nn.gelu(x, { approximate: true })),
  tanh: unary(np.tanh),
  sigmoid: unary(nn.sigmoid),
  silu: unary(nn.silu),
  softplus: unary(nn.softplus),
  softmax: unary((x) => nn.softmax(x, -1)),
  logSoftmax: unary((x) => nn.logSoftmax(x, -1)),
  biasGelu: () => {
    const compiled = jit((x: JaxArray, bias: JaxArray) =>
      nn.gelu(np.add(x, bias), { approximate: false }),
    );
    return ({ x, bias }) => [compiled(x.ref, bias.ref)];
  },
  mse: () => {
    const compiled = jit((x: JaxArray, y: JaxArray) => np.mean(np.square(np.subtract(x, y))));
    return ({ x, y }) => [compiled(x.ref, y.ref)];
  },
  crossEntropy: () => {
    const compiled = jit(crossEntropy);
    return ({ x, classes }) => [compiled(x.ref, classes.ref)];
  },
  reluGrad: () => {
    const compiled = jit((x: JaxArray, y: JaxArray) => {
      const [value, pull] = vjp(nn.relu, [x]);
      const [grad] = pull(y);
      pull.dispose();
      return [value, grad];
    });
    return ({ x, y }) => compiled(x.ref, y.ref);
  },
  crossEntropyGrad: (columns) => {
    const compiled = jit((x: JaxArray, classes: JaxArray) =>
      valueAndGrad(differentiable(columns))(x, classes),
    );
    return ({ x, classes }) => compiled(x.ref, classes.ref);
  },
};

/** Whether a call's first result can be the next one's x, so that waiting for the last waits for all. */
const CHAINS: ReadonlySet<OpName> = new Set<OpName>([
  'relu',
  'leakyRelu',
  'gelu',
  'geluTanh',
  'tanh',
  'sigmoid',
  'silu',
  'softplus',
  'softmax',
  'logSoftmax',
  'biasGelu',
  'reluGrad',
]);

export async function load(): Promise<Library> {
  const started = await init('webgpu');
  if (!started.includes('webgpu')) throw new Error('no WebGPU device');
  defaultDevice('webgpu');
  return {
    prepare: (op: OpName, { shape, x, y, bias, classes }: Inputs): Runner => {
      // It has no empty arrays; what an op does not take may as well be a zero.
      const arrayOf = (data: Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>): JaxArray =>
        np.array(data.length > 0 ? data : [0]);
      const arrays: Arrays = {
        x: arrayOf(x).reshape([...shape]),
        y: y.length > 0 ? arrayOf(y).reshape([...shape]) : arrayOf(y),
        bias: arrayOf(bias),
        classes: arrayOf(classes),
      };
      const call = OPS[op](shape[1]);
      // Nothing runs before a result is waited for, and each wait submits a copy and maps a buffer. So waits are few: a
      // call's result is the next call's x, or, for a scalar, the last results are stacked.
      let waiting: JaxArray[] = [];
      return {
        run: (calls) => {
          if (CHAINS.has(op)) {
            let input = arrays.x.ref;
            for (let i = 0; i < calls; i++) {
              const [result, ...others] = call({ ...arrays, x: input });
              input.dispose();
              for (const other of others) other.dispose();
              if (!result) throw new Error('no result');
              input = result;
            }
            waiting.push(input);
          } else {
            for (let i = 0; i < calls; i++) {
              const [result, ...others] = call(arrays);
              for (const other of others) other.dispose();
              if (result) waiting.push(result);
            }
          }
        },
        sync: async () => {
          const last = waiting;
          waiting = [];
          const [only, ...more] = last;
          if (!only) return;
          const result = more.length > 0 ? np.stack(last) : only;
          await blockUntilReady(result);
          result.dispose();
        },
        read: async () => Promise.all(call(arrays).map((result) => result.data())),
        free: () => {
          arrays.x.dispose();
          arrays.y.dispose();
          arrays.bias.dispose();
          arrays.classes.dispose();
        },
      };
    },
  };
}
