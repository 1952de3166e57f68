// Takes the text of a reference in JavaScript, and gives its functions, which say where they fail. It runs a person's code: in
// a worker, which can be ended.
import type { Problem } from './protocol.ts';

/** The reference cannot be used as it is. */
export class ReferenceFault extends Error {
  override readonly name = 'ReferenceFault';
  readonly problem: Problem;

  constructor(words: string, line?: number, column?: number) {
    super(words);
    this.problem = { where: 'js', words, line, column };
  }
}

export interface Reference {
  readonly params: unknown;
  readonly forward: (...args: unknown[]) => unknown;
  readonly backward: (...args: unknown[]) => unknown;
  readonly largestTerm: ((...args: unknown[]) => unknown) | undefined;
}

type AnyFunction = (...args: unknown[]) => unknown;

/** Lines that engines put before the text of a function that is made of text. */
const HEADER = 2;
const NAMES = ['params', 'forward', 'backward', 'largestTerm'] as const;

export function referenceOf(js: string): Reference {
  const found = NAMES.map(
    (name) => `${name}: typeof ${name} === 'undefined' ? undefined : ${name}`,
  );
  let made: Readonly<Record<string, unknown>>;
  try {
    // eslint-disable-next-line @typescript-eslint/no-implied-eval -- a person's own code, in a worker of its own
    const run = new Function(`${js}\n;return { ${found.join(', ')} };`) as () => typeof made;
    made = run();
  } catch (error) {
    throw faultOf(error);
  }
  const functionOf = (name: string): AnyFunction => {
    const value = made[name];
    if (typeof value !== 'function') throw new ReferenceFault(`There is no function ${name}.`);
    return guarded(value as AnyFunction);
  };
  return {
    params: made.params ?? {},
    forward: functionOf('forward'),
    backward: functionOf('backward'),
    largestTerm: made.largestTerm === undefined ? undefined : functionOf('largestTerm'),
  };
}

/** What it throws says where it was thrown. */
const guarded =
  (run: AnyFunction): AnyFunction =>
  (...args) => {
    try {
      return run(...args);
    } catch (error) {
      throw faultOf(error);
    }
  };

function faultOf(error: unknown): ReferenceFault {
  if (error instanceof ReferenceFault) return error;
  if (!(error instanceof Error)) return new ReferenceFault(`It throws ${String(error)}.`);
  const words = `${error.name}: ${error.message}`;
  const place = /(?:<anonymous>|Function):(\d+):(\d+)/.exec(error.stack ?? '');
  const line = Number(place?.[1]) - HEADER;
  return line >= 1
    ? new ReferenceFault(words, line, Number(place?.[2]))
    : new ReferenceFault(words);
}

/** A number that the reference gave. */
export function numberFrom(value: unknown, what: string): number {
  if (typeof value === 'number') return value;
  const got = value === undefined ? 'nothing' : `a ${typeof value}`;
  throw new ReferenceFault(`${what} gives ${got}, where a number is expected.`);
}
