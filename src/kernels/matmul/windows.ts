// Plans products of matrices that are larger than a binding. Each part has some rows and columns of the result and
// some of the k terms; launches for successive terms add to the same part of the result.
import type { Capabilities, Plan, View } from '../../core/kernel.ts';
import { sizeOf } from '../../core/shape.ts';
import { offsetOf, placesBeside, type MatmulArgs, type MatmulPlaces } from './args.ts';
import { planProduct } from './launch.ts';
import { inputsOf, outputsOf, stretch, type Block, type Region } from '../windows/regions.ts';
import type { Windows } from '../windows/windows.ts';

/** One matrix. */
const SINGLE = { batch: [], aBatch: [], bBatch: [] };

/** A panel of an operand: some of its lines (rows of A or columns of B) and some of its terms. */
interface Panel {
  readonly offset: number;
  readonly strides: readonly [line: number, term: number];
  readonly lines: number;
  readonly terms: number;
}

/** Reads a panel and returns its strides. A copy keeps elements together that were neighbours. */
function readPanel(
  windows: Windows,
  from: Region,
  { offset, strides: [line, term], lines, terms }: Panel,
): { region: Region; strides: readonly [line: number, term: number] } {
  if (term === 1 || terms === 1) {
    const block: Block = { offset, runs: lines, length: terms, stride: line };
    const { region, stride } = windows.readRuns(from, block);
    return { region, strides: [stride, 1] };
  }
  const block: Block = { offset, runs: terms, length: lines, stride: term };
  const { region, stride } = windows.readRuns(from, block);
  return { region, strides: [1, stride] };
}

/** The sizes of a part. They are as large as possible while every operand fits into a binding. */
function extentsOf(
  { m, n, k }: MatmulArgs,
  most: number,
): { rows: number; columns: number; terms: number } {
  // A multiple of 64 elements, because a binding must begin at a multiple of 256 bytes.
  const down = (x: number): number =>
    x < 64 ? Math.max(1, Math.floor(x)) : Math.floor(x / 64) * 64;
  // Whole rows of A, C and B if they fit; otherwise parts that have about the same size in each dimension.
  const side = down(Math.sqrt(most));
  let [columns, terms] = [n, k];
  if (n * k > most) {
    if (k <= most / side) columns = Math.min(n, down(most / Math.max(k, 1)));
    else [columns, terms] = [Math.min(n, side), Math.min(k, down(most / Math.min(n, side)))];
  }
  const rows = Math.min(m, down(most / Math.max(terms, columns, 1)));
  return { rows, columns, terms: Math.max(terms, 1) };
}

export function planProductParts(
  args: MatmulArgs,
  inputs: readonly View[],
  outputs: readonly View[],
  caps: Capabilities,
): Plan {
  const windows = caps.windows(caps);
  const { m, n, k } = args;
  const batches = args.batch.reduce((product, d) => product * d, 1);
  const small = Math.max(m * n, m * k, n * k) <= windows.most;
  if (batches > 1 && small) planBatches(args, windows, inputsOf(inputs), outputsOf(outputs));
  else planPanels(args, windows, inputsOf(inputs), outputsOf(outputs));
  return windows;
}

/**
 * Plans batches whose matrices fit into a binding. A part is a range along one batch dimension and all of the
 * dimensions after it.
 */
