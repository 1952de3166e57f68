// Passes of any kernels, as the dispatcher and the GPU device run them with tensors: float16 goes through float32 where a kernel
// wants it so, scratch memory is used again by later kernels, and launches bind no more buffers than the device takes.
import type { DType } from '../core/dtype.ts';
import {
  readsWide,
  writesWide,
  type Binding,
  type Capabilities,
  type Plan,
  type Planner,
} from '../core/kernel.ts';
import { sizeOf, type Shape } from '../core/shape.ts';
import { boundBytes, bytesOf } from '../gpu/bindings.ts';
import { planMerged } from '../gpu/merge.ts';
import { castArgs } from '../kernels/pointwise/identity.ts';
import { elementwise } from '../kernels/pointwise/elements.ts';
import { windows } from '../kernels/windows/windows.ts';
import type { Call } from './call.ts';
import { Pass, scratchIndex, scratchName, type Part } from './pass.ts';
import type { PlannedPass } from './types.ts';

export class KernelPass extends Pass<Capabilities> {
  /** Scratch that nothing uses any more. */
  readonly #free: number[] = [];

  /** Memory that lasts until it is released. */
  temporary(shape: Shape, dtype: DType): Part {
    const size = sizeOf(shape);
    const view = { shape, size, dtype, padded: true };
    return { ...view, name: this.#take(boundBytes(view)) };
  }

  release({ name }: Part): void {
    const index = scratchIndex(name);
    if (index >= 0) this.#free.push(index);
  }

  /** Copies elements to a tensor of another dtype. */
  cast(from: Part, to: Part): void {
    this.run(elementwise, castArgs(from.shape), [from], [to]);
  }

  /** @internal */
  protected override plan<A>(
    planner: Planner<A>,
    args: A,
    inputs: readonly Part[],
    outputs: readonly Part[],
  ): void {
    const temporaries: Part[] = [];
    const wide = (part: Part): Part => {
      const made = this.temporary(part.shape, 'float32');
      temporaries.push(made);
      return made;
    };
    const cast = (from: Part, to: Part): void => {
      this.#launch(elementwise, castArgs(from.shape), [from], [to]);
    };
    const sources = inputs.map((input) => {
      if (!readsWide(planner, input.dtype)) return input;
      const source = wide(input);
      cast(input, source);
      return source;
    });
    const targets = outputs.map((output, k) =>
      writesWide(planner, args, k, output.dtype) ? wide(output) : output,
    );
    this.#launch(planner, args, sources, targets);
    outputs.forEach((output, k) => {
      const target = targets[k];
      if (target && target !== output) cast(target, output);
    });
    for (const part of temporaries) this.release(part);
  }

  #launch<A>(
    planner: Planner<A>,
    args: A,
    inputs: readonly Part[],
    outputs: readonly Part[],
  ): void {
    const plan = planMerged(
      (caps: Capabilities) => planner.plan(args, inputs, outputs, caps),
      (binding: Binding, of: Plan) => bytesOf(binding, of, inputs, outputs),
      this.caps,
    );
    const scratch = plan.scratch.map((size) => this.#take(size));
    this.add(plan, inputs, outputs, scratch);
    for (const name of scratch) this.#free.push(scratchIndex(name));
  }

  #take(bytes: number): string {
    const index = this.#free.pop() ?? this.scratch.push(0) - 1;
    this.scratch[index] = Math.max(this.scratch[index] ?? 0, Math.ceil(bytes / 16) * 16, 16);
    return scratchName(index);
  }
}

/** The launches of one direction, of any kernels. */
export function kernelPass(call: Call, add: (pass: KernelPass) => void): PlannedPass {
  const { op, caps, codeOf } = call;
  return call.planned(new KernelPass(op, { ...caps, windows }, codeOf), add);
}
