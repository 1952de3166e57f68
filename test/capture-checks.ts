// Checks of captured steps on any device: the same bits as the function itself, what is captured again, what is refused.
import {
  capture,
  crossEntropy,
  mseLoss,
  AutogradError,
  DeviceMismatchError,
  DisposedError,
  init,
  linear,
  manualSeed,
  nn,
  OptionError,
  optim,
  relu,
  scope,
  tensor,
  type CapturedStep,
  type Device,
  type Tensor,
} from '../src/index.ts';
import { ensure, ensureEqual, ensureRejects, ensureThrows, type Check } from './check.ts';

const ROWS = 12;
const INPUTS = 7;
const CLASSES = 5;

interface Training {
  readonly model: nn.Sequential;
  readonly optimizer: optim.Optimizer;
  readonly scheduler: { step: () => void };
  readonly step: (x: Tensor, target: Tensor) => { loss: Tensor; norm: Tensor };
}

type MakeOptimizer = (parameters: Tensor[]) => optim.Optimizer;

const adam: MakeOptimizer = (parameters) =>
  new optim.Adam(parameters, { lr: 0.01, weightDecay: 0.01 });

/** A network with dropout, whose gradients are clipped: twice the same from the same seed. */
function training(device: Device, make: MakeOptimizer = adam): Training {
  manualSeed(7);
  const model = new nn.Sequential(
    new nn.Linear(INPUTS, 16, { device }),
    new nn.ReLU(),
    new nn.Dropout({ p: 0.3 }),
    new nn.Linear(16, CLASSES, { device }),
  );
  const optimizer = make(model.parameters());
  const scheduler = new optim.lrScheduler.CosineAnnealingLR(optimizer, 200);
  const step = (x: Tensor, target: Tensor): { loss: Tensor; norm: Tensor } => {
    optimizer.zeroGrad();
    const loss = crossEntropy(model.forward(x), target);
    loss.backward();
    const norm = nn.utils.clipGradNorm(model.parameters(), 0.5);
    optimizer.step();
    return { loss, norm };
  };
  manualSeed(11);
  return { model, optimizer, scheduler, step };
}

/** The inputs of a step: other ones each time. */
function batch(device: Device, i: number, rows = ROWS): [x: Tensor, target: Tensor] {
  const x = Float32Array.from({ length: rows * INPUTS }, (_, k) => Math.sin(k * 1.7 + i * 0.9));
  const target = Int32Array.from({ length: rows }, (_, k) => (k * 3 + i) % CLASSES);
  return [tensor(x, { shape: [rows, INPUTS], device }), tensor(target, { dtype: 'int32', device })];
}

/** Losses and norms of some steps, and everything that was learned. */
async function trace(
  { model, optimizer, scheduler }: Training,
  step: Training['step'],
  device: Device,
  steps: number,
  rows: (i: number) => number = () => ROWS,
): Promise<number[]> {
  const seen: Tensor[] = [];
  for (let i = 0; i < steps; i++) {
    const inputs = batch(device, i, rows(i));
    const { loss, norm } = scope(() => step(...inputs));
    seen.push(loss, norm);
    for (const input of inputs) input.dispose();
    scheduler.step();
  }
  const { steps: counts, state } = optimizer.stateDict();
  const all = [...seen, ...model.parameters(), ...state.flat()];
  all.push(...model.parameters().flatMap(({ grad }) => grad ?? []));
  const values = await Promise.all(all.map((one) => one.data()));
  for (const one of seen) one.dispose();
  return [
    ...counts,
    ...values.flatMap((one) => [...new Uint32Array(Float32Array.from(one).buffer)]),
  ];
}

function dispose({ model, optimizer }: Training): void {
  optimizer.dispose();
  model.dispose();
}

/** Trains twice, once with the step captured, and compares bit by bit. */
async function sameBits(
  device: Device,
  steps: number,
  make?: MakeOptimizer,
  rows?: (i: number) => number,
): Promise<CapturedStep<[x: Tensor, target: Tensor], { loss: Tensor; norm: Tensor }>> {
  const plain = training(device, make);
  const expected = await trace(plain, plain.step, device, steps, rows);
  dispose(plain);
  const other = training(device, make);
  const step = capture(other.step);
  const received = await trace(other, step, device, steps, rows);
  ensureEqual(received, expected, 'what the captured step learned');
  step.dispose();
  dispose(other);
  return step;
}

/** How often a step that just runs counts as captured. */
const times = (device: Device, captured: number, calls: number): number =>
  device.type === 'cpu' ? calls : captured;

export const captureChecks: readonly Check<Device>[] = [
  {
    name: '200 steps with dropout, Adam, a cosine schedule and clipping: the same bits, captured once',
    run: async (device) => {
      const step = await sameBits(device, 200);
      ensureEqual(step.captures, times(device, 1, 200), 'captures');
    },
  },
  {
    name: 'SGD with momentum, RMSprop and AdamW: the same bits',
    run: async (device) => {
      const kinds: MakeOptimizer[] = [
        (w) => new optim.SGD(w, { lr: 0.1, momentum: 0.9, nesterov: true }),
        (w) => new optim.RMSprop(w, { lr: 0.01, momentum: 0.5 }),
        (w) => new optim.AdamW(w, { lr: 0.01, amsgrad: true }),
      ];
      for (const make of kinds) await sameBits(device, 6, make);
    },
  },
  {
    name: 'another shape is captured again, and the first is still there',
    run: async (device) => {
      const step = await sameBits(device, 9, adam, (i) => (i % 3 === 2 ? 5 : ROWS));
      ensureEqual(step.captures, times(device, 2, 9), 'captures');
    },
  },
];
