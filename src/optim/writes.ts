// How the updates of a step are launched: small tensors together, others one by one.
import type { Device } from '../core/device.ts';
import { staged } from '../core/dispatcher.ts';
import { BYTES } from '../core/dtype.ts';
import type { Tensor } from '../core/tensor.ts';
import { updateKernel } from '../kernels/many/update.ts';
import { pointwise, type PointwiseOp } from '../kernels/pointwise/plan.ts';
import type { ParamValues } from '../shader/params.ts';

/** What a step does to one parameter. */
export interface Update {
  readonly parameter: Tensor;
  readonly grad: Tensor;
  /** Its number, from 1. */
  readonly step: number;
  readonly state: readonly Tensor[];
  readonly op: PointwiseOp;
  readonly params: ParamValues;
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
}

/** Longer tensors keep a GPU busy by themselves: a launch takes longer than what it takes to begin one. */
const LONGEST = 2 ** 18;
/** Updates of one run of the kernel: it looks at all pairs of its tensors. A multiple of what launches take, 2, 3, 4 or 8. */
const MOST = 24;

/**
 * For each device the functions that write the updates: all memory that they need is there. The results are the same, bit by bit,
 * however updates are put together.
 */
export function writesOf(
  name: string,
  updates: readonly Update[],
): ReadonlyMap<Device, readonly (() => void)[]> {
  const together = new Map<PointwiseOp, Update[]>();
  const alone: Update[] = [];
  const gpu = updates.filter(({ parameter }) => parameter.device.type === 'webgpu');
  const written = timesWritten(name, gpu);
  for (const update of updates) {
    if (!joins(name, update, written)) {
      alone.push(update);
      continue;
    }
    const list = together.get(update.op);
    if (list) list.push(update);
    else together.set(update.op, [update]);
  }
  const writes = new Map<Device, (() => void)[]>();
  const add = (some: readonly Update[], functions: readonly (() => void)[]): void => {
    functions.forEach((write, i) => {
      const device = some[i]?.parameter.device;
      if (!device) return;
      const list = writes.get(device);
      if (list) list.push(write);
      else writes.set(device, [write]);
    });
  };
  for (const [op, list] of together) {
    for (const device of new Set(list.map(({ parameter }) => parameter.device))) {
      const own = list.filter(({ parameter }) => parameter.device === device);
      if (own.length === 1) alone.push(...own);
      else {
        for (let first = 0; first < own.length; first += MOST) {
          const some = own.slice(first, first + MOST);
          const run = {
            args: { op, params: some.map(({ params }) => params) },
            inputs: some.flatMap(({ inputs }) => inputs),
            outputs: some.flatMap(({ outputs }) => outputs),
          };
          add(some, staged(updateKernel, [run]));
        }
      }
    }
  }
  const runs = alone.map(({ op, params, parameter, inputs, outputs }) => ({
    args: { op, params, shape: parameter.shape },
    inputs,
    outputs,
  }));
  add(alone, staged(pointwise, runs));
  return writes;
}

/** How often each memory is written in a step. */
function timesWritten(name: string, updates: readonly Update[]): ReadonlyMap<object, number> {
  const times = new Map<object, number>();
  for (const { outputs } of updates) {
    for (const tensor of outputs) {
      const memory = tensor.device.memoryOf(tensor.storage(name));
      times.set(memory, (times.get(memory) ?? 0) + 1);
    }
  }
  return times;
}

/**
 * Whether an update may be launched with others: its tensors are short, can be read in packs of four, and share no memory with
 * what another update writes.
 */
function joins(
  name: string,
  { parameter, grad, inputs, outputs }: Update,
  written: ReadonlyMap<object, number>,
): boolean {
  const { device, size } = parameter;
  if (device.type !== 'webgpu' || size === 0 || size > LONGEST) return false;
  const memoryOf = (tensor: Tensor): object => device.memoryOf(tensor.storage(name));
  return (
    inputs.every((one) => device.isPadded(one.storage(name), size * BYTES[one.dtype])) &&
    outputs.every((one) => written.get(memoryOf(one)) === 1) &&
    !written.has(memoryOf(grad))
  );
}
