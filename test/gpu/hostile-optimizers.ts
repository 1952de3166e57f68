// A check per optimizer: hostile parameters and gradients, the GPU against the CPU device by every plan. Free of any test
// runner.
import { optim, scope, tensor, type Device, type Tensor } from '../../src/index.ts';
import { randomNumbers } from '../calls.ts';
import { ensure, type Check } from '../check.ts';
import { HOSTILE } from '../hostile.ts';
import type { HostileDevices } from './hostile-checks.ts';
import { classOf, SMALLEST_NORMAL, ulp32 } from '../ulp.ts';

type Make = (parameters: Tensor[], options: object) => optim.Optimizer;

/** Every optimizer that is exported. */
const OPTIMIZERS: [string, Make][] = Object.entries(optim as Record<string, unknown>).flatMap(
  ([name, value]) => {
    if (typeof value !== 'function' || !(value.prototype instanceof optim.Optimizer)) return [];
    const make: Make = (parameters, options) =>
      Reflect.construct(value, [parameters, { lr: 0.125, ...options }]) as optim.Optimizer;
    return [[name, make]];
  },
);

/** Options that one of them has; those that it does not have are left out. */
const OPTIONS: readonly Readonly<Record<string, unknown>>[] = [
  {},
  { weightDecay: 0.25 },
  { amsgrad: true, maximize: true },
  { momentum: 0.5, nesterov: true },
  { momentum: 0.5, alpha: 0.75 },
];

const COLUMNS = 65;
const STEPS = 3;

/** A row of each family, another beside it in the second tensor. */
function rows(seed: number): Float32Array {
  const random = randomNumbers(seed);
  return Float32Array.from(
    HOSTILE.flatMap((_, i) => HOSTILE[(i + seed) % HOSTILE.length]?.row(COLUMNS, random, 3) ?? []),
  );
}

async function updated(
  device: Device,
  make: Make,
  options: object,
  change: (value: number) => number = (value) => value,
): Promise<Float32Array> {
  const shape = [HOSTILE.length, COLUMNS];
  const parameter = scope(() => {
    const w = tensor(rows(0).map(change), { shape, device, requiresGrad: true });
    const optimizer = make([w], options);
    for (let step = 1; step <= STEPS; step++) {
      w.grad = tensor(rows(7 * step).map(change), { shape, device });
      optimizer.step();
    }
    optimizer.dispose();
    return w.detach();
  });
  const values = await parameter.data();
  parameter.dispose();
  return values as Float32Array;
}

/** Whether an optimizer has these options. */
function takes(make: Make, options: object, device: Device): boolean {
  const w = tensor([1], { device, requiresGrad: true });
  try {
    make([w], options);
    return true;
  } catch {
    return false;
  } finally {
    w.dispose();
  }
}

async function checkOptimizer(make: Make, { cpu, plans }: HostileDevices): Promise<void> {
  let tried = 0;
  const given = [rows(0), ...Array.from({ length: STEPS }, (__, step) => rows(7 * (step + 1)))];
  for (const options of OPTIONS) {
    if (!takes(make, options, cpu)) continue;
    tried++;
    const added = 'weightDecay' in options || 'momentum' in options;
    const expected = await updated(cpu, make, options);
    const random = randomNumbers(1);
    const near = await updated(cpu, make, options, (value) =>
      Math.fround(value * (random() < 0.5 ? 1 - 2 ** -23 : 1 + 2 ** -23)),
    );
    for (const [plan, gpu] of plans) {
      const actual = await updated(gpu, make, options);
      const wrong: string[] = [];
      expected.forEach((e, i) => {
        const value = actual[i] ?? NaN;
        const moved = Math.abs((near[i] ?? NaN) - e);
        const allowed = 8 * ulp32(e) + 8 * (moved < Infinity ? moved : 0) + 4 * SMALLEST_NORMAL;
        const ok =
          classOf(e) === 'finite' ? Math.abs(value - e) <= allowed : classOf(value) === classOf(e);
        // The decay of a weight, or momentum, is added to a gradient: that may leave float32, in PyTorch too.
        const leaves = added && given.some((values) => Math.abs(values[i] ?? 0) > 2 ** 126);
        if (!ok && !(leaves && !Number.isFinite(value)))
          wrong.push(`[${Math.floor(i / COLUMNS)}, ${i % COLUMNS}] = ${value}, CPU ${e}`);
      });
      const shown = [`${plan}, ${JSON.stringify(options)}:`, ...wrong.slice(0, 20)];
      ensure(wrong.length === 0, shown.join('\n'));
    }
  }
  ensure(tried > 1, `only ${tried} of the options were taken`);
}

export const optimizerChecks: readonly Check<HostileDevices>[] = OPTIMIZERS.map(([name, make]) => ({
  name,
  run: (devices) => checkOptimizer(make, devices),
}));
