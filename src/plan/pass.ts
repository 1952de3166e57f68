// Puts the launches of one direction together, in names of tensors.
import type { AdapterCapabilities, Binding, Plan, Planner, View } from '../core/kernel.ts';
import type { Shape } from '../core/shape.ts';
import { bytesOf, checkBindings } from '../gpu/bindings.ts';
import { STATUS_BYTES } from '../gpu/status.ts';
import type { Program } from '../shader/link.ts';
import type { PlanTuning } from './tunings.ts';
import type { PlannedLaunch, PlannedPass } from './types.ts';

/** A tensor of a plan: what planners know of it, and its name. */
export interface Part extends View {
  readonly name: string;
}

/** The same tensor, seen with another shape of as many elements. */
export const seenAs = (part: Part, shape: Shape): Part => ({ ...part, shape });

const SCRATCH = 'scratch ';

/** The name of a scratch buffer. */
export const scratchName = (index: number): string => `${SCRATCH}${index}`;

/** The index of a scratch buffer; -1 of what is none. */
export const scratchIndex = (name: string): number =>
  name.startsWith(SCRATCH) ? Number(name.slice(SCRATCH.length)) : -1;

/** The launches of kernels that need no scratch and read and write every dtype themselves; `KernelPass` takes the others too. */
export class Pass<C extends AdapterCapabilities = AdapterCapabilities> implements PlannedPass {
  readonly launches: PlannedLaunch[] = [];
  readonly scratch: number[] = [];
  /** Whether a kernel notes indices out of range. */
  notes = false;
  /** @internal */
  protected readonly caps: C;
  readonly #op: string;
  readonly #codeOf: PlanTuning['codeOf'];
  readonly #reads = new Set<string>();
  readonly #writes = new Set<string>();

  constructor(op: string, caps: C, codeOf: PlanTuning['codeOf']) {
    this.#op = op;
    this.caps = caps;
    this.#codeOf = codeOf;
  }

  get reads(): string[] {
    return [...this.#reads];
  }

  get writes(): string[] {
    return [...this.#writes];
  }

  /** Adds the launches of one kernel. */
  run<A>(planner: Planner<A, C>, args: A, inputs: readonly Part[], outputs: readonly Part[]): void {
    for (const { name } of inputs) this.#note(name, this.#reads);
    if (outputs.some(({ size }) => size > 0)) this.plan(planner, args, inputs, outputs);
    for (const { name } of outputs) this.#note(name, this.#writes);
  }

  /** @internal Plans a kernel that has something to write. */
  protected plan<A>(
    planner: Planner<A, C>,
    args: A,
    inputs: readonly Part[],
    outputs: readonly Part[],
  ): void {
    this.add(planner.plan(args, inputs, outputs, this.caps), inputs, outputs, []);
  }

  /** @internal Adds the launches of a plan, of which `scratch` are the names of the scratch buffers. */
  protected add(
    plan: Plan,
    inputs: readonly Part[],
    outputs: readonly Part[],
    scratch: readonly string[],
  ): void {
    checkBindings(this.#op, plan, inputs, outputs, this.caps);
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
          const size = of === 'status' ? STATUS_BYTES : bytesOf(binding, plan, inputs, outputs);
          return { binding: slot, tensor: nameOf(binding), access, offset, size };
        }),
        uniforms,
        workgroups,
      });
    }
  }

  #note(name: string, names: Set<string>): void {
    if (scratchIndex(name) >= 0 || this.#writes.has(name)) return;
    names.add(name);
  }

  #textOf(program: Program, entry: string): string {
    let known = texts.get(program);
    if (!known) texts.set(program, (known = new Map<string, string>()));
    const key = `${entry}${this.caps.tuning.hoistArrayLengths}`;
    let text = known.get(key);
    if (text === undefined) known.set(key, (text = this.#codeOf(program, entry)));
    return text;
  }
}

/** Shaders that are linked, by program. Software adapters have texts of their own. */
const texts = /* @__PURE__ */ new WeakMap<Program, Map<string, string>>();
