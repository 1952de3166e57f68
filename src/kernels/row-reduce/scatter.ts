// One number a row at the place that an index names, zeros elsewhere: the gradient of what was chosen of each row.
import text from '../../../shaders/kernels/row-reduce/scatter.wgsl?raw';
import {
  foldWorkgroups,
  UniformWriter,
  workgroupSize,
  type Capabilities,
  type Kernel,
  type Launch,
  type View,
} from '../../core/kernel.ts';
import type { RowLayout } from '../../core/shape.ts';
import { grid } from '../../shader/lib.ts';
import { program, source } from '../../shader/link.ts';
import { forEachRow } from '../rows/tiling.ts';
import { stridedCopy } from '../strided/plan.ts';
import { fits, inputsOf, outputsOf, windowOf, type Region } from '../windows/regions.ts';

const scatterProgram = /* @__PURE__ */ program(
  'scatterRows',
  /* @__PURE__ */ source('kernels/row-reduce/scatter.wgsl', text, [grid]),
);

/** Inputs: a number of each row, and an index into the row. */
export const scatterRows: Kernel<RowLayout> = {
  name: 'scatterRows',
  // Rows share words of float16.
  float16: 'convert',
  plan: (layout, inputs, outputs, caps) => {
    const [values, indices] = inputsOf(inputs);
    const [y] = outputsOf(outputs);
    if (!values || !indices || !y) return { launches: [], scratch: [] };
    const { size } = y.view;
    const zeros = { shape: [size], from: null, to: { offset: 0, strides: [1] } };
    const filled = stridedCopy.plan({ parts: [zeros] }, [], outputs, caps);
    const rows = values.view.size;
    const [most, mostRows] = [roomOf([y.view], caps), roomOf([values.view, indices.view], caps)];
    const launches: Launch[] = [...filled.launches];
    for (let first = 0; first < size; first += most) {
      const count = Math.min(most, size - first);
      for (let row = 0; row < rows; row += mostRows) {
        const some = Math.min(mostRows, rows - row);
        launches.push(
          launchOf(layout, { values, indices, y, first, count, row, rows: some }, caps),
        );
      }
    }
    return { launches, scratch: filled.scratch };
  },
  cpu: (layout, [values, indices], [y]) => {
    if (!values || !indices || !y) return;
    y.fill(0);
    forEachRow(layout, (base, row) => {
      y[base + (indices[row] ?? 0) * layout.inner] = values[row] ?? NaN;
    });
  },
};

/** Elements of a window: all of them, where the tensors fit into a binding. */
const roomOf = (views: readonly View[], caps: Capabilities): number =>
  fits(views, caps) ? Infinity : Math.floor((caps.maxBindingSize - caps.offsetAlignment) / 4);

function launchOf(
  { n, inner }: RowLayout,
  {
    values,
    indices,
    y,
    first,
    count,
    row,
    rows,
  }: {
    readonly values: Region;
    readonly indices: Region;
    readonly y: Region;
    readonly first: number;
    readonly count: number;
    readonly row: number;
    readonly rows: number;
  },
  caps: Capabilities,
): Launch {
  const { skip: valueSkip, ...value } = windowOf(values, row, rows, caps);
  const { skip: indexSkip, ...index } = windowOf(indices, row, rows, caps);
  const { skip, ...target } = windowOf(y, first, count, caps);
  const size = workgroupSize(256, caps);
  return {
    program: scatterProgram,
    entry: 'scatter',
    constants: { workgroup_size: size },
    bindings: [
      { slot: 1, ...value, access: 'read' },
      { slot: 2, ...index, access: 'read' },
      { slot: 3, ...target, access: 'write' },
    ],
    uniforms: new UniformWriter(9).u32(
      rows,
      row,
      n,
      inner,
      first,
      count,
      valueSkip,
      indexSkip,
      skip,
    ).buffer,
    workgroups: foldWorkgroups(Math.ceil(rows / size), caps),
  };
}
