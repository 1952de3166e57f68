// The values and sizes that ops are broken by: masks of every kind, ties, infinities at the edges of blocks, numbers near
// the ends of float32. One list, for every op: test/calls/draw.ts draws tensors from it.

/** Numbers from 0 to 1. */
type Random = () => number;

/** Values of one kind. */
export interface HostileFamily {
  readonly name: string;
  /** The elements of a row; `magnitude` is that of the ordinary values among them. */
  readonly row: (n: number, random: Random, magnitude: number) => number[];
  /** Whether there are numbers whose products, or whose sums or differences, leave float32. */
  readonly huge?: true;
}

const LARGEST = 3.4e38;

/** What people put where nothing should count: the last is the least float16. */
const MASKS = [-Infinity, -LARGEST, -1e9, -2e7, -65504];

/** Where a mask is: which elements of a row of n are masked. */
const PLACES: Readonly<Record<string, (n: number, random: Random) => (i: number) => boolean>> = {
  left: (n) => (i) => i < n / 2,
  right: (n) => (i) => i >= n / 2,
  'at random': (_, random) => () => random() < 0.5,
  'all but one': (n, random) => {
    const live = Math.floor(random() * n);
    return (i) => i !== live;
  },
  everywhere: () => () => true,
};

/** Offsets where kernels begin another quad, block, chunk, workgroup or window: on them and before them. */
const EDGES = [1, 4, 16, 32, 64, 128, 256, 512, 1024, 4096, 8192].flatMap((edge) => [
  edge - 1,
  edge,
]);

const ordinary = (random: Random, magnitude: number): number => (2 * random() - 1) * magnitude;
const fill =
  (value: (random: Random, i: number, n: number) => number): HostileFamily['row'] =>
  (n, random) =>
    Array.from({ length: n }, (_, i) => value(random, i, n));
const sign = (random: Random): number => (random() < 0.5 ? -1 : 1);

/** Ordinary values, but for one at an edge. */
function oneAtAnEdge(special: number): HostileFamily['row'] {
  return (n, random, magnitude) => {
    const row = Array.from({ length: n }, () => ordinary(random, magnitude));
    const edges = [...EDGES.filter((edge) => edge < n), n - 1];
    row[edges[Math.floor(random() * edges.length)] ?? 0] = special;
    return row;
  };
}

const masks = MASKS.flatMap((mask) =>
  Object.entries(PLACES).map(([place, masked]): HostileFamily => ({
    name: `${mask} ${place}`,
    ...(mask === -LARGEST ? { huge: true } : {}),
    row: (n, random, magnitude) => {
      const isMasked = masked(n, random);
      return Array.from({ length: n }, (_, i) =>
        isMasked(i) ? mask : ordinary(random, magnitude),
      );
    },
  })),
);

const constants = [0, -0, 1, 1e-30, 3e38, -3e38].map((value): HostileFamily => ({
  name: `${Object.is(value, -0) ? '-0' : String(value)} throughout`,
  ...(Math.abs(value) > 1 ? { huge: true } : {}),
  row: fill(() => value),
}));

const specials = [NaN, Infinity, -Infinity].map((value): HostileFamily => ({
  name: `one ${value}`,
  row: oneAtAnEdge(value),
}));

/** Every family. */
export const HOSTILE: readonly HostileFamily[] = [
  ...masks,
  ...constants,
  ...specials,
  { name: 'ties', row: fill((random) => Math.floor(3 * random()) / 2) },
  {
    name: '3e38 and -3e38 by turns',
    huge: true,
    row: fill((_, i) => (i % 2 === 0 ? 3e38 : -3e38)),
  },
  { name: 'ascending', row: fill((_, i, n) => 200 * (i / n) - 100) },
  { name: 'descending', row: fill((_, i, n) => 100 - 200 * (i / n)) },
  {
    name: 'ascending over all of float32',
    huge: true,
    row: fill((_, i, n) => LARGEST * ((2 * i) / n - 1)),
  },
  {
    name: 'descending over all of float32',
    huge: true,
    row: fill((_, i, n) => LARGEST * (1 - (2 * i) / n)),
  },
  {
    name: 'huge',
    huge: true,
    row: fill((random) => sign(random) * (0.2 + 0.8 * random()) * LARGEST),
  },
  { name: 'large', huge: true, row: fill((random) => sign(random) * 10 ** (15 + 8 * random())) },
  { name: 'tiny', row: fill((random) => sign(random) * 10 ** (-38 + 12 * random())) },
  {
    name: 'of every size',
    huge: true,
    row: fill((random) => sign(random) * 10 ** (76 * random() - 38)),
  },
  { name: 'subnormal', row: fill((random) => sign(random) * 1.1e-38 * random()) },
  {
    name: 'apart by little, far from 0',
    row: fill((random) => 4096 + Math.floor(8 * random()) / 2048),
  },
  { name: 'apart by little, at 1e9', row: fill((random) => 1e9 + 64 * Math.floor(4 * random())) },
  {
    name: 'apart by little, at -1e30',
    row: fill((random) => -1e30 * (1 + 2 ** -23 * Math.floor(4 * random()))),
  },
];

/** Rows and columns round the edges of blocks, chunks, workgroups and windows. */
export const ROWS: readonly number[] = [1, 3, 128, 129, 200, 768];
export const COLUMNS: readonly number[] = [
  ...[2, 33, 64],
  ...[255, 256, 257],
  ...[511, 512, 513],
  ...[1023, 1024, 1025],
  ...[4095, 4096, 4097],
  ...[8191, 8192, 8193],
  50257,
];

/** From here on a magnitude is huge: its square leaves float32. */
export const HUGE = 2 ** 63;
