// The benchmark's own judgement: what it measures, what it calls wrong, and what it prints.
import { describe, expect, it } from 'vitest';
import { inputsOf, mistake } from '../../bench/page/cases.ts';
import { measureCell, quantile } from '../../bench/page/cell.ts';
import { ELEMENTWISE, ROWWISE } from '../../bench/page/ops.mjs';
import type { Library, Runner } from '../../bench/page/types.ts';
import { planOf } from '../../bench/plan.mjs';
import { lost, ratioOf } from '../../bench/report.ts';

/** A library whose result is `read()`, and whose calls are logged. */
function fake(read: () => ArrayLike<number>[], log: string[] = [], name = ''): Library {
  return {
    prepare: (): Runner => ({
      run: () => {
        log.push(name);
      },
      sync: () => Promise.resolve(),
      read: () => Promise.resolve(read()),
      free: () => undefined,
    }),
  };
}

const shape = [3, 1000] as const;
const right = inputsOf('relu', shape).x.map((v) => Math.max(v, 0));

describe('a cell', () => {
  it('shows wrong answers, gaps and failures instead of times', async () => {
    const libraries = new Map([
      ['copy', fake(() => [])],
      ['nonlin', fake(() => [right])],
      ['tfjs', fake(() => [right.map((v) => v * 1.01)])],
      ['ort', { prepare: () => null } satisfies Library],
      [
        'jax',
        fake(() => {
          throw new Error('lost');
        }),
      ],
    ] as const);
    const { timings } = await measureCell(
      { op: 'relu', shape, libraries: [...libraries.keys()], rounds: 3, span: 0.1 },
      libraries,
    );
    const statuses = Object.entries(timings).map(([name, { status }]) => `${name} ${status}`);
    expect(statuses.toSorted()).toEqual([
      'copy ok',
      'jax failed',
      'nonlin ok',
      'ort none',
      'tfjs wrong',
    ]);
    expect(timings.copy).toMatchObject({ ratio: 1, quartiles: [1, 1] });
    expect([timings.tfjs, timings.ort, timings.jax].map(ratioOf)).toEqual([
      'wrong',
      'none',
      'failed',
    ]);
  });

  it('takes turns: each library in each round, another one first', async () => {
    const log: string[] = [];
    const libraries = new Map([
      ['copy', fake(() => [], log, 'copy')],
      ['nonlin', fake(() => [right], log, 'nonlin')],
    ] as const);
    await measureCell(
      { op: 'relu', shape, libraries: ['copy', 'nonlin'], rounds: 4, span: 0.1 },
      libraries,
    );
    const turns = ['copy', 'nonlin', 'nonlin', 'copy', 'copy', 'nonlin', 'nonlin', 'copy'];
    expect(log.slice(-8)).toEqual(turns);
  });

  it('takes medians', () => {
    expect(quantile([3, 1, 2], 0.5)).toBe(2);
    expect(quantile([1, 2], 0.5)).toBe(1.5);
    expect(quantile([], 0.5)).toBeNaN();
  });
});

describe('the judge', () => {
  it('accepts float32 of the right numbers and nothing else, for every op', () => {
    for (const op of [...ELEMENTWISE, ...ROWWISE]) {
      const inputs = inputsOf(op, [4, 10]);
      expect(mistake(op, inputs, [])).toContain('elements');
      const size = op === 'mse' || op.startsWith('crossEntropy') ? 1 : 40;
      expect(mistake(op, inputs, [new Float32Array(size).fill(NaN)])).toContain('NaN');
      expect(mistake(op, inputs, [new Float32Array(size).fill(1e9)])).toContain('instead of');
    }
  });

  it('knows softmax and cross-entropy with gradient', () => {
    const inputs = inputsOf('crossEntropyGrad', [2, 3]);
    const probabilities: number[] = [];
    for (let row = 0; row < 2; row++) {
      const own = [...inputs.x.subarray(row * 3, row * 3 + 3)].map(Math.exp);
      const sum = own.reduce((a, b) => a + b, 0);
      probabilities.push(...own.map((v) => v / sum));
    }
    expect(mistake('softmax', inputs, [probabilities])).toBeNull();
    const hits = [...inputs.classes].map((c, row) => row * 3 + c);
    const loss = hits.reduce((sum, i) => sum - Math.log(probabilities[i] ?? NaN), 0) / 2;
    const grad = probabilities.map((p, i) => (p - (hits.includes(i) ? 1 : 0)) / 2);
    expect(mistake('crossEntropyGrad', inputs, [[loss], grad])).toBeNull();
    expect(mistake('crossEntropyGrad', inputs, [[loss], grad.map((g) => -g)])).not.toBeNull();
  });
});

describe('the plan', () => {
  it('has every op in every size, with all libraries', () => {
    const { cells, cpuCells, full, coldStarts } = planOf({});
    expect(full).toBe(true);
    const sizes = [...ELEMENTWISE].length * 4 + [...ROWWISE].length * 4;
    expect(cells.length).toBe(sizes);
    expect(cpuCells.length).toBe(sizes);
    for (const { libraries, rounds } of cells) {
      expect(libraries).toEqual(['copy', 'nonlin', 'tfjs', 'ort', 'jax']);
      expect(rounds).toBeGreaterThanOrEqual(7);
    }
    expect(new Set(coldStarts).size).toBe(5);
  });

  it('narrows, and refuses what it does not know', () => {
    const { cells, full, overhead } = planOf({ op: ['gelu'], size: ['1e6'], only: ['nonlin'] });
    expect(full).toBe(false);
    expect(overhead).toEqual([]);
    expect(cells).toMatchObject([
      { op: 'gelu', shape: [1000, 1000], libraries: ['copy', 'nonlin'] },
    ]);
    expect(planOf({ quick: true }).full).toBe(false);
    expect(planOf({ 'cpu-time': true }).full).toBe(false);
    expect(() => planOf({ op: ['geluu'] })).toThrow('geluu');
    expect(() => planOf({ size: ['1e3.5'] })).toThrow('1e3.5');
  });
});

describe('the report', () => {
  it('says where a peer is faster', () => {
    const ok = (ratio: number) => ({ status: 'ok', ns: 1, ratio, quartiles: [1, 1] }) as const;
    const cell = (nonlin: number, ort: number) =>
      ({ op: 'relu', shape, rounds: 9, timings: { nonlin: ok(nonlin), ort: ok(ort) } }) as const;
    expect(lost([cell(1, 2)], 'nonlin', ['ort', 'jax'])).toEqual([]);
    expect(lost([cell(2, 1.5)], 'nonlin', ['ort', 'jax'])).toEqual([
      'relu 3,000 (2.00 against 1.50)',
    ]);
  });
});
