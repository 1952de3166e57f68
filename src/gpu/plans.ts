// Keeps the plans of kernels for later calls with the same arguments and shapes, with the objects made for each
// launch.
import type { Binding, DeviceKernel, Launch, Plan, View } from '../core/kernel.ts';
import { sameShape } from '../core/shape.ts';
import type { PooledBuffer } from './buffers.ts';
import type { Resource } from './layouts.ts';
import type { PipelineEntry } from './pipelines.ts';

/** A launch of a kept plan. Objects that one call has made are reused by the next. */
export class KeptLaunch {
  readonly launch: Launch;
  readonly uniforms: Uint8Array<ArrayBuffer>;
  pipeline: PipelineEntry | null = null;
  /** The block that already contains the uniforms, and their offset. */
  block = -1;
  uniformOffset = 0;
  /** Bind groups of the latest calls. They are valid for one generation of `Layouts`. */
  readonly groups: KeptGroup[] = [];
  generation = -1;

  /** What the launch does with each binding. */
  readonly uses: readonly Use[];

  constructor(launch: Launch, uses: readonly Use[]) {
    this.launch = launch;
    this.uniforms = new Uint8Array(launch.uniforms);
    this.uses = uses;
  }
}

/**
 * What a launch does with a buffer. `update`: it reads and writes it, or writes only a part. `note`: it is the status
 * word.
 */
export type Use = 'read' | 'write' | 'update' | 'note';

/** The buffers of a launch and its bind group, which is made when the launch is first encoded. */
export interface KeptGroup {
  readonly buffers: readonly PooledBuffer[];
  readonly offsets: readonly number[];
  readonly resources: readonly Resource[];
  group: GPUBindGroup | null;
}

/** A plan and its launches. */
export interface KeptPlan {
  readonly plan: Plan;
  readonly launches: readonly KeptLaunch[];
}

interface Entry extends KeptPlan {
  readonly args: unknown;
  readonly inputs: readonly View[];
  readonly outputs: readonly View[];
}

/** Number of plans kept per key. One layer of a network needs only a few. */
const MOST = 16;

export class Plans {
  readonly #entries = new WeakMap<object, Entry[]>();

  /** The plan of an earlier call with the same arguments and shapes, or else the plan that `make` returns. */
  get<A>(
    kernel: DeviceKernel<A>,
    args: A,
    inputs: readonly View[],
    outputs: readonly View[],
    make: (
      kernel: DeviceKernel<A>,
      args: A,
      inputs: readonly View[],
      outputs: readonly View[],
    ) => Plan,
  ): KeptPlan {
    const { kept } = kernel;
    if (!kept) return keep(make(kernel, args, inputs, outputs), kernel, outputs);
    const key = kept.key(args);
    let entries = this.#entries.get(key);
    if (!entries) this.#entries.set(key, (entries = []));
    for (const entry of entries) {
      if (
        sameViews(entry.inputs, inputs) &&
        sameViews(entry.outputs, outputs) &&
        kept.same(entry.args as A, args)
      ) {
        return entry;
      }
    }
    const made = keep(make(kernel, args, inputs, outputs), kernel, outputs);
    // The latest plan is first. An op that is called with different options each time soon has no plan left here.
    entries.unshift({ ...made, args, inputs: inputs.map(viewOf), outputs: outputs.map(viewOf) });
    if (entries.length > MOST) entries.pop();
    return made;
  }
}

function keep<A>(plan: Plan, { partial }: DeviceKernel<A>, outputs: readonly View[]): KeptPlan {
  const useOf = ({ of, index, access }: Binding): Use => {
    if (of === 'status') return 'note';
    if (access === 'read') return 'read';
    const reads = of === 'output' && (partial || outputs[index]?.aliasOf !== undefined);
    return reads ? 'update' : 'write';
  };
  const launches = plan.launches.map(
    (launch) => new KeptLaunch(launch, launch.bindings.map(useOf)),
  );
  return { plan, launches };
}

/** A plain copy of a view. The operand that is passed as a view would keep its memory alive. */
function viewOf({ shape, size, dtype, padded, aliasOf }: View): View {
  return { shape, size, dtype, padded, ...(aliasOf === undefined ? {} : { aliasOf }) };
}

function sameViews(a: readonly View[], b: readonly View[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) {
    const [one, other] = [a[i], b[i]];
    if (!one || !other || !sameView(one, other)) return false;
  }
  return true;
}

function sameView(a: View, b: View): boolean {
  return (
    a.size === b.size &&
    a.dtype === b.dtype &&
    a.padded === b.padded &&
    a.aliasOf === b.aliasOf &&
    sameShape(a.shape, b.shape)
  );
}
