// Takes a model in training by several libraries, and gives whether their losses agree, and how long a step of each takes.
import { quantile } from '../cell.ts';
import { takeTurns } from './turns.ts';
import type { Learner, LearnerName, StepCounts, Trained, TrainingRequest } from './types.ts';

/** Losses of one step may differ by so much: sums are rounded in other orders, and each step builds on the last. */
export const BOUND = 1e-3;
/** Losses are read after so many steps. */
const STEPS_PER_READ = 4;
/** A step of ours makes nothing new after so many. */
const WARM = 10;
/** Steps whose calls are counted: of others fewer, as theirs take longer and are all alike. */
const COUNTED = { own: 5, others: 2 };

export async function measureTraining(
  { libraries, steps, rounds, span }: Omit<TrainingRequest, 'model'>,
  learnerOf: (name: LearnerName) => Promise<Learner>,
): Promise<{ trained: Trained[]; failures: string[] }> {
  const failures: string[] = [];
  const entries: { library: LearnerName; learner: Learner; losses: readonly number[] }[] = [];
  for (const library of libraries) {
    try {
      const learner = await learnerOf(library);
      entries.push({ library, learner, losses: await run(learner, steps) });
    } catch (error) {
      failures.push(`${library} failed: ${String(error)}`);
    }
  }
  const works = entries.map(({ learner }) => async (count: number) => {
    for (let i = 0; i < count; i++) learner.step();
    await learner.losses();
  });
  const times = await takeTurns(works, { rounds, span });
  const [own = [], ownTimes = []] = [entries[0]?.losses, times[0]];
  const trained = entries.map(({ library, learner, losses }, i): Trained => {
    learner.free();
    const difference = farthest(losses, own, steps);
    // also where it is not a number
    if (!(difference <= BOUND)) {
      failures.push(`${library}: losses [${losses.join(', ')}], ours [${own.join(', ')}]`);
    }
    const mine = times[i] ?? [];
    return {
      library,
      ms: quantile(mine, 0.5),
      ratio: quantile(
        mine.map((time, round) => time / (ownTimes[round] ?? NaN)),
        0.5,
      ),
      loss: losses.at(-1) ?? NaN,
      difference,
    };
  });
  return { trained, failures };
}

/** The losses of so many steps. */
async function run(learner: Learner, steps: number): Promise<number[]> {
  const losses: number[] = [];
  for (let i = 0; i < steps; i++) {
    learner.step();
    if ((i + 1) % STEPS_PER_READ === 0 || i + 1 === steps) losses.push(...(await learner.losses()));
  }
  return losses;
}

/** The largest difference between two runs; infinite where one is not as long as it has to be. */
function farthest(a: readonly number[], b: readonly number[], length: number): number {
  if (a.length !== length || b.length !== length) return Infinity;
  const differences = a.map((value, i) => Math.abs(value - (b[i] ?? NaN)));
  return differences.some(Number.isNaN) ? NaN : Math.max(...differences);
}

type Counted = Omit<StepCounts, 'library' | 'peak'>;

/** What each step asks of WebGPU, after some that warm up. */
export async function countSteps(
  library: LearnerName,
  learner: Learner,
  counters: () => Counted,
): Promise<Counted> {
  const own = library === 'nonlin';
  const steps = own ? COUNTED.own : COUNTED.others;
  // The same loop from the first step on.
  const loop = async (): Promise<void> => {
    for (let i = 0; i < steps; i++) {
      learner.step();
      // A step has its own submit only where the caller's thread is free in between.
      await Promise.resolve();
    }
    await learner.losses();
  };
  for (let done = 0; done < (own ? WARM : COUNTED.others); done += steps) await loop();
  const start = counters();
  await loop();
  const end = counters();
  const each = (key: keyof Counted): number => (end[key] - start[key]) / steps;
  return {
    dispatches: each('dispatches'),
    submits: each('submits'),
    buffers: each('buffers'),
    bindGroups: each('bindGroups'),
    pipelines: each('pipelines'),
  };
}

/** What a step of ours must not do: make buffers or pipelines, or submit more often than once, and once more for the read. */
export function faultsOfSteps(counts: StepCounts): string[] {
  if (counts.library !== 'nonlin') return [];
  const faults: string[] = [];
  if (counts.buffers > 0) faults.push(`${counts.buffers} buffers made a step`);
  if (counts.pipelines > 0) faults.push(`${counts.pipelines} pipelines made a step`);
  if (counts.submits > 1 + 1 / COUNTED.own + 1e-9) faults.push(`${counts.submits} submits a step`);
  return faults;
}
