// In: two matrices given by strides, batches of them, and what to do with each result. Out: the launch.
import kernelText from '../../../shaders/kernels/matmul/matmul.wgsl?raw';
import { cachedProgram, source, type Program, type Source } from '../../shader/link.ts';
import {
  foldWorkgroups,
  UniformWriter,
  type Binding,
  type Capabilities,
  type Launch,
  type Place,
} from '../../core/kernel.ts';
import {
  choiceConstants,
  paramsStruct,
  writeParams,
  type ParamLayout,
  type ParamValues,
} from '../../shader/params.ts';

const kernel = /* @__PURE__ */ source('kernels/matmul/matmul.wgsl', kernelText);

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
  /** Results are added to what the output holds. */
  readonly accumulate?: boolean;
}

/** A matrix in memory: `padded` as of its view. */
export interface Matrix extends Place {
  readonly padded: boolean;
}

/** Where a product's operands are, for plans that multiply on the way. */
export interface MatmulPlaces {
  readonly a: Matrix;
  readonly b: Matrix;
  readonly c: Matrix;
  readonly bias?: Place;
  readonly before?: Place;
}

/** The kernel's `epilogue` slot: what is bound besides the operands, and what is stored, `four` at a time or one by one. */
function epilogueSource(
  { bias, activation, keepInput, accumulate }: MatmulArgs,
  four: boolean,
): Source {
  const type = four ? 'vec4f' : 'f32';
  const bind = (slot: number, access: string, name: string, element: string): string =>
    `@group(0) @binding(${slot}) var<storage, ${access}> ${name}: array<${element}>;`;
  const each = (item: (i: number) => string): string =>
    four ? `vec4f(${[0, 1, 2, 3].map(item).join(', ')})` : item(0);
  const biases = bias ? ` + ${each((i) => `bias[column + ${i}u]`)}` : '';
  const result = activation ? each((i) => `forward(z${four ? `[${i}]` : ''}, u.op)`) : 'z';
  const place = four ? 'index / 4u' : 'index';
  const rest = ['y', 'z', 'w'].map((name, i) => {
    const next = `column + ${i + 1}u`;
    return `    if (${next} < u.n) { store(index + ${i + 1}u, ${next}, v.${name}); }`;
  });
  const text = [
    paramsStruct(activation?.layout ?? { names: [] }),
    activation?.source.text ?? '',
    bind(3, 'read_write', 'c', type),
    bias ? bind(4, 'read', 'bias', 'f32') : '',
    keepInput ? bind(5, 'read_write', 'before', type) : '',
    `fn store(index: u32, column: u32, v: ${type}) {`,
    `  let z = ${accumulate ? `c[${place}] + ` : ''}v${biases};`,
    keepInput ? `  before[${place}] = z;` : '',
    `  c[${place}] = ${result};`,
    '}',
    'fn store_row(offset: u32, row: u32, column: u32, v: vec4f) {',
    '  if (row < u.m) {',
    '    let index = offset + row * u.n + column;',
    four ? '    store(index, column, v);' : '    store(index, column, v.x);',
    ...(four ? [] : rest),
    '  }',
    '}',
  ].join('\n');
  return source(activation?.source.name ?? 'linear', text, activation?.source.includes);
}

/** How an operand is read: vec4 along k, vec4 along its lines (rows of A, columns of B), or one by one. */
type Reading = 'along k' | 'along lines' | 'one by one';

function readingOf(
  { padded }: Matrix,
  lineStride: number,
  kStride: number,
  k: number,
  lines: number,
): Reading {
  if (!padded) return 'one by one';
  if (kStride === 1 && k % 4 === 0 && lineStride % 4 === 0) return 'along k';
  if (lineStride === 1 && lines % 4 === 0 && kStride % 4 === 0) return 'along lines';
  return 'one by one';
}

