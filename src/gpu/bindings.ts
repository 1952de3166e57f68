// Checks how much memory the launches of a plan bind, and refuses a plan that binds more than the device allows.
import { LimitError, OutOfMemoryError } from '../core/errors.ts';
import type { AdapterCapabilities, Binding, Plan, View } from '../core/kernel.ts';

/** Throws if a plan binds more than the device allows. */
export function checkBindings(
  op: string,
  plan: Plan,
  inputs: readonly View[],
  outputs: readonly View[],
  { maxBindingSize, maxStorageBuffers }: AdapterCapabilities,
): void {
  for (const { bindings } of plan.launches) {
    if (bindings.length > maxStorageBuffers) {
      throw new LimitError({
        op,
        expected: `at most ${maxStorageBuffers} storage buffers in a shader (maxStorageBuffersPerShaderStage of this device)`,
        received: String(bindings.length),
      });
    }
    for (const binding of bindings) {
      const bytes = bytesOf(binding, plan, inputs, outputs);
      if (bytes > maxBindingSize) {
        throw new OutOfMemoryError({
          op,
          expected: `at most ${maxBindingSize} bytes per binding on this device`,
          received: `${bytes} bytes`,
        });
      }
    }
  }
}

/** Bytes that a binding spans. */
export function bytesOf(
  { of, index, size }: Binding,
  { scratch }: Plan,
  inputs: readonly View[],
  outputs: readonly View[],
): number {
  const operand = of === 'input' ? inputs[index] : of === 'output' ? outputs[index] : undefined;
  return size ?? (operand ? boundBytes(operand) : (scratch[index] ?? 0));
}

/** The number of bytes of a tensor to bind. An empty tensor still needs a binding of one element. */
export function boundBytes({ dtype, size, padded }: View): number {
  const bytes = size * (dtype === 'float16' ? 2 : 4);
  return padded ? Math.max(Math.ceil(bytes / 16), 1) * 16 : Math.max(Math.ceil(bytes / 4), 1) * 4;
}
