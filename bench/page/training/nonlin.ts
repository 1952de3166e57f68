// Takes a task, and gives this library's training of it on WebGPU.
import {
  cat,
  crossEntropy,
  init,
  nn,
  optim,
  reshape,
  scope,
  tensor,
  type Device,
  type Tensor,
} from 'nonlin';
import { Gpt } from '../../../demo/writing/gpt.ts';
import { moduleOf } from './task.ts';
import type { Learner, Task, TrainingBatch } from './types.ts';

export async function learn(task: Task): Promise<Learner> {
  return learnOn(task, await init({ backend: 'webgpu' }));
}

export function learnOn(task: Task, device: Device): Learner {
  const { model, vocabulary, weights, batches, rule } = task;
  const module = moduleOf(model, vocabulary, device);
  scope(() => {
    const state = weights.map(({ name, shape, data }) => [name, tensor(data, { shape, device })]);
    module.loadStateDict(Object.fromEntries(state) as Record<string, Tensor>);
  });
  const parameters = module.parameters();
  const groups = [
    { params: parameters.filter(({ rank }) => rank > 1), weightDecay: rule.decay },
    { params: parameters.filter(({ rank }) => rank <= 1), weightDecay: 0 },
  ];
  const { learningRate: lr, betas } = rule;
  const optimizer = new optim.AdamW(groups, { lr, betas: [...betas] });
  const lossOf = losses(task, module, device);
  let pending: Tensor[] = [];
  let next = 0;
  return {
    step: () => {
      const batch = batches[next++ % batches.length];
      if (!batch) throw new Error('no batches');
      pending.push(
        scope(() => {
          optimizer.zeroGrad();
          const loss = lossOf(batch);
          loss.backward();
          if (rule.maxNorm > 0) nn.utils.clipGradNorm(parameters, rule.maxNorm);
          optimizer.step();
          return loss;
        }),
      );
    },
    losses: async () => {
      const read = pending;
      pending = [];
      const all = scope(() => cat(read.map((loss) => reshape(loss, [1]))));
      for (const loss of read) loss.dispose();
      // The copy comes after the last update.
      const values = Array.from(await all.data());
      all.dispose();
      return values;
    },
    free: () => device.dispose(),
  };
}

function losses(
  { model }: Task,
  module: nn.Module,
  device: Device,
): (batch: TrainingBatch) => Tensor {
  const targets = (y: Int32Array<ArrayBuffer>) =>
    tensor(y, { shape: [y.length], dtype: 'int32', device });
  if (module instanceof Gpt && model.kind === 'gpt') {
    const shape = [model.batch, model.context];
    return ({ x, y }) => module.loss(tensor(x, { shape, dtype: 'int32', device }), targets(y));
  }
  return ({ x, y }) => {
    const rows = tensor(x, { shape: [y.length, x.length / y.length], device });
    return crossEntropy(module.forward(rows), targets(y));
  };
}
