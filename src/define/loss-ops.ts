// The pointwise ops of a declared loss, one for each set of gradients and weights that calls have.
import { source } from '../shader/link.ts';
import { at } from '../cpu/rows.ts';
import type { ParamLayout, ParamValues } from '../shader/params.ts';
import type { Binary } from '../kernels/pointwise/args.ts';
import type { PointwiseOp } from '../kernels/pointwise/plan.ts';

/**
 * A loss without its types. The arguments of its formulas are the inputs, the weights, for `backward` the upstream
 * gradient, and the options.
 */
export interface LossParts {
  readonly name: string;
  readonly wgsl: string;
  readonly includes: Parameters<typeof source>[2];
  readonly params: ParamLayout;
  readonly inputs: readonly string[];
  readonly differentiable: readonly string[];
  readonly weights: readonly string[];
  readonly forward: (...args: (number | ParamValues)[]) => number;
  readonly backward: (...args: (number | ParamValues)[]) => readonly number[];
  /** The gradients with respect to the weights, if they have any. */
  readonly weightBackward: ((...args: (number | ParamValues)[]) => readonly number[]) | null;
}

/** Which gradients are needed, which weights are given, and what a mean divides by. */
export interface Variant {
  /** For each differentiable input. */
  readonly needs: readonly boolean[];
  /** For each weight, whether it needs a gradient. */
  readonly weightNeeds: readonly boolean[];
  /** For each weight, whether it is given. */
  readonly weighted: readonly boolean[];
  /**
   * Whether upstream gradients are divided by the sum of a weight. That sum is a tensor behind the weights; the mean
   * itself is another one behind it where the weight needs a gradient, in the backward direction.
   */
  readonly divided: boolean;
}

export interface LossOps {
  /** The loss and then the gradients that are needed, for the upstream gradient `u.scale`. */
  readonly forward: (variant: Variant) => PointwiseOp;
  /**
   * The gradients that are needed, for an upstream gradient per element. If `divided`, `u.scale` is the share of an
   * element in what the mean's divisor adds to the gradient of the weight.
   */
  readonly backward: (variant: Variant) => PointwiseOp;
  /** The sum of the losses divided by the sum of the weights. */
  readonly quotient: PointwiseOp;
}

/** The components of the results of `loss_grad` and `weight_grad`. */
function components(name: string, wanted: readonly boolean[]): string[] {
  const all = wanted.length === 1 ? [name] : ['x', 'y', 'z', 'w'].map((c) => `${name}.${c}`);
  return all.filter((_, k) => wanted[k]);
}

