// Makes the launches of a batched product of two matrices that are given by strides.
import sumSplitsText from '../../../shaders/kernels/matmul/sum-splits.wgsl?raw';
import { matrices } from '../../shader/lib.ts';
import { cachedProgram, source } from '../../shader/link.ts';
import {
  foldWorkgroups,
  UniformWriter,
  type Binding,
  type Capabilities,
  type Launch,
  type BufferSlice,
  type Plan,
} from '../../core/kernel.ts';
import {
  epilogueSource,
  lineSumsSource,
  operandSource,
  readingOf,
  splitLinesSource,
  type Layout,
} from './access.ts';
import { batchesOf, type MatmulArgs, type MatmulPlaces, type Matrix } from './args.ts';
import { exchanged, FEW, splitsOf, variantOf, type Variant } from './variants.ts';
import { choiceConstants, wordsOf, writeParams } from '../../shader/params.ts';

const sumSplits = /* @__PURE__ */ source('kernels/matmul/sum-splits.wgsl', sumSplitsText, [
  matrices,
]);

function bindingsOf(
  list: readonly (readonly [
    slot: number,
    place: BufferSlice | undefined,
    access: 'read' | 'write',
  ])[],
): Binding[] {
  return list.flatMap(([slot, place, access]): Binding[] => {
    if (!place) return [];
    const { of, index, offset, size } = place;
    const window = offset === undefined || size === undefined ? {} : { offset, size };
    return [{ slot, of, index, access, ...window }];
  });
}

function uniformsOf(args: MatmulArgs, batches: number, splits: number, terms: number): ArrayBuffer {
  const { m, n, k, a, b, activation } = args;
  const four = (list: readonly number[], fill: number): number[] => [
    ...new Array<number>(4 - list.length).fill(fill),
    ...list,
  ];
  // `Params` of no options has one word.
  const uniforms = new UniformWriter(24 + (activation ? wordsOf(activation.layout) : 1))
    .u32(m, n, k, batches, ...a, ...b)
    .u32(...four(args.batch, 1), ...four(args.aBatch, 0), ...four(args.bBatch, 0))
    .u32(splits, terms, 0, 0);
  if (activation) writeParams(uniforms, activation.layout, activation.params);
  return uniforms.buffer;
}

/**
 * The launches of a product. There are none if the result is empty. If k is split, a second launch adds the sums of
 * the splits. `scratchIndex` is the index of the first scratch buffer that the product may need: the splits' sums, and behind
 * them those of rows.
 */
export function planProduct(
  args: MatmulArgs,
  places: MatmulPlaces,
  caps: Capabilities,
  scratchIndex = 0,
): Plan {
  const batches = batchesOf(args);
  if (args.m * args.n * batches === 0) return { launches: [], scratch: [] };
  const splitSums: Matrix = { of: 'scratch', index: scratchIndex, padded: true };
  const splitLines: BufferSlice = { of: 'scratch', index: scratchIndex + 1 };
  // A product without terms is planned as a sum of 0 splits, which stores zeros.
  if (args.k === 0) {
    return {
      launches: [sumOfSplits(args, places, splitSums, splitLines, 0, caps)],
      scratch: args.rowSums ? [16, 16] : [16],
    };
  }
  const exchange = caps.tuning.matmul !== 'direct' && args.n <= FEW && args.m > FEW;
  const layout: Layout = exchange ? 'columns' : 'rows';
  const own = exchange ? exchanged(args) : args;
  const operands = exchange ? { ...places, a: places.b, b: places.a } : places;
  const variant = variantOf(own, caps);
  const tiles = Math.ceil(own.n / variant.columns) * Math.ceil(own.m / variant.rows);
  const { splits, terms } = splitsOf(own, batches, tiles * batches, variant, caps);
  if (splits === 1) {
    return {
      launches: [products(own, operands, layout, variant, tiles, 1, terms, caps)],
      scratch: [],
    };
  }
  const { m, n, k, a, b, batch, aBatch, bBatch, rowSums = false } = own;
  const plain = { m, n, k, a, b, batch, aBatch, bBatch, rowSums };
  const sums = {
    ...{ a: operands.a, b: operands.b, c: splitSums },
    ...(rowSums ? { rowSums: splitLines } : {}),
  };
  return {
    launches: [
      products(plain, sums, layout, variant, tiles, splits, terms, caps),
      sumOfSplits(args, places, splitSums, splitLines, splits, caps),
    ],
    scratch: [4 * splits * batches * m * n, ...(rowSums ? [8 * splits * args.m] : [])],
  };
}

