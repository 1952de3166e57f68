// Takes pieces of work to compare, and gives how long each takes, round by round in turn.
import { now } from '../cell.ts';

/** Does so many of something, and waits for them. */
export type Work = (count: number) => Promise<void>;

const MOST = 100;

/** Milliseconds of one of each work, by round; in a round each is repeated to about `span` milliseconds, once at least. */
export async function takeTurns(
  works: readonly Work[],
  { rounds, span }: { readonly rounds: number; readonly span: number },
): Promise<number[][]> {
  const entries: { work: Work; count: number; times: number[] }[] = [];
  for (const work of works) {
    const one = Math.max(await timeOf(work, 1), 0.005);
    const some = Math.min(10, Math.max(1, Math.round(span / 4 / one)));
    // A first one may allocate and compile; what is short, its second alone says.
    const each = one > span ? one : await timeOf(work, some);
    entries.push({ work, count: Math.max(1, Math.min(MOST, Math.round(span / each))), times: [] });
  }
  for (let round = 0; round < rounds; round++) {
    // Each goes first as often as the others.
    const turn = round % Math.max(entries.length, 1);
    for (const { work, count, times } of [...entries.slice(turn), ...entries.slice(0, turn)]) {
      times.push(await timeOf(work, count));
    }
  }
  return entries.map(({ times }) => times);
}

async function timeOf(work: Work, count: number): Promise<number> {
  const start = await now();
  await work(count);
  return ((await now()) - start) / count;
}
