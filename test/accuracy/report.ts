// Takes measured errors, and gives the text of docs/accuracy.md and of the table in the terminal.
import type { Documented } from '../../src/define/op.ts';
import { measured, type Options } from './cases.ts';
import type { Worst } from './measure.ts';
import { rowBound, type Errors } from './sweep.ts';
import { torchErrors, torchVersion } from './torch.ts';

/** One sweep of one op, as the page hands it over. */
export interface Measured {
  readonly op: string;
  readonly kind: Documented['kind'];
  readonly options: Options;
  readonly dtype: 'float32' | 'float16';
  readonly errors: Errors;
  /** The same op with WGSL's built-ins. */
  readonly naive?: Errors;
  /** Of row-wise ops, the elements of a row. */
  readonly length?: number;
}

export interface Circumstances {
  readonly adapter: string;
  readonly browser: string;
  readonly version: string;
  readonly date: string;
  readonly full: boolean;
}

const DIRECTIONS = ['forward', 'backward'] as const;

/** Rounded up, so that a figure is never better than what was measured. */
function ulps(value: number | undefined): string {
  if (value === undefined) return '—';
  if (!Number.isFinite(value)) return '∞';
  if (value >= 1e4) return value.toExponential(1).replace('e+', 'e');
  return (Math.ceil(value * 100 - 1e-9) / 100).toFixed(2);
}

/** Of code that may confuse NaN and numbers: the largest error that is a number, and whether it does. */
const withFaults = (worst: Worst | undefined): string =>
  worst?.ulp === Infinity ? `${ulps(worst.finite)}, wrong NaN or ∞` : ulps(worst?.ulp);

const place = ({ ulp, x }: Worst): string =>
  ulp === 0 ? '' : Number.isNaN(x) ? 'NaN' : String(Number(x.toPrecision(5)));

const optionText = (options: Options): string =>
  Object.entries(options)
    .map(
      ([name, value]) =>
        `${name} ${typeof value === 'number' ? Number(value.toPrecision(4)) : value}`,
    )
    .join(', ') || '—';

/** By the row of a table, what stands in its column of hardware's arithmetic. */
export type Column = ReadonlyMap<string, string>;

const keyOf = (
  op: string,
  direction: string,
  options: string,
  length: number | string = '',
): string => [op, direction, options, String(length)].join(' | ');

/** The largest of the errors in several modes, and the mode it is in. */
export function worstOf(byMode: ReadonlyMap<string, readonly Measured[]>): Column {
  const column = new Map<string, string>();
  const largest = new Map<string, number>();
  for (const [mode, results] of byMode) {
    for (const { op, options, length, errors } of results) {
      for (const direction of DIRECTIONS) {
        const key = keyOf(`\`${op}\``, direction, optionText(options), length);
        const { ulp } = errors[direction];
        if (ulp <= (largest.get(key) ?? -1)) continue;
        largest.set(key, ulp);
        column.set(key, ulp === 0 ? ulps(0) : `${ulps(ulp)} (${mode})`);
      }
    }
  }
  return column;
}

const HARDWARE = 'Worst on hardware';

/** The column as the page has it, so that either part of the page is measured without the other. */
export function columnIn(page: string): Column {
  const column = new Map<string, string>();
  let head: string[] = [];
  for (const text of page.split('\n')) {
    const cells = text.split('|').slice(1, -1);
    const trimmed = cells.map((cell) => cell.trim());
    if (trimmed[0] === 'Op') head = trimmed;
    const value = trimmed[head.indexOf(HARDWARE)];
    if (value === undefined || !trimmed[0]?.startsWith('`')) continue;
    const [op = '', direction = '', options = '', length = ''] = trimmed;
    const isRow = head.includes('Row length');
    column.set(keyOf(op, direction, options, isRow ? length : ''), value);
  }
  return column;
}

