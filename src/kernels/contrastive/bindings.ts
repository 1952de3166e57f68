// The shader of a contrastive loss, and the binding of each tensor.
import kernelText from '../../../shaders/kernels/contrastive/contrastive.wgsl?raw';
import { rowLanes, sum } from '../../shader/lib.ts';
import { cachedProgram, source, type Program, type Source } from '../../shader/link.ts';
import type { RowTiling } from '../rows/tiling.ts';
import { lossesOf, sidesOf, type ContrastiveArgs, type Pairing } from './args.ts';

const kernel = /* @__PURE__ */ source('kernels/contrastive/contrastive.wgsl', kernelText, [
  rowLanes,
  sum,
]);

/** Binding slots and how they are bound, as in the WGSL. */
export const SLOTS = {
  products: [1, 'write'],
  row_lines: [2, 'write'],
  losses: [3, 'write'],
  own_products: [4, 'read'],
  labels: [5, 'read'],
  scale: [6, 'read'],
  bias: [7, 'read'],
  grad_output: [8, 'read'],
  parts: [9, 'write'],
  column_lines: [10, 'write'],
  sums: [11, 'write'],
  own_grads: [12, 'write'],
} as const;

const PAIRS: Readonly<Record<Pairing, string>> = {
  both: 'select(0u, POSITIVE, row == column)',
  logistic: 'select(0u, POSITIVE, row == column)',
  rows: 'select(0u, POSITIVE, row == column)',
  own: '0u',
  views:
    'select(select(0u, POSITIVE, row + u.half == column || column + u.half == row), LEFT_OUT, row == column)',
  labels:
    'select(select(0u, POSITIVE, labels[row / u.views] == labels[column / u.views]), LEFT_OUT, row == column)',
};

/** Whether the gradient of the scale or the bias is wanted. */
export function isSummed({ outputs }: ContrastiveArgs): boolean {
  return outputs.includes('scale') || outputs.includes('bias');
}

export function wantsGradients({ outputs }: ContrastiveArgs): boolean {
  return outputs.some((name) => name !== 'loss');
}

/** The shader of a call, whose losses are those of `form`. Its `access` slot binds the tensors that only some calls have. */
export function programFor(args: ContrastiveArgs, form: Source, tiling: RowTiling): Program {
  const { pairing, reduction, inputs, outputs } = args;
  const bind = (name: keyof typeof SLOTS, type: string): string => {
    const [slot, access] = SLOTS[name];
    const mode = access === 'read' ? 'read' : 'read_write';
    return `@group(0) @binding(${slot}) var<storage, ${mode}> ${name}: array<${type}>;\n`;
  };
  const has = (name: (typeof inputs)[number]): boolean => inputs.includes(name);
  const own = pairing === 'own';
  const both = pairing === 'both';
  const mirrored = pairing === 'views' || pairing === 'labels';
  const grads = wantsGradients(args);
  const lost = outputs.includes('loss');
  const summed = isSummed(args);
  const scale = has('scale') ? 'scale[0]' : 'u.scale';
  const bias = pairing === 'logistic' ? ` + ${has('bias') ? 'bias[0]' : 'u.bias'}` : '';
  const above = has('gradOutput') ? `grad_output[${reduction === 'none' ? 'i' : '0'}] * ` : '';
  const n = 'u.invocations';
  const add = `sums[i] = select(sums[i], 0.0, u.fresh == 1u) + v.x;\n  sums[${n} + i] = select(sums[${n} + i], 0.0, u.fresh == 1u) + v.y;`;
  const access = [
    lost ? bind('losses', 'f32') : '',
    own ? bind('own_products', 'f32') : '',
    own && grads ? bind('own_grads', 'f32') : '',
    has('labels') ? bind('labels', 'i32') : '',
    has('scale') ? bind('scale', 'f32') : '',
    has('bias') ? bind('bias', 'f32') : '',
    has('gradOutput') ? bind('grad_output', 'f32') : '',
    summed ? bind('sums', 'f32') : '',
    `const two_way = ${both || mirrored};\n`,
    `const with_own = ${own};\n`,
    `const summed = ${summed};\n`,
    `fn logit_of(product: f32) -> f32 { return ${scale} * product${bias}; }\n`,
    `fn factor_of_products() -> f32 { return ${scale}; }\n`,
    `fn pair_of(row: u32, column: u32) -> u32 { return ${PAIRS[pairing]}; }\n`,
    `fn upstream_of(i: u32) -> f32 { return ${above}u.share; }\n`,
    `fn store_loss(i: u32, v: f32) { ${lost ? 'losses[i] = v;' : ''} }\n`,
    `fn store_row_line(i: u32, v: vec4f) { ${grads ? 'row_lines[i] = v;' : ''} }\n`,
    `fn store_column_line(i: u32, v: vec4f) { ${grads && both ? 'column_lines[i] = v;' : ''} }\n`,
    `fn column_line(i: u32) -> vec4f { return ${both ? 'column_lines[i]' : mirrored ? 'row_lines[i]' : 'vec4f()'}; }\n`,
    `fn own_product(row: u32) -> f32 { return ${own ? 'own_products[row]' : '0.0'}; }\n`,
    `fn store_own_grad(row: u32, v: f32) { ${own && grads ? 'own_grads[row] = v;' : ''} }\n`,
    `fn add_to_sums(i: u32, v: vec2f) {\n  ${summed ? add : ''}\n}\n`,
  ].join('');
  return cachedProgram(form, `${tiling.unit};${access}`, 'contrastive', kernel, () => ({
    rows: tiling.source,
    access,
    form,
  }));
}

/** The uniforms that all launches of a call share, as in the WGSL: from `scale` on. */
export function scalarsOf(args: ContrastiveArgs): readonly number[] {
  return [args.scale, args.bias, args.factor, lossesOf(args).share];
}

/** All rows of the matrix. */
export function rowsOf(args: ContrastiveArgs): number {
  return args.rows * sidesOf(args).length;
}
