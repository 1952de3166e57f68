// Checks of captured steps on any device: the same bits as the function itself, what is captured again, what is refused.
import {
  add,
  AutogradError,
  capture,
  crossEntropy,
  DeviceMismatchError,
  DisposedError,
  embedding,
  gumbelSoftmax,
  init,
  manualSeed,
  mean,
  mseLoss,
  mul,
  nn,
  noGrad,
  OptionError,
  optim,
  randn,
  relu,
  rrelu,
  scaledDotProductAttention,
  scope,
  sum,
  tensor,
  type CapturedStep,
  type Device,
  type Tensor,
} from '../src/index.ts';
import { ensure, ensureEqual, ensureThrows, type Check } from './check.ts';

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

type Step = (x: Tensor) => Tensor | Tensor[];

/** What `build` makes of a function that may be captured, and how often it was. */
interface Case {
  /** Makes the function and what changes between its calls. */
  readonly build: (device: Device) => {
    readonly fn: Step;
    /** Called before each call. */
    readonly before?: (i: number) => void;
    /** What is compared in the end, besides the results. */
    readonly learned?: () => readonly Tensor[];
  };
  readonly calls: number;
  /** How often it is captured on a GPU. */
  readonly captures: number;
}

const bitsOf = async (tensors: readonly Tensor[]): Promise<number[][]> =>
  Promise.all(
    tensors.map(async (one) => [...new Uint32Array(Float32Array.from(await one.data()).buffer)]),
  );

/** Calls a function several times as it is, and captured: each time from the same beginning. */
async function compare(device: Device, { build, calls, captures }: Case): Promise<void> {
  const run = async (captured: boolean): Promise<number[][]> => {
    manualSeed(3);
    const { fn, before, learned } = build(device);
    const step = captured ? capture(fn) : null;
    const results: Tensor[] = [];
    for (let i = 0; i < calls; i++) {
      before?.(i);
      const values = Float32Array.from({ length: 24 }, (_, k) => Math.sin(k * 2.3 + i));
      const x = tensor(values, { shape: [4, 6], device });
      results.push(...[scope(() => (step ?? fn)(x))].flat());
      x.dispose();
    }
    const bits = await bitsOf([...results, ...(learned?.() ?? [])]);
    if (step) ensureEqual(step.captures, times(device, captures, calls), 'captures');
    step?.dispose();
    return bits;
  };
  ensureEqual(await run(true), await run(false), 'results of the captured function');
}

const CASES: Readonly<Record<string, Case>> = {
  'gradients that add up, and are cleared from time to time: captured without and with one': {
    build: (device) => {
      const w = tensor([1, -2, 3, 0.5, 1, 2], { device, requiresGrad: true });
      return {
        fn: (x) => {
          const loss = mean(mul(x, w));
          loss.backward();
          return loss;
        },
        before: (i) => {
          if (i % 3 !== 0) return;
          w.grad?.dispose();
          w.grad = null;
        },
        learned: () => [w, ...(w.grad ? [w.grad] : [])],
      };
    },
    calls: 8,
    captures: 2,
  },
  'gradients cleared outside before each call': {
    build: (device) => {
      const layer = new nn.Linear(6, 3, { device });
      const optimizer = new optim.Adam(layer.parameters(), { lr: 0.1 });
      return {
        fn: (x) => {
          const loss = mean(relu(layer.forward(x)));
          loss.backward();
          optimizer.step();
          return loss;
        },
        before: () => {
          optimizer.zeroGrad();
        },
        learned: () => layer.parameters().flatMap((one) => [one, ...(one.grad ? [one.grad] : [])]),
      };
    },
    calls: 5,
    captures: 1,
  },
  'options, frozen layers, and the mode of a module changed between calls': {
    build: (device) => {
      const model = new nn.Sequential(new nn.Linear(6, 3, { device }), new nn.Dropout());
      const optimizer = new optim.SGD(model.parameters(), { lr: 0.1 });
      return {
        fn: (x) => {
          optimizer.zeroGrad();
          const y = model.forward(x);
          const loss = mean(mul(y, y));
          loss.backward();
          optimizer.step();
          return [loss, y];
        },
        before: (i) => {
          if (i === 2) optimizer.lr = 0.01;
          if (i === 3) for (const group of optimizer.paramGroups) group.momentum = 0.9;
          if (i === 5) model.eval();
          if (i === 6) for (const one of model.parameters().slice(1)) one.requiresGrad = false;
          if (i === 8) model.train();
        },
        learned: () => model.parameters(),
      };
    },
    calls: 10,
    captures: 5,
  },
  'a state of the optimizer loaded between calls': {
    build: (device) => {
      const w = tensor([1, -2, 3, 0.5, 1, 2], { device, requiresGrad: true });
      const optimizer = new optim.Adam([w], { lr: 0.1 });
      let saved: optim.OptimizerState | null = null;
      return {
        fn: (x) => {
          optimizer.zeroGrad();
          const loss = mean(mul(x, w));
          loss.backward();
          optimizer.step();
          return loss;
        },
        before: (i) => {
          if (i === 3) {
            const { steps, state, paramGroups = [] } = optimizer.stateDict();
            ensureEqual(steps, [3], 'steps');
            saved = {
              steps: [2],
              state: state.map((own) => own.map((one) => add(one, 0.5))),
              paramGroups,
            };
          }
          if (i === 5 && saved) optimizer.loadStateDict(saved);
        },
        learned: () => [w, ...optimizer.stateDict().state.flat()],
      };
    },
    calls: 8,
    captures: 2,
  },
  'a schedule, a seed and a rate set by the function': {
    build: (device) => {
      const w = tensor([1, -2, 3, 0.5, 1, 2], { device, requiresGrad: true });
      const optimizer = new optim.SGD([w], { lr: 0.5 });
      const schedules = [
        new optim.lrScheduler.ExponentialLR(optimizer, 0.9),
        new optim.lrScheduler.StepLR(optimizer, 2),
      ];
      const schedule = new optim.lrScheduler.SequentialLR(optimizer, schedules, [3]);
      return {
        fn: (x) => {
          optimizer.zeroGrad();
          manualSeed(5);
          const loss = mean(mul(add(x, randn([4, 6], { device })), w));
          loss.backward();
          optimizer.step();
          schedule.step();
          return loss;
        },
        learned: () => [w],
      };
    },
    calls: 6,
    captures: 1,
  },
  'random numbers of every kind': {
    build: (device) => {
      const qkv = tensor(Float32Array.from({ length: 24 }, Math.cos), { shape: [4, 6], device });
      return {
        fn: (x) => [
          rrelu(x, { training: true }),
          gumbelSoftmax(x),
          randn([5], { device }),
          scaledDotProductAttention(x, qkv, qkv, { dropoutP: 0.4 }),
        ],
      };
    },
    calls: 4,
    captures: 1,
  },
  'running statistics': {
    build: (device) => {
      const norm = new nn.BatchNorm1d(6, { device });
      return { fn: (x) => norm.forward(x), learned: () => Object.values(norm.stateDict()) };
    },
    calls: 4,
    captures: 1,
  },
  'what the host writes in the function is there anew in each call': {
    build: (device) => ({
      fn: (x) => {
        const total = tensor([[10], [20], [30], [40]], { device });
        const sums = sum(x, { dim: 1, keepdim: true });
        add(total, sums, { out: total });
        return [total, add(total, 1)];
      },
    }),
    calls: 3,
    captures: 1,
  },
  'more launches than a batch has': {
    build: () => ({
      fn: (x) => {
        let y = x;
        for (let i = 0; i < 300; i++) y = add(mul(y, 0.5), x);
        return y;
      },
    }),
    calls: 3,
    captures: 1,
  },
};

