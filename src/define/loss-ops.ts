// The pointwise ops of a declared loss, one for each set of gradients and weights that calls have.
import { source } from '../shader/link.ts';
import { at } from '../cpu/rows.ts';
import type { ParamLayout, ParamValues } from '../shader/params.ts';
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
}

/** Which differentiable inputs need a gradient, and which weights are given. */
export interface Variant {
  readonly needs: readonly boolean[];
  readonly weighted: readonly boolean[];
}

export interface LossOps {
  /** The loss and then the gradients that are needed, for the upstream gradient `u.scale`. */
  readonly forward: (variant: Variant) => PointwiseOp;
  /** The gradients that are needed, for an upstream gradient per element. */
  readonly backward: (variant: Variant) => PointwiseOp;
}

export function lossOps(parts: LossParts): LossOps {
  const { name, params, differentiable } = parts;
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
  const componentsOf = ({ needs }: Variant): string[] =>
    (differentiable.length === 1 ? ['g'] : ['g.x', 'g.y', 'g.z', 'g.w']).filter((_, k) => needs[k]);
  const spread = (
    grads: readonly number[],
    { needs }: Variant,
    r: Float64Array,
    from: number,
  ): void => {
    let k = from;
    grads.forEach((grad, i) => {
      if (needs[i]) r[k++] = grad;
    });
  };

  const forward = (variant: Variant): PointwiseOp => {
    const { names, text, fill } = argumentsOf(variant);
    const grads = componentsOf(variant);
    const withGrads = grads.length > 0;
    return {
      ...common,
      inputs: names,
      results: 1 + grads.length,
      body: [
        withGrads ? `  let g = loss_grad(${text}, u.scale, p);` : '',
        `  return Results(${[`loss(${text}, p)`, ...grads].join(', ')});`,
      ].join('\n'),
      reference: (v, r, p, _index, scale) => {
        const args = fill(v);
        r[0] = parts.forward(...args, p);
        if (withGrads) spread(parts.backward(...args, scale, p), variant, r, 1);
      },
      ...(!withGrads && names.length === 2 && parts.weights.length === 0
        ? { binary: parts.forward }
        : {}),
    };
  };

  const backward = (variant: Variant): PointwiseOp => {
    const { names, text, fill } = argumentsOf(variant);
    const grads = componentsOf(variant);
    return {
      ...common,
      inputs: [...names, 'grad_output'],
      results: grads.length,
      body: `  let g = loss_grad(${text}, grad_output * u.scale, p);\n  return Results(${grads.join(', ')});`,
      reference: (v, r, p, _index, scale) => {
        const gradOutput = at(v, names.length) * scale;
        spread(parts.backward(...fill(v), gradOutput, p), variant, r, 0);
      },
    };
  };
  return { forward: remembered(forward), backward: remembered(backward) };
}

/** Makes one op per variant, and returns the same one again later, because programs are cached by op. */
function remembered(make: (variant: Variant) => PointwiseOp): (variant: Variant) => PointwiseOp {
  const made = new Map<string, PointwiseOp>();
  return (variant) => {
    const key = `${variant.needs.join()};${variant.weighted.join()}`;
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
