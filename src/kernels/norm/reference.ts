// Norms in float64, a row at a time. The backward direction computes anew what it needs of a row: what was kept is rounded.
import type { NumericArray } from '../../core/dtype.ts';
import { forEachRow } from '../rows/tiling.ts';
import { gather } from '../rowwise/plan.ts';
import { operandInputs, operandOutputs, type NormArgs, type NormRows } from './args.ts';

export function computeNorm(
  args: NormArgs,
  inputs: readonly NumericArray[],
  outputs: readonly NumericArray[],
): void {
  const { op, layout, eps } = args;
  const { n, inner } = layout;
  const x = new Float64Array(n);
  const places = operandInputs(args);
  const rowOf = (values: (index: number, absent: number) => Float64Array): NormRows => ({
    x,
    ...Object.fromEntries(op.operands.map(({ name, absent }, i) => [name, values(i, absent)])),
  });
  const rows = rowOf((i, absent) => {
    const given = inputs[places[i] ?? -1];
    return given ? Float64Array.from(given.subarray(0, n)) : new Float64Array(n).fill(absent);
  });
  const [input] = inputs;
  if (!input) return;
  if (args.direction === 'forward') {
    const [result] = outputs;
    const y = new Float64Array(n);
    forEachRow(layout, (base) => {
      gather(input, base, inner, x);
      op.forward(rows, eps, y);
      if (result) y.forEach((value, i) => (result[base + i * inner] = value));
    });
    return;
  }
  const upstream = inputs.at(-1) ?? input;
  const gradOutput = new Float64Array(n);
  const grads: NormRows = { ...rowOf(() => new Float64Array(n)), x: new Float64Array(n) };
  const gradX = args.wants.x ? outputs[0] : undefined;
  forEachRow(layout, (base) => {
    gather(input, base, inner, x);
    gather(upstream, base, inner, gradOutput);
    op.backward(rows, eps, gradOutput, grads);
    if (gradX) grads.x.forEach((value, i) => (gradX[base + i * inner] = value));
  });
  operandOutputs(args).forEach((index, i) => {
    const sums = grads[op.operands[i]?.name ?? ''];
    if (sums) outputs[index]?.set(sums);
  });
}
