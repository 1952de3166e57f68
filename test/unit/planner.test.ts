// The launches of the pointwise and reduce kernels, carried out here by their own words on small device limits.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BYTES, type DType } from '../../src/core/dtype.ts';
import { HARDWARE, SOFTWARE } from '../../src/kernels/tuning.ts';
import { windows } from '../../src/kernels/windows/windows.ts';
import {
  foldWorkgroups,
  UNIFORM_BYTES,
  workgroupSize,
  type Capabilities,
  type Launch,
  type Plan,
  type View,
} from '../../src/core/kernel.ts';
import { shaderOf } from '../../src/shader/link.ts';
import { tableGradKernel } from '../../src/kernels/embedding/segments.ts';
import { matmulKernel } from '../../src/kernels/matmul/plan.ts';
import type { PointwiseOp } from '../../src/kernels/pointwise/plan.ts';
import { pointwisePlanner as pointwise } from '../../src/kernels/pointwise/planner.ts';
import { planRatio, planSum } from '../../src/kernels/reduce/sums.ts';
import { tileChunks, workgroupsOf } from '../../src/kernels/rows/tiling.ts';
import { sizeOf } from '../../src/core/shape.ts';

const op: PointwiseOp = {
  name: 'addition',
  params: { names: [] },
  inputs: ['a', 'b'],
  results: 1,
  body: '  return Results(a + b);',
  reference: () => {},
};

function capabilities(some: Partial<Capabilities> = {}): Capabilities {
  return {
    maxBindingSize: 2 ** 27,
    maxWorkgroups: 65535,
    offsetAlignment: 256,
    maxInvocations: 256,
    maxWorkgroupSizeX: 256,
    maxWorkgroupStorage: 16384,
    maxStorageBuffers: 8,
    tuning: HARDWARE,
    windows,
    ...some,
  };
}

const tunings = fc.constantFrom(HARDWARE, SOFTWARE);

function view(shape: number[], dtype: DType = 'float32', padded = true): View {
  return { shape, size: sizeOf(shape), dtype, padded };
}

/** The pointwise kernel's uniforms. */
function pointwiseUniforms({ uniforms }: Launch) {
  const [
    packs = 0,
    count = 0,
    first = 0,
    partial = 0,
    perGroup = 0,
    perLane = 0,
    step = 0,
    span = 0,
  ] = new Uint32Array(uniforms);
  return { packs, count, first, partial, perGroup, perLane, step, span };
}

/** Calls `visit` with what the kernel's invocations go through: each, by its number, and the packs in its order, or its element. */
function walk(launch: Launch, visit: (id: number, packs: number[]) => void): void {
  const { count, packs, perGroup, perLane, step, span } = pointwiseUniforms(launch);
  const workgroup = launch.constants?.workgroup_size ?? NaN;
  for (let id = 0; id < launch.workgroups[0] * workgroup; id++) {
    if (launch.entry === 'each') {
      visit(id, id < count ? [id] : []);
      continue;
    }
    const start = Math.floor(id / workgroup) * perGroup + (id % workgroup) * perLane;
    const own: number[] = [];
    for (let i = start; i < Math.min(start + span, packs); i += step) own.push(i);
    visit(id, own);
  }
}

