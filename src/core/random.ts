// Random numbers from a seed. Each is computed from a key and an index, and is the same on the host and on every device.
import { capturing, hostWork, type FromKey } from './capturing.ts';
import { checkNumber } from './validate-options.ts';

/** 64 bits that name a stream of random numbers. */
export type Key = readonly [number, number];

const ROTATIONS = [
  [13, 15, 26, 6],
  [17, 29, 16, 24],
] as const;

/** Threefry-2x32 with 20 rounds, as in shaders/lib/threefry.wgsl. */
export function threefry([k0, k1]: Key, [c0, c1]: Key): Key {
  const keys = [k0 >>> 0, k1 >>> 0, (k0 ^ k1 ^ 0x1bd11bda) >>> 0];
  let x0 = (c0 + k0) >>> 0;
  let x1 = (c1 + k1) >>> 0;
  for (let group = 0; group < 5; group++) {
    for (const rotation of ROTATIONS[(group % 2) as 0 | 1]) {
      x0 = (x0 + x1) >>> 0;
      x1 = (((x1 << rotation) | (x1 >>> (32 - rotation))) ^ x0) >>> 0;
    }
    x0 = (x0 + (keys[(group + 1) % 3] ?? 0)) >>> 0;
    x1 = (x1 + (keys[(group + 2) % 3] ?? 0) + group + 1) >>> 0;
  }
  return [x0, x1];
}

/** The random number of element `index` (of a row, if there are more than 2^32 elements), uniform in [0, 1), a multiple of 2^-24. */
export function uniformAt(key: Key, index: number, row = 0): number {
  return (threefry(key, [index, row])[0] >>> 8) * 2 ** -24;
}

/** The same in the open interval (0, 1), in steps of 2^-23. Its logarithm is finite and not 0. */
export function openUniformAt(key: Key, index: number): number {
  return ((threefry(key, [index, 0])[0] >>> 9) + 0.5) * 2 ** -23;
}

/** The number of element `index`, from the normal distribution N(0, 1) (Box & Muller 1958). */
export function normalAt(key: Key, index: number): number {
  const [radius, angle] = threefry(key, [index, 0]);
  const open = ((radius >>> 9) + 0.5) * 2 ** -23;
  return Math.sqrt(-2 * Math.log(open)) * Math.cos(2 * Math.PI * (angle * 2 ** -32));
}

const state: { seed: number | null; drawn: number } = { seed: null, drawn: 0 };

/**
 * Makes what follows repeatable: weights of new layers, dropout masks. `seed`: an integer from 0 to 2^53 - 1.
 *
 * @example manualSeed(1)
 * @throws `OptionError` for what is no integer from 0 to 2^53 - 1.
 */
export function manualSeed(seed: number): void {
  checkNumber('manualSeed', 'seed', seed, { min: 0, max: Number.MAX_SAFE_INTEGER, integer: true });
  hostWork(() => {
    state.seed = seed;
    state.drawn = 0;
  });
}

/** @internal A new key for random numbers of the host: a captured step has none. */
export function nextKey(): Key {
  capturing()?.refuse('manualSeed', 'no random numbers of the host in a captured step');
  return draw();
}

/** @internal Options of a launch that has random numbers. A captured step draws another key for each replay. */
export function withKey<T extends object>(make: FromKey<T>): T {
  const first = make(draw());
  const step = capturing();
  if (step) {
    let now = first;
    step.host({
      run: () => {
        now = make(draw());
      },
    });
    step.changes(first, () => now);
  }
  return first;
}

/** A new key, from the seed; from the system's entropy before any `manualSeed`. */
function draw(): Key {
  state.seed ??= Math.floor(Math.random() * 2 ** 53);
  const low = state.seed >>> 0;
  return threefry([low, Math.floor(state.seed / 2 ** 32)], [state.drawn++, 1]);
}