export function lossOps(parts: LossParts): LossOps {
  const { name, params } = parts;
  const common = { name, source: source(`${name}.wgsl`, parts.wgsl, parts.includes), params };
  const inputs = parts.inputs.map(wgslName);

  /** The names of the arguments of the WGSL and float64 functions. */
  const argumentsOf = ({ weighted }: Variant) => {
    const given = parts.weights.filter((_, k) => weighted[k]);
    const names = [...inputs, ...given.map(wgslName)];
    const text = [
      ...inputs,
      ...parts.weights.map((weight, k) => (weighted[k] ? wgslName(weight) : '1.0')),
    ];
    const count = inputs.length;
    const args = new Array<number>(text.length).fill(1);
    const fill = (v: Float64Array): number[] => {
      let next = 0;
      for (let k = 0; k < args.length; k++)
        args[k] = k < count || weighted[k - count] ? at(v, next++) : 1;
      return args;
    };
    return { names, text: text.join(', '), fill };
  };
  /** The gradients that are needed, from the arguments of the formulas and the upstream gradient `up`. */
  const gradientsOf = ({ needs, weightNeeds }: Variant, text: string, mean = '') => {
    const [own, ofWeights] = [components('g', needs), components('nl_h', weightNeeds)];
    return {
      lines: [
        ...(own.length > 0 ? [`  let g = loss_grad(${text}, nl_up, p);`] : []),
        ...(ofWeights.length > 0 ? [`  let nl_h = weight_grad(${text}, nl_up, p);`] : []),
      ],
      results: [...own, ...ofWeights.map((grad) => grad + mean)],
      fill: (
        args: readonly number[],
        p: ParamValues,
        up: number,
        less: number,
        r: Float64Array,
        from: number,
      ): void => {
        let k = from;
        if (own.length > 0) {
          const grads = parts.backward(...args, up, p);
          for (let i = 0; i < grads.length; i++) if (needs[i]) r[k++] = grads[i] ?? NaN;
        }
        if (ofWeights.length > 0 && parts.weightBackward) {
          const grads = parts.weightBackward(...args, up, p);
          for (let i = 0; i < grads.length; i++)
            if (weightNeeds[i]) r[k++] = (grads[i] ?? NaN) - less;
        }
      },
    };
  };

  const forward = (variant: Variant): PointwiseOp => {
    const { names, text, fill } = argumentsOf(variant);
    const { divided } = variant;
    const grads = gradientsOf(variant, text);
    const withGrads = grads.results.length > 0;
    const total = divided && withGrads;
    return {
      ...common,
      inputs: total ? [...names, 'total'] : names,
      results: 1 + grads.results.length,
      body: [
        withGrads ? `  let nl_up = ${divided ? 'nl_divide(1.0, total)' : 'u.scale'};` : '',
        ...grads.lines,
        `  return Results(${[`loss(${text}, p)`, ...grads.results].join(', ')});`,
      ].join('\n'),
      reference: (v, r, p, _index, scale) => {
        const args = fill(v);
        r[0] = parts.forward(...args, p);
        if (withGrads) grads.fill(args, p, total ? 1 / at(v, names.length) : scale, 0, r, 1);
      },
      ...(!withGrads && names.length === 2 && inputs.length === 2 ? { binary: alone(parts) } : {}),
    };
  };

  const backward = (variant: Variant): PointwiseOp => {
    const { names, text, fill } = argumentsOf(variant);
    const { divided, weightNeeds } = variant;
    // The sum of the weights is below the mean, so that each weight's gradient is less by a share of it.
    const withMean = divided && weightNeeds.includes(true);
    const grads = gradientsOf(variant, text, withMean ? ' - mean * (nl_up * u.scale)' : '');
    const more = [...(divided ? ['total'] : []), ...(withMean ? ['mean'] : [])];
    const place = names.length + more.length;
    return {
      ...common,
      inputs: [...names, ...more, 'grad_output'],
      results: grads.results.length,
      body: [
        `  let nl_up = ${divided ? 'nl_divide(grad_output, total)' : 'grad_output * u.scale'};`,
        ...grads.lines,
        `  return Results(${grads.results.join(', ')});`,
      ].join('\n'),
      reference: (v, r, p, _index, scale) => {
        const up = divided ? at(v, place) / at(v, names.length) : at(v, place) * scale;
        const less = withMean ? at(v, names.length + 1) * up * scale : 0;
        grads.fill(fill(v), p, up, less, r, 0);
      },
    };
  };
  const quotient: PointwiseOp = {
    ...common,
    inputs: ['losses', 'total'],
    results: 1,
    body: '  return Results(nl_divide(losses, total));',
    binary: (losses, total) => losses / total,
  };
  return { forward: remembered(forward), backward: remembered(backward), quotient };
}

/** The loss of two inputs without weights. */
function alone({ forward, weights }: LossParts): Binary {
  if (weights.length === 0) return forward;
  if (weights.length === 1) return (a, b, p) => forward(a, b, 1, p);
  return (a, b, p) => forward(a, b, ...weights.map(() => 1), p);
}

/** Makes one op per variant, and returns the same one again later, because programs are cached by op. */
function remembered(make: (variant: Variant) => PointwiseOp): (variant: Variant) => PointwiseOp {
  const made = new Map<string, PointwiseOp>();
  return (variant) => {
    const { needs, weightNeeds, weighted, divided } = variant;
    const key = `${needs.join()};${weightNeeds.join()};${weighted.join()};${divided}`;
    const known = made.get(key);
    if (known) return known;
    const op = make(variant);
    made.set(key, op);
    return op;
  };
}

/** A name in snake_case. `target` is changed, because it is a reserved word in WGSL. */
function wgslName(name: string): string {
  if (name === 'target') return 'expected';
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
