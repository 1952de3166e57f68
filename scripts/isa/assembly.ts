// Reads the assembly that Mesa's driver prints for an AMD GPU: its instructions by kind, and its loops.

/** What is counted of some instructions. */
export interface Counts {
  /** Instructions of the vector unit: each computes for all lanes. */
  readonly vector: number;
  /** Multiplications with an addition among them. */
  readonly multiplyAdds: number;
  /** Reciprocals, roots, exponentials and logarithms among them: they take four times as long. */
  readonly transcendental: number;
  /** Loads and stores of memory, and what a lane moves by them. */
  readonly memory: number;
  readonly memoryBytes: number;
  /** Accesses of workgroup memory. */
  readonly shared: number;
  readonly barriers: number;
}

/** Instructions that are gone through together. */
export interface Section extends Counts {
  /** Elements that they take from, or give to, the tensor they do so most with; 0 where they touch none. */
  readonly elements: number;
}

export interface Loop extends Section {
  /** The label it begins at. */
  readonly label: string;
  /** Loops around it. */
  readonly depth: number;
}

export interface Program {
  readonly whole: Section;
  /** What stands in no loop. */
  readonly outside: Counts;
  readonly loops: readonly Loop[];
  /** What most of the time goes into: a loop, or all where there is none. */
  readonly main: Section;
}

interface Instruction {
  readonly name: string;
  readonly text: string;
}

/** A range of instructions, both ends included. */
interface Range {
  readonly label: string;
  readonly from: number;
  to: number;
}

const LABEL = /^(\w+):/;
const INSTRUCTION = /^\s+([a-z]\w*)(.*)$/;
const BRANCH = /^s_c?branch/;
const MULTIPLY_ADD =
  /^v_(?:dual_)?(?:pk_)?(?:fma|fmac|fmaak|fmamk|mad|mac|madak|madmk)_(?:mix\w*_)?f(?:16|32)/;
const TRANSCENDENTAL = /^v_(?:rcp|rsq|sqrt|exp|log|sin|cos)_(?:iflag_)?f(?:16|32)/;
const MEMORY = /^(?:buffer|global|flat)_(load|store|atomic)/;

/** Bytes a lane moves, by the end of an instruction's name: the names of RDNA3, then those before it. */
const WIDTHS: readonly (readonly [RegExp, number])[] = [
  [/(?:b128|dwordx4)$/, 16],
  [/(?:b96|dwordx3)$/, 12],
  [/(?:b64|dwordx2)$/, 8],
  [/(?:b16|[ui]16|short|short_d16|short_d16_hi)$/, 2],
  [/(?:[ui]8|byte|byte_d16|byte_d16_hi)$/, 1],
];

function bytesOf(name: string): number {
  return WIDTHS.find(([end]) => end.test(name))?.[1] ?? 4;
}

/** The two halves of an instruction of RDNA3 that computes two things at once; any other alone. */
function halvesOf({ name, text }: Instruction): string[] {
  const second = /::\s*(v_\w+)/.exec(text)?.[1];
  return second === undefined ? [name] : [name, second];
}

function count(instructions: readonly Instruction[]): Counts {
  const matching = (pattern: RegExp): Instruction[] =>
    instructions.filter(({ name }) => pattern.test(name));
  const memory = matching(MEMORY);
  return {
    vector: matching(/^v_/).length,
    multiplyAdds: instructions.flatMap(halvesOf).filter((name) => MULTIPLY_ADD.test(name)).length,
    transcendental: matching(TRANSCENDENTAL).length,
    memory: memory.length,
    memoryBytes: memory.reduce((sum, { name }) => sum + bytesOf(name), 0),
    shared: matching(/^ds_/).length,
    barriers: matching(/^s_barrier/).length,
  };
}

/** Elements in an access by its bytes: 16 bytes are always four float32; of float16, narrow accesses take a word for one. */
function elementsIn(bytes: number, elementBytes: number): number {
  if (bytes >= 12) return bytes / 4;
  if (elementBytes === 4) return Math.max(1, bytes / 4);
  return bytes === 8 ? 4 : 1;
}

/**
 * Elements that the instructions take from one tensor, the one that they take most from; or give to, where they load
 * nothing. A tensor is known by the scalar registers that describe its buffer.
 */
function elementsOf(instructions: readonly Instruction[], elementBytes: number): number {
  const moved = { load: new Map<string, number>(), store: new Map<string, number>() };
  for (const { name, text } of instructions) {
    const way = MEMORY.exec(name)?.[1];
    if (way !== 'load' && way !== 'store') continue;
    const buffer = /s\[\d+:\d+\]/.exec(text)?.[0] ?? '';
    const known = moved[way].get(buffer) ?? 0;
    moved[way].set(buffer, known + elementsIn(bytesOf(name), elementBytes));
  }
  const most = (of: Map<string, number>): number => Math.max(0, ...of.values());
  return most(moved.load) || most(moved.store);
}

/** Ranges that a branch goes back to the beginning of; several branches to one label are one loop. */
function loopsIn(
  instructions: readonly Instruction[],
  labels: ReadonlyMap<string, number>,
): Range[] {
  const loops = new Map<string, Range>();
  for (const [at, { name, text }] of instructions.entries()) {
    if (!BRANCH.test(name)) continue;
    const label = /^\s*(\w+)/.exec(text)?.[1] ?? '';
    const from = labels.get(label);
    if (from === undefined || from > at) continue;
    const loop = loops.get(label) ?? { label, from, to: at };
    loop.to = Math.max(loop.to, at);
    loops.set(label, loop);
  }
  return [...loops.values()];
}

/** @param elementBytes of the tensors: 4, or 2 for float16 */
export function parseAssembly(text: string, elementBytes = 4): Program {
  const instructions: Instruction[] = [];
  const labels = new Map<string, number>();
  for (const line of text.split('\n')) {
    const code = line.replace(/;.*$/, '');
    const label = LABEL.exec(code)?.[1];
    if (label !== undefined) labels.set(label, instructions.length);
    const [, name, rest = ''] = INSTRUCTION.exec(code) ?? [];
    if (name !== undefined) instructions.push({ name, text: rest });
  }
  const ranges = loopsIn(instructions, labels);
  const around = (inner: Range): Range[] =>
    ranges.filter((outer) => outer !== inner && outer.from <= inner.from && outer.to >= inner.to);
  const within = (i: number, { from, to }: Range): boolean => i >= from && i <= to;

  const loops: Loop[] = [];
  const whole = { elements: elementsOf(instructions, elementBytes), ...count(instructions) };
  let main: Section = whole;
  let most = 0;
  for (const range of ranges) {
    const own = instructions.slice(range.from, range.to + 1);
    const depth = around(range).length;
    const loop = {
      label: range.label,
      depth,
      elements: elementsOf(own, elementBytes),
      ...count(own),
    };
    loops.push(loop);
    // A loop within a loop is gone through more often: four times, say, as most of such loops are.
    const inside = ranges.filter((inner) => around(inner).includes(range));
    const alone = instructions.filter(
      (_, i) => within(i, range) && !inside.some((inner) => within(i, inner)),
    );
    const weight = (count(alone).vector + 1) * 4 ** depth;
    if (weight > most) [main, most] = [loop, weight];
  }
  const outside = instructions.filter((_, i) => !ranges.some((range) => within(i, range)));
  return { whole, outside: count(outside), loops, main };
}
