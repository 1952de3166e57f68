// Takes what was written with the weights of every head, and gives what a character, or a head, looked at.
import type { Sample } from './run.ts';

/** One of all heads, counted layer by layer; undefined is the mean of all. */
export type Head = number | undefined;

/** What was looked at to write the character at a place of the text; undefined where it was not written, but given. */
export interface Gaze {
  /** The first place of the text that was in sight. */
  readonly from: number;
  /** Of each place from there. */
  readonly weights: Float32Array;
}

export function gazeOf({ prompt, characters }: Sample, at: number, head: Head): Gaze | undefined {
  const drawn = characters[at - prompt.length];
  if (!drawn || drawn.seen === 0) return undefined;
  const { seen, attention } = drawn;
  const from = at - seen;
  if (head !== undefined) {
    return { from, weights: attention.subarray(head * seen, (head + 1) * seen) };
  }
  const heads = attention.length / seen;
  const weights = new Float32Array(seen);
  for (let i = 0; i < attention.length; i++) {
    const place = i % seen;
    weights[place] = (weights[place] ?? 0) + (attention[i] ?? 0) / heads;
  }
  return { from, weights };
}

/** Places that had the most weight, the first first. */
export function mostSeen({ from, weights }: Gaze, count: number): { at: number; weight: number }[] {
  return Array.from(weights, (weight, i) => ({ at: from + i, weight }))
    .sort((a, b) => b.weight - a.weight)
    .slice(0, count);
}

/** A square of weights: of the last places of the text, row by row what the character there looked at. */
export interface Square {
  readonly side: number;
  /** The place of the first row and column. */
  readonly first: number;
  readonly weights: Float32Array;
}

export function squareOf(sample: Sample, side: number, head: Head): Square {
  const length = sample.prompt.length + sample.characters.length;
  const first = Math.max(0, length - side);
  const weights = new Float32Array(side * side);
  for (let row = 0; row < side; row++) {
    const gaze = gazeOf(sample, first + row, head);
    gaze?.weights.forEach((weight, i) => {
      const column = gaze.from + i - first;
      if (column >= 0) weights[row * side + column] = weight;
    });
  }
  return { side, first, weights };
}

/** A character as words have it. */
export function nameOf(character: string): string {
  if (character === ' ') return 'space';
  if (character === '\n') return 'new line';
  return `‘${character}’`;
}
