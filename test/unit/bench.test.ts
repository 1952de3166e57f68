// The benchmark's own judgement: what it measures, what it calls wrong, and what it prints.
import { describe, expect, it } from 'vitest';
import { inputsOf, mistake } from '../../bench/page/cases.ts';
import { measureCell, quantile } from '../../bench/page/cell.ts';
import { ELEMENTWISE, ROWWISE } from '../../bench/page/ops.mjs';
import { countSteps, faultsOfSteps, measureTraining } from '../../bench/page/training/measure.ts';
import type { Learner, LearnerName } from '../../bench/page/training/types.ts';
import type { Library, Runner } from '../../bench/page/types.ts';
import { planOf } from '../../bench/plan.mjs';
import { renewed } from '../../bench/report-training.ts';
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

/** A library in training whose losses fall by a tenth each step, from 1. */
function learner(off: (step: number) => number, log: string[] = [], name = ''): Learner {
  let steps = 0;
  let pending: number[] = [];
  return {
    step: () => {
      log.push(name);
      pending.push(0.9 ** steps + off(steps));
      steps++;
    },
    losses: () => {
      const read = pending;
      pending = [];
      return Promise.resolve(read);
    },
    free: () => undefined,
  };
}

describe('training', () => {
  const request = { name: 'small', steps: 5, rounds: 3, span: 0.1 };
  const run = (others: Readonly<Partial<Record<LearnerName, Learner>>>) => {
    const libraries = ['nonlin', ...(Object.keys(others) as LearnerName[])] as const;
    return measureTraining({ ...request, libraries }, (name) => {
      const made = name === 'nonlin' ? learner(() => 0) : others[name];
      return made ? Promise.resolve(made) : Promise.reject(new Error('lost'));
    });
  };

  it('accepts losses within the bound, and says how far off they are', async () => {
    const { trained, failures } = await run({ jax: learner((step) => (step === 3 ? 5e-4 : 0)) });
    expect(failures).toEqual([]);
    expect(trained.map(({ library }) => library)).toEqual(['nonlin', 'jax']);
    expect(trained[0]).toMatchObject({ ratio: 1, difference: 0 });
    expect(trained[1]?.difference).toBeCloseTo(5e-4, 10);
    expect(trained[1]?.ms).toBeGreaterThanOrEqual(0);
  });

  it('fails where a loss is off, missing or not a number, and where a library fails', async () => {
    const late = await run({ jax: learner((step) => (step === 4 ? 2e-3 : 0)) });
    expect(late.failures.join()).toContain('jax: losses');
    const nan = await run({ tfjs: learner((step) => (step === 0 ? NaN : 0)) });
    expect(nan.failures.join()).toContain('tfjs: losses');
    const short = { ...learner(() => 0), losses: () => Promise.resolve([]) };
    expect((await run({ jax: short })).failures.join()).toContain('jax: losses');
    const failing = {
      ...learner(() => 0),
      step: () => {
        throw new Error('out of memory');
      },
    };
    const failed = await run({ jax: failing });
    expect(failed.failures).toEqual(['jax failed: Error: out of memory']);
    expect(failed.trained.map(({ library }) => library)).toEqual(['nonlin']);
  });

  it('takes turns in each round, another one first', async () => {
    const log: string[] = [];
    const made = { nonlin: learner(() => 0, log, 'a'), jax: learner(() => 0, log, 'b') };
    // a span of 0: one step a turn
    const libraries = ['nonlin', 'jax'] as const;
    await measureTraining({ ...request, span: 0, libraries }, (name) =>
      Promise.resolve(name === 'nonlin' ? made.nonlin : made.jax),
    );
    expect(log.slice(-6)).toEqual(['a', 'b', 'b', 'a', 'a', 'b']);
  });

  it('counts steps after the warm-up, and knows what a step of ours must not do', async () => {
    const zero = { dispatches: 0, submits: 0, buffers: 0, bindGroups: 0, pipelines: 0 };
    const totals = { ...zero };
    let steps = 0;
    const counted = {
      ...learner(() => 0),
      step: () => {
        totals.dispatches += 7;
        totals.submits++;
        // The last new one is that of the tenth step.
        if (++steps <= 10) totals.buffers++;
      },
    };
    const counts = await countSteps('nonlin', counted, () => ({ ...totals }));
    expect(counts).toEqual({ ...zero, dispatches: 7, submits: 1 });
    const about = { library: 'nonlin', ...counts, peak: 0 } as const;
    expect(faultsOfSteps(about)).toEqual([]);
    expect(faultsOfSteps({ ...about, submits: 1.2 })).toEqual([]);
    expect(faultsOfSteps({ ...about, submits: 1.5 })).toEqual(['1.5 submits a step']);
    expect(faultsOfSteps({ ...about, buffers: 0.25, pipelines: 1 })).toHaveLength(2);
    expect(faultsOfSteps({ ...about, library: 'jax', buffers: 3 })).toEqual([]);
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
    const { training, attention, apart, cells: none } = planOf({ part: ['training'] });
    expect(apart).toBe(true);
    expect(none).toEqual([]);
    expect(training.map(({ libraries }) => libraries[0])).toEqual(Array(4).fill('nonlin'));
    expect(attention.map(({ length }) => length)).toEqual([256, 1024, 4096, 2048]);
    const models = planOf({ part: ['models'] });
    expect([models.apart, models.training.length, models.attention.length]).toEqual([true, 4, 0]);
    expect(planOf({ part: ['attention'] }).training).toEqual([]);
    expect(planOf({ part: ['training'], quick: true }).apart).toBe(false);
    expect(planOf({ part: ['training', 'cells'] }).apart).toBe(false);
    const own = planOf({ part: ['training'], only: ['jax'] }).training;
    expect(own.at(-1)?.libraries).toEqual(['nonlin', 'jax']);
    expect(() => planOf({ op: ['geluu'] })).toThrow('geluu');
    expect(() => planOf({ size: ['1e3.5'] })).toThrow('1e3.5');
  });
});

describe('the report', () => {
  it('replaces the sections of a part, and leaves the others', () => {
    const page = '# Title\n\nwords\n\n## One\n\nold\n\n## Two\n\n| a |\n';
    expect(renewed(page, '# Other\n\n## One\n\nnew\n\n## Three\n\nadded')).toBe(
      '# Title\n\nwords\n\n## One\n\nnew\n\n## Two\n\n| a |\n\n## Three\n\nadded\n',
    );
  });

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
