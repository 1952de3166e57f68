// The graph of how each result was computed, recorded while ops run. backward.ts sends gradients back through it.
import { called, calling } from './calling.ts';
import type { Device } from './device.ts';
import type { DType } from './dtype.ts';
import { AutogradError, type NonlinError } from './errors.ts';
import { keep } from './scope.ts';
import type { Shape } from './shape.ts';
import type { Tensor } from './tensor.ts';
import { checkFunction, checkSynchronous } from './validate-options.ts';

/** The gradient that arrives at a node. That of a scalar loss is 1, and a tensor of it is made only if it is needed. */
export class Upstream {
  readonly shape: Shape;
  readonly dtype: DType;
  readonly device: Device;
  #tensor: Tensor | (() => Tensor);

  /** `tensor`: the gradient, or a function that makes it, for a gradient of 1. */
  constructor(
    like: { shape: Shape; dtype: DType; device: Device },
    tensor: Tensor | (() => Tensor),
  ) {
    this.shape = like.shape;
    this.dtype = like.dtype;
    this.device = like.device;
    this.#tensor = tensor;
  }

  /** Whether this is the gradient 1 with which `backward()` of a scalar starts. */
  get isOne(): boolean {
    return typeof this.#tensor === 'function';
  }

  get tensor(): Tensor {
    if (typeof this.#tensor === 'function') this.#tensor = this.#tensor();
    return this.#tensor;
  }

  /** @internal */
  dispose(): void {
    if (typeof this.#tensor !== 'function') this.#tensor.dispose();
  }
}

/**
 * The gradient of each input, or null where none is needed. The engine disposes of them. Therefore a gradient that is the
 * same as `upstream.tensor` or as a saved tensor has to be a `detach()` of it.
 */
export type BackwardFn = (
  upstream: Upstream,
  saved: readonly Tensor[],
  needs: readonly boolean[],
) => readonly (Tensor | null)[];

type Edge = { readonly node: GradNode } | { readonly leaf: Tensor } | null;

/** One recorded op. */
export class GradNode {
  readonly op: string;
  readonly edges: readonly Edge[];
  readonly like: { shape: Shape; dtype: DType; device: Device };
  readonly #saved: readonly Tensor[];
  readonly #versions: readonly number[];
  #backward: BackwardFn | null;
  #references = 1;

  constructor(
    output: Tensor,
    op: string,
    inputs: readonly Tensor[],
    saved: readonly Tensor[],
    backward: BackwardFn,
  ) {
    this.op = op;
    this.like = { shape: output.shape, dtype: output.dtype, device: output.device };
    this.edges = inputs.map((input) => {
      if (!input.requiresGrad) return null;
      return input.node ? { node: input.node.retain() } : { leaf: input };
    });
    // The node has its own views, so that a caller may dispose of a tensor, or leave its scope, before backward().
    this.#saved = saved.map((tensor) => keep(tensor.detach()));
    this.#versions = saved.map((tensor) => tensor.storage(op).version);
    this.#backward = backward;
  }

  retain(): this {
    this.#references++;
    return this;
  }

  /** Frees what was saved for backward(), as soon as no tensor and no later node needs this node. */
  release(): void {
    // A loop over a list, because recursion over a long graph would overflow the stack.
    const dropped: GradNode[] = [this];
    for (let node = dropped.pop(); node; node = dropped.pop()) {
      if (--node.#references > 0) continue;
      node.free();
      for (const edge of node.edges) if (edge && 'node' in edge) dropped.push(edge.node);
    }
  }

  free(): void {
    this.#backward = null;
    for (const tensor of this.#saved) tensor.dispose();
  }

  /** Throws if the node was freed, or if a tensor that it saved has been changed. */
  check(): BackwardFn {
    const backward = this.#backward;
    if (!backward)
      throw this.#error('a graph that is still there', 'one freed by an earlier backward()');
    for (let i = 0; i < this.#saved.length; i++) {
      if (this.#saved[i]?.storage(this.op).version !== this.#versions[i]) {
        throw this.#error('saved tensors left as they were', 'one that was written to since');
      }
    }
    return backward;
  }

  run(upstream: Upstream): readonly (Tensor | null)[] {
    const backward = this.check();
    return calling(this.op, () =>
      backward(
        upstream,
        this.#saved,
        this.edges.map((edge) => edge !== null),
      ),
    );
  }

  #error(expected: string, received: string): NonlinError {
    return new AutogradError({
      op: 'backward',
      argument: this.op,
      expected,
      received,
      hint: 'see retainGraph, or compute the value anew',
    });
  }
}

let enabled = true;

/**
 * Runs `fn` without recording, so that results have no gradient. `fn` must be synchronous: what an `async` function does later would be recorded.
 *
 * @example noGrad(() => softmax(model.forward(x), { dim: 1 }))
 * @throws `OptionError` for what is no function, or one that returns a promise.
 */
export function noGrad<T>(fn: () => T): T {
  checkFunction('noGrad', 'fn', fn);
  const result = recordingIf(false, fn);
  checkSynchronous('noGrad', result);
  return result;
}

/** @internal Runs `fn` with recording, even inside a backward pass. */
export const enableGrad = <T>(fn: () => T): T => recordingIf(true, fn);

function recordingIf<T>(wanted: boolean, fn: () => T): T {
  const before = enabled;
  enabled = wanted;
  try {
    return fn();
  } finally {
    enabled = before;
  }
}

/** @internal Whether ops are recorded here: not within `noGrad`. */
export function isGradEnabled(): boolean {
  return enabled;
}

/** @internal Whether an op on these inputs is recorded. */
export function isRecording(inputs: readonly (Tensor | undefined)[]): boolean {
  if (!enabled) return false;
  for (const input of inputs) if (input?.requiresGrad) return true;
  return false;
}

/** @internal Records how `output` came about, if any input needs a gradient. */
export function record(
  output: Tensor,
  op: string,
  inputs: readonly Tensor[],
  saved: readonly Tensor[],
  backward: BackwardFn,
): Tensor {
  if (!isRecording(inputs)) return output;
  const storage = output.storage(op);
  for (const input of inputs) {
    if (input !== output && input.storage(op) === storage) storage.aliased = true;
  }
  output.node = new GradNode(output, called() ?? op, inputs, saved, backward);
  output.requiresGrad = true;
  return output;
}
