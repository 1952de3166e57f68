// Trains a GPT on a text: AdamW, a warm-up, a cosine, clipped gradients.
import {
  capture,
  manualSeed,
  nn,
  noGrad,
  optim,
  scope,
  tensor,
  type CapturedStep,
  type Device,
  type Tensor,
} from 'nonlin';
import { restoreCheckpoint, takeCheckpoint, type Checkpoint } from '../training/checkpoint.ts';
import { generator } from '../training/random.ts';
import type { GptConfig, WriterSettings } from './config.ts';
import { Gpt } from './gpt.ts';
import { drawPieces, evenPieces, type Corpus, type Pieces } from './text.ts';

/** Pieces of held-out text that each test takes. */
const TEST_PIECES = 64;
/** The losses of so many steps are read together at most. */
const MOST_STEPS_PER_READ = 50;
/** The learning rate rises over so much of the run, and then falls to a tenth. */
const WARM_UP = 0.05;

export type Report =
  | { readonly kind: 'steps'; readonly step: number; readonly losses: readonly number[] }
  | { readonly kind: 'test'; readonly step: number; readonly loss: number };

/** What a step is to the device. */
export interface StepCost {
  /** Launches of kernels. */
  readonly launches: number;
  /** Submits to the GPU's queue. */
  readonly submits: number;
}

export interface WriterOptions {
  readonly config: GptConfig;
  readonly settings: WriterSettings;
  readonly corpus: Corpus;
  readonly device: Device;
  /** One that has learned something already, for a new one; of that configuration. The writer disposes it. */
  readonly model?: Gpt;
  /** Where another writer of the same settings and text was: this one goes on from there. */
  readonly from?: Checkpoint;
  /** The losses of the steps of so long are read together; defaults to 150 ms. 0: each by itself. */
  readonly readMs?: number;
}

export class Writer {
  readonly model: Gpt;
  readonly #options: WriterOptions;
  readonly #optimizer: optim.AdamW;
  readonly #scheduler: optim.lrScheduler.SequentialLR;
  readonly #random: () => number;
  /** A step of training: on a GPU its launches are kept and replayed. */
  readonly #train: CapturedStep<[inputs: Tensor, targets: Tensor], Tensor>;
  #step = 0;
  #stepsPerRead = 1;
  #cost: StepCost | undefined;

