// For devices that allow few storage buffers per shader: the smallest tensors of a launch share one buffer. They are
// copied into it before the launch, and written tensors are copied back after it.
import copyText from '../../shaders/kernels/copy/words.wgsl?raw';
import {
  UNIFORM_BYTES,
  UniformWriter,
  type AdapterCapabilities,
  type Binding,
  type Launch,
  type BufferSlice,
  type Plan,
} from '../core/kernel.ts';
import { program, source, type Program } from '../shader/link.ts';
import { redirect } from './redirect.ts';

const copyProgram = /* @__PURE__ */ program(
  'copy words',
  /* @__PURE__ */ source('kernels/copy/words.wgsl', copyText),
);
const COPY_SIZE = 64;

/**
 * If the tensors to merge are too large for one binding together, the plan is made again with windows smaller by
 * these factors.
 */
const PARTS = [1, 2, 4, 8, 16];

interface Part {
  readonly binding: Binding;
  readonly bytes: number;
}

/** Tensors that share a buffer. Tensors that are only read and tensors that are written have one buffer each. */
interface Merged {
  readonly read: readonly Part[];
  readonly write: readonly Part[];
}

/**
 * Returns the plan of `make`, changed so that no launch binds more buffers than the device allows, or unchanged if
 * that is impossible. `bytesOf` returns the number of bytes that a binding spans.
 */
export function planMerged<C extends AdapterCapabilities>(
  make: (caps: C) => Plan,
  bytesOf: (binding: Binding, plan: Plan) => number,
  caps: C,
): Plan {
  const whole = make(caps);
  for (const part of PARTS) {
    const plan = part === 1 ? whole : make({ ...caps, maxBindingSize: caps.maxBindingSize / part });
    const merged = merge(plan, (binding) => bytesOf(binding, plan), caps);
    if (merged) return merged;
  }
  return whole;
}

function merge(
  plan: Plan,
  bytesOf: (binding: Binding) => number,
  caps: AdapterCapabilities,
): Plan | null {
  if (plan.launches.every(({ bindings }) => bindings.length <= caps.maxStorageBuffers)) return plan;
  const launches: Launch[] = [];
  // Launches run one after another, so they can all use the same two buffers.
  const shared = { read: 0, write: 0 };
  const placeOf = (access: Binding['access']): BufferSlice => ({
    of: 'scratch',
    index: plan.scratch.length + Number(access === 'write'),
  });
  for (const launch of plan.launches) {
    const over = launch.bindings.length - caps.maxStorageBuffers;
    if (over <= 0) {
      launches.push(launch);
      continue;
    }
    const parts = launch.bindings.map((binding) => ({ binding, bytes: bytesOf(binding) }));
    const merged = choose(parts, over, caps.maxBindingSize);
    if (!merged) return null;
    const bases: number[] = [];
    const behind: Launch[] = [];
    const bindings = launch.bindings.filter(
      (binding) => ![...merged.read, ...merged.write].some((part) => part.binding === binding),
    );
    for (const access of ['read', 'write'] as const) {
      const [first] = merged[access];
      if (!first) continue;
      const place = placeOf(access);
      bindings.push({ slot: first.binding.slot, ...place, access });
      let base = 0;
      for (const { binding, bytes } of merged[access]) {
        const { of, index, offset, size } = binding;
        const own: BufferSlice = {
          of,
          index,
          ...(offset === undefined ? {} : { offset }),
          ...(size === undefined ? {} : { size }),
        };
        launches.push(copy(bytes / 4, own, 0, place, base, caps));
        if (access === 'write') behind.push(copy(bytes / 4, place, base, own, 0, caps));
        bases.push(base);
        base += bytes / 4;
      }
      shared[access] = Math.max(shared[access], 4 * base);
    }
    const rows = Math.ceil(bases.length / 4);
    const uniforms = new Uint8Array(16 * rows + launch.uniforms.byteLength);
    if (uniforms.length > UNIFORM_BYTES) return null;
    uniforms.set(new Uint8Array(new Uint32Array(bases).buffer));
    uniforms.set(new Uint8Array(launch.uniforms), 16 * rows);
    launches.push({
      ...launch,
      program: mergedProgram(launch.program, merged),
      bindings,
      uniforms: uniforms.buffer,
      places: (launch.places ?? []).map((place) => ({
        ...place,
        offset: place.offset + 16 * rows,
      })),
    });
    launches.push(...behind);
  }
  const scratch = [shared.read, shared.write].map((bytes) => Math.max(bytes, 16));
  return { launches, scratch: [...plan.scratch, ...scratch] };
}

/**
 * Chooses the tensors whose merging saves `over` bindings and copies the least memory; null if there are none. The
 * status word is never merged, because it is atomic.
 */
function choose(parts: readonly Part[], over: number, most: number): Merged | null {
  const sorted = (access: Binding['access']): Part[] =>
    parts
      .filter(({ binding }) => binding.of !== 'status' && binding.access === access)
      .sort((a, b) => a.bytes - b.bytes);
  const [reads, writes] = [sorted('read'), sorted('write')];
  let best: Merged | null = null;
  let least = Infinity;
  for (let r = 0; r <= reads.length; r++) {
    for (let w = 0; w <= writes.length; w++) {
      if (Math.max(r - 1, 0) + Math.max(w - 1, 0) < over) continue;
      const merged = { read: reads.slice(0, r), write: writes.slice(0, w) };
      const [read, written] = [bytesIn(merged.read), bytesIn(merged.write)];
      // A tensor that is written is copied twice, into the shared buffer and back.
      const cost = read + 2 * written;
      if (read > most || written > most || cost >= least) continue;
      [best, least] = [merged, cost];
    }
  }
  return best;
}

function bytesIn(parts: readonly Part[]): number {
  return parts.reduce((sum, { bytes }) => sum + bytes, 0);
}

function copy(
  count: number,
  from: BufferSlice,
  first: number,
  to: BufferSlice,
  base: number,
  caps: AdapterCapabilities,
): Launch {
  const workgroups = Math.max(1, Math.min(Math.ceil(count / (4 * COPY_SIZE)), caps.maxWorkgroups));
  return {
    program: copyProgram,
    entry: 'copy',
    bindings: [
      { slot: 1, ...from, access: 'read' },
      { slot: 2, ...to, access: 'write' },
    ],
    uniforms: new UniformWriter(4).u32(count, first, base, workgroups * COPY_SIZE).buffer,
    workgroups: [workgroups, 1, 1],
  };
}

const cache = /* @__PURE__ */ new WeakMap<Program, Map<string, Program>>();

/** The program of a launch in which some tensors are merged. It is made once. */
function mergedProgram(own: Program, merged: Merged): Program {
  let variants = cache.get(own);
  if (!variants) cache.set(own, (variants = new Map<string, Program>()));
  const slots = {
    read: merged.read.map(({ binding }) => binding.slot),
    write: merged.write.map(({ binding }) => binding.slot),
  };
  const key = `${slots.read.join()};${slots.write.join()}`;
  let known = variants.get(key);
  if (!known) {
    known = {
      ...program(own.label, own.kernel, own.slots),
      rewrite: (wgsl) => redirect(wgsl, slots),
    };
    variants.set(key, known);
  }
  return known;
}
