// In: a kernel, its arguments, input tensors and what to write. Out: the written tensors. Handles what every kernel shares:
// allocation, overlap of outputs with inputs, and conversion round kernels that compute in float32 only.
import type { Device, Operand } from './device.ts';
import { BYTES, type DType } from './dtype.ts';
import type { Kernel } from './kernel.ts';
import { castArgs, castKernel } from './kernels/cast.ts';
import { sizeOf, type Shape } from './shape.ts';
import { Tensor } from './tensor.ts';

/** A tensor to make, or one to write into. */
export type Output = Like | Tensor;

interface Like {
  readonly shape: Shape;
  readonly dtype: DType;
}

/** Runs a kernel on the device of its first tensor and returns its outputs. Arguments are valid by now. */
export function run<A>(
  kernel: Kernel<A>,
  args: A,
  inputs: readonly Tensor[],
  outputs: readonly Output[],
): [Tensor, ...Tensor[]] {
  const device = deviceOf(inputs, outputs);
  device.check(kernel.name);
  const fresh: Tensor[] = [];
  const temporaries: Tensor[] = [];
  const make = (list: Tensor[], like: Like): Tensor => {
    const tensor = empty(device, kernel.name, like);
    list.push(tensor);
    return tensor;
  };
  try {
    const results = outputs.map((output) =>
      output instanceof Tensor ? output : make(fresh, output),
    );
    if (results.some((result) => result.size > 0)) {
      fill(kernel, args, inputs, results, (like) => make(temporaries, like));
    }
    for (const output of outputs) {
      if (!(output instanceof Tensor)) continue;
      const storage = output.storage(kernel.name);
      storage.version++;
      storage.forget();
    }
    return some(results);
  } catch (error) {
    // A refused launch leaves nothing behind.
    for (const tensor of fresh) tensor.dispose();
    throw error;
  } finally {
    for (const tensor of temporaries) tensor.dispose();
  }
}

function deviceOf(inputs: readonly Tensor[], outputs: readonly Output[]): Device {
  for (const tensor of [...inputs, ...outputs]) if (tensor instanceof Tensor) return tensor.device;
  throw new RangeError('a kernel without tensors');
}

/** Runs a kernel into `results`, through temporaries where it cannot write them directly. */
function fill<A>(
  kernel: Kernel<A>,
  args: A,
  inputs: readonly Tensor[],
  results: readonly Tensor[],
  stage: (like: Like) => Tensor,
): void {
  const device = deviceOf(inputs, results);
  // The CPU computes in float64 and rounds once, whatever the dtype.
  const widen = kernel.float16 === 'convert' && device.type === 'webgpu';
  const widens = (k: number): boolean =>
    widen || (device.type === 'webgpu' && (kernel.widens?.(args, k) ?? false));

  const sources = inputs.map((input) => {
    if (!widen || input.dtype !== 'float16') return input;
    const wide = stage({ shape: input.shape, dtype: 'float32' });
    cast(input, wide);
    return wide;
  });
  const targets = results.map((result, k) => {
    if (result.dtype === 'float16' && widens(k)) {
      return stage({ shape: result.shape, dtype: 'float32' });
    }
    const storage = result.storage(kernel.name);
    const shared = kernel.aliases?.(args, k) ?? -1;
    const clashes = sources.some((source, i) => {
      const other = source.storage(kernel.name);
      return device.overlaps(other, storage) && !(i === shared && other === storage);
    });
    return clashes ? stage(result.like()) : result;
  });

  const operands = sources.map((source) => operand(source));
  device.execute(
    kernel,
    args,
    operands,
    targets.map((target) => operand(target, operands)),
  );

  results.forEach((result, k) => {
    const target = targets[k];
    if (!target || target === result) return;
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

/** `run` for kernels with one output. */
export function runOne<A>(
  kernel: Kernel<A>,
  args: A,
  inputs: readonly Tensor[],
  output: Output,
): Tensor {
  return run(kernel, args, inputs, [output])[0];
}

/** A kernel has at least one output. */
function some(tensors: readonly Tensor[]): [Tensor, ...Tensor[]] {
  const [first, ...rest] = tensors;
  if (!first) throw new RangeError('a kernel without outputs');
  return [first, ...rest];
}

/** A tensor of uninitialised memory. */
export function empty(device: Device, op: string, like: Like): Tensor {
  const storage = device.allocate(op, sizeOf(like.shape) * BYTES[like.dtype]);
  return new Tensor(storage, like.shape, like.dtype);
}

/** Copies elements from one dtype to another. */
function cast(from: Tensor, to: Tensor): void {
  from.device.execute(castKernel, castArgs(from.shape), [operand(from)], [operand(to)]);
}

function operand(tensor: Tensor, inputs: readonly Operand[] = []): Operand {
  const storage = tensor.storage('dispatch');
  const { shape, size, dtype } = tensor;
  const aliasOf = inputs.findIndex((input) => input.storage === storage);
  return {
    storage,
    shape,
    size,
    dtype,
    padded: tensor.device.isPadded(storage, byteLength(tensor)),
    ...(aliasOf < 0 ? {} : { aliasOf }),
  };
}

function byteLength({ size, dtype }: Tensor): number {
  return size * BYTES[dtype];
}
