// A function captured on a GPU: the first call runs it and keeps its launches, later calls replay them.
import { whileCapturing } from '../core/capturing.ts';
import { BYTES } from '../core/dtype.ts';
import { keep, scope } from '../core/scope.ts';
import { sizeOf } from '../core/shape.ts';
import type { Storage } from '../core/storage.ts';
import { Tensor } from '../core/tensor.ts';
import { checkSynchronous } from '../core/validate-options.ts';
import type { Arena } from '../gpu/arena.ts';
import type { WebGpuDevice } from '../gpu/device.ts';
import { bytesOf, Replay, type Outcome } from '../gpu/replay.ts';
import { asGpu } from '../gpu/storage.ts';
import { Tape } from '../gpu/tape.ts';
import { copyOf } from '../kernels/pointwise/basic.ts';
import { copyInto, isCopiable } from './copies.ts';
import { resultMaker, type Make } from './values.ts';
import { Watcher } from './watcher.ts';

type Like = ReturnType<Tensor['like']>;

/** A result: its shape and dtype, and where the launches leave it. */
interface Result extends Outcome {
  readonly like: Like;
}

export class GpuStep {
  /** The memory that the step has. */
  readonly arena: Arena;
  readonly #device: WebGpuDevice;
  readonly #replay: Replay;
  readonly #watcher: Watcher;
  readonly #results: readonly Result[];
  readonly #make: Make;

  constructor(
    device: WebGpuDevice,
    tape: Tape,
    watcher: Watcher,
    inputs: readonly Tensor[],
    results: readonly Result[],
    make: Make,
  ) {
    this.arena = tape.arena;
    this.#device = device;
    this.#watcher = watcher;
    this.#results = results;
    this.#make = make;
    this.#replay = new Replay(device, device.launcher, tape, inputs, results);
  }

  /** Whether all memory and pipelines that the launches use are still there. */
  get alive(): boolean {
    return this.#replay.alive;
  }

  /** Whether the function would launch the same again. Throws what it would throw before it launches anything. */
  holds(inputs: readonly Storage[]): boolean {
    return this.#replay.holds && this.#watcher.holds(inputs);
  }

  run(inputs: readonly Tensor[]): unknown {
    // Memory first: without it nothing has happened.
    const results = this.#results.map(({ like }) => allocate(this.#device, like));
    const sources = inputs.map((input) => (isCopiable(input) ? input : copyOf(input)));
    this.#watcher.work();
    this.#replay.run(sources, results);
    sources.forEach((source, i) => {
      if (source !== inputs[i]) source.dispose();
    });
    this.#watcher.setGrads();
    return this.#make(results);
  }

  dispose(): void {
    this.#replay.dispose();
  }
}

/** Runs a function for the first time. Its launches run as ever, and are kept. */
export function captureOn(
  device: WebGpuDevice,
  tensors: readonly Tensor[],
  call: (inputs: readonly Tensor[]) => unknown,
): { step: GpuStep; value: unknown } {
  const { launcher } = device;
  const { pool } = launcher.parts;
  const inputs = tensors.map((tensor) => {
    const own = keep(allocate(device, tensor.like()));
    copyInto(tensor, own);
    return own;
  });
  const storageOf = (tensor: Tensor): Storage => tensor.storage('capture');
  const watcher = new Watcher(device, inputs.map(storageOf), tensors.map(storageOf), (storage) => {
    tape.keepsState(storage);
  });
  const buffers = inputs.map((input) => asGpu(storageOf(input)).buffer);
  const tape = new Tape(pool, new Set(buffers), watcher.changing);
  try {
    launcher.tap = pool.tap = tape;
    const { results, copies, make } = scope(() =>
      copiesOf(
        device,
        tape,
        watcher.guard(() => whileCapturing(watcher, () => call(inputs))),
      ),
    );
    launcher.tap = pool.tap = null;
    watcher.end(
      inputs,
      (storage) => {
        tape.arena.retain(storage);
      },
      (storage) => tape.external.has(storage),
    );
    const step = new GpuStep(device, tape, watcher, inputs, results, make);
    return { step, value: make(copies) };
  } catch (error) {
    launcher.tap = pool.tap = null;
    tape.arena.dispose();
    for (const input of inputs) input.dispose();
    throw error;
  }
}

/** Copies of what a function returned, where replays leave it, and how its result is made of such copies. */
function copiesOf(
  device: WebGpuDevice,
  tape: Tape,
  value: unknown,
): { results: Result[]; copies: Tensor[]; make: Make } {
  checkSynchronous('capture', value);
  const sources: Tensor[] = [];
  const make = resultMaker(value, (tensor) => {
    const known = sources.indexOf(tensor);
    return known < 0 ? sources.push(tensor) - 1 : known;
  });
  // A copy by a launch is part of the step.
  const readable = sources.map((source) => (isCopiable(source) ? source : copyOf(source)));
  tape.end();
  const results = readable.map((source): Result => {
    const storage = source.storage('capture');
    const { offset } = asGpu(storage);
    return { life: tape.lifeOf(storage), offset, bytes: bytesOf(source), like: source.like() };
  });
  const copies = readable.map((source) => {
    const copy = allocate(device, source.like());
    copyInto(source, copy);
    return copy;
  });
  return { results, copies, make };
}

function allocate(device: WebGpuDevice, { shape, dtype }: Like): Tensor {
  return new Tensor(device.allocate('capture', sizeOf(shape) * BYTES[dtype]), shape, dtype);
}