/** Checks that each element of the result is computed once, in windows that a device can bind. */
function checkWindows(plan: Plan, inputs: View[], output: View, caps: Capabilities): void {
  let next = 0;
  for (const launch of plan.launches) {
    const { packs, count, first } = pointwiseUniforms(launch);
    expect(first).toBe(next);
    next += count;
    expect(count).toBeGreaterThan(0);
    expect(packs).toBe(Math.ceil(count / 4));
    const seen = new Uint8Array(launch.entry === 'each' ? count : packs);
    walk(launch, (_, own) => {
      for (const pack of own) seen[pack] = (seen[pack] ?? 0) + 1;
    });
    expect(seen.every((times) => times === 1)).toBe(true);
    for (const extent of launch.workgroups) {
      expect(extent).toBeGreaterThanOrEqual(1);
      expect(extent).toBeLessThanOrEqual(caps.maxWorkgroups);
    }
    expect(launch.uniforms.byteLength).toBeLessThanOrEqual(UNIFORM_BYTES);
    for (const binding of launch.bindings) {
      const of = binding.of === 'output' ? output : inputs[binding.index];
      if (!of) throw new Error('a binding of nothing');
      if (of.size !== output.size) continue;
      const bytes = BYTES[of.dtype];
      const { offset = 0, size = Math.ceil((of.size * bytes) / 16) * 16 } = binding;
      expect(offset).toBe(first * bytes);
      expect(offset % caps.offsetAlignment).toBe(0);
      expect(size).toBeLessThanOrEqual(caps.maxBindingSize);
      expect(size % 4).toBe(0);
      expect(offset + size).toBeGreaterThanOrEqual((first + count) * bytes);
      // Past the tensor there is padding to 16 bytes, or somebody else's memory.
      const memory = Math.ceil((of.size * bytes) / (of.padded ? 16 : 4)) * (of.padded ? 16 : 4);
      if (binding.size !== undefined) expect(offset + size).toBeLessThanOrEqual(memory);
    }
  }
  expect(next).toBe(output.size);
}

describe('workgroups', () => {
  it('are as large as wanted, or as the device takes', () => {
    expect(workgroupSize(256, capabilities())).toBe(256);
    expect(workgroupSize(64, capabilities({ maxInvocations: 128 }))).toBe(64);
    expect(workgroupSize(256, capabilities({ maxInvocations: 128 }))).toBe(128);
    expect(workgroupSize(256, capabilities({ maxWorkgroupSizeX: 128 }))).toBe(128);
    expect(workgroupSize(256, capabilities({ maxInvocations: 200 }))).toBe(128);
  });
});

