// What a tensor looks like in a log: shape, dtype, device, and the elements where they can be read at once.
import { formatShape } from './shape.ts';
import type { Tensor } from './tensor.ts';

/** Of more elements the first and last of each dimension are shown, as in PyTorch. */
const MOST = 1000;
const EDGE = 3;

/** Never throws. */
export function print(tensor: Tensor): string {
  const { shape, dtype, device, requiresGrad, disposed } = tensor;
  const facts = [formatShape(shape), dtype, device.type, ...(requiresGrad ? ['requiresGrad'] : [])];
  const rest = facts.join(', ');
  if (disposed) return `Tensor(disposed, ${rest})`;
  const element = device.peek(tensor.storage('print'), dtype);
  if (!element) return `Tensor(${rest}; its elements: await tensor.array())`;
  const brief = tensor.size > MOST;
  /** `first`: the index of the first element of what is left of the shape. */
  const show = (depth: number, first: number): string => {
    const extent = shape[depth];
    if (extent === undefined) return String(Number(element(first).toPrecision(5)));
    const step = shape.slice(depth + 1).reduce((product, d) => product * d, 1);
    const some = (from: number, to: number): string[] =>
      Array.from({ length: to - from }, (_, i) => show(depth + 1, first + (from + i) * step));
    const items =
      brief && extent > 2 * EDGE
        ? [...some(0, EDGE), '…', ...some(extent - EDGE, extent)]
        : some(0, extent);
    const lines = depth === shape.length - 1 ? ', ' : `,\n${' '.repeat(8 + depth)}`;
    return `[${items.join(lines)}]`;
  };
  return `Tensor(${tensor.size === 0 ? '[]' : show(0, 0)}, ${rest})`;
}
