// Runs a kernel on tensors. It does once what every kernel needs: it allocates the outputs, handles outputs that overlap an
// input, and converts float16 for kernels that compute in float32 only.
import { capturing } from './capturing.ts';
import type { Device, Operand } from './device.ts';
import { BYTES, type DType } from './dtype.ts';
import { isTensor } from './is-tensor.ts';
import { opName, readsWide, writesWide, type DeviceKernel } from './kernel.ts';
import { castArgs, castKernel } from '../kernels/pointwise/cast.ts';
import { sizeOf, type Shape } from './shape.ts';
import type { Storage } from './storage.ts';
import type { Tensor } from './tensor.ts';

/** A tensor to make, or one to write into. */
export type Output = Like | Tensor;

interface Like {
  readonly shape: Shape;
  readonly dtype: DType;
}

/** Runs a kernel on the device of its first tensor and returns its outputs. Arguments are valid by now. */
export function run<A>(
  kernel: DeviceKernel<A>,
  args: A,
  inputs: readonly Tensor[],
  outputs: readonly Output[],
): [Tensor, ...Tensor[]] {
  const like = anyOf(inputs, outputs);
  const { device } = like;
  const op = opName(kernel, args);
  device.check(op);
  capturing()?.runsOn(op, device);
  const results: Tensor[] = [];
  const temporaries: Tensor[] = [];
  device.begin(op);
  try {
    let elements = 0;
    for (const output of outputs) {
      const result = isTensor(output) ? output : empty(like, op, output);
      results.push(result);
      elements += result.size;
    }
    if (elements > 0) fill(device, kernel, args, inputs, results, temporaries);
    for (const output of outputs) {
      if (!isTensor(output)) continue;
      const storage = output.storage(op);
      storage.version++;
      storage.forget();
    }
    return some(results);
  } catch (error) {
    // If the launch is refused, the outputs are freed.
    results.forEach((result, k) => {
      if (result !== outputs[k]) result.dispose();
    });
    throw error;
  } finally {
    device.end();
    for (const tensor of temporaries) tensor.dispose();
  }
}

/** One of the tensors of the call, all of which are on one device. */
function anyOf(inputs: readonly Tensor[], outputs: readonly Output[]): Tensor {
  const [first] = inputs;
  if (first) return first;
  for (const output of outputs) if (isTensor(output)) return output;
  throw new RangeError('a kernel without tensors');
}

/** Runs a kernel into `results`, through temporaries where it cannot write them directly. */
function fill<A>(
  device: Device,
  kernel: DeviceKernel<A>,
  args: A,
  inputs: readonly Tensor[],
  results: readonly Tensor[],
  temporaries: Tensor[],
): void {
  const stage = (like: Like): Tensor => {
    const tensor = empty(some(results)[0], opName(kernel, args), like);
    temporaries.push(tensor);
    return tensor;
  };
  // The CPU computes in float64 and rounds once, whatever the dtype.
  const onGpu = device.type === 'webgpu';
  const sources: Operand[] = [];
  for (const input of inputs) {
    if (!onGpu || !readsWide(kernel, input.dtype)) {
      sources.push(operand(input));
      continue;
    }
    const wide = stage({ shape: input.shape, dtype: 'float32' });
    cast(input, wide);
    sources.push(operand(wide));
  }
  const targets: Operand[] = [];
  let staged: Tensor[] | null = null;
  for (let k = 0; k < results.length; k++) {
    const result = results[k];
    if (!result) continue;
    let target = result;
    if (onGpu && writesWide(kernel, args, k, result.dtype)) {
      target = stage({ shape: result.shape, dtype: 'float32' });
    } else if (clashes(device, kernel, args, sources, k, result)) {
      target = stage(result.like());
    }
    if (target !== result) (staged ??= [])[k] = target;
    targets.push(operand(target, sources));
  }
  device.execute(kernel, args, sources, targets);
  if (!staged) return;
  staged.forEach((target, k) => {
    const result = results[k];
    if (!result) return;
    if (target.dtype === result.dtype) {
      device.copy(
        kernel.name,
        target.storage(kernel.name),
        result.storage(kernel.name),
        byteLength(result),
      );
    } else {
      cast(target, result);
    }
  });
}

