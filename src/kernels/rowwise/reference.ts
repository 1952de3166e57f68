// The float64 loop over rows.
import type { NumericArray } from '../../core/dtype.ts';
import { at, gather } from '../../cpu/rows.ts';
import { forEachRow } from '../rows/tiling.ts';
import type { RowwiseArgs } from './args.ts';
import { computeMasked } from './masking.ts';

export function computeRows(
  args: RowwiseArgs,
  inputs: readonly NumericArray[],
  [y]: readonly NumericArray[],
): void {
  const { op, layout, direction, masking } = args;
  if (masking && y) {
    computeMasked(args, masking, inputs, y);
    return;
  }
  const { n, inner } = layout;
  const rows = inputs.map(() => new Float64Array(n));
  const [first, second] = rows;
  const result = new Float64Array(n);
  if (!y || !first) return;
  forEachRow(layout, (base) => {
    inputs.forEach((input, k) => {
      gather(input, base, inner, rows[k]);
    });
    if (direction === 'forward') op.forward(first, result);
    else if (second) op.backward(first, second, result);
    for (let i = 0; i < n; i++) y[base + i * inner] = at(result, i);
  });
}
