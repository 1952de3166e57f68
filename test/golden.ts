// In: the files of test/golden. Out: their cases, tensors decoded. The format: test/golden/README.md.

export interface EncodedTensor {
  readonly dtype: 'float32' | 'float64' | 'int32' | 'uint8';
  readonly shape: readonly number[];
  readonly b64: string;
}

export type Tensors = Readonly<Record<string, EncodedTensor>>;

export interface GoldenCase {
  readonly id: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly inputs: Tensors;
  readonly tags: readonly string[];
  /** PyTorch's message: the call must be refused. Then nothing below is there. */
  readonly error?: string;
  readonly outputs?: { readonly out: EncodedTensor };
  readonly grad_output?: EncodedTensor;
  readonly grads?: Tensors;
  readonly torch_f32?: { readonly out: EncodedTensor };
  readonly torch_f32_grads?: Tensors;
  readonly unspecified?: Readonly<Record<string, readonly number[]>>;
}

export interface GoldenFile {
  readonly op: string;
  readonly cases: readonly GoldenCase[];
}

const texts = import.meta.glob<string>('./golden/*.json', {
  eager: true,
  query: '?raw',
  import: 'default',
});

/** Every golden file there is. */
export const goldenFiles: readonly GoldenFile[] = Object.values(texts).map(
  (text) => JSON.parse(text) as GoldenFile,
);

/** Elements as float64 (int32 and float32 are exact in it). */
export function decodeTensor({ dtype, shape, b64 }: EncodedTensor): Float64Array {
  const bytes = Uint8Array.from(atob(b64), (char) => char.charCodeAt(0));
  const kinds = {
    float32: Float32Array,
    float64: Float64Array,
    int32: Int32Array,
    uint8: Uint8Array,
  };
  const values = Float64Array.from(new kinds[dtype](bytes.buffer));
  const size = shape.reduce((n, d) => n * d, 1);
  if (values.length !== size)
    throw new Error(`${values.length} elements for shape [${shape.join()}]`);
  return values;
}

export function camelCase(name: string): string {
  return name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}