  constructor(options: WriterOptions) {
    const { config, settings, device } = options;
    const { seed, learningRate: lr, weightDecay, steps } = settings;
    this.#options = options;
    manualSeed(seed);
    this.#random = generator(seed);
    this.model = options.model ?? new Gpt(config, device);
    const parameters = this.model.parameters();
    // Weights decay; biases, and the weights of norms, are vectors and do not.
    const groups = [
      { params: parameters.filter(({ rank }) => rank > 1), weightDecay },
      { params: parameters.filter(({ rank }) => rank <= 1), weightDecay: 0 },
    ];
    this.#optimizer = new optim.AdamW(groups, { lr, betas: [0.9, 0.99] });
    const warmUp = Math.max(1, Math.round(WARM_UP * steps));
    const { LinearLR, CosineAnnealingLR, SequentialLR } = optim.lrScheduler;
    this.#scheduler = new SequentialLR(
      this.#optimizer,
      [
        new LinearLR(this.#optimizer, { startFactor: 1 / warmUp, totalIters: warmUp }),
        new CosineAnnealingLR(this.#optimizer, Math.max(1, steps - warmUp), { etaMin: lr / 10 }),
      ],
      [warmUp],
    );
    this.#train = capture((inputs: Tensor, targets: Tensor) => {
      this.#optimizer.zeroGrad();
      const loss = this.model.loss(inputs, targets);
      loss.backward();
      nn.utils.clipGradNorm(parameters, settings.maxNorm);
      this.#optimizer.step();
      return loss;
    });
    if (options.from) this.#goOnFrom(options.from);
  }

  get step(): number {
    return this.#step;
  }

  /** Undefined before the third step: the first makes what later ones find, and is captured by itself. */
  get cost(): StepCost | undefined {
    return this.#cost;
  }

  /** Trains to the end of the run. The first report is a test before any step. */
  async *train(): AsyncGenerator<Report> {
    const { steps, testEvery } = this.#options.settings;
    yield { kind: 'test', step: this.#step, loss: await this.test() };
    let pending: Tensor[] = [];
    let since = performance.now();
    let done = 0;
    while (this.#step < steps) {
      pending.push(this.#cost || ++done < 3 ? this.#update() : await this.#measured());
      const tested = this.#step % testEvery === 0 || this.#step === steps;
      if (pending.length < this.#stepsPerRead && !tested) continue;
      const losses = await readAll(pending);
      this.#pace((performance.now() - since) / pending.length);
      pending = [];
      yield { kind: 'steps', step: this.#step, losses };
      if (tested) yield { kind: 'test', step: this.#step, loss: await this.test() };
      since = performance.now();
    }
  }

  /** Everything that another writer needs to go on from here. To be called between two reports. */
  checkpoint(): Promise<Checkpoint> {
    return takeCheckpoint(this.#step, this.model, [this.#optimizer]);
  }

  /** The mean loss of held-out text, of the same pieces each time. */
  async test(): Promise<number> {
    const { corpus, settings, config } = this.#options;
    const { batchSize } = settings;
    const batches = Math.ceil(TEST_PIECES / batchSize);
    const pieces = evenPieces(corpus.heldOut, batches * batchSize, config.context);
    const size = batchSize * config.context;
    this.model.eval();
    const losses = Array.from({ length: batches }, (_, i) => {
      const [from, to] = [i * size, (i + 1) * size];
      const batch = {
        inputs: pieces.inputs.subarray(from, to),
        targets: pieces.targets.subarray(from, to),
      };
      return noGrad(() => scope(() => this.model.loss(...this.#tensors(batch))));
    });
    this.model.train();
    const values = await readAll(losses);
    return values.reduce((sum, value) => sum + value, 0) / values.length;
  }

  dispose(): void {
    this.#train.dispose();
    this.#optimizer.dispose();
    this.model.dispose();
  }

  #goOnFrom(from: Checkpoint): void {
    restoreCheckpoint(from, this.model, [this.#optimizer], this.#options.device);
    // The rate and the pieces that come next are those after as many steps.
    for (; this.#step < from.step; this.#step++) {
      this.#scheduler.step();
      for (let i = 0; i < this.#options.settings.batchSize; i++) this.#random();
    }
  }

  /** A device that is slow is asked more often; one that is fast does not wait for the answer. At most twice as many as before. */
  #pace(stepMs: number): void {
    const { readMs = 150 } = this.#options;
    const wanted = Math.min(readMs / stepMs, 2 * this.#stepsPerRead, MOST_STEPS_PER_READ);
    this.#stepsPerRead = Math.max(1, Math.floor(wanted));
  }

  /** The same alone, and counted. */
  async #measured(): Promise<Tensor> {
    const { device } = this.#options;
    await device.synchronize();
    // what waiting itself takes is no part of a step
    const idle = device.stats();
    await device.synchronize();
    const before = device.stats();
    const loss = this.#update();
    await device.synchronize();
    const after = device.stats();
    const more = (name: 'dispatches' | 'submits') =>
      after[name] - before[name] - (before[name] - idle[name]);
    this.#cost = { launches: more('dispatches'), submits: more('submits') };
    return loss;
  }

  /** One step, sent off. Returns its loss, which is known later. */
  #update(): Tensor {
    const { corpus, settings, config } = this.#options;
    const pieces = drawPieces(corpus.training, settings.batchSize, config.context, this.#random);
    const loss = scope(() => this.#train(...this.#tensors(pieces)));
    this.#scheduler.step();
    this.#step++;
    return loss;
  }

  #tensors({ inputs, targets }: Pieces): [inputs: Tensor, targets: Tensor] {
    const { config, device } = this.#options;
    const { context } = config;
    const options = { dtype: 'int32', device } as const;
    return [
      tensor(inputs, { shape: [inputs.length / context, context], ...options }),
      tensor(targets, { shape: [targets.length], ...options }),
    ];
  }
}

async function readAll(losses: readonly Tensor[]): Promise<number[]> {
  try {
    return await Promise.all(losses.map((loss) => loss.item()));
  } finally {
    for (const loss of losses) loss.dispose();
  }
}