/** Whether an output overlaps an input in a way that the kernel does not allow. A kernel may allow it element by element. */
function clashes<A>(
  device: Device,
  kernel: DeviceKernel<A>,
  args: A,
  sources: readonly Operand[],
  k: number,
  result: Tensor,
): boolean {
  const storage = result.storage(kernel.name);
  for (let i = 0; i < sources.length; i++) {
    const other = sources[i]?.storage;
    if (!other || !device.overlaps(other, storage)) continue;
    if (other !== storage || i !== (kernel.aliases?.(args, k) ?? -1)) return true;
  }
  return false;
}

/** `run` for kernels with one output. */
export function runOne<A>(
  kernel: DeviceKernel<A>,
  args: A,
  inputs: readonly Tensor[],
  output: Output,
): Tensor {
  return run(kernel, args, inputs, [output])[0];
}

/** A run that writes into existing tensors. */
export interface Rewrite<A> {
  readonly args: A;
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
}

/**
 * Does the part of several runs that may fail because memory is missing, so that all of them are done or none. The functions
 * that it returns only write. On the CPU results of float16 need memory of their own, so they are computed here already.
 */
export function staged<A>(kernel: DeviceKernel<A>, runs: readonly Rewrite<A>[]): (() => void)[] {
  const written = new Set<Storage>();
  return runs.map(({ args, inputs, outputs }) => {
    const all = [...inputs, ...outputs];
    const onItsOwn =
      anyOf(inputs, outputs).device.type === 'cpu' &&
      all.some(({ dtype }) => dtype === 'float16') &&
      // A tensor that an earlier run writes is read after that run.
      !all.some((tensor) => written.has(tensor.storage(kernel.name)));
    for (const output of outputs) written.add(output.storage(kernel.name));
    if (!onItsOwn) return () => void run(kernel, args, inputs, outputs);
    const likes = outputs.map((output) => output.like());
    const results = run(kernel, args, inputs, likes);
    return () => {
      results.forEach((result, k) => {
        const output = outputs[k];
        if (output) overwrite(kernel.name, result, output);
        result.dispose();
      });
    };
  });
}

/** Copies a result into a tensor of the same shape and dtype. */
function overwrite(op: string, from: Tensor, to: Tensor): void {
  const storage = to.storage(op);
  to.device.copy(op, from.storage(op), storage, byteLength(to));
  storage.version++;
  storage.forget();
}

/** A kernel has at least one output. */
function some(tensors: readonly Tensor[]): [Tensor, ...Tensor[]] {
  const [first, ...rest] = tensors;
  if (!first) throw new RangeError('a kernel without outputs');
  return [first, ...rest];
}

/** A tensor of uninitialised memory, on the device of another one. */
export function empty(other: Tensor, op: string, { shape, dtype }: Like): Tensor {
  const storage = other.device.allocate(op, sizeOf(shape) * BYTES[dtype]);
  return other.over(storage, shape, dtype);
}

/** Copies elements from one dtype to another. */
function cast(from: Tensor, to: Tensor): void {
  from.device.execute(castKernel, castArgs(from.shape), [operand(from)], [operand(to)]);
}

const NO_INPUTS: readonly Operand[] = [];

function operand(tensor: Tensor, inputs = NO_INPUTS): Operand {
  const storage = tensor.storage('dispatch');
  const { shape, size, dtype } = tensor;
  const padded = tensor.device.isPadded(storage, byteLength(tensor));
  for (let i = 0; i < inputs.length; i++) {
    if (inputs[i]?.storage === storage) return { storage, shape, size, dtype, padded, aliasOf: i };
  }
  return { storage, shape, size, dtype, padded };
}

function byteLength({ size, dtype }: Tensor): number {
  return size * BYTES[dtype];
}
