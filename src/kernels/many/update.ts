// A step of an optimizer for many tensors in few launches: the same op, element by element, as the pointwise kernel runs for one.
import updateText from '../../../shaders/kernels/many/update.wgsl?raw';
import type { Kernel, Plan, View } from '../../core/kernel.ts';
import { source, type Source } from '../../shader/link.ts';
import { sameParams, type ParamValues } from '../../shader/params.ts';
import type { PointwiseOp } from '../pointwise/plan.ts';
import { launchesOf, windowsOf, type Role } from './items.ts';

const update = /* @__PURE__ */ source('kernels/many/update.wgsl', updateText);

export interface UpdateArgs {
  /** Its inputs are a parameter, its gradient and its state; its results the parameter and its state. */
  readonly op: PointwiseOp;
  /** Of each parameter. */
  readonly params: readonly ParamValues[];
}

/** Inputs are those of the op for each parameter, one after another; so are outputs. */
export const updateKernel: Kernel<UpdateArgs> = {
  name: 'update many',
  float16: 'native',
  aliases: ({ op }, output) => {
    const item = Math.floor(output / op.results);
    return item * op.inputs.length + (op.inPlace?.[output % op.results] ?? -1);
  },
  plan: ({ op, params }, inputs, _outputs, caps): Plan => {
    const roles = op.inputs.map((name, i): Role => ({ name, access: i === 1 ? 'read' : 'write' }));
    const items = params.flatMap((own, item) => {
      const slices = roles.map(({ access }, r) =>
        access === 'read'
          ? ({ of: 'input', index: item * roles.length + r } as const)
          : ({ of: 'output', index: item * op.results + Math.max(0, r - 1) } as const),
      );
      const views = roles.map((_, r) => viewAt(inputs, item * roles.length + r));
      return windowsOf(slices, views, caps, own).map((part) => ({ ...part, set: item }));
    });
    const { tuning } = caps;
    const { launches } = launchesOf(
      {
        owner: op,
        label: `${op.name} of many`,
        kernel: update,
        entry: 'update',
        roles,
        items,
        shared: [],
        params: op.params,
        code: () => codeOf(op, roles),
        packs: tuning.interleaved ? 1 : tuning.packsPerInvocation,
      },
      caps,
    );
    return { launches, scratch: [] };
  },
  cpu: ({ op, params }, inputs, outputs) => {
    const v = new Float64Array(op.inputs.length);
    const r = new Float64Array(op.results);
    params.forEach((own, item) => {
      const x = inputs.slice(item * v.length, (item + 1) * v.length);
      const y = outputs.slice(item * r.length, (item + 1) * r.length);
      const size = y[0]?.length ?? 0;
      for (let i = 0; i < size; i++) {
        for (let k = 0; k < v.length; k++) v[k] = x[k]?.[i] ?? NaN;
        op.reference?.(v, r, own, i, 1);
        y.forEach((output, k) => (output[i] = r[k] ?? NaN));
      }
    });
  },
  kept: {
    key: ({ op }) => op,
    same: (a, b) =>
      a.params.length === b.params.length &&
      a.params.every((own, i) => sameParams(a.op.params, own, b.params[i] ?? {})),
  },
};

function viewAt(views: readonly View[], index: number): View {
  const view = views[index];
  if (!view) throw new RangeError(`no operand ${index}`);
  return view;
}

/** `update_pack`: the op on four elements of each tensor of an item. */
function codeOf(op: PointwiseOp, roles: readonly Role[]): Source {
  const results = Array.from({ length: op.results }, (_, k) => `r${k}`);
  const written = roles.filter(({ access }) => access === 'write');
  const text = [
    op.source?.text ?? '',
    `struct Results { ${results.map((name) => `${name}: f32`).join(', ')} }`,
    `fn nl_element(${roles.map(({ name }) => `${name}: f32`).join(', ')}, p: Params) -> Results {`,
    op.body,
    '}',
    'fn update_pack(item: u32, i: u32) {',
    '  let p = u.items[item].op;',
    ...roles.map(({ name }, r) => `  let a${r} = load_${name}(item, i);`),
    ...['x', 'y', 'z', 'w'].map((lane) => {
      const values = roles.map((_, r) => `a${r}.${lane}`).join(', ');
      return `  let ${lane} = nl_element(${values}, p);`;
    }),
    ...written.map(({ name }, k) => {
      const lanes = ['x', 'y', 'z', 'w'].map((lane) => `${lane}.r${k}`).join(', ');
      return `  store_${name}(item, i, vec4f(${lanes}));`;
    }),
    '}',
  ].join('\n');
  return source(op.name, text, op.source?.includes ?? []);
}
