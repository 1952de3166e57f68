// Writes the WGSL that binds the tensors of a class loss, and a function that accesses each of them.
import type { DType } from '../../core/dtype.ts';
import { source, type Source } from '../../shader/link.ts';
import type { View } from '../../core/kernel.ts';
import { placesOf, type ClassLossArgs } from './args.ts';
import { accessKey, accessSource, isPacked, rowAccess, type RowTensor } from '../rows/bindings.ts';

/**
 * What a launch computes. `rows`: whole rows. `parts`: the sums of each chunk of a row. `chunks`: losses and gradients from the
 * sums of all chunks. `finish`: the loss of all rows from the sums of their chunks.
 */
export type Phase = 'rows' | 'parts' | 'chunks' | 'finish';

/** The binding of each tensor. */
export const SLOTS = {
  scores: 1,
  target: 2,
  weights: 3,
  losses: 4,
  rowWeights: 5,
  gradScores: 6,
  gradProbabilities: 7,
  gradOutput: 8,
  divisor: 9,
  parts: 10,
  status: 11,
  divisorOut: 12,
} as const;

export interface PhaseAccess {
  /** A key that distinguishes programs. */
  readonly key: string;
  readonly source: () => Source;
}

/**
 * The kernel's `access` slot. `sums` says whether losses are summed before they are stored, whether weights are
 * stored too, and whether the launch also sums all weights.
 */
export function phaseAccess(
  args: ClassLossArgs,
  phase: Phase,
  inputs: readonly View[],
  outputs: readonly View[],
  sums: { readonly losses: boolean; readonly weights: boolean; readonly passing: boolean },
): PhaseAccess {
  const { op, layout, reduction } = args;
  const places = placesOf(args);
  const dtypeOf = (views: readonly View[], index: number): DType =>
    views[index]?.dtype ?? 'float32';
  const writes = phase === 'rows' || phase === 'chunks';
  const classes = args.inputs.target === 'classes';
  const has = {
    loss: (writes || phase === 'finish') && args.outputs.loss,
    gradScores: writes && args.outputs.gradScores,
    gradProbabilities: writes && args.outputs.gradProbabilities,
    gradOutput: writes && args.inputs.gradOutput,
    divisorOut: sums.passing,
  };
  const grads = has.gradScores || has.gradProbabilities;
  const divisor = grads && (args.inputs.divisor || args.outputs.divisor);
  const soft = !classes || args.labelSmoothing > 0;
  const packed = isPacked(layout);
  const tensor = (
    slot: number,
    name: string,
    dtype: DType,
    more: Partial<RowTensor> = {},
  ): RowTensor => ({ slot, name, dtype, access: 'read', packed, ...more });
  const write = { access: 'write' } as const;
  const tensors: RowTensor[] = [
    tensor(SLOTS.scores, 'scores', dtypeOf(inputs, 0), {
      fill: '-infinity()',
      ...(op.tempered ? { through: 'tempered' } : {}),
      ...(op.margin ? { through: 'marked_scores', throughOne: 'marked_score' } : {}),
    }),
  ];
  if (!classes) tensors.push(tensor(SLOTS.target, 'probabilities', dtypeOf(inputs, 1)));
  if (args.inputs.weights) {
    const dtype = dtypeOf(inputs, places.inputs.weights);
    tensors.push(
      tensor(SLOTS.weights, 'weights', dtype, { packed: layout.n % 4 === 0, step: '1u' }),
    );
  }
  if (has.gradScores) {
    const dtype = dtypeOf(outputs, places.outputs.gradScores);
    const through = {
      ...(op.tempered ? { through: 'through_temper' } : {}),
      ...(op.margin ? { through: 'through_margin' } : {}),
    };
    tensors.push(tensor(SLOTS.gradScores, 'grad_scores', dtype, { ...write, ...through }));
  }
  if (has.gradProbabilities) {
    const dtype = dtypeOf(outputs, places.outputs.gradProbabilities);
    tensors.push(tensor(SLOTS.gradProbabilities, 'grad_probabilities', dtype, write));
  }
  const upstream = dtypeOf(inputs, places.inputs.gradOutput);
  const flags = { ...has, divisor, soft, ...sums, upstream, perRow: reduction === 'none' };
  const key = `${phase};${accessKey(tensors)};${Object.values(flags).join()}`;
  const own = (): string =>
    [
      `const soft = ${soft};`,
      `const summed = ${sums.losses};`,
      `const with_grad = ${grads};`,
      `const with_grad_probabilities = ${has.gradProbabilities};`,
      `const with_divisor = ${has.divisorOut};`,
      `const with_z = ${Boolean(op.tempered)};`,
      op.tempered || op.margin ? '' : 'fn z_factor() -> f32 { return 0.0; }',
      op.margin ? '' : 'fn begin_row(r: u32, base: u32) {}',
      ...(classes ? [bind(SLOTS.target, 'read', 'classes', 'i32')] : []),
      ...(has.loss ? [bind(SLOTS.losses, 'read_write', 'losses')] : []),
      ...(sums.weights ? [bind(SLOTS.rowWeights, 'read_write', 'row_weights')] : []),
      ...(divisor ? [bind(SLOTS.divisor, 'read', 'divisor')] : []),
      ...(has.divisorOut ? [bind(SLOTS.divisorOut, 'read_write', 'divisor_out')] : []),
      ...(has.gradOutput
        ? [bind(SLOTS.gradOutput, 'read', 'grad_output', upstream === 'float16' ? 'u32' : 'f32')]
        : []),
      `fn store_loss(i: u32, v: vec2f) {`,
      has.loss ? '  losses[i] = v.x;' : '',
      sums.weights ? '  row_weights[i] = v.y;' : '',
      '}',
      `fn store_divisor(v: f32) { ${has.divisorOut ? 'divisor_out[0] = v;' : ''} }`,
      `fn upstream_of(row: u32) -> f32 { return ${upstreamOf(has.gradOutput, flags)}; }`,
      args.inputs.weights ? WEIGHTS : NO_WEIGHTS,
      has.gradScores ? '' : noGrad('grad_scores'),
      has.gradProbabilities ? '' : noGrad('grad_probabilities'),
    ].join('\n');
  return {
    key,
    source: () => {
      const dtypes = tensors.map(({ dtype }) => dtype);
      return accessSource(rowAccess(tensors) + own(), [...dtypes, upstream]);
    },
  };
}

