// Checks that the arguments of an adaptive softmax fit each other.
import { describe } from '../core/describe.ts';
import { IndexOutOfRangeError, OptionError, ShapeError } from '../core/errors.ts';
import { formatShape } from '../core/shape.ts';
import type { Tensor } from '../core/tensor.ts';
import { checkDevice, checkShapeIs, checkTensor, checkTensors } from '../core/validate.ts';
import { boundsOf, type AdaptiveLayers } from './adaptive-softmax.ts';

/** Checks the layers and the input [N, in] or [in] against each other. */
export function checkLayers(op: string, input: Tensor, layers: AdaptiveLayers): void {
  const { headWeight, headBias, tailWeights } = layers;
  const list: unknown = tailWeights;
  const pairs =
    Array.isArray(list) && list.every((pair) => Array.isArray(pair) && pair.length === 2);
  if (!pairs || tailWeights.length === 0) {
    throw new OptionError({
      op,
      argument: 'tailWeights',
      expected: 'a list of pairs of tensors, one for each cluster',
      received: describe(list),
    });
  }
  const tails = tailWeights.flatMap(([first, second], k): [string, Tensor][] => [
    [`tailWeights.${k}.0`, first],
    [`tailWeights.${k}.1`, second],
  ]);
  checkTensors(op, {
    input,
    headWeight,
    ...Object.fromEntries(tails),
    ...(headBias === undefined ? {} : { headBias }),
  });
  const refuse = (argument: string, expected: string, { shape }: Tensor): never => {
    throw new ShapeError({ op, argument, expected, received: `shape ${formatShape(shape)}` });
  };
  const [own = 0, features = 0] = headWeight.shape;
  if (headWeight.rank !== 2 || own <= tailWeights.length)
    refuse(
      'headWeight',
      'shape [shortlist + clusters, in], with a shortlist of at least 1',
      headWeight,
    );
  if ((input.rank !== 1 && input.rank !== 2) || input.shape.at(-1) !== features)
    refuse('input', `shape [N, ${features}] or [${features}]`, input);
  if (headBias !== undefined) checkShapeIs(op, 'headBias', headBias, [own]);
  tailWeights.forEach(([first, second], k) => {
    const name = `tailWeights.${k}`;
    if (first.rank !== 2 || first.shape[0] === 0 || first.shape[1] !== features)
      refuse(`${name}.0`, `shape [h, ${features}], with h at least 1`, first);
    const [width = 0] = first.shape;
    if (second.rank !== 2 || second.shape[0] === 0 || second.shape[1] !== width)
      refuse(`${name}.1`, `shape [C, ${width}], with C at least 1`, second);
  });
}

export function checkTarget(
  op: string,
  input: Tensor,
  target: Tensor,
  layers: AdaptiveLayers,
): void {
  checkTensor(op, 'target', target, ['int32']);
  checkDevice(op, 'target', target, input.device);
  checkShapeIs(op, 'target', target, input.shape.slice(0, -1));
  const classes = boundsOf(layers).at(-1) ?? 0;
  const wrong = target.storage(op).host?.find((index) => index < 0 || index >= classes);
  if (wrong === undefined) return;
  throw new IndexOutOfRangeError({
    op,
    argument: 'target',
    expected: `class indices from 0 to ${classes - 1}`,
    received: String(wrong),
  });
}

/** The cutoffs, followed by the number of classes. */
export function checkCutoffs(op: string, cutoffs: readonly number[], nClasses: number): number[] {
  const list: unknown = cutoffs;
  const valid =
    Array.isArray(list) &&
    list.length > 0 &&
    cutoffs.every(
      (cutoff, k) =>
        Number.isInteger(cutoff) && cutoff > (cutoffs[k - 1] ?? 0) && cutoff < nClasses,
    );
  if (!valid) {
    throw new OptionError({
      op,
      argument: 'cutoffs',
      expected: `integers from 1 to ${nClasses - 1}, each larger than the one before`,
      received: describe(list),
    });
  }
  return [...cutoffs, nClasses];
}
