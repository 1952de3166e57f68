// The kernel of ops that go over a row several times, each row by one invocation.
import scanText from '../../../shaders/kernels/rowwise/scan.wgsl?raw';
import {
  foldWorkgroups,
  UniformWriter,
  type Capabilities,
  type Kernel,
  type Launch,
  type Plan,
  type View,
} from '../../core/kernel.ts';
import { bits, rowsByInvocation } from '../../shader/lib.ts';
import { cachedProgram, source } from '../../shader/link.ts';
import { windowsOf, type RowWindow } from '../rows/tiling.ts';
import { inputsOf, outputsOf } from '../windows/regions.ts';
import type { RowwiseArgs } from './args.ts';
import { bindingsOf } from './launch.ts';
import { computeRows } from './reference.ts';

const scanKernel = /* @__PURE__ */ source('kernels/rowwise/scan.wgsl', scanText, [bits]);

/** Ops that go over a row several times, each row by one invocation: no barrier, so no bound on the times. */
export const rowScan: Kernel<RowwiseArgs> = {
  name: 'rowScan',
  float16: 'convert',
  plan: planScan,
  cpu: computeRows,
};

function planScan(
  args: RowwiseArgs,
  inputs: readonly View[],
  outputs: readonly View[],
  caps: Capabilities,
): Plan {
  const { op, layout, direction } = args;
  const program = cachedProgram(op, '', op.name, scanKernel, () => ({
    rows: rowsByInvocation,
    op: op.source,
  }));
  const launchOf = (window: RowWindow): Launch => {
    const { outer, n, inner } = window.layout;
    const [reads, writes] = bindingsOf(args, window, inputs, outputs[0]);
    return {
      program,
      entry: `${direction}_rows`,
      constants: { workgroup_size: 64 },
      bindings: [...reads, writes],
      uniforms: new UniformWriter(3).u32(n, inner, outer * inner).buffer,
      workgroups: foldWorkgroups(Math.ceil((outer * inner) / 64), caps),
    };
  };
  const whole = { layout, first: 0, part: false };
  const slices = windowsOf(layout, [...inputs, ...outputs], caps);
  if (slices.length > 0) return { launches: slices.map(launchOf), scratch: [] };
  const windows = caps.windows(caps);
  const { n } = layout;
  const [ins, outs] = [inputsOf(inputs), outputsOf(outputs)].map((list) =>
    list.map((region) => ({ ...region, each: n })),
  );
  const planned = windows.rows(layout, ins ?? [], outs ?? [], ({ outer, inner }) => ({
    launches: [launchOf({ ...whole, layout: { outer, n, inner } })],
    scratch: [],
  }));
  // A row is longer than a binding, and is gone through again and again by one invocation.
  return planned ? windows : { launches: [launchOf(whole)], scratch: [] };
}
