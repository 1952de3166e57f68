// What replays of a captured step need: commands with memory of their own, and uniforms.
import { UNIFORM_BYTES } from '../core/kernel.ts';
import { unpooled, type PooledBuffer } from './buffers.ts';
import type { Copy, Op } from './encoder.ts';
import type { LauncherParts } from './launcher.ts';
import type { Resource } from './layouts.ts';
import type { PipelineEntry } from './pipelines.ts';
import { placesFor } from './places.ts';
import type { KeptLaunch } from './plans.ts';
import type { Change, Life, Tape } from './tape.ts';
import { writeElements } from './upload.ts';

// GPUBufferUsage by value: the global is missing in Node.
const UNIFORM_DST = 0x40 | 0x08; // UNIFORM | COPY_DST

/** A launch, with the memory that it has in replays, and where its uniforms are. */
export interface Step {
  readonly op: Op;
  readonly kept: KeptLaunch;
  readonly entry: PipelineEntry;
  readonly resources: readonly Resource[];
  readonly offset: number;
  readonly changes: readonly Change[];
}

export interface Compiled {
  readonly commands: readonly (Step | Copy)[];
  readonly pipelines: readonly PipelineEntry[];
  /** All buffers of the commands. */
  readonly buffers: readonly PooledBuffer[];
  /** Those that are there between replays: what must be in them, what is written to them. */
  readonly reads: readonly PooledBuffer[];
  readonly writes: readonly PooledBuffer[];
  /** Those that are written only by ops that keep: they are left as they were where a replay does not run. */
  readonly kept: ReadonlySet<PooledBuffer>;
  /** The buffers of the results. */
  readonly sources: readonly PooledBuffer[];
  readonly uniforms: PooledBuffer;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** How many of the first bytes may be others in each replay. */
  readonly changing: number;
}

export function compile(tape: Tape, results: readonly Life[], parts: LauncherParts): Compiled {
  const { pipelines, pool, queue, faults } = parts;
  const commands: (Step | Copy)[] = [];
  for (const life of tape.made) {
    if (!life.data || !life.written || life.state) continue;
    // The commands write over what the host has uploaded, so each replay begins with a copy of it.
    const pristine = pool.acquire('capture', life.data.byteLength, queue.pendingFrom);
    tape.arena.own(pristine, true);
    writeElements(parts.device.queue, faults, pristine, life.data);
    const bytes = Math.ceil(life.data.byteLength / 4) * 4;
    const op: Op = { name: 'capture', keeps: null, error: null };
    commands.push({ op, from: pristine, fromOffset: 0, to: life.buffer, toOffset: 0, bytes });
  }
  const places = placesFor(tape, results, pool);
  const placeOf = (life: Life): PooledBuffer => places.get(life) ?? life.buffer;
  // Uniforms that change come first, so that one write covers them.
  const launches = tape.commands.filter((one) => 'kept' in one);
  const changed = launches.filter(({ changes }) => changes.length > 0);
  const fixed = new Set(launches.filter((one) => !changed.includes(one)).map(({ kept }) => kept));
  const blocks = [...changed.map(({ kept }) => kept), ...fixed];
  const offsets = new Map<object, number>();
  blocks.forEach((kept, i) => offsets.set(changed[i] ?? kept, UNIFORM_BYTES * i));
  const lasting = new Set<Life>();
  const spoiled = new Set<PooledBuffer>();
  for (const one of tape.commands) {
    const lives = 'copy' in one ? [one.from, one.to] : one.lives;
    for (const life of lives) if (!places.has(life)) lasting.add(life);
    if (!one.op.keeps) {
      const written =
        'copy' in one
          ? [one.to]
          : one.lives.filter((_, i) => ['write', 'update'].includes(one.kept.uses[i] ?? ''));
      for (const life of written) spoiled.add(placeOf(life));
    }
    if ('copy' in one) {
      commands.push({ ...one.copy, op: one.op, from: placeOf(one.from), to: placeOf(one.to) });
      continue;
    }
    const { op, kept, bound, changes } = one;
    const resources = bound.resources.map((resource, i) => {
      const life = one.lives[i];
      return life ? { ...resource, buffer: placeOf(life) } : resource;
    });
    const offset = offsets.get(one) ?? offsets.get(kept) ?? 0;
    const entry = kept.pipeline ?? pipelines.get(kept.launch);
    commands.push({ op, kept, entry, resources, offset, changes });
  }
  const bytes = new Uint8Array(UNIFORM_BYTES * Math.max(1, blocks.length));
  blocks.forEach((kept, i) => {
    bytes.set(kept.uniforms, UNIFORM_BYTES * i);
  });
  const reads: PooledBuffer[] = [];
  const writes: PooledBuffer[] = [];
  for (const { needed, written, buffer } of lasting) {
    if (needed) reads.push(buffer);
    if (written) writes.push(buffer);
  }
  const all = commands.flatMap((one) =>
    'kept' in one ? one.resources.map(({ buffer }) => buffer) : [one.from, one.to],
  );
  return {
    commands,
    pipelines: [...new Set(commands.flatMap((one) => ('kept' in one ? [one.entry] : [])))],
    buffers: [...new Set(all)],
    reads,
    writes,
    kept: new Set(writes.filter((buffer) => !spoiled.has(buffer))),
    sources: results.map(placeOf),
    uniforms: makeUniforms(parts, bytes),
    bytes,
    changing: UNIFORM_BYTES * changed.length,
  };
}

function makeUniforms(
  { device, faults }: LauncherParts,
  bytes: Uint8Array<ArrayBuffer>,
): PooledBuffer {
  return faults.watch('capture', ({ fate, again }) => {
    const make = (): GPUBuffer => {
      const buffer = device.createBuffer({
        size: bytes.length,
        usage: UNIFORM_DST,
        label: 'nonlin uniforms',
      });
      device.queue.writeBuffer(buffer, 0, bytes);
      return buffer;
    };
    const uniforms = unpooled(make(), fate);
    again.push(() => {
      if (!uniforms.gone) uniforms.gpu = make();
    });
    return uniforms;
  });
}
