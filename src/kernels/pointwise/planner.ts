// Plans all pointwise ops: those whose results are summed, or whose operands repeat, too.
import accumulateText from '../../../shaders/kernels/pointwise/accumulate.wgsl?raw';
import { plannerOf, type Capabilities, type Plan, type View } from '../../core/kernel.ts';
import { sum } from '../../shader/lib.ts';
import { source } from '../../shader/link.ts';
import { planSum } from '../reduce/sums.ts';
import type { PointwiseArgs } from './args.ts';
import { planElements, type Others } from './elements.ts';
import { pointwise } from './plan.ts';
import { repeats } from './repeats.ts';
import { planPointwiseParts } from './windows.ts';

const OTHERS: Others<Capabilities> = {
  repeats,
  accumulate: /* @__PURE__ */ source('kernels/pointwise/accumulate.wgsl', accumulateText, [sum]),
  sum: planSum,
  parts: planPointwiseParts,
};

export const planPointwise = (
  args: PointwiseArgs,
  inputs: readonly View[],
  outputs: readonly View[],
  caps: Capabilities,
): Plan => planElements(args, inputs, outputs, caps, OTHERS);

/** The pointwise kernel for plans without a device. */
export const pointwisePlanner = /* @__PURE__ */ plannerOf(pointwise, planPointwise);
