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
import { generator } from '../training/random.ts';
import { Gpt, type GptConfig } from './gpt.ts';
import { drawPieces, evenPieces, type Corpus, type Pieces } from './text.ts';

export interface WriterSettings {
  readonly steps: number;
  readonly batchSize: number;
  readonly learningRate: number;
  readonly weightDecay: number;
  readonly maxNorm: number;
  readonly seed: number;
  /** Steps between two tests on held-out text. */
  readonly testEvery: number;
}

export const DEFAULTS: WriterSettings = {
  steps: 500,
  batchSize: 16,
  learningRate: 1e-3,
  weightDecay: 0.1,
  maxNorm: 1,
  seed: 1,
  testEvery: 100,
};

/** Pieces of held-out text that each test takes. */
const TEST_PIECES = 64;
/** The losses of so many steps are read together. */
const STEPS_PER_READ = 10;
/** The learning rate rises over so much of the run, and then falls to a tenth. */
const WARM_UP = 0.05;

export type Report =
  | { readonly kind: 'steps'; readonly step: number; readonly losses: readonly number[] }
  | { readonly kind: 'test'; readonly step: number; readonly loss: number };

export interface WriterOptions {
  readonly config: GptConfig;
  readonly settings: WriterSettings;
  readonly corpus: Corpus;
  readonly device: Device;
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

  constructor(options: WriterOptions) {
    const { config, settings, device } = options;
    const { seed, learningRate: lr, weightDecay, steps } = settings;
    this.#options = options;
    manualSeed(seed);
    this.#random = generator(seed);
    this.model = new Gpt(config, device);
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
  }

  get step(): number {
    return this.#step;
  }

  /** Trains to the end of the run. The first report is a test before any step. */
  async *train(): AsyncGenerator<Report> {
    const { steps, testEvery } = this.#options.settings;
    yield { kind: 'test', step: this.#step, loss: await this.test() };
    let pending: Tensor[] = [];
    while (this.#step < steps) {
      pending.push(this.#update());
      const tested = this.#step % testEvery === 0 || this.#step === steps;
      if (pending.length < STEPS_PER_READ && !tested) continue;
      const losses = await readAll(pending);
      pending = [];
      yield { kind: 'steps', step: this.#step, losses };
      if (tested) yield { kind: 'test', step: this.#step, loss: await this.test() };
    }
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