/** The page with another column of hardware's arithmetic. */
export function withColumn(page: string, column: Column): string {
  let head: string[] = [];
  const lines = page.split('\n').map((text) => {
    const cells = text.split('|').slice(1, -1);
    const trimmed = cells.map((cell) => cell.trim());
    if (trimmed[0] === 'Op') head = trimmed;
    const at = head.indexOf(HARDWARE);
    if (at < 0 || !trimmed[0]?.startsWith('`')) return text;
    const [op = '', direction = '', options = '', length = ''] = trimmed;
    const isRow = head.includes('Row length');
    trimmed[at] = column.get(keyOf(op, direction, options, isRow ? length : '')) ?? '—';
    return line(trimmed);
  });
  return lines.join('\n');
}

const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');

export function elementwiseTable(results: readonly Measured[], column: Column): string {
  const rows = results
    .filter(({ length, dtype }) => length === undefined && dtype === 'float32')
    .flatMap((one) => {
      const op = measured.find((candidate) => candidate.op === one.op);
      const same = results.filter(({ op, length }) => op === one.op && length === undefined);
      const half = same.find(
        ({ dtype, options }) =>
          dtype === 'float16' && JSON.stringify(options) === JSON.stringify(one.options),
      );
      const torch = op && same[0] === one ? torchErrors(op) : undefined;
      return DIRECTIONS.map((direction) => [
        `\`${one.op}\``,
        direction,
        optionText(one.options),
        ulps(one.errors[direction].ulp),
        place(one.errors[direction]),
        ulps(half?.errors[direction].ulp),
        column.get(keyOf(`\`${one.op}\``, direction, optionText(one.options))) ?? '—',
        String(op?.accuracy[direction] ?? '—'),
        withFaults(one.naive?.[direction]),
        one.naive ? place(one.naive[direction]) : '',
        ulps(torch?.[direction]),
      ]);
    });
  const head = [
    ...['Op', 'Direction', 'Options', 'float32', 'at x =', 'float16', HARDWARE, 'Bound'],
    ...['WGSL built-ins', 'at x =', 'PyTorch float32'],
  ];
  return table(head, rows);
}

/** Of row-wise ops, or of norms. */
export function rowsTable(
  results: readonly Measured[],
  column: Column,
  kind: 'rowwise' | 'norm',
): string {
  const rows = results
    .filter((one) => one.kind === kind && one.dtype === 'float32')
    .flatMap((one) => {
      const op = measured.find((candidate) => candidate.op === one.op);
      const half = results.find(
        ({ op, length, dtype, options }) =>
          op === one.op &&
          length === one.length &&
          dtype === 'float16' &&
          optionText(options) === optionText(one.options),
      );
      const first = results.find(({ op }) => op === one.op) === one;
      const torch = op && first ? torchErrors(op) : undefined;
      return DIRECTIONS.map((direction) => [
        `\`${one.op}\``,
        direction,
        optionText(one.options),
        String(one.length),
        ulps(one.errors[direction].ulp),
        ulps(half?.errors[direction].ulp),
        column.get(keyOf(`\`${one.op}\``, direction, optionText(one.options), one.length)) ?? '—',
        ulps(boundOf(one, direction)),
        ulps(one.errors[direction].plain),
        withFaults(one.naive?.[direction]),
        ulps(torch?.[direction]),
      ]);
    });
  const head = [
    ...['Op', 'Direction', 'Options', 'Row length', 'float32', 'float16', HARDWARE, 'Bound'],
    ...['ULP of the result itself', 'WGSL built-ins', 'PyTorch float32'],
  ];
  return table(head, rows);
}

const HARDWARE_NOTE = `**${HARDWARE}**: the largest error where shaders are rewritten (\`npm run accuracy -- --arithmetic all\`) to compute as
hardware may: x / y as x times a reciprocal that is one ULP too large (\`rcp+\`) or too small (\`rcp-\`), every a b + c rounded
once (\`contract\`), every subnormal operand and result 0 (\`flush\`), a b + a c as a (b + c) and (a b) C as (a C) b (\`reorder\`). In ULP of float32, over 2^16 float32 values and the
same runs; of row-wise ops over 2^14 elements.`;

