// The launches of matrix products: which kernel, how many workgroups, and how the k terms are split.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Capabilities, Launch, Plan } from '../../src/core/kernel.ts';
import type { MatmulArgs, Matrix } from '../../src/kernels/matmul/args.ts';
import { planProduct } from '../../src/kernels/matmul/launch.ts';
import { HARDWARE, SOFTWARE, type Tuning } from '../../src/kernels/tuning.ts';
import { windows } from '../../src/kernels/windows/windows.ts';
import { shaderOf } from '../../src/shader/link.ts';

function capabilities(tuning: Tuning, maxBindingSize = 2 ** 27): Capabilities {
  return {
    maxBindingSize,
    maxWorkgroups: 65535,
    offsetAlignment: 256,
    maxInvocations: 128,
    maxWorkgroupSizeX: 128,
    maxWorkgroupStorage: 16384,
    maxStorageBuffers: 8,
    tuning,
    windows,
  };
}

const matrix = (of: Matrix['of'], index: number): Matrix => ({ of, index, padded: true });
const PLACES = { a: matrix('input', 0), b: matrix('input', 1), c: matrix('output', 0) };

/** A product of row-major matrices, of A and the transpose of B where `transposed`. */
function plan(
  [m, k, n]: readonly [number, number, number],
  caps: Capabilities,
  transposed = false,
  batches = 1,
): Plan {
  const args: MatmulArgs = {
    m,
    n,
    k,
    a: [k, 1],
    b: transposed ? [1, k] : [n, 1],
    batch: [batches],
    aBatch: [m * k],
    bBatch: [0],
  };
  return planProduct(args, PLACES, caps);
}

/** Uniforms of a launch, as in shaders/lib/matrices.wgsl. */
function uniformsOf({ uniforms }: Launch) {
  const words = new Uint32Array(uniforms);
  const [m = 0, n = 0, k = 0, batches = 0] = words;
  return { m, n, k, batches, splits: words[20] ?? 0, terms: words[21] ?? 0 };
}

const entries = ({ launches }: Plan): string[] => launches.map(({ entry }) => entry);

describe('a matrix product', () => {
  const hardware = capabilities(HARDWARE);

  it('is one launch where its results keep a GPU busy, and two where its terms are split', () => {
    expect(entries(plan([2048, 2048, 2048], hardware))).toEqual(['tiled']);
    expect(entries(plan([64, 64, 64], hardware))).toEqual(['tiled']);
    expect(entries(plan([512, 512, 512], hardware))).toEqual(['tiled', 'sum_splits']);
    expect(entries(plan([64, 784, 128], hardware, true))).toEqual(['tiled', 'sum_splits']);
    expect(entries(plan([64, 784, 128], hardware, true, 64))).toEqual(['tiled']);
    expect(entries(plan([1, 4096, 4096], hardware, true))).toEqual(['few_rows']);
    expect(entries(plan([1, 4096, 4096], hardware))).toEqual(['few_rows', 'sum_splits']);
    expect(entries(plan([4096, 4096, 1], hardware))).toEqual(['few_rows']);
    expect(entries(plan([3, 0, 4], hardware))).toEqual(['sum_splits']);
    expect(entries(plan([64, 64, 64], capabilities(SOFTWARE)))).toEqual(['direct']);
    expect(entries(plan([512, 512, 512], capabilities(SOFTWARE)))).toEqual(['direct_large']);
    expect(entries(plan([64, 64, 64], capabilities(SOFTWARE), false, 4))).toEqual(['direct_large']);
    expect(entries(plan([1, 4096, 4096], capabilities(SOFTWARE)))).toEqual(['direct']);
    expect(plan([0, 3, 4], hardware)).toEqual({ launches: [], scratch: [] });
  });

  it('goes through all terms and results once, in bindings that are allowed', () => {
    const extent = fc.oneof(
      fc.integer({ min: 1, max: 200 }),
      fc.integer({ min: 200, max: 50_000 }),
    );
    const limit = fc.constantFrom(2 ** 14, 2 ** 27);
    fc.assert(
      fc.property(
        extent,
        extent,
        extent,
        fc.integer({ min: 1, max: 40 }),
        fc.boolean(),
        limit,
        (m, k, n, batches, transposed, maxBindingSize) => {
          const caps = capabilities(HARDWARE, maxBindingSize);
          const { launches, scratch } = plan([m, k, n], caps, transposed, batches);
          const [first, second, ...more] = launches;
          if (!first) throw new Error('no launch');
          expect(more).toEqual([]);
          const sizes = uniformsOf(first);
          expect(sizes.m * sizes.n).toBe(m * n);
          expect(sizes.splits * sizes.terms).toBeGreaterThanOrEqual(k);
          expect((sizes.splits - 1) * sizes.terms).toBeLessThan(k);
          const { column_lanes: lanes, tall } = first.constants ?? {};
          const [rows, columns] =
            first.entry === 'tiled' ? [tall ? 64 : 32, 64] : [8, 4 * (lanes ?? NaN)];
          const tiles = Math.ceil(sizes.m / rows) * Math.ceil(sizes.n / columns);
          const [x, y, z] = first.workgroups;
          expect(x * y * z).toBeGreaterThanOrEqual(tiles * batches * sizes.splits);
          if (first.entry === 'few_rows') expect(sizes.m).toBeLessThanOrEqual(tall ? 8 : 4);
          if (!second) {
            expect([sizes.splits, scratch]).toEqual([1, []]);
            return;
          }
          // A part begins where a step along k does, so that vec4 loads stay in place.
          expect(sizes.terms % 4).toBe(0);
          expect(uniformsOf(second)).toMatchObject({ m, n, batches, splits: sizes.splits });
          expect(scratch).toEqual([4 * sizes.splits * batches * m * n]);
          expect(scratch[0]).toBeLessThanOrEqual(maxBindingSize);
        },
      ),
    );
  });

  it('has workgroups that any device takes, and nothing in its shader that is for emulators', () => {
    const bytes: Record<string, number> = { f32: 4, vec4f: 16 };
    for (const sizes of [
      [64, 64, 64],
      [20, 512, 20],
      [1, 512, 512],
      [8, 33, 5],
    ] as const) {
      for (const { program, entry } of plan(sizes, hardware).launches) {
        const text = shaderOf(program, entry);
        expect(text).not.toContain('direct');
        const [, invocations = 'none'] = /@workgroup_size\((\w+)\)/.exec(text) ?? [];
        expect(['64', 'lanes']).toContain(invocations);
        if (invocations === 'lanes') expect(text).toMatch(/const lanes ?= ?128u/);
        const depth = 32;
        let total = 0;
        for (const [, type = ''] of text.matchAll(/var<workgroup> \w+: ?([^;]+);/g)) {
          const [element = ''] = /\w+(?=,)/.exec(type.replaceAll('array<', '')) ?? [];
          const lengths = [...type.matchAll(/, ?([\w/ ]+?)>/g)].map(([, length = '']) =>
            length
              .replace('blocks', '16')
              .replace('lanes', '128')
              .replace('depth / 4u', `${depth / 4}`),
          );
          total += lengths.reduce((size, length) => size * Number(length), bytes[element] ?? NaN);
        }
        expect(total).toBeLessThanOrEqual(hardware.maxWorkgroupStorage);
      }
    }
  });
});