describe('pointwise plan', () => {
  const dtypes = fc.constantFrom<DType>('float32', 'float16');

  it(
    'covers each element exactly once, in aligned windows within the binding limit',
    { timeout: 30_000 },
    () => {
      fc.assert(
        fc.property(
          fc.integer({ min: 1, max: 100_000 }),
          dtypes,
          dtypes,
          fc.boolean(),
          fc.constantFrom(4096, 8192, 65536, 100_000),
          fc.constantFrom(1, 3, 65535),
          tunings,
          (size, from, to, padded, maxBindingSize, maxWorkgroups, tuning) => {
            const caps = capabilities({
              maxBindingSize,
              // Few elements are 32 workgroups, which any device takes.
              maxWorkgroups:
                size <= tuning.scalarBelow ? Math.max(maxWorkgroups, 32) : maxWorkgroups,
              tuning,
            });
            const inputs = [view([size], from, padded), view([size], from)];
            const output = view([size], to, padded);
            const plan = pointwise.plan({ op, params: {}, shape: [size] }, inputs, [output], caps);
            checkWindows(plan, inputs, output, caps);
          },
        ),
      );
    },
  );

  it('needs one launch where the tensors fit', () => {
    const plan = pointwise.plan(
      { op, params: {}, shape: [2 ** 20] },
      [view([2 ** 20]), view([2 ** 20])],
      [view([2 ** 20])],
      capabilities(),
    );
    expect(plan.launches.length).toBe(1);
    expect(plan.scratch).toEqual([]);
  });

  it('needs windows past the binding limit and never more than the workgroup limit', () => {
    const size = 2 ** 23;
    const caps = capabilities({ maxBindingSize: 2 ** 21 });
    const inputs = [view([size]), view([size])];
    const plan = pointwise.plan({ op, params: {}, shape: [size] }, inputs, [view([size])], caps);
    expect(plan.launches.length).toBe(16);
    checkWindows(plan, inputs, view([size]), caps);
  });

  it('windows a broadcast result but not the small operand', () => {
    const caps = capabilities({ maxBindingSize: 4096 });
    const inputs = [view([50, 100]), view([100])];
    const plan = pointwise.plan(
      { op, params: {}, shape: [50, 100] },
      inputs,
      [view([50, 100])],
      caps,
    );
    checkWindows(plan, inputs, view([50, 100]), caps);
    for (const { bindings } of plan.launches) {
      const small = bindings.find(({ of, index }) => of === 'input' && index === 1);
      expect(small).toMatchObject({ slot: 2, access: 'read' });
      expect(small?.offset).toBeUndefined();
    }
  });

  it('reads operands that repeat in packs, and numbers as one', () => {
    const plan = (shape: number[], small: number[]): { text: string; uniforms: Uint32Array } => {
      const [launch] = pointwise.plan(
        { op, params: {}, shape },
        [view(shape), view(small)],
        [view(shape)],
        capabilities(),
      ).launches;
      if (!launch) throw new Error('no launch');
      return {
        text: shaderOf(launch.program, launch.entry),
        uniforms: new Uint32Array(launch.uniforms),
      };
    };
    const bias = plan([7, 5, 12], [12]);
    expect(bias.text).toContain('in1[c.at1]');
    // header, shape, then the strides of two operands
    expect([...bias.uniforms.slice(12 + 8 + 8, 12 + 8 + 8 + 2)]).toEqual([3, 256 % 3]);
    expect(plan([7, 5, 12], [5, 12]).uniforms[12 + 8 + 8]).toBe(15);
    expect(plan([7, 12], [1, 1]).text).toContain('vec4f(in1[0])');
    for (const [shape, small] of [
      [[7, 5], [5]],
      [
        [7, 12],
        [7, 1],
      ],
      [
        [7, 5, 12],
        [7, 1, 12],
      ],
    ] as const) {
      expect(plan([...shape], [...small]).text).toContain('let a1 = vec4f(in1[offset_of');
    }
  });

  it('uses one program for any length and options, another for another storage', () => {
    const programOf = (size: number, dtype: DType, padded = true): number | undefined =>
      pointwise.plan(
        { op, params: {}, shape: [size] },
        [view([size], dtype, padded), view([size], dtype)],
        [view([size], dtype)],
        capabilities(),
      ).launches[0]?.program.id;
    expect(programOf(5, 'float32')).toBe(programOf(50_000, 'float32'));
    const distinct = [
      programOf(5, 'float32'),
      programOf(5, 'float16'),
      programOf(5, 'float32', false),
      programOf(5, 'float16', false),
    ];
    expect(new Set(distinct).size).toBe(4);
  });

  it('leaves an aliased input unbound', () => {
    const plan = pointwise.plan(
      { op, params: {}, shape: [8] },
      [view([8]), view([8])],
      [{ ...view([8]), aliasOf: 0 }],
      capabilities(),
    );
    expect(plan.launches[0]?.bindings.map(({ of, index }) => `${of}${index}`)).toEqual([
      'input1',
      'output0',
    ]);
  });
});

/** Carries out sums: memory by place, and the kernels' loops in plain numbers. */
class Machine {
  readonly memory = new Map<string, number[]>();

  at(place: { of: string; index: number }): number[] {
    const key = `${place.of}${place.index}`;
    let list = this.memory.get(key);
    if (!list) this.memory.set(key, (list = []));
    return list;
  }

  run(plan: Plan, caps: Capabilities): void {
    for (const launch of plan.launches) {
      for (const { of, index, slot } of launch.bindings) {
        if (of === 'scratch') expect(plan.scratch[index], `scratch of slot ${slot}`).toBeDefined();
      }
      for (const extent of launch.workgroups)
        expect(extent).toBeLessThanOrEqual(caps.maxWorkgroups);
      if (launch.entry === 'accumulate') this.#accumulate(launch, plan);
      else this.#reduce(launch, plan);
    }
  }

