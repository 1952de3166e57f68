// Types: what is asked of `planOf`, and what it gives.
import type { DType, FloatDType } from '../core/dtype.ts';
import type { DeviceLimits } from '../core/kernel.ts';
import type { Shape } from '../core/shape.ts';
import type { OpKind } from '../define/op.ts';
import type { Call } from './call.ts';
import type { PlanTuning } from './tunings.ts';

/** A storage buffer of a launch. */
export interface PlannedBinding {
  /** `@group(0) @binding(…)`. */
  readonly binding: number;
  /** A name of `KernelPlan.tensors`, or `'scratch 0'` and so on: that of the pass. */
  readonly tensor: string;
  /** `'read'` is bound as `'read-only-storage'`, `'write'` as `'storage'`. */
  readonly access: 'read' | 'write';
  /** In bytes, from where the tensor begins: a multiple of `minStorageBufferOffsetAlignment`. */
  readonly offset: number;
  /** In bytes. */
  readonly size: number;
}

/** One dispatch: everything is in bind group 0, the uniform buffer at binding 0. */
export interface PlannedLaunch {
  /** For people. */
  readonly label: string;
  /** The shader module's text. Equal texts are the same string. */
  readonly wgsl: string;
  /** The function of `wgsl` that runs. */
  readonly entryPoint: string;
  /** Pipeline-overridable constants. */
  readonly constants: Readonly<Record<string, number>>;
  /** The storage buffers. */
  readonly bindings: readonly PlannedBinding[];
  /** Contents of the uniform buffer at binding 0, at most 512 bytes. */
  readonly uniforms: ArrayBuffer;
  /** What `dispatchWorkgroups` takes. */
  readonly workgroups: readonly [x: number, y: number, z: number];
}

/** The launches of one direction, to be run one after another: in one compute pass, as WebGPU orders dispatches. */
export interface PlannedPass {
  /** In order. */
  readonly launches: readonly PlannedLaunch[];
  /** The size of each scratch buffer in bytes. What is in them before does not matter. */
  readonly scratch: readonly number[];
  /** Names of the tensors that have to be there. */
  readonly reads: readonly string[];
  /** Names of the tensors that are there afterwards. */
  readonly writes: readonly string[];
}

/** A tensor of a plan: row-major, without gaps. */
export interface PlannedTensor {
  /** The sizes of its dimensions. */
  readonly shape: Shape;
  /** float16 is two elements in a word of 32 bits, the first in the lower half, on devices without `shader-f16` too. */
  readonly dtype: DType;
  /** What its memory has to have: a multiple of 16, or of 4 where `padded` is false. */
  readonly bytes: number;
}

/** What `planOf` gives. */
export interface KernelPlan {
  /** The name of the op. */
  readonly op: string;
  /** All tensors by name: inputs, `output`, gradients (`gradOutput`, `gradInput`, …), and what is kept between the passes. */
  readonly tensors: Readonly<Record<string, PlannedTensor>>;
  /** What gives `output`. */
  readonly forward: PlannedPass;
  /** Null where no gradient is asked for. */
  readonly backward: PlannedPass | null;
  /** Names of the tensors that `forward` reads or writes and `backward` reads: they are to be kept unchanged till then. */
  readonly saved: readonly string[];
}

/** What a request for a plan says of any op. */
export interface PlanFields<I extends string> {
  /** The shape of the first input. */
  readonly shape: Shape;
  /** Of inputs and results; arithmetic is float32. Defaults to `'float32'`. */
  readonly dtype?: FloatDType;
  /** The shapes of other inputs. One that may be left out is there where its shape is. */
  readonly shapes?: Readonly<Partial<Record<I, Shape>>>;
  /** The dtypes of inputs that may have another one than `dtype`: class probabilities as `target`. */
  readonly dtypes?: Readonly<Partial<Record<I, DType>>>;
  /** The inputs that get gradients. Defaults to the first; none: `[]`, and there is no backward pass. */
  readonly gradients?: readonly I[];
  /**
   * Of a loss that is reduced: whether `forward` also writes the gradients, for a `gradOutput` of 1, so that most training steps
   * never run `backward`. Defaults to true.
   */
  readonly fused?: boolean;
  /** `GPUDevice.limits`. Defaults to WebGPU's defaults, which every device has. */
  readonly limits?: Partial<DeviceLimits>;
  /** How the adapter likes its work: `software` is for SwiftShader and lavapipe. Defaults to `hardware`. */
  readonly tuning?: PlanTuning;
  /**
   * Whether the memory of each tensor extends to a multiple of 16 bytes, which may be read and written: with false nothing behind
   * the last element is touched, and the kernels are slower. Defaults to true.
   */
  readonly padded?: boolean;
}

/** What a plan is for. */
export type PlanRequest<O extends object, I extends string> = PlanFields<I> &
  (object extends O
    ? {
        /** The options of the op. */
        readonly options?: O;
      }
    : { readonly options: O });

/** An op as `planOf` takes it. */
export interface KernelOp<O extends object = object, I extends string = string> {
  /** The name of the function of `nonlin`. */
  readonly op: string;
  /** The family that it is of. */
  readonly kind: OpKind | 'distance';
  /** The names of all inputs, that of `shape` first. */
  readonly inputs: readonly I[];
  /** Those that may get gradients. */
  readonly differentiable: readonly I[];
  /** What `planOf` calls. */
  readonly passes: (call: Call<O>) => Passes;
}

export interface Passes {
  readonly forward: PlannedPass;
  readonly backward: PlannedPass | null;
}
