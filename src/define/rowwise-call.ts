// What a call of a declared row-wise op is for its kernel: for its function, and for what is planned of it without one.
import { LARGEST } from '../core/dtype.ts';
import { rowLayout, type Shape } from '../core/shape.ts';
import { checkNumber, checkOptionNames } from '../core/validate-options.ts';
import type { RowwiseArgs, RowwiseOp } from '../kernels/rowwise/args.ts';
import { maskLayout } from '../kernels/rowwise/masking.ts';
import { source } from '../shader/link.ts';
import type { RowwiseDeclaration } from './rowwise.ts';

export function rowwiseOp(declaration: RowwiseDeclaration): RowwiseOp {
  const { name, wgsl, includes } = declaration;
  return { ...declaration, source: source(`${name}.wgsl`, wgsl, includes) };
}

/** The options that are numbers, checked. `mask`, `dtype` and `out` are the caller's to check. */
export function resolveRowwise(
  { name, leftOut, dim: standard = NaN }: RowwiseDeclaration,
  options: object,
): { dim: number; scale: number } {
  const known = leftOut === undefined ? ['dim', 'out'] : ['dim', 'mask', 'scale', 'dtype', 'out'];
  checkOptionNames(name, options, known);
  const { dim = standard, scale = 1 } = options as { dim?: number; scale?: number };
  checkNumber(name, 'dim', dim, { integer: true });
  checkNumber(name, 'scale', scale, { min: -LARGEST, max: LARGEST });
  return { dim, scale };
}

/** `dim` counts from the front. `mask` is the shape of one. */
export function rowwiseArgs(
  op: RowwiseOp,
  shape: Shape,
  dim: number,
  { scale, mask }: { scale: number; mask: Shape | undefined },
): Omit<RowwiseArgs, 'direction'> {
  const masking =
    mask || scale !== 1
      ? { masking: { scale, mask: mask ? maskLayout(mask, shape, dim) : null } }
      : {};
  return { op, layout: rowLayout(shape, dim), ...masking };
}