  #bound(launch: Launch, slot: number): number[] {
    const binding = launch.bindings.find((candidate) => candidate.slot === slot);
    if (!binding) throw new Error(`nothing bound to ${slot}`);
    return this.at(binding);
  }

  #accumulate(launch: Launch, plan: Plan): void {
    const { count, first, partial } = pointwiseUniforms(launch);
    const values = this.#bound(launch, 1);
    const partials = this.#bound(launch, 15);
    walk(launch, (id, packs) => {
      let total = 0;
      for (const i of packs) {
        for (let l = 0; l < 4; l++)
          if (4 * i + l < count) total += values[first + 4 * i + l] ?? NaN;
      }
      expect(partials[partial + id], 'a partial sum written twice').toBeUndefined();
      partials[partial + id] = total;
    });
    // Two numbers each.
    expect((plan.scratch[0] ?? 0) / 8).toBeGreaterThanOrEqual(partials.length);
  }

  #reduce(launch: Launch, plan: Plan): void {
    const [n = 0, inner = 0, splits = 0, results = 0, stride = 0] = new Uint32Array(
      launch.uniforms,
    );
    const [high = 0, low = 0] = new Float32Array(launch.uniforms, 24);
    const reciprocal = high + low;
    const x = this.#bound(launch, 1);
    const y = this.#bound(launch, 2);
    const strided = (from: number[], base: number, first: number, step: number): number => {
      let total = 0;
      for (let i = first; i < n; i += step) total += from[base + i * inner] ?? NaN;
      return total;
    };
    if (launch.entry === 'sum') {
      for (let id = 0; id < launch.workgroups[0] * 64; id++) {
        for (let i = id; i < results; i += stride) {
          const rest = Math.floor(i / inner);
          const row = Math.floor(rest / splits);
          expect(y[i], 'a result written twice').toBeUndefined();
          y[i] = strided(x, row * n * inner + (i % inner), rest % splits, splits) * reciprocal;
        }
      }
    } else {
      expect(launch.workgroups).toEqual([1, 1, 1]);
      const total = strided(x, 0, 0, 1);
      const by = launch.entry.replace(/finish|alone/, '');
      if (by === '') y[0] = total * reciprocal;
      else if (by === '_divided') y[0] = total / (this.#bound(launch, 3)[0] ?? NaN);
      else y[0] = total / strided(this.#bound(launch, 3), 0, 0, 1);
    }
    const to = launch.bindings.find(({ slot }) => slot === 2);
    const bytes = launch.constants?.to_pairs === 1 ? 8 : 4;
    if (to?.of === 'scratch')
      expect((plan.scratch[to.index] ?? 0) / bytes).toBeGreaterThanOrEqual(y.length);
  }
}

const numbers = (size: number): number[] =>
  Array.from({ length: size }, (_, i) => (i * 7919) % 1009);

