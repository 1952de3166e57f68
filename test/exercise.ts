// Takes a device, and gives representative calls of everything there is, forward and backward, for the kernels that they
// launch: what comes of them is not looked at.
import fc from 'fast-check';
import {
  add,
  addLayerNorm,
  addRmsNorm,
  crossEntropy,
  embedding,
  gumbelSoftmax,
  IndexOutOfRangeError,
  layerNorm,
  logSoftmax,
  nn,
  noGrad,
  optim,
  randn,
  rmsNorm,
  scope,
  softmax,
  tensor,
  type Device,
  type Tensor,
} from '../src/index.ts';
import { argumentsOf, callsOf, resultOf, upstreamOf, type Upload } from './calls.ts';

type Float = 'float32' | 'float16';

/** Throws what the GPU found wrong. Where memory is never written, a class index out of range is to be expected. */
export async function settle(device: Device): Promise<void> {
  await device.synchronize().catch((error: unknown) => {
    if (!(error instanceof IndexOutOfRangeError)) throw error;
  });
}

/** Calls of an op, in one kind of storage. */
export async function exerciseOp(
  op: string,
  dtype: Float,
  place: Upload,
  device: Device,
  numRuns = 30,
): Promise<void> {
  if (op === 'gumbelSoftmax') {
    // Not among the drawn calls: where two categories tie, devices may choose differently.
    scope(() => {
      const x = { shape: [2, 3], dtype: 'float', data: [1, 2, 3, 4, 5, 6] } as const;
      gumbelSoftmax(place(x, dtype, device), { hard: true });
    });
  }
  const calls = fc.sample(callsOf(op), { seed: 20, numRuns });
  for (const [i, call] of calls.entries()) {
    scope(() => {
      const args = argumentsOf(call, device, { dtype, grad: true, place });
      const out = resultOf(call, args);
      if (!out.requiresGrad) return;
      out.backward(place(upstreamOf(out.shape, i), out.dtype, device));
      // Without gradients the kernels may differ.
      noGrad(() => resultOf(call, argumentsOf(call, device, { dtype, place })));
      if (out.size === 1)
        resultOf(call, argumentsOf(call, device, { dtype, grad: true, place })).backward();
    });
  }
  await settle(device);
}

export async function exerciseOptimizers(dtype: Float, device: Device): Promise<void> {
  const layer = new nn.Linear(3, 5, { device, dtype });
  const optimizers = [
    new optim.SGD(layer.parameters()),
    new optim.SGD(layer.parameters(), { momentum: 0.9, nesterov: true, weightDecay: 0.1 }),
    new optim.Adam(layer.parameters()),
    new optim.Adam(layer.parameters(), { amsgrad: true, maximize: true }),
    new optim.AdamW(layer.parameters()),
    new optim.RMSprop(layer.parameters()),
    new optim.RMSprop(layer.parameters(), { centered: true }),
    new optim.RMSprop(layer.parameters(), { momentum: 0.9 }),
    new optim.RMSprop(layer.parameters(), { centered: true, momentum: 0.9, maximize: true }),
  ];
  for (const optimizer of optimizers) {
    const x = tensor(new Float32Array(6), { shape: [2, 3], dtype, device });
    const y = layer.forward(x);
    y.backward(y.detach());
    optimizer.step();
    optimizer.step();
    optimizer.zeroGrad();
  }
  const y = layer.forward(tensor(new Float32Array(6), { shape: [2, 3], dtype, device }));
  y.backward(y.detach());
  for (const normType of [1, 2, 3, Infinity]) {
    nn.utils.clipGradNorm(layer.parameters(), 1, { normType, errorIfNonfinite: normType === 1 });
  }
  nn.utils.clipGradValue(layer.parameters(), 1);
  await settle(device);
}

/** All log-probabilities of an adaptive softmax. */
export async function exerciseAdaptive(dtype: Float, device: Device): Promise<void> {
  const module = new nn.AdaptiveLogSoftmaxWithLoss(8, 50, [5, 20], { divValue: 2, device, dtype });
  const x = tensor(new Float32Array(16), { shape: [2, 8], dtype, device });
  const all = module.logProb(x);
  all.backward(all.detach());
  module.predict(x);
  await settle(device);
}

/** Norms that keep running statistics, and norms of sums: of these no call is drawn. */
export async function exerciseNorms(dtype: Float, device: Device): Promise<void> {
  const make = (): Tensor =>
    tensor(new Float32Array(48), { shape: [4, 12], dtype, device, requiresGrad: true });
  const [x, residual] = [make(), make()];
  for (const momentum of [0.1, null]) {
    const y = new nn.BatchNorm1d(12, { momentum, device, dtype }).forward(x);
    y.backward(y.detach());
  }
  const weight = tensor(new Float32Array(12), { dtype, device, requiresGrad: true });
  for (const norm of [addRmsNorm, addLayerNorm]) {
    const { output, sum: total } = norm(x, residual, [12], { weight });
    const y = add(output, total);
    y.backward(y.detach());
  }
  await settle(device);
}

/** Attention with its weights, and the layers that it is a part of. */
export async function exerciseTransformers(dtype: Float, device: Device): Promise<void> {
  const options = { dimFeedforward: 8, activation: 'gelu', device, dtype } as const;
  const layer = new nn.TransformerDecoderLayer(8, 2, options);
  const x = tensor(new Float32Array(48), { shape: [3, 2, 8], dtype, device, requiresGrad: true });
  const mask = tensor(new Int32Array(9), { shape: [3, 3], dtype: 'int32', device });
  const y = layer.forward(x, x, { tgtMask: mask });
  y.backward(y.detach());
  const { output, weights } = layer.selfAttn.forward(x, x, x, { attnMask: mask });
  for (const one of [output, weights]) one?.backward(one.detach(), { retainGraph: true });
  await settle(device);
}

/** Indices that only the device knows: a few, and so many that they are sorted by digits. */
export async function exerciseTables(device: Device): Promise<void> {
  for (const [count, dtype] of [
    [40, 'float32'],
    [3000, 'float16'],
  ] as const) {
    const indices = tensor(new Int32Array(count), { device, dtype: 'int32' });
    indices.storage('exercise').forget();
    const weight = tensor(new Float32Array(2400), {
      shape: [300, 8],
      dtype,
      device,
      requiresGrad: true,
    });
    const y = embedding(indices, weight);
    y.backward(y.detach());
  }
  await settle(device);
}

/** Rows so long and few that they are split. */
export async function exerciseChunks(device: Device): Promise<void> {
  // New tensors, of which no call is drawn.
  randn([5], { device });
  const shape = [2, 20_000];
  const x = tensor(new Float32Array(40_000), { shape, device, requiresGrad: true });
  const weight = tensor(new Float32Array(20_000), { device });
  const classes = tensor(new Int32Array(2), { device, dtype: 'int32' });
  for (const rows of [softmax, logSoftmax]) {
    const y = rows(x, { dim: 1 });
    y.backward(y.detach());
  }
  for (const norm of [layerNorm, rmsNorm]) {
    const y = norm(x, [20_000], { weight });
    y.backward(y.detach());
  }
  for (const target of [classes, x.detach()]) {
    for (const options of [{ weight }, {}]) {
      crossEntropy(x, target, options).backward();
      noGrad(() => crossEntropy(x, target, options));
    }
  }
  await settle(device);
}
