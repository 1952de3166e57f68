// What a call of a gated unit is for its kernel: for its function, and for what is planned of it without one.
import { ShapeError } from '../core/errors.ts';
import { formatShape, normalizeDim, rowLayout, type Shape } from '../core/shape.ts';
import { checkNumber } from '../core/validate-options.ts';
import type { GatedArgs, GatedOp } from '../kernels/gated/plan.ts';
import type { ParamsOf, ParamSpecs } from './params.ts';

/** What a gated unit needs of its activation. */
interface Gate<S extends ParamSpecs> extends Pick<GatedOp, 'source' | 'layout'> {
  readonly forward: (x: number, params: ParamsOf<S>) => number;
  readonly backward: (x: number, gradOutput: number, params: ParamsOf<S>) => number;
}

export function gatedOp<S extends ParamSpecs>(
  name: string,
  { source, layout, forward, backward }: Gate<S>,
  gate: 'first' | 'second',
): GatedOp {
  return {
    name,
    source,
    layout,
    forward: (x, params) => forward(x, params as ParamsOf<S>),
    backward: (x, gradOutput, params) => backward(x, gradOutput, params as ParamsOf<S>),
    gate: gate === 'first' ? 0 : 1,
  };
}

/** The extents for the kernel, and the shape of the result, which is half as long along `dim`. */
export function gatedArgs(
  op: string,
  x: Shape,
  dim = -1,
): Pick<GatedArgs, 'outer' | 'n'> & { shape: Shape } {
  checkNumber(op, 'dim', dim, { integer: true });
  if (x.length === 0) {
    throw new ShapeError({
      op,
      argument: 'x',
      expected: 'at least one dimension',
      received: 'a scalar',
    });
  }
  const along = normalizeDim(op, dim, x.length);
  const { outer, n, inner } = rowLayout(x, along);
  if (n % 2 !== 0) {
    throw new ShapeError({
      op,
      argument: 'x',
      expected: `an even size of dimension ${along}`,
      received: `shape ${formatShape(x)}`,
    });
  }
  const shape = x.map((d, i) => (i === along ? d / 2 : d));
  return { shape, outer, n: (n / 2) * inner };
}