function products(
  args: MatmulArgs,
  { a, b, c, bias, learned, before, rowSums }: MatmulPlaces,
  layout: Layout,
  { kernel, entry, constants }: Variant,
  tiles: number,
  splits: number,
  terms: number,
  caps: Capabilities,
): Launch {
  const { m, n, k, activation } = args;
  const batches = batchesOf(args);
  const whole = k % 4 === 0;
  // The tiled kernel loads the next tiles before it knows whether there are any.
  const ahead = entry === 'tiled';
  const aReading = readingOf(
    a,
    { lineStride: args.a[0], kStride: args.a[1], lines: m, batch: args.aBatch },
    k,
  );
  const bReading = readingOf(
    b,
    { lineStride: args.b[1], kStride: args.b[0], lines: n, batch: args.bBatch },
    k,
  );
  const vectors = n % 4 === 0 && c.padded && (layout === 'rows' || m === 1);
  const { bias: biased, keepInput, accumulate = false } = args;
  const summed = !rowSums ? 'none' : layout === 'rows' ? 'a' : 'b';
  const key = [
    ...[biased, activation?.learned, keepInput, accumulate, summed, splits > 1],
    ...[aReading, bReading, whole, layout, vectors],
  ].join(';');
  return {
    program: cachedProgram(activation?.source ?? kernel, key, 'matmul', kernel, () => ({
      epilogue: epilogueSource(args, layout, vectors, false),
      operands: `${operandSource('a', aReading, whole, ahead)}\n${operandSource('b', bReading, whole, ahead)}`,
      line_sums: lineSumsSource(summed, splits > 1, accumulate),
    })),
    entry,
    constants: {
      ...constants,
      ...(activation ? choiceConstants(activation.layout, activation.params) : {}),
    },
    bindings: bindingsOf([
      [1, a, 'read'],
      [2, b, 'read'],
      [3, c, 'write'],
      [4, bias, 'read'],
      [5, before, 'write'],
      [7, learned, 'read'],
      [8, rowSums, 'write'],
    ]),
    uniforms: uniformsOf(args, batches, splits, terms),
    workgroups: foldWorkgroups(tiles * batches * splits, caps),
  };
}

/** Adds the sums of the splits, always in the same order, so that results are reproducible. */
function sumOfSplits(
  args: MatmulArgs,
  { c, bias, learned, before, rowSums }: MatmulPlaces,
  splitSums: Matrix,
  splitLines: BufferSlice,
  splits: number,
  caps: Capabilities,
): Launch {
  const { m, n, activation, keepInput, accumulate = false } = args;
  const batches = batchesOf(args);
  const vectors = n % 4 === 0 && c.padded;
  const wanted = rowSums !== undefined;
  const key = [args.bias, activation?.learned, keepInput, accumulate, vectors, wanted].join(';');
  const size = (batches * m * n) / (vectors ? 4 : 1) + (wanted ? m : 0);
  return {
    program: cachedProgram(activation?.source ?? sumSplits, key, 'matmul', sumSplits, () => ({
      epilogue: epilogueSource(args, 'rows', vectors, true),
      line_sums: splitLinesSource(wanted, accumulate),
    })),
    entry: 'sum_splits',
    constants: activation ? choiceConstants(activation.layout, activation.params) : {},
    bindings: bindingsOf([
      [3, c, 'write'],
      [4, bias, 'read'],
      [5, before, 'write'],
      [6, splitSums, 'read'],
      [7, learned, 'read'],
      [8, rowSums, 'write'],
      [9, wanted ? splitLines : undefined, 'read'],
    ]),
    uniforms: uniformsOf(args, batches, splits, 0),
    workgroups: foldWorkgroups(Math.ceil(size / 64), caps),
  };
}
