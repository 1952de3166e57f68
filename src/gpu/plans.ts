// In: kernels and their arguments. Out: plans, kept for the next call alike, with what the device has made for each launch.
import type { Kernel, Launch, Plan, View } from '../kernel.ts';
import { sameShape } from '../shape.ts';
import type { PooledBuffer } from './buffers.ts';
import type { Group } from './layouts.ts';
import type { PipelineEntry } from './pipelines.ts';

/** A launch of a kept plan. What is found for one call is there for the next. */
export class KeptLaunch {
  readonly launch: Launch;
  readonly uniforms: Uint8Array<ArrayBuffer>;
  pipeline: PipelineEntry | null = null;
  /** The batch that holds the uniforms already, and where. */
  batch = -1;
  uniformOffset = 0;
  /** Bind groups of the latest calls, valid for one generation of `Layouts`. */
  readonly groups: KeptGroup[] = [];
  generation = -1;

  constructor(launch: Launch) {
    this.launch = launch;
    this.uniforms = new Uint8Array(launch.uniforms);
  }
}

export interface KeptGroup {
  readonly buffers: readonly PooledBuffer[];
  readonly offsets: readonly number[];
  readonly group: Group;
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

/** Plans per key; a layer of a network asks for few. */
const MOST = 16;

export class Plans {
  readonly #entries = new WeakMap<object, Entry[]>();

  /** The plan of an earlier call alike, or the one that `make` gives. */
  get<A>(
    kernel: Kernel<A>,
    args: A,
    inputs: readonly View[],
    outputs: readonly View[],
    make: (kernel: Kernel<A>, args: A, inputs: readonly View[], outputs: readonly View[]) => Plan,
  ): KeptPlan {
    const { kept } = kernel;
    if (!kept) return keep(make(kernel, args, inputs, outputs));
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
    const made = keep(make(kernel, args, inputs, outputs));
    // The latest first: what is called with ever new options soon has nothing here.
    entries.unshift({ ...made, args, inputs: inputs.map(viewOf), outputs: outputs.map(viewOf) });
    if (entries.length > MOST) entries.pop();
    return made;
  }
}

function keep(plan: Plan): KeptPlan {
  return { plan, launches: plan.launches.map((launch) => new KeptLaunch(launch)) };
}

/** A view alone: an operand would keep its memory. */
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
