// Checks the shapes of embeddings that are compared with each other.
import { ShapeError } from '../core/errors.ts';
import { formatShape } from '../core/shape.ts';
import type { Tensor } from '../core/tensor.ts';
import { checkShapeIs } from '../core/validate.ts';

/** Embeddings [N, D], all of the shape of the first. */
export function checkEmbeddings(
  op: string,
  embeddings: Readonly<Record<string, Tensor>>,
): [rows: number, features: number] {
  let first: Tensor | undefined;
  for (const [argument, tensor] of Object.entries(embeddings)) {
    if (first) checkShapeIs(op, argument, tensor, first.shape);
    else if (tensor.rank !== 2) {
      throw new ShapeError({
        op,
        argument,
        expected: 'shape [N, D]',
        received: `shape ${formatShape(tensor.shape)}`,
      });
    }
    first ??= tensor;
  }
  const [rows = 0, features = 0] = first?.shape ?? [];
  return [rows, features];
}

/** Embeddings [M, D] of as many elements as others. */
export function checkNegatives(op: string, negatives: Tensor, features: number): void {
  if (negatives.rank === 2 && negatives.shape[1] === features) return;
  throw new ShapeError({
    op,
    argument: 'negatives',
    expected: `shape [M, ${features}]`,
    received: `shape ${formatShape(negatives.shape)}`,
  });
}

/** Features [N, D], or [N, V, D] of several views of each example. */
export function checkViews(
  op: string,
  { features }: { readonly features: Tensor },
): { examples: number; views: number; length: number } {
  if (features.rank !== 2 && features.rank !== 3) {
    throw new ShapeError({
      op,
      argument: 'features',
      expected: 'shape [N, D] or [N, V, D]',
      received: `shape ${formatShape(features.shape)}`,
    });
  }
  const [examples = 0] = features.shape;
  const views = features.rank === 3 ? (features.shape[1] ?? 0) : 1;
  return { examples, views, length: features.shape.at(-1) ?? 0 };
}
