// Plans pointwise ops part by part, if a repeated operand is larger than a binding or there are too many partial sums
// for one.
import type { Capabilities, Plan, View } from '../../core/kernel.ts';
import { broadcastStrides, collapse, sizeOf } from '../../core/shape.ts';
import { castArgs } from './identity.ts';
import type { PointwiseArgs } from './args.ts';
import { addSums } from '../reduce/sums.ts';
import { inputsOf, outputsOf, stretch, type Region } from '../windows/regions.ts';
import { Windows } from '../windows/windows.ts';

type Planner = (
  args: PointwiseArgs,
  inputs: readonly View[],
  outputs: readonly View[],
  caps: Capabilities,
) => Plan;

/**
 * Ops that use an element's index are not planned here, because the index in a part begins at 0. They have no such
 * operand.
 */
export function planPointwiseParts(
  args: PointwiseArgs,
  inputs: readonly View[],
  outputs: readonly View[],
  caps: Capabilities,
  plan: Planner,
): Plan {
  const windows = new Windows(caps);
  const { shape, strides } = collapse(
    args.shape,
    inputs.map((view) => broadcastStrides(view.shape, args.shape)),
  );
  if (shape.length === 0) shape.push(1);
  const summed = args.sum !== undefined;
  const ins = inputsOf(inputs);
  const outs = outputsOf(outputs);
  const total = summed ? outs[0] : undefined;
  // A part may begin in the middle of a word of float16, so such parts are collected as float32.
  const stored = outs
    .slice(summed ? 1 : 0)
    .map((to) => ({ to, target: to.view.dtype === 'float16' ? windows.keep(to.view.size) : to }));
  // A part is a range along one dimension, at one index of each dimension before it, with all of the dimensions after
  // it.
  let along = 0;
  while (sizeOf(shape.slice(along + 1)) > windows.most) along++;
  const [extent = 1, ...behind] = shape.slice(along);
  const block = sizeOf(behind);
  const room = Math.floor(windows.most / block);
  const range = Math.min(extent, room < 256 ? room : Math.floor(room / 256) * 256);
  const before = sizeOf(shape.slice(0, along));
  const across = Math.ceil(extent / range);
  const sums = summed ? windows.keep(before * across) : undefined;
  for (let p = 0; p < before * across; p++) {
    const [head, first] = [Math.floor(p / across), (p % across) * range];
    const some = [Math.min(range, extent - first), ...behind];
    windows.part(() => {
      const sources = ins.map((region, i): Region => {
        const steps = strides[i] ?? [];
        const own = some.map((d, k) => (steps[along + k] === 0 ? 1 : d));
        const from = baseOf(head, shape.slice(0, along), steps) + first * (steps[along] ?? 0);
        const { view, ...place } = windows.read(region, stretch(from, sizeOf(own)));
        return { ...place, view: { ...view, shape: own } };
      });
      const block0 = stretch((head * extent + first) * block, sizeOf(some));
      const targets = stored.map(({ target }): Region => {
        const written = windows.write(target, block0);
        const { view, ...place } = written;
        // A copy does not share memory with the input that would be overwritten.
        const { aliasOf } = target.view;
        const alias = written.of === 'output' && aliasOf !== undefined ? { aliasOf } : {};
        return { ...place, view: { ...view, shape: some, ...alias } };
      });
      if (sums) targets.unshift(windows.write(sums, stretch(p, 1)));
      const part: PointwiseArgs = { ...args, shape: some, ...(summed ? { sum: 1 } : {}) };
      const views = (list: readonly Region[]): View[] => list.map(({ view }) => view);
      windows.add(plan(part, views(sources), views(targets), caps), sources, targets);
    });
  }
  for (const { to, target } of stored) {
    if (to === target) continue;
    windows.part(() => {
      const { view } = target;
      windows.add(plan(castArgs(view.shape), [view], [to.view], caps), [target], [to]);
    });
  }
  if (sums && total) {
    const layout = { outer: 1, n: sums.view.size, inner: 1, divisor: args.sum ?? 1 };
    addSums(windows, layout, sums, total);
  }
  return windows;
}

/** The index of the first element for a combination of leading indices. */
function baseOf(index: number, shape: readonly number[], strides: readonly number[]): number {
  let rest = index;
  let base = 0;
  for (let d = shape.length - 1; d >= 0; d--) {
    const extent = shape[d] ?? 1;
    base += (rest % extent) * (strides[d] ?? 0);
    rest = Math.floor(rest / extent);
  }
  return base;
}
