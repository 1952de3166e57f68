// Types of WebGPU and of the page by other names: what the app's compiler knows of them (the DOM library, which has WebGPU since
// TypeScript 6, or `@webgpu/types`), and else `Otherwise`. So the declarations of this package compile without either.

type Known<Name extends string, Otherwise = object> =
  typeof globalThis extends Readonly<Record<Name, { prototype: infer Type }>> ? Type : Otherwise;

/** A `GPUDevice`. */
export type GpuDevice = Known<'GPUDevice'>;
/** A `GPUBuffer`. */
export type GpuBuffer = Known<'GPUBuffer'>;
/** A `GPUCommandEncoder`. */
export type GpuCommandEncoder = Known<'GPUCommandEncoder'>;
/** A `GPU`: `navigator.gpu`, or what stands for it. */
export type Gpu = Known<'GPU'>;
/** A `Response`, or nothing where there is no such type. */
export type HttpResponse = Known<'Response', never>;
/** A `Blob` or `File`, or nothing where there is no such type. */
export type FileBlob = Known<'Blob', never>;

/** A `ReadableStream` of bytes. */
export interface WebStream {
  readonly locked: boolean;
  getReader(): {
    read(): Promise<{ readonly done: boolean; readonly value?: Uint8Array | undefined }>;
    cancel(): Promise<void>;
  };
}
