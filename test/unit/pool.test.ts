import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OutOfMemoryError } from '../../src/core/errors.ts';
import { BufferPool, type PooledBuffer } from '../../src/gpu/buffers.ts';
import { sizeClass } from '../../src/core/memory.ts';

/** A pool over a device that only counts. */
function makePool(bound = 2 ** 20, maxBufferSize = 2 ** 28) {
  const created: number[] = [];
  const destroyed: PooledBuffer[] = [];
  const watched: string[] = [];
  const device = {
    limits: { maxBufferSize },
    createBuffer: ({ size }: GPUBufferDescriptor) => {
      created.push(size);
      return { size } as GPUBuffer;
    },
  } as unknown as GPUDevice;
  const pool = new BufferPool(
    device,
    { usage: 0, label: 'test', bound },
    (op, create) => {
      watched.push(op);
      return create();
    },
    (buffer) => destroyed.push(buffer),
  );
  return { pool, created, destroyed, watched };
}

describe('sizeClass', () => {
  it('is at least what is asked, at most 1/16 and 256 bytes more, and a multiple of 256', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 31 }), (bytes) => {
        const size = sizeClass(bytes);
        expect(size).toBeGreaterThanOrEqual(Math.max(bytes, 256));
        expect(size).toBeLessThanOrEqual(Math.max(256, bytes + 256, bytes * (17 / 16)));
        expect(size % 256).toBe(0);
        expect(sizeClass(size)).toBe(size);
      }),
    );
  });

  it('has few sizes for many lengths', () => {
    const sizes = new Set(Array.from({ length: 2 ** 16 }, (_, i) => sizeClass(16 * i)));
    expect(sizes.size).toBeLessThan(16 * 14);
  });
});