const bind = (slot: number, access: string, name: string, type = 'f32'): string =>
  `@group(0) @binding(${slot}) var<storage, ${access}> ${name}: array<${type}>;`;

/** The access slot of the kernel that sums class weights: the weight of a class. */
export function weightAccess(weights: DType | undefined): Source {
  if (weights === undefined)
    return source('access', 'fn class_weight(i: u32) -> f32 { return 1.0; }');
  const half = weights === 'float16';
  const value = half ? 'unpack_half2(weights[i >> 1u])[i & 1u]' : 'weights[i]';
  const text = `${bind(SLOTS.weights, 'read', 'weights', half ? 'u32' : 'f32')}
fn class_weight(i: u32) -> f32 { return ${value}; }`;
  return accessSource(text, [weights]);
}

/** The WGSL expression for the upstream gradient of a row. */
function upstreamOf(
  gradOutput: boolean,
  { upstream, perRow, divisor }: { upstream: DType; perRow: boolean; divisor: boolean },
): string {
  const i = perRow ? 'row' : '0u';
  const given =
    upstream === 'float16'
      ? `unpack_half2(grad_output[${i} >> 1u])[${i} & 1u]`
      : `grad_output[${i}]`;
  const above = gradOutput ? `${given} * u.scale` : 'u.scale';
  return divisor ? `${above} / divisor[0]` : above;
}

const WEIGHTS = `fn class_weight(i: u32) -> f32 { return weights_at(0u, i); }
fn weight_full(q: u32) -> vec4f { return weights_full(0u, q); }
fn weight_tail(q: u32) -> vec4f { return weights_tail(0u, q); }
fn weight_block(q: u32, step: u32) -> Block { return weights_block(0u, q, step); }
fn weight_last(lane: Lane) -> Block { return weights_last(0u, lane); }`;

const NO_WEIGHTS = `fn class_weight(i: u32) -> f32 { return 1.0; }
fn weight_full(q: u32) -> vec4f { return vec4f(1.0); }
fn weight_tail(q: u32) -> vec4f { return vec4f(1.0); }
fn weight_block(q: u32, step: u32) -> Block { return ones(); }
fn weight_last_quad(lane: Lane, k: u32) -> vec4f { return select(vec4f(), vec4f(1.0), inside_last(lane, k)); }
fn weight_last(lane: Lane) -> Block {
  return Block(weight_last_quad(lane, 0u), weight_last_quad(lane, 1u), weight_last_quad(lane, 2u), weight_last_quad(lane, 3u));
}`;

const noGrad = (name: string): string => `fn store_${name}_full(base: u32, q: u32, v: vec4f) {}
fn store_${name}_last_quad(base: u32, lane: Lane, k: u32, v: vec4f) {}`;
