// Writes the WGSL that binds the tensors of a norm: only those that a launch has.
import type { DType } from '../../core/dtype.ts';
import type { Source } from '../../shader/link.ts';
import type { RowLayout } from '../../core/shape.ts';
import { accessKey, accessSource, isPacked, rowAccess, type RowTensor } from '../rows/bindings.ts';
import type { NormOp } from './args.ts';

/** The binding of each tensor; operands, and their gradients, have one after another. */
export const SLOTS = {
  x: 1,
  y: 2,
  gradOutput: 3,
  parts: 4,
  statistics: 5,
  operands: 6,
  grads: 10,
} as const;

/** What a launch has. */
export interface NormTensors {
  readonly x: DType;
  /** What is written: the result, or the gradient of x. */
  readonly y?: DType | undefined;
  readonly gradOutput?: DType | undefined;
  readonly statistics?: 'read' | 'write' | undefined;
  readonly operands: readonly (DType | undefined)[];
  /** The operands whose gradients are summed. */
  readonly grads?: readonly boolean[];
}

/** The kernel's `access` slot. `key` tells apart what is written for different launches. */
export function normAccess(
  op: NormOp,
  layout: RowLayout,
  has: NormTensors,
): { readonly key: string; readonly source: () => Source } {
  const packed = isPacked(layout);
  const read = { packed, access: 'read' } as const;
  const write = { packed, access: 'write' } as const;
  const tensors: RowTensor[] = [{ ...read, slot: SLOTS.x, name: 'x', dtype: has.x }];
  if (has.y) tensors.push({ ...write, slot: SLOTS.y, name: 'y', dtype: has.y });
  if (has.gradOutput)
    tensors.push({ ...read, slot: SLOTS.gradOutput, name: 'grad_output', dtype: has.gradOutput });
  op.operands.forEach(({ name }, i) => {
    const dtype = has.operands[i];
    if (dtype) tensors.push({ ...read, slot: SLOTS.operands + i, name, dtype, step: '1u' });
    if (has.grads?.[i])
      tensors.push({ ...write, slot: SLOTS.grads + i, name: `grad_${name}`, dtype: 'float32' });
  });
  const { statistics = '' } = has;
  return {
    key: `${accessKey(tensors)};${statistics}`,
    source: () => {
      const text = rowAccess(tensors) + statisticsText(statistics) + operandsText(op, has);
      return accessSource(
        text,
        tensors.map(({ dtype }) => dtype),
      );
    },
  };
}

/** What is known of a row, kept as a vec4. */
function statisticsText(access: 'read' | 'write' | ''): string {
  const mode = access === 'write' ? 'read_write' : 'read';
  const bound = `@group(0) @binding(${SLOTS.statistics}) var<storage, ${mode}> statistics: array<vec4f>;
`;
  const store = 'statistics[r] = vec4f(row.scale, row.centre, row.shift, row.factor);';
  const load = `fn kept_row(r: u32) -> Row {
  let v = statistics[r];
  return Row(v.x, v.y, v.z, v.w);
}
`;
  return `${access === '' ? '' : bound}${access === 'read' ? load : ''}fn store_row(r: u32, row: Row) {
  ${access === 'write' ? store : ''}
}
`;
}

/** A struct of a quad of each operand, its values, and its sums. */
function operandsText({ operands }: NormOp, has: NormTensors): string {
  const each = (
    write: (name: string, i: number, absent: number) => string,
    between = ', ',
  ): string => operands.map(({ name, absent }, i) => write(name, i, absent)).join(between);
  const values = (read: (name: string) => string): string =>
    each((name, i, absent) => (has.operands[i] ? read(name) : `vec4f(${absent})`));
  const stores = each(
    (name, i) => (has.grads?.[i] ? `  store_grad_${name}_tail(base, q, o.${name});\n` : ''),
    '',
  );
  return `struct Operands { ${each((name) => `${name}: vec4f`)} }
fn operands_full(q: u32) -> Operands {
  return Operands(${values((name) => `${name}_full(0u, q)`)});
}
fn operands_last_quad(lane: Lane, k: u32) -> Operands {
  return Operands(${values((name) => `${name}_last_quad(0u, lane, k)`)});
}
fn add_operands(a: Operands, b: Operands) -> Operands {
  return Operands(${each((name) => `a.${name} + b.${name}`)});
}
fn store_operands(base: u32, q: u32, o: Operands) {
${stores}}
`;
}