describe('buffer pool', () => {
  it('reuses a released buffer of the same class', () => {
    const { pool, created } = makePool();
    const a = pool.acquire('relu', 1000);
    pool.release(a);
    expect(pool.acquire('relu', 900)).toBe(a);
    expect(created).toEqual([1024]);
    expect(pool.acquire('relu', 1000)).not.toBe(a);
    expect(pool.stats.buffersCreated).toBe(2);
  });

  it('does not hand out another class', () => {
    const { pool } = makePool();
    const a = pool.acquire('relu', 4096);
    pool.release(a);
    expect(pool.acquire('relu', 100)).not.toBe(a);
    expect(pool.acquire('relu', 5000)).not.toBe(a);
  });

  it('counts live and pooled bytes', () => {
    const { pool } = makePool();
    const a = pool.acquire('relu', 256);
    const b = pool.acquire('relu', 512);
    expect(pool.stats).toMatchObject({
      liveBuffers: 2,
      liveBytes: 768,
      pooledBuffers: 0,
      pooledBytes: 0,
    });
    pool.release(a);
    expect(pool.stats).toMatchObject({
      liveBuffers: 1,
      liveBytes: 512,
      pooledBuffers: 1,
      pooledBytes: 256,
    });
    pool.acquire('relu', 256);
    expect(pool.stats).toMatchObject({
      liveBuffers: 2,
      liveBytes: 768,
      pooledBuffers: 0,
      pooledBytes: 0,
    });
    pool.release(b);
    pool.clear();
    expect(pool.stats).toMatchObject({
      liveBuffers: 1,
      liveBytes: 256,
      pooledBuffers: 0,
      pooledBytes: 0,
    });
  });

  it('gives a busy buffer only to those who write it in order', () => {
    const { pool } = makePool();
    const a = pool.acquire('relu', 256);
    a.lastUse = 5;
    pool.release(a);
    // To be written at once, while batch 5 is still waiting.
    expect(pool.acquire('tensor', 256, 5)).not.toBe(a);
    expect(pool.acquire('tensor', 256, 6)).toBe(a);
    pool.release(a);
    expect(pool.acquire('relu', 256)).toBe(a);
  });

  it('takes an idle buffer from among busy ones', () => {
    const { pool } = makePool();
    const all = [3, 9, 4].map((lastUse) => Object.assign(pool.acquire('relu', 256), { lastUse }));
    for (const buffer of all) pool.release(buffer);
    expect(pool.acquire('tensor', 256, 4)).toBe(all[0]);
    expect(pool.acquire('tensor', 256, 4)).not.toBe(all[2]);
  });

  it('creates many of one size a few at a time, each group under one watch', () => {
    const { pool, created, watched } = makePool();
    const all = Array.from({ length: 1000 }, () => pool.acquire('relu', 256));
    expect(new Set(all).size).toBe(1000);
    // One by one first: a network with few tensors of a size gets as many as it uses.
    expect(watched.length).toBeLessThan(16 + 10);
    expect(created.length).toBeLessThan(2 * 1000);
    expect(pool.stats).toMatchObject({
      liveBuffers: 1000,
      pooledBuffers: created.length - 1000,
      pooledBytes: 256 * (created.length - 1000),
      buffersCreated: created.length,
    });
  });

  it('creates large buffers, and what its bound does not leave room for, one by one', () => {
    const large = makePool(2 ** 28);
    for (let i = 0; i < 40; i++) large.pool.acquire('relu', 2 ** 20);
    expect(large.created.length).toBe(40);
    const narrow = makePool(0);
    for (let i = 0; i < 40; i++) narrow.pool.acquire('relu', 256);
    expect(narrow.created.length).toBe(40);
  });

  it('looks at few of the buffers that are busy', () => {
    const { pool } = makePool();
    let looks = 0;
    const busy = Array.from({ length: 1000 }, () => pool.acquire('relu', 256));
    for (const buffer of busy) {
      Object.defineProperty(buffer, 'lastUse', {
        get: () => {
          looks++;
          return 5;
        },
      });
      pool.release(buffer);
    }
    const uploads = 1000;
    for (let i = 0; i < uploads; i++) pool.acquire('tensor', 256, 5);
    expect(looks).toBeLessThan(50 * uploads);
  });

  it('finds an idle buffer that was made ahead, whatever busy ones have come back since', () => {
    const { pool, created } = makePool();
    const busy = Array.from({ length: 17 }, () => pool.acquire('relu', 256));
    for (const buffer of busy) pool.release(Object.assign(buffer, { lastUse: 5 }));
    const before = created.length;
    for (let i = 0; i < 15; i++) pool.acquire('tensor', 256, 5);
    expect(created.length).toBe(before);
  });

  it('never keeps a pinned buffer', () => {
    const { pool, destroyed } = makePool();
    const a = pool.acquire('relu', 256);
    a.pinned = true;
    pool.release(a);
    expect(pool.stats).toMatchObject({ liveBuffers: 0, pooledBuffers: 0 });
    expect(pool.acquire('relu', 256)).not.toBe(a);
    // A caller's commands may still use it.
    expect(destroyed).toEqual([]);
  });

  it('keeps no more than its bound', () => {
    const { pool, destroyed } = makePool(1024);
    const all = Array.from({ length: 6 }, () => pool.acquire('relu', 256));
    for (const buffer of all) pool.release(buffer);
    expect(pool.stats).toMatchObject({
      pooledBuffers: 4,
      pooledBytes: 1024,
      liveBuffers: 0,
      liveBytes: 0,
    });
    expect(destroyed).toEqual(all.slice(4));
  });

  it('destroys what waits when it is cleared', () => {
    const { pool, destroyed } = makePool();
    const a = pool.acquire('relu', 256);
    const b = pool.acquire('relu', 512);
    pool.release(a);
    pool.release(b);
    pool.clear();
    expect(new Set(destroyed)).toEqual(new Set([a, b]));
    expect(pool.acquire('relu', 256)).not.toBe(a);
  });

  it('refuses what no buffer can hold, and creates under watch', () => {
    const { pool, created, watched } = makePool(2 ** 20, 4096);
    expect(() => pool.acquire('relu', 5000)).toThrow(OutOfMemoryError);
    expect(() => pool.acquire('relu', 5000)).toThrow(/relu.*4096.*5/);
    expect(created).toEqual([]);
    expect(pool.stats).toMatchObject({ liveBuffers: 0, liveBytes: 0, buffersCreated: 0 });
    pool.acquire('tanh', 16);
    expect(watched).toEqual(['tanh']);
  });
});
