// Text as numbers, one for each character, and pieces of it to learn from.

/** The characters that a model knows, in a fixed order. */
export class Vocabulary {
  readonly characters: readonly string[];
  readonly #indices: ReadonlyMap<string, number>;

  constructor(characters: readonly string[]) {
    this.characters = characters;
    this.#indices = new Map(characters.map((character, i) => [character, i]));
  }

  /** Every character of a text, sorted. */
  static of(text: string): Vocabulary {
    return new Vocabulary([...new Set(text)].sort());
  }

  get size(): number {
    return this.characters.length;
  }

  /** Characters that are not known are left out. */
  encode(text: string): Int32Array {
    return Int32Array.from(
      Array.from(text).flatMap((character) => this.#indices.get(character) ?? []),
    );
  }

  decode(indices: Iterable<number>): string {
    return Array.from(indices, (index) => this.characters[index] ?? '').join('');
  }
}

/** A text in two parts: a model learns from the first, and is tested on the other, which comes last. */
export interface Corpus {
  readonly training: Int32Array;
  readonly heldOut: Int32Array;
}

export function splitText(indices: Int32Array, heldOutShare = 0.1): Corpus {
  const cut = Math.floor(indices.length * (1 - heldOutShare));
  return { training: indices.subarray(0, cut), heldOut: indices.subarray(cut) };
}

/** Pieces of `context` characters, and for each character the one that follows it. */
export interface Pieces {
  readonly inputs: Int32Array;
  readonly targets: Int32Array;
}

/** The pieces that begin at `starts`. */
export function piecesAt(text: Int32Array, starts: readonly number[], context: number): Pieces {
  const inputs = new Int32Array(starts.length * context);
  const targets = new Int32Array(starts.length * context);
  starts.forEach((start, i) => {
    inputs.set(text.subarray(start, start + context), i * context);
    targets.set(text.subarray(start + 1, start + 1 + context), i * context);
  });
  return { inputs, targets };
}

/** `count` pieces from anywhere in the text. `random` gives numbers in [0, 1). */
export function drawPieces(
  text: Int32Array,
  count: number,
  context: number,
  random: () => number,
): Pieces {
  const last = text.length - context;
  const starts = Array.from({ length: count }, () => Math.floor(random() * last));
  return piecesAt(text, starts, context);
}

/** `count` pieces at even distances: the same ones each time. */
export function evenPieces(text: Int32Array, count: number, context: number): Pieces {
  const last = text.length - context - 1;
  const starts = Array.from({ length: count }, (_, i) => Math.floor((i * last) / count));
  return piecesAt(text, starts, context);
}
