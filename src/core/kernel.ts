// The interface between ops and devices: a kernel has a plan for the GPU and a loop for the CPU.
import { called } from './calling.ts';
import type { DType, NumericArray } from './dtype.ts';
import type { Program } from '../shader/link.ts';
import type { ParamLayout } from '../shader/params.ts';
import type { PointwiseArgs } from '../kernels/pointwise/args.ts';
import type { SumLayout } from '../kernels/reduce/plan.ts';
import type { Tuning } from '../kernels/tuning.ts';
import type { Windows } from '../kernels/windows/windows.ts';
import type { Shape } from './shape.ts';

/** What a planner knows of a tensor that is read or written. It is enough to plan without a device. */
export interface View {
  readonly shape: Shape;
  readonly size: number;
  readonly dtype: DType;
  /** Whether the memory extends to a multiple of 16 bytes, so that whole vec4 can be read and written. */
  readonly padded: boolean;
  /** For an output that shares its memory with an input, element by element: the index of that input. */
  readonly aliasOf?: number;
}

/** What planners need to know of an adapter. */
export interface AdapterCapabilities {
  /** The largest size of a storage binding, in bytes. */
  readonly maxBindingSize: number;
  readonly maxWorkgroups: number;
  /** Alignment of a binding's offset, in bytes. */
  readonly offsetAlignment: number;
  /** The largest number of invocations of a workgroup, in total and along x. It is at least 128 on every device. */
  readonly maxInvocations: number;
  readonly maxWorkgroupSizeX: number;
  /** Bytes of workgroup memory. */
  readonly maxWorkgroupStorage: number;
  /** The largest number of storage buffers that a launch may bind. */
  readonly maxStorageBuffers: number;
  /** Which plans are fast on the adapter. */
  readonly tuning: Tuning;
}

/** What a planner is given: what the adapter says, and code for large tensors. The GPU device brings that code, so an app without one does not load it. */
export interface Capabilities extends AdapterCapabilities {
  /** @internal An empty plan of parts, for tensors that are larger than a binding. */
  readonly windows: (caps: Capabilities) => Windows;
}

/** What a device gives: the planners too of the kernels that dispatcher and autograd are made of, which every app has. */
export interface DeviceCapabilities extends Capabilities {
  /** @internal */
  readonly pointwise: Planner<PointwiseArgs>['plan'];
  /** @internal */
  readonly sums: Planner<SumLayout>['plan'];
}

/** The limits of a GPUDevice that planners read. */
export interface DeviceLimits {
  readonly maxStorageBufferBindingSize: number;
  readonly maxComputeWorkgroupsPerDimension: number;
  readonly minStorageBufferOffsetAlignment: number;
  readonly maxComputeInvocationsPerWorkgroup: number;
  readonly maxComputeWorkgroupSizeX: number;
  readonly maxComputeWorkgroupStorageSize: number;
  readonly maxStorageBuffersPerShaderStage: number;
}

export function capabilitiesOf(limits: DeviceLimits, tuning: Tuning): AdapterCapabilities {
  return {
    maxBindingSize: limits.maxStorageBufferBindingSize,
    maxWorkgroups: limits.maxComputeWorkgroupsPerDimension,
    offsetAlignment: limits.minStorageBufferOffsetAlignment,
    maxInvocations: limits.maxComputeInvocationsPerWorkgroup,
    maxWorkgroupSizeX: limits.maxComputeWorkgroupSizeX,
    maxWorkgroupStorage: limits.maxComputeWorkgroupStorageSize,
    maxStorageBuffers: limits.maxStorageBuffersPerShaderStage,
    tuning,
  };
}

/** A storage buffer of a launch: an input, output or scratch of the kernel, or the device's status word. */
export interface Binding {
  /** `@binding` number; 0 is the uniform buffer. */
  readonly slot: number;
  readonly of: 'input' | 'output' | 'scratch' | 'status';
  readonly index: number;
  readonly access: 'read' | 'write';
  /** A window of the tensor, in bytes. Without it the whole tensor is bound. */
  readonly offset?: number;
  readonly size?: number;
}

/** Memory that a launch uses: a whole buffer, or a window of it. */
export type BufferSlice = Pick<Binding, 'of' | 'index' | 'offset' | 'size'>;

/** One dispatch. */
export interface Launch {
  readonly program: Program;
  readonly entry: string;
  /** WGSL `override` values. */
  readonly constants?: Readonly<Record<string, number>>;
  readonly bindings: readonly Binding[];
  /** Contents of the uniform buffer, at most `UNIFORM_BYTES`. */
  readonly uniforms: ArrayBuffer;
  readonly workgroups: readonly [number, number, number];
  /** Where options stand in the uniforms that may be others in the next replay of a captured step. */
  readonly places?: readonly OptionPlace[];
}

/** The place of a set of options in the uniforms of a launch. */
export interface OptionPlace {
  /** Which set of the call's: 0, unless it has a list of them. */
  readonly set: number;
  /** In bytes. */
  readonly offset: number;
  readonly layout: ParamLayout;
}

