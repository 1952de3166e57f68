// In: a tensor seen as rows. Out: how the rows are spread over invocations, for every row-wise kernel.
import { rowsByInvocation, rowsByWorkgroup } from '../gpu/lib.ts';
import type { Source } from '../gpu/link.ts';
import { foldWorkgroups, type Capabilities } from '../kernel.ts';
import type { RowLayout } from '../shape.ts';

export interface RowLaunch {
  /** Distinguishes programs. */
  readonly variant: 'invocation' | 'workgroup';
  /** What fills the kernel's `rows` slot. */
  readonly rows: Source;
  readonly constants: Readonly<Record<string, number>>;
  readonly workgroups: [number, number, number];
}

/**
 * A row per invocation or per workgroup. On a software adapter invocations run one after another and barriers are dear,
 * so a workgroup shares a row only where there are too few rows to go round. A GPU wants thousands of invocations, and
 * neighbours reading neighbours: columns (inner > 1) have that with a row per invocation.
 */
export function rowLaunch(layout: RowLayout, caps: Capabilities): RowLaunch {
  const { outer, n, inner } = layout;
  const rows = outer * inner;
  const shared = caps.software
    ? rows < 16 && n >= 1024
    : inner === 1
      ? n >= 32
      : rows < 1024 && n >= 256;
  if (shared) {
    const size = caps.software ? 64 : n >= 512 ? 256 : 64;
    return {
      variant: 'workgroup',
      rows: rowsByWorkgroup,
      constants: { workgroup_size: size },
      workgroups: foldWorkgroups(rows, caps),
    };
  }
  return invocationPerRow(layout, caps);
}

export function invocationPerRow({ outer, inner }: RowLayout, caps: Capabilities): RowLaunch {
  return {
    variant: 'invocation',
    rows: rowsByInvocation,
    constants: { workgroup_size: 64 },
    workgroups: foldWorkgroups(Math.ceil((outer * inner) / 64), caps),
  };
}

/** Calls `visit` with the first index of each row; its elements are `inner` apart. */
export function forEachRow(
  { outer, n, inner }: RowLayout,
  visit: (base: number, row: number) => void,
): void {
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) visit(o * n * inner + i, o * inner + i);
  }
}
