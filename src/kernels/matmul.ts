// In: two matrices given by strides, batches of them, and what to do with each result. Out: the launch, or the CPU loops.
import kernelText from '../../shaders/kernels/matmul.wgsl?raw';
import type { NumericArray } from '../dtype.ts';
import { cachedProgram, source, type Program, type Source } from '../gpu/link.ts';
import {
  UniformWriter,
  type Binding,
  type Capabilities,
  type Kernel,
  type Plan,
  type View,
} from '../kernel.ts';
import { paramsStruct, writeParams, type ParamLayout, type ParamValues } from './params.ts';

const kernel = /* @__PURE__ */ source('kernels/matmul.wgsl', kernelText);

/** An activation applied to each result. */
export interface MatmulActivation {
  readonly source: Source;
  readonly layout: ParamLayout;
  readonly params: ParamValues;
  readonly forward: (x: number, params: ParamValues) => number;
}

export interface MatmulArgs {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** Strides in elements: of A's rows and columns, of B's rows and columns. */
  readonly a: readonly [row: number, column: number];
  readonly b: readonly [row: number, column: number];
  /** The batches' shape, at most four dimensions, and each operand's strides along it. */
  readonly batch: readonly number[];
  readonly aBatch: readonly number[];
  readonly bBatch: readonly number[];
  /** Input 2 is a bias, one per column. */
  readonly bias?: boolean;
  readonly activation?: MatmulActivation;
  /** Output 1 gets the results before the activation. */
  readonly keepInput?: boolean;
}

/** The kernel's `epilogue` slot: what is bound besides the matrices, and what is stored. */
function epilogueSource({ bias, activation, keepInput }: MatmulArgs): Source {
  const text = [
    paramsStruct(activation?.layout ?? { names: [] }),
    activation?.source.text ?? '',
    bias ? '@group(0) @binding(4) var<storage, read> bias: array<f32>;' : '',
    keepInput ? '@group(0) @binding(5) var<storage, read_write> before: array<f32>;' : '',
    'fn store(index: u32, column: u32, v: f32) {',
    `  let z = v${bias ? ' + bias[column]' : ''};`,
    keepInput ? '  before[index] = z;' : '',
    `  c[index] = ${activation ? 'forward(z, u.op)' : 'z'};`,
    '}',
  ].join('\n');
  return source(activation?.source.name ?? 'linear', text, activation?.source.includes);
}

function programFor(args: MatmulArgs): Program {
  const key = `${String(args.bias)};${String(args.keepInput)}`;
  return cachedProgram(args.activation?.source ?? kernel, key, 'matmul', kernel, () => ({
    epilogue: epilogueSource(args),
  }));
}

export const matmulKernel: Kernel<MatmulArgs> = { name: 'matmul', float16: 'convert', plan, cpu };

function plan(
  args: MatmulArgs,
  _inputs: readonly View[],
  _outputs: readonly View[],
  caps: Capabilities,
): Plan {
  const { m, n, k, a, b, activation } = args;
  const batches = args.batch.reduce((product, d) => product * d, 1);
  if (m * n * batches === 0) return { launches: [], scratch: [] };
  const bindings: Binding[] = [
    { slot: 1, of: 'input', index: 0, access: 'read' },
    { slot: 2, of: 'input', index: 1, access: 'read' },
    { slot: 3, of: 'output', index: 0, access: 'write' },
  ];
  if (args.bias) bindings.push({ slot: 4, of: 'input', index: 2, access: 'read' });
  if (args.keepInput) bindings.push({ slot: 5, of: 'output', index: 1, access: 'write' });
  const four = (list: readonly number[], fill: number): number[] => [
    ...new Array<number>(4 - list.length).fill(fill),
    ...list,
  ];
  const uniforms = new UniformWriter(20 + (activation?.layout.names.length ?? 0))
    .u32(m, n, k, batches, ...a, ...b)
    .u32(...four(args.batch, 1), ...four(args.aBatch, 0), ...four(args.bBatch, 0));
  if (activation) writeParams(uniforms, activation.layout, activation.params);
  return {
    launches: [
      {
        program: programFor(args),
        // Workgroup memory saves a GPU's bandwidth; where the GPU is a CPU, its barriers cost more than caches save.
        entry: caps.software ? 'direct' : 'tiled',
        bindings,
        uniforms: uniforms.buffer,
        workgroups: [Math.ceil(n / 32), Math.ceil(m / 32), Math.min(batches, 65535)],
      },
    ],
    scratch: [],
  };
}

function cpu(
  args: MatmulArgs,
  inputs: readonly NumericArray[],
  outputs: readonly NumericArray[],
): void {
  const { m, n, k, a, b, activation } = args;
  const [left, right, bias] = inputs;
  const [result, before] = outputs;
  if (!left || !right || !result) return;
  const batches = args.batch.reduce((product, d) => product * d, 1);
  const row = new Float64Array(n);
  for (let batch = 0; batch < batches; batch++) {
    const [aBase, bBase] = [
      offsetOf(batch, args.batch, args.aBatch),
      offsetOf(batch, args.batch, args.bBatch),
    ];
    for (let i = 0; i < m; i++) {
      // A row at a time, B by its rows: the inner loop walks along memory where B is not transposed.
      for (let j = 0; j < n; j++) row[j] = bias?.[j] ?? 0;
      if (b[1] === 1) {
        for (let p = 0; p < k; p++) {
          const x = left[aBase + i * a[0] + p * a[1]] ?? NaN;
          const base = bBase + p * b[0];
          for (let j = 0; j < n; j++) row[j] = (row[j] ?? NaN) + x * (right[base + j] ?? NaN);
        }
      } else {
        for (let j = 0; j < n; j++) {
          const base = bBase + j * b[1];
          let total = 0;
          for (let p = 0; p < k; p++) {
            total += (left[aBase + i * a[0] + p * a[1]] ?? NaN) * (right[base + p * b[0]] ?? NaN);
          }
          row[j] = (row[j] ?? NaN) + total;
        }
      }
      const base = (batch * m + i) * n;
      for (let j = 0; j < n; j++) {
        const z = row[j] ?? NaN;
        if (before) before[base + j] = z;
        result[base + j] = activation ? activation.forward(z, activation.params) : z;
      }
    }
  }
}

function offsetOf(batch: number, shape: readonly number[], strides: readonly number[]): number {
  let rest = batch;
  let offset = 0;
  for (let d = shape.length - 1; d >= 0; d--) {
    const extent = shape[d] ?? 1;
    offset += (rest % extent) * (strides[d] ?? 0);
    rest = Math.floor(rest / extent);
  }
  return offset;
}