export interface Plan {
  readonly launches: readonly Launch[];
  /** The size of each scratch buffer, in bytes. */
  readonly scratch: readonly number[];
}

/** The largest size of the uniforms of a launch, in bytes. */
export const UNIFORM_BYTES = 512;

/** What a kernel does on a GPU. `A` holds its shapes and options. */
export interface Planner<A, C extends AdapterCapabilities = Capabilities> {
  readonly name: string;
  /** Whether the GPU kernel reads and writes float16 itself. If not, the dispatcher converts inputs and outputs. */
  readonly float16: 'native' | 'convert';
  /** Outputs that a `'native'` kernel always writes as float32, such as sums. */
  widens?(args: A, output: number): boolean;
  /**
   * The GPU launches: a pure function, testable without a GPU. It is not declared as a method, of which the compiler would not check
   * that callers have the capabilities that it needs.
   */
  readonly plan: (args: A, inputs: readonly View[], outputs: readonly View[], caps: C) => Plan;
}

/** One kind of computation, on every device. */
export interface Kernel<A, C extends AdapterCapabilities = Capabilities> extends Planner<A, C> {
  /** Whether a call writes a part of its outputs and leaves the rest as it is. */
  readonly partial?: boolean;
  /** The same computation in float64; results are rounded once, when they are stored. */
  cpu(
    args: A,
    inputs: readonly NumericArray[],
    outputs: readonly NumericArray[],
    inputShapes: readonly Shape[],
  ): void;
  /**
   * Index of the input that output `k` may share memory with, element by element, or -1.
   * Other overlaps of an output with an input go through a temporary.
   */
  aliases?(args: A, output: number): number;
  /**
   * For kernels that are called very often: how to find the plan of an earlier call. Plans are stored by `key`, an object that
   * lives as long as the op. The plan for `a` is used for `b` if both are the same for the planner.
   */
  readonly kept?: {
    readonly key: (args: A) => object;
    readonly same: (a: A, b: A) => boolean;
  };
}

/** A kernel as devices run it. */
export type DeviceKernel<A> = Kernel<A, DeviceCapabilities>;

/** What `plan` needs of a kernel whose planner comes with the device, for plans without one. */
export const plannerOf = <A>(kernel: DeviceKernel<A>, plan: Planner<A>['plan']): Planner<A> => ({
  ...kernel,
  plan,
});

/** Whether the GPU reads an input of this dtype as float32, by way of a copy. */
export function readsWide<A, C extends AdapterCapabilities>(
  { float16 }: Planner<A, C>,
  dtype: DType,
): boolean {
  return dtype === 'float16' && float16 === 'convert';
}

/** Whether the GPU writes output `k` of this dtype as float32, which is converted then. */
export function writesWide<A, C extends AdapterCapabilities>(
  kernel: Planner<A, C>,
  args: A,
  k: number,
  dtype: DType,
): boolean {
  return (
    dtype === 'float16' && (kernel.float16 === 'convert' || (kernel.widens?.(args, k) ?? false))
  );
}

/** The name of the op that a kernel is called for. Kernels that several ops share get it with their arguments. */
export function opName<A>(kernel: DeviceKernel<A>, args: A): string {
  const op = called();
  if (op !== null) return op;
  const own = (args as { readonly op?: { readonly name?: unknown } | null }).op?.name;
  return typeof own === 'string' ? own : kernel.name;
}

/** The size of a workgroup: the power of two that is wanted, or the largest one that the device allows. */
export function workgroupSize(
  wanted: number,
  { maxInvocations, maxWorkgroupSizeX }: AdapterCapabilities,
): number {
  let size = wanted;
  while (size > maxInvocations || size > maxWorkgroupSizeX) size /= 2;
  return size;
}

/** The dimensions of a dispatch of `count` workgroups: one, or two if there are more than one dimension may have. */
export function foldWorkgroups(count: number, caps: AdapterCapabilities): [number, number, number] {
  if (count <= caps.maxWorkgroups) return [Math.max(count, 1), 1, 1];
  const y = Math.ceil(count / caps.maxWorkgroups);
  return [Math.ceil(count / y), y, 1];
}

/** Fills a uniform block field by field; every field is four bytes. */
export class UniformWriter {
  readonly buffer: ArrayBuffer;
  readonly #view: DataView;
  #offset = 0;

  constructor(words: number) {
    this.buffer = new ArrayBuffer(Math.ceil(words / 4) * 16);
    this.#view = new DataView(this.buffer);
  }

  /** Bytes written so far. */
  get offset(): number {
    return this.#offset;
  }

  u32(...values: number[]): this {
    for (const value of values) {
      this.#view.setUint32(this.#offset, value, true);
      this.#offset += 4;
    }
    return this;
  }

  i32(...values: number[]): this {
    return this.u32(...values.map((value) => value >>> 0));
  }

  f32(...values: number[]): this {
    for (const value of values) {
      this.#view.setFloat32(this.#offset, value, true);
      this.#offset += 4;
    }
    return this;
  }
}
