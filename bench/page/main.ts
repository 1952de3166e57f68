// Takes what bench.mjs asks for. Gives measurements of this browser, as plain data.
import { measureCell, type CellRequest } from './cell.ts';
import { measureTen } from './cold.ts';
import { measureCounts } from './counts.ts';
import { launch, multiply } from './launch.ts';
import { libraryOf } from './libraries/index.ts';
import { measureOverhead } from './overhead.ts';
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

  ten: measureTen,
  counts: measureCounts,
  launch,
  multiply,
};

export type Bench = typeof bench;
Object.assign(globalThis, { bench });