function planBatches(
  args: MatmulArgs,
  windows: Windows,
  inputs: readonly Region[],
  outputs: readonly Region[],
): void {
  const { m, n, k, batch } = args;
  const [left, right, ...beside] = inputs;
  if (!left || !right) return;
  const largest = Math.max(m * n, m * k, n * k);
  let along = 0;
  while (largest * sizeOf(batch.slice(along + 1)) > windows.most) along++;
  const [extent = 1, ...behind] = batch.slice(along);
  const block = sizeOf(behind);
  const room = Math.floor(windows.most / (largest * block));
  const range = Math.min(extent, room < 64 ? room : Math.floor(room / 64) * 64);
  const leading = batch.slice(0, along);
  for (let head = 0; head < sizeOf(leading); head++) {
    for (let first = 0; first < extent; first += range) {
      const some = [Math.min(range, extent - first), ...behind];
      const part: MatmulArgs = {
        ...args,
        batch: some,
        aBatch: args.aBatch.slice(along),
        bBatch: args.bBatch.slice(along),
      };
      const read = (from: Region, strides: readonly number[], matrix: number): Region => {
        const start = offsetOf(head, leading, strides) + first * (strides[along] ?? 0);
        const own = some.map((d, i) => (strides[along + i] === 0 ? 1 : d));
        return windows.read(from, stretch(start, matrix * sizeOf(own)));
      };
      windows.part(() => {
        const sources = [read(left, args.aBatch, m * k), read(right, args.bBatch, k * n)];
        const place = stretch((head * extent + first) * block * m * n, sizeOf(some) * m * n);
        const targets = outputs.map((output) => windows.write(output, place));
        const plan = planProduct(part, placesFor(sources, targets, part), windows.caps);
        windows.add(plan, [...sources, ...beside], targets);
      });
    }
  }
}

/** Plans panels of each matrix. */
function planPanels(
  args: MatmulArgs,
  windows: Windows,
  [left, right, ...beside]: readonly Region[],
  [result, second]: readonly Region[],
): void {
  const { m, n, k, a, b } = args;
  if (!left || !right || !result) return;
  const learnedOne = args.activation?.learned === 'one' ? beside.at(-1) : undefined;
  const { rows, columns, terms } = extentsOf(args, windows.most);
  const batches = args.batch.reduce((product, d) => product * d, 1);
  for (let batch = 0; batch < batches; batch++) {
    const aFirst = offsetOf(batch, args.batch, args.aBatch);
    const bFirst = offsetOf(batch, args.batch, args.bBatch);
    for (let r = 0; r < m; r += rows) {
      for (let c = 0; c < n; c += columns) {
        const [height, width] = [Math.min(rows, m - r), Math.min(columns, n - c)];
        const offset = batch * m * n + r * n + c;
        const block =
          width === n
            ? stretch(offset, height * n)
            : { offset, runs: height, length: width, stride: n };
        // This part of the result stays bound (or its copy does) until all terms are added.
        windows.part(() => {
          const target = windows.write(result, block);
          const rowSums = args.rowSums === true && c === 0;
          const place = rowSums ? stretch(r, height) : args.keepInput ? block : null;
          const written = second && place && windows.write(second, place);
          const own = beside.map((region) =>
            region === learnedOne ? region : windows.read(region, stretch(c, width)),
          );
          for (let t = 0; t < Math.max(k, 1); t += terms) {
            const length = Math.min(terms, k - t);
            const last = t + terms >= k;
            windows.part(() => {
              const x = readPanel(windows, left, {
                offset: aFirst + r * a[0] + t * a[1],
                strides: a,
                lines: height,
                terms: length,
              });
              const y = readPanel(windows, right, {
                offset: bFirst + c * b[1] + t * b[0],
                strides: [b[1], b[0]],
                lines: width,
                terms: length,
              });
              const { activation, ...plain } = args;
              const part: MatmulArgs = {
                ...plain,
                ...SINGLE,
                m: height,
                n: width,
                k: length,
                a: x.strides,
                b: [y.strides[1], y.strides[0]],
                bias: last && args.bias === true,
                keepInput: last && args.keepInput === true,
                rowSums,
                accumulate: t > 0,
                ...(last && activation ? { activation } : {}),
              };
              const sources = [x.region, y.region, ...(last ? own : [])];
              const targets = [target, ...((last || rowSums) && written ? [written] : [])];
              const places = placesFor(sources, targets, part);
              windows.add(planProduct(part, places, windows.caps), sources, targets);
            });
          }
        });
      }
    }
  }
}

function placesFor(
  [left, right]: readonly Region[],
  [result]: readonly Region[],
  args: MatmulArgs,
): MatmulPlaces {
  return {
    a: { of: 'input', index: 0, padded: left?.view.padded ?? false },
    b: { of: 'input', index: 1, padded: right?.view.padded ?? false },
    c: { of: 'output', index: 0, padded: result?.view.padded ?? false },
    ...placesBeside(args),
  };
}
