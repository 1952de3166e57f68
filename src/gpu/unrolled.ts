// The commands of a captured step in the ops that called them, where they cannot run as one.
import type { Compiled, Step } from './compiled.ts';
import type { Copy, Op } from './encoder.ts';
import { KeptLaunch, type KeptGroup } from './plans.ts';

/** A launch with what a queue or a recording needs of it, or a copy. */
export type Unrolled =
  Omit<Copy, 'op'> | (Pick<Step, 'entry' | 'kept'> & { readonly bound: KeptGroup });

export interface UnrolledOp {
  readonly op: Op;
  readonly commands: Unrolled[];
}

/** Their uniforms are those of this replay. */
export function unroll({ commands, bytes }: Compiled): readonly UnrolledOp[] {
  const ops: UnrolledOp[] = [];
  for (const command of commands) {
    let last = ops.at(-1);
    if (last?.op !== command.op) ops.push((last = { op: command.op, commands: [] }));
    if ('from' in command) {
      last.commands.push(command);
      continue;
    }
    const { entry, kept, resources, offset, changes } = command;
    const { launch, uses } = kept;
    const uniforms = bytes.slice(offset, offset + launch.uniforms.byteLength).buffer;
    const own = changes.length > 0 ? new KeptLaunch({ ...launch, uniforms }, uses) : kept;
    const bound = {
      buffers: resources.map(({ buffer }) => buffer),
      offsets: resources.map((resource) => resource.offset),
      resources,
      group: null,
    };
    last.commands.push({ entry, kept: own, bound });
  }
  return ops;
}
