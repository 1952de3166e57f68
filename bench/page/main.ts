// Takes what bench.mjs asks for. Gives measurements of this browser, as plain data.
import { measureAttention, measureAttentionMemory } from './attention.ts';
import { measureCell, type CellRequest } from './cell.ts';
import { measureTen } from './cold.ts';
import { count, counters, measureCounts, memory } from './counts.ts';
import { launch, multiply } from './launch.ts';
import { libraryOf } from './libraries/index.ts';
import { measureOverhead } from './overhead.ts';
import { learnerOf } from './training/learners.ts';
import { countSteps, faultsOfSteps, measureTraining } from './training/measure.ts';
import { taskOf } from './training/task.ts';
import type {
  LearnerName,
  Lesson,
  StepCounts,
  Trained,
  TrainedModel,
  TrainingRequest,
} from './training/types.ts';
import type { Cell, Library, LibraryName, Overhead } from './types.ts';

async function librariesOf(names: readonly LibraryName[]): Promise<Map<LibraryName, Library>> {
  const libraries = new Map<LibraryName, Library>();
  for (const name of names) libraries.set(name, await libraryOf(name));
  return libraries;
}

const bench = {
  async adapter(): Promise<string> {
    const adapter = await navigator.gpu.requestAdapter();
    const { vendor = '', architecture = '', description = '' } = adapter?.info ?? {};
    return [vendor, architecture, description].filter((word) => word !== '').join(', ');
  },

  cell: async (request: CellRequest): Promise<Cell> =>
    measureCell(request, await librariesOf(request.libraries)),

  overhead: async (names: readonly LibraryName[], rounds: number): Promise<Overhead[]> =>
    measureOverhead(await librariesOf(names), rounds),

  async training(
    request: TrainingRequest,
    lesson: Lesson,
  ): Promise<{ trained: Trained[]; failures: string[] }> {
    const task = await taskOf(request.model, lesson);
    return measureTraining(request, (name) => learnerOf(name, task));
  },

  /** In a page of its own: calls are counted from then on. */
  async stepCounts(
    library: LearnerName,
    model: TrainedModel,
    lesson: Lesson,
  ): Promise<{ counts: StepCounts; faults: string[] }> {
    const task = await taskOf(model, lesson);
    count();
    const learner = await learnerOf(library, task);
    const counted = await countSteps(library, learner, () => ({ ...counters }));
    const counts = { library, ...counted, peak: memory.peak };
    return { counts, faults: faultsOfSteps(counts) };
  },

  attention: measureAttention,
  attentionMemory: measureAttentionMemory,
  ten: measureTen,
  counts: measureCounts,
  launch,
  multiply,
};

export type Bench = typeof bench;
Object.assign(globalThis, { bench });
