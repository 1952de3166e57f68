// The graph of how each result was computed, recorded while ops run. backward.ts sends gradients back through it.
import { called, calling } from './calling.ts';
import type { Device } from './device.ts';
import type { DType } from './dtype.ts';
import { AutogradError, type NonlinError } from './errors.ts';
import { keep } from './scope.ts';
import type { Shape } from './shape.ts';
import type { Tensor } from './tensor.ts';
import { checkFunction, checkSynchronous } from './validate-options.ts';

/** The gradient arriving at a node. A scalar loss starts with an implicit 1, which costs nothing until it is needed. */
export class Upstream {
  readonly shape: Shape;
  readonly dtype: DType;
  readonly device: Device;
  #tensor: Tensor | (() => Tensor);

  /** `tensor`: the gradient, or what makes it when it is needed: a 1. */
  constructor(
    like: { shape: Shape; dtype: DType; device: Device },
    tensor: Tensor | (() => Tensor),
  ) {
    this.shape = like.shape;
    this.dtype = like.dtype;
    this.device = like.device;
    this.#tensor = tensor;
  }

  /** Whether this is the 1 a scalar's `backward()` starts with. */
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
 * Gradients for each input, null where none is needed. Each is a tensor of its own, which the engine disposes: one that
 * passes `upstream.tensor` or a saved tensor through is a `detach()` of it.
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
    // Views of their own, so that a caller may dispose the tensor, or leave its scope, before backward().
    this.#saved = saved.map((tensor) => keep(tensor.detach()));
    this.#versions = saved.map((tensor) => tensor.storage(op).version);
    this.#backward = backward;
  }

  retain(): this {
    this.#references++;
    return this;
  }

  /** Once neither a tensor nor a later node needs it, what was saved for backward() is freed. */
  release(): void {
    // A list, as a recursion over a long graph overflows the stack.
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

  /** Throws where the node was freed, or something that it saved has changed. */
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

/** Runs `fn` without recording: results have no gradient. `fn` is synchronous: an `async` one would record what it does later. */
export function noGrad<T>(fn: () => T): T {
  checkFunction('noGrad', 'fn', fn);
  const result = recordingIf(false, fn);
  checkSynchronous('noGrad', result);
  return result;
}

/** @internal Runs `fn` with recording, inside of a backward pass too. */
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
  output.node = new GradNode(output, called() ?? op, inputs, saved, backward);
  output.requiresGrad = true;
  return output;
}
