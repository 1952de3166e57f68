// What the benchmark uses of the libraries it compares with. They are installed by `npm run bench` only (see install.mjs), and
// the checks of `npm test` do without them: these declarations are all that the checks know of them.

declare module '@tensorflow/tfjs-core' {
  export interface Tensor {
    data(): Promise<ArrayLike<number>>;
  }
  interface KernelBackend {
    readonly floatPrecision: () => number;
  }
  type Values = Float32Array | Int32Array;
  export function tensor(values: Values, shape: readonly number[], dtype?: 'int32'): Tensor;
  export function setBackend(name: string): Promise<boolean>;
  export function getBackend(): string;
  export function backend(): KernelBackend;
  export function ready(): Promise<void>;
  export function env(): { set(flag: string, value: boolean | number): void };
  export function tidy<T>(fn: () => T): T;
  export function dispose(tensors: Tensor | readonly Tensor[]): void;
  export function valueAndGrad(
    fn: (x: Tensor) => Tensor,
  ): (x: Tensor, gradOutput?: Tensor) => { value: Tensor; grad: Tensor };
  export function relu(x: Tensor): Tensor;
  export function leakyRelu(x: Tensor, alpha: number): Tensor;
  export function erf(x: Tensor): Tensor;
  export function tanh(x: Tensor): Tensor;
  export function sigmoid(x: Tensor): Tensor;
  export function softplus(x: Tensor): Tensor;
  export function softmax(x: Tensor): Tensor;
  export function logSoftmax(x: Tensor): Tensor;
  export function oneHot(indices: Tensor, depth: number): Tensor;
  export function add(a: Tensor, b: Tensor | number): Tensor;
  export function mul(a: Tensor, b: Tensor | number): Tensor;
  export function pow(a: Tensor, b: number): Tensor;
  export function matMul(a: Tensor, b: Tensor): Tensor;
  export function stack(tensors: readonly Tensor[]): Tensor;
  export type Variable = Tensor & { readonly isVariable: true };
  export function variable(initial: Tensor): Variable;
  interface Optimizer {
    minimize(loss: () => Tensor, returnCost: true, variables: readonly Variable[]): Tensor | null;
    dispose(): void;
  }
  export const train: {
    adam(learningRate: number, beta1: number, beta2: number, epsilon: number): Optimizer;
  };
  export const fused: {
    matMul(options: {
      a: Tensor;
      b: Tensor;
      transposeB: boolean;
      bias: Tensor;
      activation: 'linear' | 'relu';
    }): Tensor;
  };
  export const losses: {
    meanSquaredError(labels: Tensor, predictions: Tensor): Tensor;
    softmaxCrossEntropy(labels: Tensor, logits: Tensor): Tensor;
  };
}
declare module '@tensorflow/tfjs-core/dist/register_all_gradients';
declare module '@tensorflow/tfjs-backend-cpu';
declare module '@tensorflow/tfjs-backend-wasm' {
  export function setWasmPaths(paths: Readonly<Record<string, string>>): void;
  export function setThreadsCount(count: number): void;
}
declare module '@tensorflow/tfjs-backend-webgpu' {
  export class WebGPUBackend {
    readonly queue: GPUQueue;
    readonly floatPrecision: () => number;
    ensureCommandEncoderReady(): void;
    endComputePassEncoder(): void;
    submitQueue(): void;
  }
}

declare module 'onnxruntime-web/webgpu' {
  export interface Tensor {
    readonly dims: readonly number[];
  }
  export const Tensor: {
    new (type: 'float32', data: Float32Array, dims: readonly number[]): Tensor;
    fromGpuBuffer(
      buffer: GPUBuffer,
      options: { dataType: 'float32' | 'int32'; dims: readonly number[] },
    ): Tensor;
  };
  type Tensors = Readonly<Record<string, Tensor>>;
  export interface InferenceSession {
    run(feeds: Tensors, fetches?: Tensors): Promise<Tensors>;
    release(): Promise<void>;
  }
  export const InferenceSession: {
    create(
      model: Uint8Array,
      options: {
        executionProviders: readonly string[];
        preferredOutputLocation: 'gpu-buffer';
        extra: { session: Readonly<Record<string, string>> };
      },
    ): Promise<InferenceSession>;
  };
  export const env: {
    logLevel: string;
    readonly wasm: { numThreads: number };
    readonly webgpu: { readonly device: Promise<GPUDevice> };
  };
}

