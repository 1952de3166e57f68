// Takes the files of test/golden, some of them compressed, and gives their cases, tensors decoded. The format:
// test/golden/README.md.
import { unpack } from './unpack.ts';

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
  /** What float32 arithmetic may cost in a tensor: `out` or `grads.<input>`. */
  readonly noise?: Readonly<Record<string, number>>;
  /** PyTorch's float32 loses everything: what it is off by says nothing. */
  readonly strict?: boolean;
}

export interface GoldenFile {
  readonly op: string;
  /** The function that is called, where that is not `op`. */
  readonly op_of?: string;
  readonly cases: readonly GoldenCase[];
}

const archives = import.meta.glob<string>('./golden/*.json.gz', {
  query: '?inline',
  import: 'default',
});

/** Whether a file is of an op, by its PyTorch name: `softmax.json.gz`, `softmax_hard.json.gz`. */
function isOf(path: string, op: string): boolean {
  return new RegExp(`/${op}(?:_hard|_masked|_more)?\\.json\\.gz$`).test(path);
}

/** Set by scripts/op.mjs: the one op whose files are loaded. */
const only: unknown = import.meta.env.VITE_OP;

/** Every golden file there is, or those of one op. */
export const goldenFiles: readonly GoldenFile[] = await Promise.all(
  Object.entries(archives)
    .filter(([path]) => typeof only !== 'string' || isOf(path, snakeCase(only)))
    .map(async ([, load]) => JSON.parse(await unpack(await load())) as GoldenFile),
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

/** PyTorch's name of an op. */
export function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

export function camelCase(name: string): string {
  return name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}