const data = async (one: Tensor): Promise<number[]> => [...(await one.data())];

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
  ...Object.entries(CASES).map(([name, one]) => ({
    name,
    run: (device: Device) => compare(device, one),
  })),
  {
    name: 'results are nested as the function nests them, each call has its own, and none has a graph',
    run: async (device) => {
      const w = tensor([2, 3], { device, requiresGrad: true });
      const step = capture((inputs: { x: Tensor; rest: readonly Tensor[] }, factor: number) => {
        const product = mul(inputs.x, w);
        return {
          list: [product, [w]],
          x: inputs.x,
          sum: add(product, mul(inputs.rest[0] ?? w, factor)),
          product,
        };
      });
      const call = (x: number, factor: number) =>
        step({ x: tensor([x, 1], { device }), rest: [tensor([1, 1], { device })] }, factor);
      const [first, second, third] = [call(1, 1), call(5, 1), call(5, 2)];
      for (const [made, x, factor] of [
        [first, 1, 1],
        [second, 5, 1],
        [third, 5, 2],
      ] as const) {
        ensureEqual(await data(made.sum), [2 * x + factor, 3 + factor], 'sum');
        ensureEqual(await data(made.x), [x, 1], 'an input');
        ensureEqual(await data(made.product), [2 * x, 3], 'product');
        ensure(!made.sum.requiresGrad && made.sum.node === null, 'a result has a graph');
      }
      ensureEqual(step.captures, times(device, 2, 3), 'captures');
      w.dispose();
      ensureThrows(() => call(1, 1), DisposedError);
      step.dispose();
      ensureEqual(await data(second.sum), [11, 4], 'sum after the step is disposed of');
      ensureThrows(() => call(1, 1), DisposedError);
      const nothing = capture((x: Tensor) => {
        relu(x);
      });
      const x = tensor([1], { device });
      const results: unknown[] = [nothing, nothing].map((again) => again(x));
      ensureEqual(results, [undefined, undefined], 'nothing');
    },
  },
  {
    name: 'class indices: those that the host knows are checked, and those that are ignored counted',
    run: async (device) => {
      const x = tensor([1, 2, 3, 4, 5, 7], { shape: [3, 2], device });
      const classes = (...list: number[]) => tensor(list, { dtype: 'int32', device });
      const table = tensor([1, 2, 3, 4, 5, 6], { shape: [3, 2], device, requiresGrad: true });
      const step = capture((target: Tensor) => {
        table.grad?.dispose();
        table.grad = null;
        const loss = crossEntropy(add(x, embedding(target, table, { paddingIdx: 0 })), target);
        loss.backward();
        return loss;
      });
      const eager = (target: Tensor) =>
        crossEntropy(add(x, embedding(target, table, { paddingIdx: 0 })), target);
      for (const list of [
        [1, 0, 1],
        [0, 0, 0],
        [1, 1, 0],
      ]) {
        const [is, wanted] = [step(classes(...list)), eager(classes(...list))];
        ensureEqual(await data(is), await data(wanted), `the loss of ${list.join()}`);
      }
      // Without a gradient before it, and with one.
      ensureEqual(step.captures, times(device, 2, 3), 'captures');
      step.dispose();
      const loss = capture((target: Tensor) => crossEntropy(x, target));
      for (const list of [
        [0, -100, 1],
        [0, 1, 1],
        [-100, 1, -100],
      ]) {
        const [is, wanted] = [loss(classes(...list)), crossEntropy(x, classes(...list))];
        const [a = NaN] = await data(is);
        const [b = NaN] = await data(wanted);
        ensure(Math.abs(a - b) <= 2 ** -22 * Math.abs(b), `${a}, expected ${b}`);
      }
      ensureEqual(loss.captures, times(device, 2, 3), 'captures');
      try {
        await loss(classes(0, 5, 1)).data();
        ensure(false, 'a class index out of range is no error');
      } catch (error) {
        ensure(String(error).includes('class indices from 0 to 1'), String(error));
      }
    },
  },
  {
    name: 'what cannot be captured is refused, by name',
    run: async (device) => {
      const x = tensor([1, 2], { device });
      const one = tensor([1], { device });
      const inner = capture((y: Tensor) => relu(y));
      const says = (fn: (y: Tensor) => unknown, words: string): void => {
        const step = capture(fn);
        for (let i = 0; i < 2; i++) {
          try {
            step(x);
          } catch (error) {
            ensure(error instanceof OptionError, `expected OptionError, got ${String(error)}`);
            ensure(error.message.includes(words), `${error.message} does not say ${words}`);
            continue;
          }
          ensure(false, `no error that says ${words}`);
        }
      };
      says((y) => y.data(), 'data: expected no value read');
      says((y) => y.array(), 'array: expected no value read');
      says(() => one.item(), 'item: expected no value read');
      says((y) => y.buffer(), 'buffer: expected no value read');
      says((y) => {
        try {
          void y.data();
        } catch {
          return relu(y);
        }
        return y;
      }, 'data: expected no value read');
      says((y) => inner(y), 'capture: expected no captured step called in another');
      says((y) => new nn.Linear(2, 1, { device }).forward(y), 'no random numbers of the host');
      says(() => 3, 'capture: fn: expected a function that returns tensors');
      says((y) => ({ y, size: y.size }), 'received one that returns 2');
      says(async (y) => {
        await Promise.resolve();
        return y;
      }, 'capture: fn: expected a synchronous function');
      says((y) => {
        new optim.lrScheduler.ReduceLROnPlateau(new optim.SGD([tensor([1], { device })])).step(1);
        return y;
      }, 'ReduceLROnPlateau.step: expected no metric');
      ensureThrows(() => capture(5 as never), OptionError);
      ensureThrows(() => inner(new Map() as never), OptionError);
      const other = await init({ backend: 'cpu' });
      const elsewhere = tensor([1, 2], { device: other });
      const sum2 = capture((a: Tensor, b: Tensor) => add(a, b));
      ensureThrows(() => sum2(x, elsewhere), DeviceMismatchError);
      ensureThrows(() => capture((_y: Tensor) => relu(elsewhere))(x), DeviceMismatchError);
      const needs = tensor([1, 2], { device, requiresGrad: true });
      ensureThrows(() => inner(needs), AutogradError);
      ensureEqual(await data(noGrad(() => inner(needs))), [1, 2], 'within noGrad');
      const gone = tensor([1, 2], { device });
      gone.dispose();
      ensureThrows(() => inner(gone), DisposedError);
      // What it has refused leaves no trace.
      ensureEqual(await data(inner(x)), [1, 2], 'a step afterwards');
      inner.dispose();
      await device.synchronize();
    },
  },
  {
    name: 'a wrong rate is refused before anything is done',
    run: async (device) => {
      const w = tensor([1, 2], { device, requiresGrad: true });
      const optimizer = new optim.Adam([w], { lr: 0.1 });
      const step = capture((x: Tensor) => {
        optimizer.zeroGrad();
        const loss = mseLoss(mul(w, x), x);
        loss.backward();
        optimizer.step();
        return loss;
      });
      const x = tensor([3, 4], { device });
      step(x);
      step(x);
      const before = await data(w);
      const [group] = optimizer.paramGroups;
      if (group) group.lr = NaN;
      ensureThrows(() => step(x), OptionError);
      ensureEqual(optimizer.stateDict().steps, [2], 'steps');
      ensureEqual(await data(w), before, 'the parameter');
      if (group) group.lr = 0.1;
      step(x);
      ensureEqual(optimizer.stateDict().steps, [3], 'steps');
    },
  },
];
