// The last launch of a loss that first computes other things: terms of elements, of which a mask may leave some out, added up
// or averaged over how many count. The first tensor has a gradient, which the same launch writes where it can.
import { run, type Output } from '../core/dispatcher.ts';
import type { Tensor } from '../core/tensor.ts';
import { pointwise } from '../kernels/pointwise/plan.ts';
import { reduceDims, view } from '../kernels/reduce/sum-to.ts';
import type { Source } from '../shader/link.ts';
import type { ParamLayout, ParamValues } from '../shader/params.ts';
import { likesOf, planGradients, recordFused } from './fused-gradient.ts';
import { lossOps, type Variant } from './loss-ops.ts';

export interface TermsDeclaration {
  /** Of the loss, in messages and labels. */
  readonly name: string;
  /**
   * WGSL: `fn term(x: f32, …, p: Params) -> f32`, of an element of each tensor in their order, and `fn term_grad(x: f32, …,
   * grad_output: f32, p: Params) -> f32`, the gradient of the first.
   */
  readonly wgsl: string;
  readonly includes?: readonly Source[];
  readonly params: ParamLayout;
  readonly inputs: readonly string[];
  /** Tensors behind those that a call may leave out. Formulas get 1 for them. */
  readonly optional?: readonly string[];
  /** The same in float64. */
  readonly forward: (elements: readonly number[], params: ParamValues) => number;
  readonly backward: (
    elements: readonly number[],
    gradOutput: number,
    params: ParamValues,
  ) => number;
}

export interface TermsCall {
  readonly params: ParamValues;
  /** For each input and what is optional, a tensor that broadcasts to the shape of the first. */
  readonly tensors: readonly [Tensor, ...(Tensor | undefined)[]];
  /** float32: terms where it is 0 are 0, whatever the tensors hold there. */
  readonly kept?: Tensor | undefined;
  /** float32: each term is divided by its element of this, or by 1 where that is smaller. */
  readonly count?: Tensor | undefined;
  /** What is added up: all terms, those of each row (the last dimension), or none. */
  readonly over: 'all' | 'rows' | 'none';
  /** What sums are divided by; 1 by default. */
  readonly divisor?: number;
  readonly to: Output;
}

/** WGSL: the functions of a loss, from those of a term, for terms that count, over their number. */
function counted(width: number): string {
  const elements = Array.from({ length: width }, (_, i) => `x${i}`).join(', ');
  const types = `${elements.replaceAll(',', ': f32,')}: f32, kept: f32, count: f32`;
  return `
fn over(value: f32, count: f32) -> f32 {
  return select(value / count, value, count <= 1.0);
}
fn loss(${types}, p: Params) -> f32 {
  return select(0.0, over(term(${elements}, p), count), kept != 0.0);
}
fn loss_grad(${types}, grad_output: f32, p: Params) -> f32 {
  return select(0.0, term_grad(${elements}, over(grad_output, count), p), kept != 0.0);
}`;
}

/** Declares terms of elements, with the gradient of the first tensor. */
export function defineTerms(declaration: TermsDeclaration): (call: TermsCall) => Tensor {
  const { name, wgsl, includes = [], params: layout, inputs, optional = [] } = declaration;
  const width = inputs.length + optional.length;
  const ops = lossOps({
    name,
    wgsl: wgsl + counted(width),
    includes,
    params: layout,
    inputs,
    differentiable: inputs.slice(0, 1),
    weights: [...optional, 'kept', 'count'],
    weightBackward: null,
    forward: (...args) => {
      const elements = args.slice(0, width + 2) as number[];
      const [kept = 1, count = 1] = elements.splice(width);
      const params = args.at(-1) as ParamValues;
      return kept === 0 ? 0 : declaration.forward(elements, params) / Math.max(count, 1);
    },
    backward: (...args) => {
      const elements = args.slice(0, width + 3) as number[];
      const [kept = 1, count = 1, gradOutput = NaN] = elements.splice(width);
      const params = args.at(-1) as ParamValues;
      const g = gradOutput / Math.max(count, 1);
      return [kept === 0 ? 0 : declaration.backward(elements, g, params)];
    },
  });

  return ({ params, tensors, kept, count, over, divisor = 1, to }) => {
    const [first] = tensors;
    const { shape } = first;
    const given = [...tensors, kept, count];
    const weighted = given.slice(inputs.length).map((tensor) => tensor !== undefined);
    const operands = given.filter((tensor) => tensor !== undefined);
    const plan = planGradients([first], over === 'all' ? 'sum' : 'none');
    const variant = (needs: readonly boolean[]): Variant => ({
      needs,
      weightNeeds: weighted.map(() => false),
      weighted,
      divided: false,
    });
    const args = { params, shape, scale: 1 / divisor };
    const sum = over === 'all' ? { sum: divisor } : {};
    const [terms, ...grads] = run(
      pointwise,
      { ...args, op: ops.forward(variant(plan.fused)), ...sum },
      operands,
      [over === 'rows' ? { shape, dtype: 'float32' } : to, ...likesOf([first], plan.fused)],
    );
    const op = ops.backward(variant(plan.needs));
    const rowShape = shape.slice(0, -1);
    return recordFused({
      op: name,
      inputs: [first],
      plan,
      operands,
      outputs: [over === 'rows' ? sumOfRows(terms, divisor, to) : terms, ...grads],
      backward: (saved, gradOutput) => {
        const upstream = over === 'rows' ? view(gradOutput, [...rowShape, 1]) : gradOutput;
        const likes = likesOf(saved.slice(0, 1), plan.needs);
        const result = run(pointwise, { ...args, op }, [...saved, upstream], likes);
        if (upstream !== gradOutput) upstream.dispose();
        return result;
      },
    });
  };
}

/** The sum of each row over the divisor. The terms are disposed. */
function sumOfRows(terms: Tensor, divisor: number, to: Output): Tensor {
  const sums = reduceDims(terms, [terms.rank - 1], divisor, to);
  terms.dispose();
  if (sums === to) return sums;
  const rows = view(sums, terms.shape.slice(0, -1));
  sums.dispose();
  return rows;
}