describe('planSum', () => {
  const check = (outer: number, n: number, inner: number, caps: Capabilities): void => {
    const machine = new Machine();
    const x = numbers(outer * n * inner);
    machine.memory.set('input0', x);
    const plan = planSum(
      { outer, n, inner, divisor: 2 },
      { of: 'input', index: 0 },
      { of: 'output', index: 0 },
      0,
      caps,
    );
    machine.run(plan, caps);
    const expected = Array.from({ length: outer * inner }, (_, r) => {
      const base = Math.floor(r / inner) * n * inner + (r % inner);
      let total = 0;
      for (let k = 0; k < n; k++) total += x[base + k * inner] ?? NaN;
      return total / 2;
    });
    expect(machine.memory.get('output0')).toEqual(expected);
  };

  it('adds each element exactly once, whatever the shape', { timeout: 30_000 }, () => {
    const extent = fc.integer({ min: 1, max: 40 });
    fc.assert(
      fc.property(
        extent,
        fc.integer({ min: 0, max: 3000 }),
        extent,
        tunings,
        (outer, n, inner, tuning) => {
          check(outer, Math.ceil(n / (outer * inner)) + (n % 7), inner, capabilities({ tuning }));
          check(1, n, 1, capabilities({ tuning }));
          check(1, n, Math.min(inner, 5), capabilities({ tuning, maxWorkgroups: 2 }));
        },
      ),
      { numRuns: 30 },
    );
  });

  it('adds long rows in few launches', () => {
    check(1, 300_000, 1, capabilities());
    check(3, 100_000, 1, capabilities());
    check(1, 100_000, 3, capabilities());
    const plan = planSum(
      { outer: 1, n: 2 ** 26, inner: 1, divisor: 1 },
      { of: 'input', index: 0 },
      { of: 'output', index: 0 },
      0,
      capabilities(),
    );
    expect(plan.launches.length).toBeLessThanOrEqual(2);
  });

  it('keeps to the workgroup limit for any number of results', () => {
    const caps = capabilities({ maxWorkgroups: 65535 });
    const plan = planSum(
      { outer: 2 ** 24, n: 3, inner: 2, divisor: 1 },
      { of: 'input', index: 0 },
      { of: 'output', index: 0 },
      0,
      caps,
    );
    for (const { workgroups } of plan.launches) {
      for (const extent of workgroups) expect(extent).toBeLessThanOrEqual(65535);
    }
  });
});

describe('planRatio', () => {
  it('divides one sum by another, short or long', () => {
    for (const n of [1, 5, 1000, 65536, 65537, 200_000]) {
      const caps = capabilities({ tuning: n % 2 === 0 ? SOFTWARE : HARDWARE });
      const machine = new Machine();
      const [terms, weights] = [numbers(n).map((v) => v + 1), numbers(n).map((v) => (v % 5) + 1)];
      machine.memory.set('scratch0', terms);
      machine.memory.set('scratch1', weights);
      const plan = planRatio(
        n,
        { of: 'scratch', index: 0 },
        { of: 'scratch', index: 1 },
        { of: 'output', index: 0 },
        2,
        caps,
      );
      // Its own scratch comes after the two it was given.
      machine.run({ ...plan, scratch: [4 * n, 4 * n, ...plan.scratch] }, caps);
      const sum = (list: number[]): number => list.reduce((a, b) => a + b, 0);
      expect(machine.memory.get('output0')).toEqual([sum(terms) / sum(weights)]);
    }
  });
});

describe('pointwise sums', () => {
  it('add each element exactly once, in windows or not', { timeout: 30_000 }, () => {
    const square: PointwiseOp = { ...op, inputs: ['x'], body: '  return Results(x);' };
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 50_000 }),
        // With fewer bytes the partial sums go in windows too: test/gpu/windows.test.ts.
        fc.constantFrom(32768, 65536, 2 ** 27),
        tunings,
        fc.constantFrom(1, 65535),
        (size, maxBindingSize, tuning, maxWorkgroups) => {
          const caps = capabilities({ maxBindingSize, tuning, maxWorkgroups });
          const machine = new Machine();
          const values = numbers(size);
          machine.memory.set('input0', values);
          const plan = pointwise.plan(
            { op: square, params: {}, shape: [size], sum: 4 },
            [view([size])],
            [view([])],
            caps,
          );
          machine.run(plan, caps);
          const total = values.reduce((a, b) => a + b, 0);
          expect(machine.memory.get('output0')).toEqual([total / 4]);
        },
      ),
      { numRuns: 30 },
    );
  });
});