declare module '@jax-js/jax' {
  /** Passing one to a function uses it up; `ref` is one more of it. */
  export class Array {
    readonly ref: Array;
    readonly ndim: number;
    add(other: Array | number): Array;
    sub(other: Array): Array;
    mul(other: Array | number): Array;
    transpose(): Array;
    sum(axis?: number): Array;
    mean(axis?: number): Array;
    reshape(shape: readonly number[]): Array;
    data(): Promise<ArrayLike<number>>;
    dispose(): void;
  }
  export function init(device: 'webgpu'): Promise<readonly string[]>;
  export function defaultDevice(device: 'webgpu'): void;
  export const tree: { ref<T extends object>(tree: T): T; dispose(tree: object): void };
  export function blockUntilReady<T extends object>(tree: T): Promise<T>;
  export function jit<A extends readonly object[], R>(fn: (...args: A) => R): (...args: A) => R;
  export function vjp(
    fn: (x: Array) => Array,
    primals: readonly [Array],
  ): [Array, ((cotangent: Array) => [Array]) & { dispose(): void }];
  export function valueAndGrad<T extends object, A extends readonly Array[]>(
    fn: (first: T, ...others: A) => Array,
  ): (first: T, ...others: A) => [Array, T];
  export const nn: {
    readonly relu: (x: Array) => Array;
    readonly leakyRelu: (x: Array, negativeSlope: number) => Array;
    readonly gelu: (x: Array, options: { approximate: boolean }) => Array;
    readonly sigmoid: (x: Array) => Array;
    readonly silu: (x: Array) => Array;
    readonly softplus: (x: Array) => Array;
    readonly softmax: (x: Array, axis: number) => Array;
    readonly logSoftmax: (x: Array, axis: number) => Array;
    readonly logsumexp: (x: Array, axis: number) => Array;
    readonly standardize: (x: Array, axis: number) => Array;
    readonly oneHot: (indices: Array, classes: number) => Array;
    /** Of [batch, length, heads, width]. */
    readonly dotProductAttention: (
      query: Array,
      key: Array,
      value: Array,
      options: { isCausal: boolean },
    ) => Array;
  };
  export const numpy: {
    readonly matmul: (a: Array, b: Array) => Array;
    readonly int32: string;
    readonly array: (values: Float32Array | Int32Array | readonly number[]) => Array;
    readonly arange: (
      start: number,
      stop: undefined,
      step: number,
      options: { dtype: string },
    ) => Array;
    readonly add: (a: Array, b: Array) => Array;
    readonly subtract: (a: Array, b: Array) => Array;
    readonly square: (x: Array) => Array;
    readonly sqrt: (x: Array) => Array;
    readonly divide: (a: Array | number, b: Array) => Array;
    readonly minimum: (a: Array, b: number) => Array;
    readonly tanh: (x: Array) => Array;
    readonly mean: (x: Array) => Array;
    readonly equal: (a: Array, b: Array) => Array;
    readonly where: (condition: Array, a: Array, b: Array | number) => Array;
    readonly stack: (arrays: readonly Array[]) => Array;
    readonly takeAlongAxis: (x: Array, indices: Array, axis: number) => Array;
  };
}

declare module '@bufbuild/protobuf/wire' {
  export enum WireType {
    Varint = 0,
    LengthDelimited = 2,
    Bit32 = 5,
  }
  export class BinaryWriter {
    finish(): Uint8Array;
    fork(): this;
    join(): this;
    tag(field: number, type: WireType): this;
    string(value: string): this;
    bytes(value: Uint8Array): this;
    int64(value: number): this;
    float(value: number): this;
  }
}
