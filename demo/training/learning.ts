// Takes a model, its optimizers, a task, and gives steps of training on batches of its examples.
import {
  capture,
  nn,
  scope,
  tensor,
  type CapturedStep,
  type Device,
  type optim,
  type Tensor,
} from 'nonlin';
import { lossOf, type LossChoice } from './loss.ts';
import type { Model } from './model.ts';
import { scoreOf, type Piece, type Score } from './score.ts';
import type { Batch, Task } from './task.ts';

export interface LearningOptions {
  readonly model: Model;
  /** One per layer. */
  readonly optimizers: readonly optim.Optimizer[];
  /** The largest norm that the gradients may have together; 0: any. */
  readonly clipNorm: number;
  readonly loss: LossChoice;
  readonly task: Task;
  readonly device: Device;
  /** Lets the host do other work; called between pieces of work on the CPU. */
  readonly breathe?: () => Promise<void>;
  /** Examples of one piece of work on the CPU. */
  readonly pieceSize: number;
}

/** A loss, and the outputs that it is of. */
export interface Results {
  readonly value: Tensor;
  readonly outputs: Tensor;
}

export class Learning {
  readonly #options: LearningOptions;
  /** A step on a whole batch, as a GPU does it: its launches are kept and replayed. */
  readonly #captured: CapturedStep<[x: Tensor, target: Tensor], Results>;

  constructor(options: LearningOptions) {
    const { model, optimizers, clipNorm, loss } = options;
    this.#options = options;
    this.#captured = capture((x: Tensor, target: Tensor) => {
      for (const optimizer of optimizers) optimizer.zeroGrad();
      const outputs = model.network.forward(x);
      const value = loss.compute(outputs, target);
      value.backward();
      if (clipNorm > 0) nn.utils.clipGradNorm(model.network.parameters(), clipNorm);
      for (const optimizer of optimizers) optimizer.step();
      return { value, outputs };
    });
  }

  /** One step, sent off: at once on a GPU, in pieces on the CPU. Scores are known later. */
  async step(indices: Uint32Array): Promise<Piece[]> {
    if (this.#options.device.type !== 'cpu') return [this.#replay(indices)];
    const pieces = await this.#backward(indices);
    await this.#breathe();
    await this.#update();
    return pieces;
  }

  /** The loss of a batch, and the outputs. */
  forward(batch: Batch): Results {
    const { model, loss, task, device } = this.#options;
    const outputs = model.network.forward(rowsOf(task, batch.x, device));
    return { value: lossOf(loss, outputs, batch.wanted), outputs };
  }

  /** Frees the launches of a captured step. */
  dispose(): void {
    this.#captured.dispose();
  }

  #replay(indices: Uint32Array): Piece {
    const { loss, task, device } = this.#options;
    const batch = task.training.gather(indices);
    const results = scope(() => {
      const target = loss.target(batch.wanted, task.outputs, device);
      return this.#captured(rowsOf(task, batch.x, device), target);
    });
    return this.#piece(results, batch);
  }

  /** Gradients of a batch, in pieces. */
  async #backward(indices: Uint32Array): Promise<Piece[]> {
    const { optimizers, loss, task, device, pieceSize } = this.#options;
    const size = loss.separable ? pieceSize : indices.length;
    for (const optimizer of optimizers) optimizer.zeroGrad();
    const pieces: Piece[] = [];
    for (let from = 0; from < indices.length; from += size) {
      if (from > 0) await this.#breathe();
      const batch = task.training.gather(indices.subarray(from, from + size));
      const share = batch.count / indices.length;
      const results = scope(() => {
        const made = this.forward(batch);
        made.value.backward(share === 1 ? undefined : tensor(share, { device }));
        return made;
      });
      pieces.push(this.#piece(results, batch));
    }
    return pieces;
  }

  /** One step of the optimizers. */
  async #update(): Promise<void> {
    const { optimizers, clipNorm, model } = this.#options;
    if (clipNorm > 0) {
      scope(() => nn.utils.clipGradNorm(model.network.parameters(), clipNorm));
      await this.#breathe();
    }
    for (const optimizer of optimizers) {
      scope(() => optimizer.step());
      await this.#breathe();
    }
  }

  #piece(made: Results, batch: Batch): Piece {
    const score = this.#score(made, batch);
    // if a later step or piece throws before this is awaited, that error is the one to show
    score.catch(() => undefined);
    return { score, count: batch.count };
  }

  async #score(made: Results, batch: Batch): Promise<Score> {
    const { loss, outputs } = await read(made);
    return scoreOf(this.#options.task, loss, outputs, batch);
  }

  async #breathe(): Promise<void> {
    await this.#options.breathe?.();
  }
}

/** Inputs, row by row. */
export function rowsOf({ inputs }: Pick<Task, 'inputs'>, x: Float32Array, device: Device): Tensor {
  return tensor(x, { shape: [x.length / inputs, inputs], device });
}

/** The numbers of results, which are freed. */
export async function read({
  value,
  outputs,
}: Results): Promise<{ loss: number; outputs: Float32Array }> {
  try {
    const [loss, values] = await Promise.all([value.item(), outputs.data()]);
    return { loss, outputs: Float32Array.from(values) };
  } finally {
    value.dispose();
    outputs.dispose();
  }
}
