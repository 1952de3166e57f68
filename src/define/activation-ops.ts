// The pointwise ops of a declared activation, and its options: what its function runs, and what is planned of it without one.
import { at } from '../cpu/rows.ts';
import type { Binary, PointwiseOp, Unary, UnaryAll } from '../kernels/pointwise/args.ts';
import { source, type Source } from '../shader/link.ts';
import type { ActivationDeclaration } from './activation.ts';
import { layoutOf, resolveParams, type ParamSpecs, type ParamsOf } from './params.ts';

export interface ActivationOps {
  readonly file: Source;
  readonly layout: PointwiseOp['params'];
  readonly forwardOp: PointwiseOp;
  readonly backwardOp: PointwiseOp;
}

export function activationOps<S extends ParamSpecs>(
  declaration: ActivationDeclaration<S>,
): ActivationOps {
  const { name, wgsl, forward, backward } = declaration;
  const layout = layoutOf(declaration.params ?? {});
  const file = source(`${name}.wgsl`, wgsl, declaration.includes);
  const common = { name, source: file, params: layout, results: 1 };
  return {
    file,
    layout,
    forwardOp: {
      ...common,
      inputs: ['x'],
      body: '  return Results(forward(x, p));',
      unary: forward as Unary,
      ...(declaration.forwardAll ? { unaryAll: declaration.forwardAll as UnaryAll } : {}),
      inPlace: [0],
    },
    backwardOp: {
      ...common,
      inputs: ['x', 'grad_output'],
      body: '  return Results(backward(x, grad_output, p));',
      binary: backward as Binary,
    },
  };
}

/** The same of x with a bias: apart, so that plans without one do without them. */
export function biasOps<S extends ParamSpecs>(
  { name, forward, backward }: ActivationDeclaration<S>,
  { file, layout }: Pick<ActivationOps, 'file' | 'layout'>,
): { readonly forwardBiasOp: PointwiseOp; readonly backwardBiasOp: PointwiseOp } {
  const common = { name, source: file, params: layout, results: 1 };
  return {
    forwardBiasOp: {
      ...common,
      inputs: ['x', 'bias'],
      body: '  return Results(forward(x + bias, p));',
      binary: (x, bias, p) => forward(x + bias, p as ParamsOf<S>),
      inPlace: [0],
    },
    backwardBiasOp: {
      ...common,
      inputs: ['x', 'grad_output', 'bias'],
      body: '  return Results(backward(x + bias, grad_output, p));',
      reference: (v, r, p) => {
        r[0] = backward(at(v, 0) + at(v, 2), at(v, 1), p as ParamsOf<S>);
      },
    },
  };
}

/** The given options and the defaults of the others, checked. `others` are names of options that the caller checks. */
export function resolveActivation<S extends ParamSpecs>(
  declaration: ActivationDeclaration<S>,
  op: string,
  others: readonly string[],
  options?: object,
): ParamsOf<S> {
  const params = resolveParams(op, declaration.params ?? ({} as S), others, options);
  declaration.check?.(op, params);
  return params;
}
