// In: ops as they run. Out: a graph of how each result was computed, and the gradients that flow back through it.
import type { Device } from './device.ts';
import { encode, type DType } from './dtype.ts';
import { AutogradError, type NonlinError } from './errors.ts';
import { accumulate, copyOf } from './kernels/basic.ts';
import { keep } from './scope.ts';
import { formatShape, type Shape } from './shape.ts';
import { fromHost, type Tensor } from './tensor.ts';
import { checkDevice, checkShapeIs, checkTensor } from './validate.ts';

/** The gradient arriving at a node. A scalar loss starts with an implicit 1, which costs nothing until it is needed. */
export class Upstream {
  readonly shape: Shape;
  readonly dtype: DType;
  readonly device: Device;
  #tensor: Tensor | null;

  constructor(like: { shape: Shape; dtype: DType; device: Device }, tensor: Tensor | null) {
    this.shape = like.shape;
    this.dtype = like.dtype;
    this.device = like.device;
    this.#tensor = tensor;
  }

  /** Whether this is the 1 a scalar's `backward()` starts with. */
  get isOne(): boolean {
    return this.#tensor === null;
  }

  get tensor(): Tensor {
    return (this.#tensor ??= fromHost(
      encode(this.dtype, [1]),
      this.shape,
      this.dtype,
      this.device,
    ));
  }

  /** @internal */
  dispose(): void {
    this.#tensor?.dispose();
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
    if (--this.#references > 0) return;
    this.free();
    for (const edge of this.edges) if (edge && 'node' in edge) edge.node.release();
  }

  free(): void {
    this.#backward = null;
    for (const tensor of this.#saved) tensor.dispose();
  }

  run(upstream: Upstream): readonly (Tensor | null)[] {
    const backward = this.#backward;
    if (!backward)
      throw this.#error('a graph that is still there', 'one freed by an earlier backward()');
    this.#saved.forEach((tensor, i) => {
      if (tensor.storage(this.op).version !== this.#versions[i]) {
        throw this.#error('saved tensors left as they were', 'one that was written to since');
      }
    });
    return backward(
      upstream,
      this.#saved,
      this.edges.map((edge) => edge !== null),
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

/** Runs `fn` without recording: results have no gradient. `fn` is synchronous. */
export const noGrad = <T>(fn: () => T): T => recordingIf(false, fn);

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
  output.node = new GradNode(output, op, inputs, saved, backward);
  output.requiresGrad = true;
  return output;
}

/** @internal `Tensor.backward`. */
export function runBackward(
  root: Tensor,
  gradOutput: Tensor | undefined,
  retainGraph: boolean,
): void {
  root.storage('backward');
  root.device.check('backward');
  if (!root.requiresGrad) {
    throw new AutogradError({
      op: 'backward',
      expected: 'a tensor computed from one with requiresGrad',
      received: 'one without a graph',
    });
  }
  if (gradOutput !== undefined) {
    checkTensor('backward', 'gradOutput', gradOutput, [root.dtype]);
    checkDevice('backward', 'gradOutput', gradOutput, root.device);
    checkShapeIs('backward', 'gradOutput', gradOutput, root.shape);
  } else if (root.size !== 1) {
    throw new AutogradError({
      op: 'backward',
      argument: 'gradOutput',
      expected: 'a gradient for a tensor that is not a scalar',
      received: `none, for shape ${formatShape(root.shape)}`,
    });
  }
  noGrad(() => {
    const start = new Upstream(root, gradOutput?.detach() ?? null);
    if (!root.node) {
      addToLeaf(root, start.tensor);
      start.dispose();
      return;
    }
    propagate(root.node, start, retainGraph);
  });
}

function propagate(root: GradNode, start: Upstream, retainGraph: boolean): void {
  const waiting = countUses(root);
  const arrived = new Map<GradNode, Upstream>([[root, start]]);
  const ready = [root];
  for (let node = ready.pop(); node; node = ready.pop()) {
    const upstream = arrived.get(node);
    arrived.delete(node);
    const grads = upstream ? node.run(upstream) : [];
    // Freed before the gradients are handed on: one that was saved, or passed through, then has no other owner.
    if (!retainGraph) node.free();
    upstream?.dispose();
    node.edges.forEach((edge, i) => {
      const grad = grads[i] ?? null;
      if (edge && 'leaf' in edge) {
        if (grad) addToLeaf(edge.leaf, grad);
      } else if (edge) {
        if (grad) arrived.set(edge.node, join(edge.node, arrived.get(edge.node), grad));
        const left = (waiting.get(edge.node) ?? 1) - 1;
        waiting.set(edge.node, left);
        if (left === 0) ready.push(edge.node);
      }
      grad?.dispose();
    });
  }
}

/** How many recorded uses each node's result has below `root`: its gradient is complete when all have arrived. */
function countUses(root: GradNode): Map<GradNode, number> {
  const uses = new Map<GradNode, number>([[root, 0]]);
  const stack = [root];
  for (let node = stack.pop(); node; node = stack.pop()) {
    for (const edge of node.edges) {
      if (!edge || !('node' in edge)) continue;
      const seen = uses.get(edge.node);
      uses.set(edge.node, (seen ?? 0) + 1);
      if (seen === undefined) stack.push(edge.node);
    }
  }
  return uses;
}

/** The sum of the gradients that have arrived at a node. */
function join(node: GradNode, before: Upstream | undefined, grad: Tensor): Upstream {
  if (!before) return new Upstream(node.like, grad.detach());
  const sum = accumulate(before.tensor, grad);
  before.dispose();
  return new Upstream(node.like, sum);
}

/** Adds to `leaf.grad`, in place once it is there. */
function addToLeaf(leaf: Tensor, grad: Tensor): void {
  if (leaf.grad && !leaf.grad.disposed) accumulate(leaf.grad, grad, leaf.grad);
  else leaf.grad = keep(grad.storage('backward').shared ? copyOf(grad) : grad.detach());
}
