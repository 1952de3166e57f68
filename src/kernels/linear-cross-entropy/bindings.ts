// The shader of a linear cross-entropy, and the binding of each tensor.
import indexText from '../../../shaders/kernels/linear-cross-entropy/index.wgsl?raw';
import kernelText from '../../../shaders/kernels/linear-cross-entropy/linear-cross-entropy.wgsl?raw';
import probabilitiesText from '../../../shaders/kernels/linear-cross-entropy/probabilities.wgsl?raw';
import temperText from '../../../shaders/losses/tempered-logits.wgsl?raw';
import { bits, div, exp, expm1, grid, log1p, tanh } from '../../shader/lib.ts';
import { cachedProgram, source, type Program } from '../../shader/link.ts';
import type { LinearCrossEntropyArgs } from './args.ts';

const kernel = /* @__PURE__ */ source(
  'kernels/linear-cross-entropy/linear-cross-entropy.wgsl',
  kernelText,
  [bits, exp, grid, log1p],
);
const indexTarget = /* @__PURE__ */ source('kernels/linear-cross-entropy/index.wgsl', indexText, [
  bits,
  exp,
  expm1,
]);
const probabilitiesTarget = /* @__PURE__ */ source(
  'kernels/linear-cross-entropy/probabilities.wgsl',
  probabilitiesText,
  [bits, exp],
);

/** Binding slots and how they are bound, as in linear-cross-entropy.wgsl. */
export const SLOTS = {
  logits: [1, 'write'],
  target: [2, 'read'],
  weights: [3, 'read'],
  parts: [4, 'write'],
  joined: [5, 'write'],
  statistics: [6, 'read'],
  losses: [7, 'write'],
  row_factors: [8, 'write'],
  factors_of: [9, 'read'],
  row_weights: [10, 'write'],
  status: [11, 'write'],
  grad_output: [12, 'read'],
  divisor: [13, 'read'],
  grad_target: [14, 'write'],
} as const;

/** The shader of a call. Its `access` slot binds the tensors that only some calls have. */
export function programFor({
  target,
  inputs,
  outputs,
  reduction,
  temper,
}: LinearCrossEntropyArgs): Program {
  const divided = reduction === 'mean' && target === 'classes';
  const bind = (name: keyof typeof SLOTS): string => {
    const [slot, access] = SLOTS[name];
    const mode = access === 'read' ? 'read' : 'read_write';
    return `@group(0) @binding(${slot}) var<storage, ${mode}> ${name}: array<f32>;\n`;
  };
  const above = inputs.gradOutput
    ? `grad_output[${reduction === 'none' ? 'row' : '0'}] * u.scale`
    : 'u.scale';
  const access = [
    inputs.weights ? bind('weights') : '',
    inputs.gradOutput ? bind('grad_output') : '',
    divided ? bind('divisor') : '',
    outputs.gradTarget ? bind('grad_target') : '',
    `fn class_weight(i: u32) -> f32 { return ${inputs.weights ? 'weights[i]' : '1.0'}; }\n`,
    `fn upstream_of(row: u32) -> f32 { return ${above}${divided ? ' / divisor[0]' : ''}; }\n`,
    `fn store_grad_target(i: u32, v: f32) { ${outputs.gradTarget ? 'grad_target[i] = v;' : ''} }\n`,
  ].join('');
  const key = `${target};${temper !== null};${access}`;
  return cachedProgram(kernel, key, 'linearCrossEntropy', kernel, () => ({
    access: temper ? source('access', access + temperText, [div, tanh]) : access + PLAIN,
    target: target === 'classes' ? indexTarget : probabilitiesTarget,
  }));
}

/** Logits as they are. */
const PLAIN = `const tempered = false;
fn temper(z: f32) -> f32 { return z; }
fn through_temper(g: f32, z: f32) -> f32 { return g; }
`;
