// Plans the memory of a captured step: buffers whose contents are needed at different times share one.
import type { BufferPool, PooledBuffer } from './buffers.ts';
import type { Life, Tape } from './tape.ts';

interface Slot {
  readonly size: number;
  readonly lives: Life[];
}

/** A larger buffer is used again for contents of at least this share of its size. */
const LEAST_SHARE = 0.5;

/**
 * Buffers for what is made and used up within the commands. What lasts longer stays where it is, and is the step's until its
 * end. `results` are copied out behind the last command.
 */
export function placesFor(
  tape: Tape,
  results: readonly Life[],
  pool: BufferPool,
): ReadonlyMap<Life, PooledBuffer> {
  const { arena, commands, made } = tape;
  const begins = commands.map((): Life[] => []);
  const ends = commands.map((): Life[] => []);
  for (const life of made) {
    if (!life.released) arena.own(life.buffer);
    if (!life.released || life.data || life.first < 0) continue;
    begins[life.first]?.push(life);
    if (!results.includes(life)) ends[life.last]?.push(life);
  }
  const slots: Slot[] = [];
  const free: Slot[] = [];
  const places = new Map<Life, Slot>();
  begins.forEach((lives, i) => {
    for (const life of lives) {
      const slot = take(free, life.buffer.size) ?? { size: life.buffer.size, lives: [] };
      if (slot.lives.length === 0) slots.push(slot);
      slot.lives.push(life);
      places.set(life, slot);
    }
    // What a command reads last is free for the next one only: it must not be written while it is read.
    for (const life of ends[i] ?? []) {
      const slot = places.get(life);
      if (slot) free.push(slot);
    }
  });
  const buffers = new Map<Life, PooledBuffer>();
  for (const { size, lives } of slots) {
    const buffer = pool.acquire('capture', size);
    arena.own(buffer, true);
    for (const life of lives) buffers.set(life, buffer);
  }
  return buffers;
}

/** Takes the smallest free slot that is large enough, and not much too large. */
function take(free: Slot[], size: number): Slot | undefined {
  let best = -1;
  free.forEach((slot, i) => {
    if (slot.size < size || size < slot.size * LEAST_SHARE) return;
    if (best < 0 || slot.size < (free[best]?.size ?? Infinity)) best = i;
  });
  return best < 0 ? undefined : free.splice(best, 1)[0];
}
