// Puts the launches of one direction together, as the dispatcher and the GPU device do it with tensors: float16 goes through
// float32 where a kernel wants it so, and scratch memory is used again by later kernels.
import type { DType } from '../core/dtype.ts';
import {
  readsWide,
  writesWide,
  type Binding,
  type Capabilities,
  type Plan,
  type Planner,
  type View,
} from '../core/kernel.ts';
import { sizeOf, type Shape } from '../core/shape.ts';
import { boundBytes, bytesOf, checkBindings } from '../gpu/bindings.ts';
import { STATUS_BYTES } from '../gpu/status.ts';
import { castArgs } from '../kernels/pointwise/identity.ts';
import { elementwise } from '../kernels/pointwise/elements.ts';
import type { Program } from '../shader/link.ts';
import type { PlanTuning } from './tunings.ts';
import type { PlannedLaunch, PlannedPass } from './types.ts';

/** A tensor of a plan: what planners know of it, and its name. */
export interface Part extends View {
  readonly name: string;
}

/** A change of plans for devices that bind few buffers: `planMerged` where an op may need it. */
export type Merge = (
  make: (caps: Capabilities) => Plan,
  bytes: (binding: Binding, plan: Plan) => number,
  caps: Capabilities,
) => Plan;

/** The same tensor, seen with another shape of as many elements. */
export const seenAs = (part: Part, shape: Shape): Part => ({ ...part, shape });

export class Pass implements PlannedPass {
  readonly launches: PlannedLaunch[] = [];
  readonly scratch: number[] = [];
  readonly #op: string;
  readonly #caps: Capabilities;
  readonly #codeOf: PlanTuning['codeOf'];
  readonly #merge: Merge | null;
  /** Scratch that nothing uses any more. */
  readonly #free: number[] = [];
  readonly #reads = new Set<string>();
  readonly #writes = new Set<string>();
  /** Whether a kernel notes indices out of range. */
  notes = false;

  constructor(op: string, caps: Capabilities, codeOf: PlanTuning['codeOf'], merge: Merge | null) {
    this.#op = op;
    this.#caps = caps;
    this.#codeOf = codeOf;
    this.#merge = merge;
  }

  get reads(): string[] {
    return [...this.#reads];
  }

  get writes(): string[] {
    return [...this.#writes];
  }

  /** Memory that lasts until it is released. */
  temporary(shape: Shape, dtype: DType): Part {
    const size = sizeOf(shape);
    const view = { shape, size, dtype, padded: true };
    return { ...view, name: this.#take(boundBytes(view)) };
  }

  release({ name }: Part): void {
    const index = this.#indexOf(name);
    if (index >= 0) this.#free.push(index);
  }

  /** Adds the launches of one kernel. */
  run<A>(planner: Planner<A>, args: A, inputs: readonly Part[], outputs: readonly Part[]): void {
    for (const { name } of inputs) this.#note(name, this.#reads);
    const elements = outputs.reduce((sum, { size }) => sum + size, 0);
    if (elements > 0) {
      const temporaries: Part[] = [];
      const wide = (part: Part): Part => {
        const made = this.temporary(part.shape, 'float32');
        temporaries.push(made);
        return made;
      };
      const sources = inputs.map((input) => {
        if (!readsWide(planner, input.dtype)) return input;
        const source = wide(input);
        this.#launch(elementwise, castArgs(input.shape), [input], [source]);
        return source;
      });
      const targets = outputs.map((output, k) =>
        writesWide(planner, args, k, output.dtype) ? wide(output) : output,
      );
      this.#launch(planner, args, sources, targets);
      outputs.forEach((output, k) => {
        const target = targets[k];
        if (target && target !== output)
          this.#launch(elementwise, castArgs(target.shape), [target], [output]);
      });
      for (const part of temporaries) this.release(part);
    }
    for (const { name } of outputs) this.#note(name, this.#writes);
  }

  /** Copies elements to a tensor of another dtype. */
  cast(from: Part, to: Part): void {
    this.run(elementwise, castArgs(from.shape), [from], [to]);
  }

  #note(name: string, names: Set<string>): void {
    if (this.#indexOf(name) >= 0 || this.#writes.has(name)) return;
    names.add(name);
  }

  #launch<A>(
    planner: Planner<A>,
    args: A,
    inputs: readonly Part[],
    outputs: readonly Part[],
  ): void {
    const caps = this.#caps;
    const bytes = (binding: Binding, of: Plan): number => bytesOf(binding, of, inputs, outputs);
    const make = (some: Capabilities): Plan => planner.plan(args, inputs, outputs, some);
    const plan = this.#merge ? this.#merge(make, bytes, caps) : make(caps);
    checkBindings(this.#op, plan, inputs, outputs, caps);
    const scratch = plan.scratch.map((size) => this.#take(size));
    const nameOf = ({ of, index }: Binding): string => {
      if (of === 'status') return 'status';
      const name =
        of === 'scratch' ? scratch[index] : (of === 'input' ? inputs : outputs)[index]?.name;
      if (name === undefined) throw new RangeError(`no operand ${index}`);
      return name;
    };
    for (const launch of plan.launches) {
      const { program, entry, constants = {}, uniforms, workgroups } = launch;
      this.launches.push({
        label: `${program.label}:${entry}`,
        wgsl: this.#textOf(program, entry),
        entryPoint: entry,
        constants,
        bindings: launch.bindings.map((binding) => {
          const { slot, of, access, offset = 0 } = binding;
          this.notes ||= of === 'status';
          const size = of === 'status' ? STATUS_BYTES : bytes(binding, plan);
          return { binding: slot, tensor: nameOf(binding), access, offset, size };
        }),
        uniforms,
        workgroups,
      });
    }
    for (const name of scratch) this.#free.push(this.#indexOf(name));
  }

  #textOf(program: Program, entry: string): string {
    let known = texts.get(program);
    if (!known) texts.set(program, (known = new Map<string, string>()));
    const key = `${entry}${this.#caps.tuning.hoistArrayLengths}`;
    let text = known.get(key);
    if (text === undefined) known.set(key, (text = this.#codeOf(program, entry)));
    return text;
  }

  #take(bytes: number): string {
    const index = this.#free.pop() ?? this.scratch.push(0) - 1;
    this.scratch[index] = Math.max(this.scratch[index] ?? 0, Math.ceil(bytes / 16) * 16, 16);
    return `scratch ${index}`;
  }

  /** The index of a scratch buffer; -1 of what is none. */
  #indexOf(name: string): number {
    return name.startsWith('scratch ') ? Number(name.slice(8)) : -1;
  }
}

/** Shaders that are linked, by program. Software adapters have texts of their own. */
const texts = /* @__PURE__ */ new WeakMap<Program, Map<string, string>>();
