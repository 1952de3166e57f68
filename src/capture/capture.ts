/// <reference lib="esnext.disposable" preserve="true" />
// A captured step: a function whose launches are kept and run again, with other contents of its inputs.
import { isGradEnabled, isRecording } from '../core/autograd.ts';
import { capturing, whileCapturing } from '../core/capturing.ts';
import { currentDevice } from '../core/current.ts';
import type { Device } from '../core/device.ts';
import { AutogradError, DisposedError } from '../core/errors.ts';
import { scope } from '../core/scope.ts';
import type { Tensor } from '../core/tensor.ts';
import { checkDevice } from '../core/validate.ts';
import { checkFunction, checkSynchronous } from '../core/validate-options.ts';
import type { Arena } from '../gpu/arena.ts';
import { WebGpuDevice } from '../gpu/device.ts';
import { copyOf } from '../kernels/pointwise/basic.ts';
import { captureOn, type GpuStep } from './gpu-step.ts';
import { makerOf, resultMaker, take, type Taken } from './values.ts';
import { Watcher } from './watcher.ts';

/** A function whose launches are kept; see `capture`. */
export interface CapturedStep<Inputs extends readonly unknown[], Result> {
  (...inputs: Inputs): Result;
  /** How often the function itself has run. */
  readonly captures: number;
  /** Frees the memory that the launches have. Results, and gradients and states that it has made, stay as they are. */
  dispose(): void;
  [Symbol.dispose](): void;
}

/** Launches kept at a time, for calls of different shapes, or with different gradients before them. */
const MOST = 8;

interface Variant {
  readonly device: Device;
  readonly key: string;
  readonly step: GpuStep;
}

/** Gives memory back when a step that was not disposed of is collected. It refers to nothing else of the step. */
const collected = /* @__PURE__ */ new FinalizationRegistry<Set<Arena>>((arenas) => {
  for (const arena of arenas) arena.dispose();
});

/**
 * A function that runs once and keeps its launches: from then on a call replays them on new contents of its inputs, as one op and
 * one submit, without the checks, plans and graphs of JavaScript. Results are the same, bit by bit. On the CPU it just runs.
 *
 * `fn` takes tensors, or arrays and plain objects of them, that need no gradient, and returns such, or nothing. It is synchronous
 * and runs in a `scope`: of what it makes remain results, gradients, and what optimizers and modules keep. Results are new
 * tensors in each call, without a graph. It is captured again where shapes, dtypes, other arguments, `noGrad`, the mode of a module,
 * `requiresGrad`, a gradient that it adds to, or the groups of an optimizer are others than before; up to eight captures are kept.
 * A step's options (the rate that a scheduler sets, the number of the step) and random numbers are those of each call. What else it
 * reads of JavaScript's variables stays as in the first call. It knows nothing of the values of its inputs, so that none are checked
 * but class indices that the host knows.
 *
 * Throws `OptionError` where `fn` reads values (`data`, `item`, `array`, `buffer`), waits, draws random numbers on the host, writes to
 * an input, calls a captured step or `device.record`, or returns anything else; what it has launched by then has run.
 *
 * @example
 * const step = capture((x, target) => {
 *   optimizer.zeroGrad();
 *   const loss = crossEntropy(model.forward(x), target);
 *   loss.backward();
 *   optimizer.step();
 *   return loss;
 * });
 * for (const [x, target] of batches) losses.push(step(x, target));
 * step.dispose();
 * @throws `OptionError` for what is no function. A captured step throws what its function throws, `OptionError` for what cannot be repeated,
 * `AutogradError` for an input that needs a gradient, and `DisposedError` once it is disposed.
 */
export function capture<Inputs extends readonly unknown[] = Tensor[], Result = unknown>(
  fn: (...inputs: Inputs) => Result,
): CapturedStep<Inputs, Result> {
  checkFunction('capture', 'fn', fn);
  let variants: Variant[] = [];
  const arenas = new Set<Arena>();
  let disposed = false;
  let captures = 0;

  const forget = (variant: Variant): void => {
    variants = variants.filter((one) => one !== variant);
    arenas.delete(variant.step.arena);
    variant.step.dispose();
  };

  const call = (
    taken: Taken,
    args: readonly unknown[],
  ): ((tensors: readonly Tensor[]) => unknown) => {
    captures++;
    const make = makerOf(
      args,
      (tensor) => taken.tensors.indexOf(tensor),
      (value) => value,
    );
    return (tensors) => fn(...(make(tensors) as Inputs));
  };

  const step = (...args: Inputs): Result => {
    capturing()?.refuse('capture', 'no captured step called in another');
    if (disposed) {
      throw new DisposedError({
        op: 'capture',
        expected: 'a live step',
        received: 'a disposed one',
      });
    }
    const taken = take(args);
    const { tensors } = taken;
    const device = checkInputs(taken);
    if (!(device instanceof WebGpuDevice))
      return onHost(device, tensors, call(taken, args)) as Result;
    const key = `${isGradEnabled()} ${taken.key}`;
    for (const variant of variants) {
      if (variant.device !== device || variant.key !== key) continue;
      if (!variant.step.alive) forget(variant);
      else if (variant.step.holds(tensors.map((tensor) => tensor.storage('capture'))))
        return variant.step.run(tensors) as Result;
    }
    const made = captureOn(device, tensors, call(taken, args));
    arenas.add(made.step.arena);
    variants = [{ device, key, step: made.step }, ...variants];
    const last = variants[MOST];
    if (last) forget(last);
    return made.value as Result;
  };

  const dispose = (): void => {
    disposed = true;
    for (const variant of variants) forget(variant);
    collected.unregister(captured);
  };
  const captured = Object.defineProperties(step, {
    captures: { get: () => captures },
    dispose: { value: dispose },
    [Symbol.dispose]: { value: dispose },
  }) as unknown as CapturedStep<Inputs, Result>;
  collected.register(captured, arenas, captured);
  return captured;
}

function checkInputs({ tensors, names }: Taken): Device {
  const [first] = tensors;
  const device = first?.device ?? currentDevice();
  device.check('capture');
  tensors.forEach((tensor, i) => {
    const name = names[i] ?? 'inputs';
    tensor.storage('capture', name);
    checkDevice('capture', name, tensor, device);
    if (!isRecording([tensor])) return;
    throw new AutogradError({
      op: 'capture',
      argument: name,
      expected: 'a tensor that needs no gradient',
      received: 'one with requiresGrad',
      hint: 'detach() it, or use it in the function without passing it',
    });
  });
  return device;
}

/** Runs the function, as ever, with what holds for a captured one. */
function onHost(
  device: Device,
  tensors: readonly Tensor[],
  call: (tensors: readonly Tensor[]) => unknown,
): unknown {
  const watcher = new Watcher(device);
  let make: ReturnType<typeof resultMaker> | null = null;
  const copies = scope(() => {
    const value = watcher.guard(() => whileCapturing(watcher, () => call(tensors)));
    checkSynchronous('capture', value);
    const sources: Tensor[] = [];
    make = resultMaker(value, (tensor) => sources.push(tensor) - 1);
    return sources.map((source) => copyOf(source));
  });
  return (make as ReturnType<typeof resultMaker> | null)?.(copies);
}
