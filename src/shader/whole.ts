// The whole shader of a program, for messages of compilers: nothing is left out or moved, and an op's own lines are known.
import { INCLUDE, link, type Program, type Source } from './link.ts';

export interface Whole {
  readonly text: string;
  /** Which line of the op's own file a line of the text is, both from 1; undefined for all others. */
  readonly lineOf: (line: number) => number | undefined;
}

export function wholeOf({ kernel, slots }: Program): Whole {
  const text = link(kernel, slots);
  const lines = new Map<number, number>();
  for (const slot of Object.values(slots)) {
    if (typeof slot !== 'string') addLines(slot.own ?? slot, text, lines);
  }
  return { text, lineOf: (line) => lines.get(line) };
}

/** The linked text holds a file as it is, but for its `//#include` lines. */
function addLines(file: Source, text: string, lines: Map<number, number>): void {
  const body = file.text.replace(INCLUDE, '');
  const start = body === '' ? -1 : text.indexOf(body);
  if (start < 0) return;
  let at = text.slice(0, start).split('\n').length;
  for (const [i, line] of file.text.split('\n').entries()) {
    if (line.search(INCLUDE) < 0) lines.set(at++, i + 1);
  }
}