/** The kernel's `operands` slot for one operand. `whole`: k is a multiple of four. */
function operandSource(
  name: 'a' | 'b',
  slot: number,
  reading: Reading,
  [line, k, lines]: readonly [line: string, k: string, lines: string],
  whole: boolean,
): string {
  const four = [0, 1, 2, 3];
  const list = (item: (i: number) => string): string => four.map(item).join(', ');
  const along = (c: number): string => (whole ? `(k + ${c}u)` : `min(k + ${c}u, u.k - 1u)`);
  const inside = (c: number, zero: string, value: string): string =>
    whole ? value : `select(${zero}, ${value}, k + ${c}u < u.k)`;
  const head = (i: number): string => `offset + min(line + ${i}u, u.${lines} - 1u) * u.${line}`;
  let heads = `vec4u(${list(head)})`;
  let block: string;
  if (reading === 'along k') {
    heads += ' / 4u';
    block = `mat4x4f(${list((i) => `${name}[heads[${i}] + k / 4u]`)})`;
  } else if (reading === 'along lines') {
    // Lines are a multiple of four, so that four of them never cross the edge; k may.
    heads = 'vec4u(offset + line)';
    const column = (c: number): string =>
      inside(c, 'vec4f()', `${name}[(heads[0] + ${along(c)} * u.${k}) / 4u]`);
    block = `transpose(mat4x4f(${list(column)}))`;
  } else {
    const element = (i: number, c: number): string =>
      inside(c, '0.0', `${name}[heads[${i}] + ${along(c)} * u.${k}]`);
    block = `mat4x4f(${list((i) => `vec4f(${list((c) => element(i, c))})`)})`;
  }
  const vector = reading !== 'one by one';
  return [
    `@group(0) @binding(${slot}) var<storage, read> ${name}: array<${vector ? 'vec4f' : 'f32'}>;`,
    `fn ${name}_value(i: u32) -> f32 { return ${name}[${vector ? 'i / 4u][i % 4u' : 'i'}]; }`,
    `fn ${name}_heads(offset: u32, line: u32) -> vec4u { return ${heads}; }`,
    `fn ${name}_block(heads: vec4u, k: u32) -> mat4x4f { return ${block}; }`,
  ].join('\n');
}

function programFor(args: MatmulArgs, places: MatmulPlaces): Program {
  const { m, n, k, a, b } = args;
  const readA = readingOf(places.a, a[0], a[1], k, m);
  const readB = readingOf(places.b, b[1], b[0], k, n);
  const whole = k % 4 === 0;
  const four = n % 4 === 0 && places.c.padded;
  const key = [args.bias, args.keepInput, args.accumulate, readA, readB, whole, four].join(';');
  return cachedProgram(args.activation?.source ?? kernel, key, 'matmul', kernel, () => ({
    epilogue: epilogueSource(args, four),
    operands: [
      operandSource('a', 1, readA, ['a_row', 'a_column', 'm'], whole),
      operandSource('b', 2, readB, ['b_column', 'b_row', 'n'], whole),
    ].join('\n'),
  }));
}

/** The launches of a product: one, or none where it has no elements. */
export function planProduct(
  args: MatmulArgs,
  places: MatmulPlaces,
  caps: Capabilities,
): readonly Launch[] {
  const { m, n, k, a, b, activation } = args;
  const batches = args.batch.reduce((product, d) => product * d, 1);
  if (m * n * batches === 0) return [];
  const bind = (slot: number, place: Place | undefined, access: 'read' | 'write'): Binding[] => {
    if (!place) return [];
    const { of, index, offset, size } = place;
    const window = offset === undefined || size === undefined ? {} : { offset, size };
    return [{ slot, of, index, access, ...window }];
  };
  const four = (list: readonly number[], fill: number): number[] => [
    ...new Array<number>(4 - list.length).fill(fill),
    ...list,
  ];
  const uniforms = new UniformWriter(20 + (activation?.layout.names.length ?? 0))
    .u32(m, n, k, batches, ...a, ...b)
    .u32(...four(args.batch, 1), ...four(args.aBatch, 0), ...four(args.bBatch, 0));
  if (activation) writeParams(uniforms, activation.layout, activation.params);
  const [x, y] = foldWorkgroups(Math.ceil(n / 32) * Math.ceil(m / 32), caps);
  return [
    {
      program: programFor(args, places),
      // Workgroup memory saves a GPU's bandwidth; where the GPU is a CPU, its barriers cost more than caches save.
      entry: caps.tuning.matmul,
      constants: {
        ...(caps.tuning.matmul === 'direct' ? { tall: Number(m > 4) } : {}),
        ...(activation ? choiceConstants(activation.layout, activation.params) : {}),
      },
      bindings: [
        ...bind(1, places.a, 'read'),
        ...bind(2, places.b, 'read'),
        ...bind(3, places.c, 'write'),
        ...bind(4, places.bias, 'read'),
        ...bind(5, places.before, 'write'),
      ],
      uniforms: uniforms.buffer,
      workgroups: [x, y, Math.min(batches, 65535)],
    },
  ];
}

/** The first element of a batch, in an operand with these strides along the batches. */
export function offsetOf(
  batch: number,
  shape: readonly number[],
  strides: readonly number[],
): number {
  let rest = batch;
  let offset = 0;
  for (let d = shape.length - 1; d >= 0; d--) {
    const extent = shape[d] ?? 1;
    offset += (rest % extent) * (strides[d] ?? 0);
    rest = Math.floor(rest / extent);
  }
  return offset;
}