describe('matmul plan', () => {
  it('keeps to the workgroup limit for any number of rows, columns and batches', () => {
    const sizes = [1, 33, 100_000, 3_000_000];
    for (const m of sizes) {
      for (const n of sizes) {
        for (const count of [1, 70_000]) {
          // No device holds more: WebGPU counts bytes of a buffer in 53 bits, and elements in 32 in shaders.
          if (m * n * count > 2 ** 32) continue;
          for (const tuning of [HARDWARE, SOFTWARE]) {
            const plan = matmulKernel.plan(
              { m, n, k: 2, a: [2, 1], b: [n, 1], batch: [count], aBatch: [0], bBatch: [0] },
              [view([count, m, 2]), view([2, n])],
              [view([count, m, n])],
              capabilities({ tuning, maxBindingSize: 2 ** 40 }),
            );
            expect(plan.launches.length).toBeGreaterThan(0);
            for (const { workgroups } of plan.launches) {
              expect(Math.max(...workgroups), `${m} x ${n}, ${count} batches`).toBeLessThanOrEqual(
                65535,
              );
            }
          }
        }
      }
    }
  });
});

describe('rows', () => {
  it('has at least an invocation or a workgroup per row, within the limits', () => {
    const extent = fc.integer({ min: 1, max: 2 ** 14 });
    fc.assert(
      fc.property(extent, extent, extent, tunings, (outer, n, inner, tuning) => {
        const caps = capabilities({ tuning });
        const tiling = tileChunks({ outer, n, inner }, caps);
        const { unit, chunks, quads, chunkQuads, constants } = tiling;
        const { workgroup_size: size, block_quads: block = NaN, in_registers, padded } = constants;
        const workgroups = workgroupsOf(tiling, outer * inner * chunks, caps);
        const [x, y, z] = workgroups;
        expect(size).toBeLessThanOrEqual(256);
        expect(Math.log2(size) % 1).toBe(0);
        const capacity = x * y * z * (unit === 'invocation' ? size : 1);
        expect(capacity).toBeGreaterThanOrEqual(outer * inner * chunks);
        // Chunks cover the row, each with something in it.
        expect(chunks * chunkQuads).toBeGreaterThanOrEqual(quads);
        expect((chunks - 1) * chunkQuads).toBeLessThan(quads);
        expect(quads).toBe(Math.ceil(n / 4));
        // What is in_registers is all that a lane has.
        const lanes = unit === 'workgroup' ? size : 1;
        if (in_registers === 1) expect(block * lanes).toBeGreaterThanOrEqual(chunkQuads);
        else expect(block).toBe(tuning.rowBlock);
        if (padded === 0) expect([in_registers, block, n % 4]).toEqual([0, 1, 0]);
        for (const part of workgroups) expect(part).toBeLessThanOrEqual(caps.maxWorkgroups);
      }),
    );
  });

  it('folds workgroups into two dimensions past the limit', () => {
    const caps = capabilities({ maxWorkgroups: 10 });
    expect(foldWorkgroups(0, caps)).toEqual([1, 1, 1]);
    expect(foldWorkgroups(10, caps)).toEqual([10, 1, 1]);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100 }), (count) => {
        const [x, y, z] = foldWorkgroups(count, caps);
        expect(x * y * z).toBeGreaterThanOrEqual(count);
        expect(Math.max(x, y, z)).toBeLessThanOrEqual(10);
        // At most a row of workgroups too many.
        expect(x * y * z - count).toBeLessThan(Math.max(y, 1) + x);
      }),
    );
  });
});

describe('the gradient of a table', () => {
  it.each([1500, 5000])('scaled by frequency sorts %d positions once', (count) => {
    const [rows, width] = [300, 8];
    const args = { count, rows, width, padding: null };
    const labels = (divided: boolean): string[] =>
      tableGradKernel
        .plan(
          { ...args, divided },
          [view([count], 'int32'), view([count, width])],
          [view([rows, width])],
          capabilities(),
        )
        .launches.map(({ program, entry }) => `${program.label}:${entry}`);
    const sorting = (all: readonly string[]): string[] =>
      all.filter((label) => label.startsWith('sort'));
    expect(sorting(labels(true))).toEqual(sorting(labels(false)));
    const begins = count > 2048 ? 'sort:scatter' : 'sort:rank';
    // Two digits of 8 bits for 300 rows.
    const passes = count > 2048 ? 2 : 1;
    expect(labels(true).filter((label) => label === begins)).toHaveLength(passes);
  });
});
