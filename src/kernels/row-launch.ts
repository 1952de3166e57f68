// In: a tensor seen as rows. Out: a row per invocation or per workgroup, for kernels that go over it element by element.
import { rowsByInvocation, rowsByWorkgroup } from '../gpu/lib.ts';
import type { Source } from '../gpu/link.ts';
import { foldWorkgroups, workgroupSize, type Capabilities } from '../kernel.ts';
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
 * On a software adapter invocations run one after another and barriers are dear, so a workgroup shares a row only where
 * there are too few rows to go round. A GPU wants thousands of invocations, and neighbours reading neighbours: columns
 * (inner > 1) have that with a row per invocation.
 */
export function rowLaunch({ outer, n, inner }: RowLayout, caps: Capabilities): RowLaunch {
  const rows = outer * inner;
  const shared = caps.software
    ? rows < 16 && n >= 1024
    : inner === 1
      ? n >= 32
      : rows < 1024 && n >= 256;
  const size = workgroupSize(shared && !caps.software && n >= 512 ? 256 : 64, caps);
  return {
    variant: shared ? 'workgroup' : 'invocation',
    rows: shared ? rowsByWorkgroup : rowsByInvocation,
    constants: { workgroup_size: size },
    workgroups: foldWorkgroups(shared ? rows : Math.ceil(rows / size), caps),
  };
}
