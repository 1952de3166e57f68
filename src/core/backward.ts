// Computes the gradients of all leaves that a tensor was computed from, and adds them to their `grad`. If anything fails,
// no `grad` has changed.
import { noGrad, Upstream, type GradNode } from './autograd.ts';
import { calling } from './calling.ts';
import { encode } from './dtype.ts';
import { AutogradError } from './errors.ts';
import { accumulate, accumulateAll, copyOf } from '../kernels/pointwise/basic.ts';
import { keep, undoneInTime } from './scope.ts';
import { formatShape } from './shape.ts';
import type { Tensor } from './tensor.ts';
import { checkDevice, checkShapeIs, checkTensor } from './validate.ts';

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
    const { node } = root;
    const nodes = node ? nodesBelow(node) : new Map<GradNode, number>();
    const pass = new Pass(nodes, retainGraph);
    try {
      undoneInTime(() => {
        const start = new Upstream(root, gradOutput?.detach() ?? (() => oneLike(root)));
        if (node) pass.propagate(node, start);
        else pass.ofLeaf(root, start);
        pass.ready();
      });
    } catch (error) {
      pass.abandon();
      throw error;
    }
    pass.commit();
  });
}

/** The gradient that the backward pass of a scalar starts with: 1. */
function oneLike(root: Tensor): Tensor {
  const { dtype, shape, device } = root;
  return root.over(device.upload(encode(dtype, [1])), shape, dtype);
}

/** One run of backward. It owns the gradients that it has computed so far. */
class Pass {
  /** How many gradients have still to arrive at each node. */
  readonly #waiting: Map<GradNode, number>;
  readonly #retainGraph: boolean;
  readonly #arrived = new Map<GradNode, Upstream>();
  readonly #leaves = new Map<Tensor, Tensor>();
  /** The gradient that the current node received, and the gradients that it returned. */
  #upstream: Upstream | undefined;
  #grads: readonly (Tensor | null)[] = [];
  #add = (): void => undefined;

  constructor(nodes: Map<GradNode, number>, retainGraph: boolean) {
    this.#waiting = nodes;
    this.#retainGraph = retainGraph;
  }

  ofLeaf(leaf: Tensor, start: Upstream): void {
    this.#upstream = start;
    this.#addToLeaf(leaf, start.tensor);
    start.dispose();
  }

  propagate(root: GradNode, start: Upstream): void {
    this.#arrived.set(root, start);
    const ready = [root];
    for (let node = ready.pop(); node; node = ready.pop()) {
      const upstream = this.#arrived.get(node);
      this.#arrived.delete(node);
      this.#upstream = upstream;
      const grads = upstream ? node.run(upstream) : [];
      this.#grads = grads;
      // The node is freed before its gradients are passed on. A gradient that shares memory with a saved tensor then has no other owner.
      if (!this.#retainGraph) node.free();
      upstream?.dispose();
      node.edges.forEach((edge, i) => {
        const grad = grads[i] ?? null;
        if (edge && 'leaf' in edge) {
          if (grad) this.#addToLeaf(edge.leaf, grad);
        } else if (edge) {
          if (grad)
            this.#arrived.set(edge.node, join(edge.node, this.#arrived.get(edge.node), grad));
          const left = (this.#waiting.get(edge.node) ?? 1) - 1;
          this.#waiting.set(edge.node, left);
          if (left === 0) ready.push(edge.node);
        }
        grad?.dispose();
      });
    }
  }

  /** Allocates the memory that is needed to add the results to the `grad` of each leaf. */
  ready(): void {
    const pairs: [to: Tensor, by: Tensor][] = [];
    for (const [leaf, grad] of this.#leaves) if (isLive(leaf.grad)) pairs.push([leaf.grad, grad]);
    this.#add = accumulateAll(pairs);
  }

  /** Adds the results to the `grad` of each leaf, in place if there is one. It allocates nothing, so it cannot fail half-way. */
  commit(): void {
    this.#add();
    for (const [leaf, grad] of this.#leaves) {
      if (isLive(leaf.grad)) grad.dispose();
      else leaf.grad = grad;
    }
  }

  /** Frees what was computed. Unless the graph is retained it is freed too, because parts of it were freed already. */
  abandon(): void {
    this.#upstream?.dispose();
    for (const grad of this.#grads) grad?.dispose();
    for (const upstream of this.#arrived.values()) upstream.dispose();
    for (const grad of this.#leaves.values()) grad.dispose();
    if (!this.#retainGraph) for (const node of this.#waiting.keys()) node.free();
  }

  #addToLeaf(leaf: Tensor, grad: Tensor): void {
    const before = this.#leaves.get(leaf);
    if (before) accumulate(before, grad, before);
    else
      this.#leaves.set(
        leaf,
        keep(
          grad.storage('backward').shared ? calling('backward', () => copyOf(grad)) : grad.detach(),
        ),
      );
  }
}

function isLive(grad: Tensor | null): grad is Tensor {
  return grad !== null && !grad.disposed;
}

/**
 * All nodes that `root` was computed from, each checked to be able to run, with the number of recorded uses of its result.
 * The gradient of a node is complete when as many gradients have arrived.
 */
function nodesBelow(root: GradNode): Map<GradNode, number> {
  const uses = new Map<GradNode, number>([[root, 0]]);
  const stack = [root];
  for (let node = stack.pop(); node; node = stack.pop()) {
    node.check();
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
