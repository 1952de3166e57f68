// In: a pointwise op on few float32 elements of a software adapter. Out: a launch that computes them one by one.
import kernelText from '../../shaders/kernels/pointwise-each.wgsl?raw';
import { cachedProgram, source } from '../gpu/link.ts';
import { FEW, UniformWriter, type Binding, type Capabilities, type Launch } from '../kernel.ts';
import { choiceConstants, writeParams } from './params.ts';
import { eachSource, type StorageSpec } from './pointwise-source.ts';
import type { PointwiseArgs } from './pointwise.ts';

const kernel = /* @__PURE__ */ source('kernels/pointwise-each.wgsl', kernelText);

/** Each is a task of the emulator's scheduler: few, and large. */
const WORKGROUP = 256;

export function isFew(
  size: number,
  storage: StorageSpec,
  { software, maxWorkgroups }: Capabilities,
): boolean {
  return (
    software &&
    size <= Math.min(FEW, WORKGROUP * maxWorkgroups) &&
    !storage.summed &&
    [...storage.inputs, ...storage.outputs].every(
      ({ dtype, access }) => dtype === 'float32' && access !== 'broadcast',
    )
  );
}

export function launchEach(
  { op, params, scale = 1 }: PointwiseArgs,
  size: number,
  storage: StorageSpec,
  bindings: readonly Binding[],
): Launch {
  const { names } = op.params;
  const writer = new UniformWriter(4 + Math.max(names.length, 1));
  writer.u32(size).f32(scale).u32(0, 0);
  writeParams(writer, op.params, params);
  const key = `${storage.inputs.map(({ access }) => access).join()};${storage.aliased.join()}`;
  return {
    program: cachedProgram(op, key, op.name, kernel, () => ({ storage: eachSource(op, storage) })),
    entry: 'map',
    constants: choiceConstants(op.params, params),
    bindings,
    uniforms: writer.buffer,
    workgroups: [Math.max(1, Math.ceil(size / WORKGROUP)), 1, 1],
  };
}
