// Takes results of training and attention, and gives their sections of docs/benchmarks.md.
import { digits, NAMES, section, table } from './report-words.ts';
import { BOUND } from './page/training/measure.ts';
import type { AttentionResult, Pair, TrainingResult } from './page/training/types.ts';

/** What of a run's results these sections tell. */
export interface TrainingResults {
  readonly date: string;
  readonly adapter: string;
  readonly browser: string;
  readonly processor: string;
  readonly threads: number;
  readonly training: readonly TrainingResult[];
  readonly attention: readonly AttentionResult[];
}

const megabytes = (bytes: number): string => digits(bytes / 2 ** 20);

function stepsTable(results: readonly TrainingResult[]): string {
  const rows = results.flatMap(({ name, trained, counts }) =>
    trained.map(({ library, ms, ratio, loss, difference }) => {
      const own = counts.find((one) => one.library === library);
      return [
        name,
        NAMES[library],
        digits(ms),
        digits(ratio),
        digits(own?.dispatches ?? NaN),
        digits(own?.submits ?? NaN),
        digits(own?.buffers ?? NaN),
        megabytes(own?.peak ?? NaN),
        loss.toFixed(5),
        difference === 0 ? '0' : difference.toExponential(1),
      ];
    }),
  );
  return table(
    [
      'model',
      '',
      'ms a step',
      'multiple',
      'dispatches',
      'submits',
      'new buffers',
      'peak, MiB',
      'loss',
      'off by',
    ],
    rows,
  );
}

function attentionTable(results: readonly AttentionResult[]): string {
  type Measured = (Pair & { readonly ratio: number }) | null;
  const row = (one: AttentionResult, words: string, time: Measured, memory: Pair): string[] => [
    `${one.length} × ${one.heads}`,
    words,
    digits(time?.fused ?? NaN),
    digits(time?.composed ?? NaN),
    digits(time?.ratio ?? NaN),
    digits(memory.fused),
    digits(memory.composed),
  ];
  const rows = results.flatMap((one) => [
    row(one, 'forward', one.forward, one.memory.forward),
    row(one, 'with gradients', one.both, one.memory.both),
  ]);
  return table(
    ['length × heads', '', 'ms', 'composed, ms', 'multiple', 'memory', 'composed, memory'],
    rows,
  );
}

/** Where the sections were measured, as they may be newer than the rest. */
function measured(
  { date, browser, adapter, processor, threads }: TrainingResults,
  part: string,
): string {
  return `Measured on ${date} in headless ${browser}, ${adapter}, on ${processor}, ${threads} threads, by \`npm run bench -- --part ${part}\`. Milliseconds are upper bounds where the machine had other work to do; multiples are of turns side by side in one round.`;
}

/** What failed the benchmark. */
function failed(results: readonly { readonly failures: readonly string[] }[]): string[] {
  const failures = results.flatMap((one) => one.failures);
  return failures.length > 0 ? [`Not as it has to be: ${failures.join('; ')}.`] : [];
}

export function trainingSections(results: TrainingResults): string[] {
  const { training, attention } = results;
  return [
    ...section(
      'Training steps',
      [
        `One step: loss, gradients, and the update of all weights by Adam (of the GPTs AdamW, with gradients clipped to norm 1, as \`npm run gpt\` does it). The GPTs are those of \`demo/writing\`: embeddings of tokens and positions, blocks with layer norm, causal attention of 4 heads and a gelu (erf) layer of four times the width, a head tied to the tokens; context 64, batches of 16 (4 layers of 128) and 8 (2 layers of 64), characters of Moby Dick. The perceptrons are those of \`demo/training\`: the digits in batches of 64, two spirals in batches of 60. jax-js has a step compiled as a whole by its \`jit\`; TensorFlow.js has its fused layers and its own Adam, and no attention.`,
        `Weights and batches are the same for all, and losses must be within ${BOUND} of ours at each of the first steps, or the benchmark fails: _loss_ is that of the last step compared, _off by_ the largest difference. Milliseconds are medians of rounds in which each library has its turn, _multiple_ is of our time in the same round. Dispatches, submits and new buffers are per step in the steady state, over five steps of ours (two of the others) and one read of their losses, which takes a submit of its own. A step of ours makes no buffer and no pipeline after the tenth, and has one submit: the benchmark fails otherwise. Peak memory is of all buffers alive at the worst moment, weights and moments included.`,
        measured(results, 'models'),
      ].join('\n\n'),
      [stepsTable(training), ...failed(training)].join('\n\n'),
      training.length > 0,
    ),
    ...section(
      'Attention',
      [
        '`scaledDotProductAttention` beside `softmax(q kᵀ) v` composed of our own `matmul`, `softmax` and `transpose`, 64 numbers per head; _heads_ are heads times batch elements. Results and gradients agree within 1e-4 of the largest number, or the benchmark fails. _Multiple_: how many times as long the composed form takes. _Memory_: all buffers alive at the worst moment, as a multiple of query, key, value and result, which is 1 at least (with gradients 2, those of query, key, value and result). Above 1.3 for a forward pass the benchmark fails. Where there is no time, memory alone was measured. The longest has one head, as eight take an emulator half a minute.',
        measured(results, 'attention'),
      ].join('\n\n'),
      [attentionTable(attention), ...failed(attention)].join('\n\n'),
      attention.length > 0,
    ),
  ];
}

/** The title of each section, and its text with the title; what comes before the first has an empty title. */
function sectionsOf(text: string): Map<string, string> {
  const pieces = text.split(/^(?=## )/m);
  return new Map(
    pieces.map((piece) => [/^## (.*)/.exec(piece)?.[1]?.trim() ?? '', piece.trimEnd()]),
  );
}

/** A page with some of its sections written anew, the others as they are; new titles come last. */
export function renewed(page: string, sections: string): string {
  const all = sectionsOf(page);
  for (const [title, text] of sectionsOf(sections)) if (title !== '') all.set(title, text);
  return `${[...all.values()].join('\n\n')}\n`;
}