/** What the tests hold an error to: norms, whose sums keep what rounding loses, to one bound for rows of any length. */
function boundOf({ op, kind, length }: Measured, direction: keyof Errors): number | undefined {
  if (kind === 'rowwise') return rowBound(length ?? 1);
  return measured.find((candidate) => candidate.op === op)?.accuracy[direction];
}

/** docs/accuracy.md. */
export function report(results: readonly Measured[], about: Circumstances, column: Column): string {
  const inputs = about.full
    ? 'all 2^32 float32 values for the default options, at least 2^22 for others'
    : 'at least 2^22 float32 values, as many of each exponent and sign';
  return `# Accuracy

Written by \`npm run accuracy\`: do not edit.

- Adapter: ${about.adapter}; browser: ${about.browser}
- nonlin ${about.version}; PyTorch ${torchVersion}; ${about.date}
- Inputs: ${inputs}, every float32 round 0, the options' values and each constant in the op's WGSL; all 65,536 float16
  values. Upstream gradients are random in [1, 2).

Figures are the largest errors in ULP of float32, 2^(max(floor(log2 |e|), -126) - 23), against the float64 functions of the
declaration, at option values rounded to float32 as the GPU gets them. "wrong NaN or ∞": NaN where there is a number, or
the other way round. Not counted: differences between numbers that are both below 2^-126, which WGSL lets a device flush
to 0 at any step, and results that are right for an input flushed to 0.

**float16**: how far, in ULP of _float32_, the value that was rounded to float16 must have been off: 0 means that every
result is the correctly rounded one. **Bound** is what the declaration states and \`npm test\` holds.
**PyTorch float32** is its error at the golden vectors' points only, over all their options, rounding of options
included; it is not a sweep.

${HARDWARE_NOTE}

Where a derivative is a sum that crosses 0 (its declaration has \`largestTerm\`), the error is counted in ULP of the largest
term where that is larger.

## Elementwise

${elementwiseTable(results, column)}

## Row-wise

Rows of bell-shaped numbers of several widths (up to ±60), some with -∞. The bound is 6 ULP and 2 more for each doubling of
the row. Results of softmax, softmin and logSoftmax are counted in ULP of themselves. sparsemax's are x - peak less a
threshold, and gradients a difference from a sum over the row: these cancel, and are counted in ULP of the largest term
(\`largestTerm\` in the declaration). The column beside it has the same in ULP of the result itself.

gumbelSoftmax does not meet that bound in ULP of the result: its argument (x + G) / tau is a float32 that was rounded, and
e^a is as far off, relatively, as a is absolutely. Its errors are counted in ULP of the result times |x + G| / tau or
|G| / tau, where these are above 1, with the noise G that was drawn; the column beside it has them in ULP of the result.

The built-ins' column has the op with WGSL's \`exp\` and \`log\`, the maximum subtracted and sums in the elements' order,
in the same ULP as the first; softmax2d's along the same rows.

${rowsTable(results, column, 'rowwise')}

## Norms

The same rows, and rows 1e6 from 0 for norms that subtract the mean; weights and biases from 1 to 2 of either sign; the default
options, localResponseNorm over 5 neighbours. The bound is one for rows of any length. Errors are counted in ULP of the result or, where it
is larger, of the largest term of its last sum (z w, b, or the w of one deviation of the row); gradients in ULP of the largest of the terms that
are subtracted. The column beside the bound has them in ULP of the result itself, which is 0 where terms cancel: the gradient of a row
of two is.

${rowsTable(results, column, 'norm')}
`;
}

/** Ops whose stated bound does not hold. */
export function exceeded(results: readonly Measured[]): string[] {
  return results.flatMap((one) => {
    const { op: name, dtype, options, length, errors } = one;
    return DIRECTIONS.flatMap((direction) => {
      const bound = boundOf(one, direction);
      const { ulp } = errors[direction];
      if (bound === undefined || ulp <= bound) return [];
      return [
        `${name} ${direction}, ${dtype}, ${optionText(options)}${length === undefined ? '' : `, rows of ${length}`}: ${ulps(ulp)}, bound ${bound}`,
      ];
    });
  });
}
