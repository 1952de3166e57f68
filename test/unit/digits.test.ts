import { gunzipSync } from 'node:zlib';
import { readFile } from 'node:fs/promises';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { readDigits } from '../../demo/cli/digits-node.ts';
import {
  decodeDigits,
  fetchDigits,
  PIXELS,
  splitDigits,
  toFloats,
  type Digits,
} from '../../demo/training/digits.ts';
import { ensureDigits } from '../../scripts/mnist.mjs';

describe('digits file', () => {
  let digits: Digits;
  beforeAll(async () => {
    digits = await readDigits();
  }, 60_000);

  const tally = (labels: Uint8Array) => {
    const counts = new Array<number>(10).fill(0);
    for (const label of labels) counts[label] = (counts[label] ?? 0) + 1;
    return counts;
  };

  it('holds the 10,000 digits of the package', () => {
    expect(digits.count).toBe(10_000);
    expect(digits.pixels.length).toBe(10_000 * PIXELS);
    expect(tally(digits.labels)).toEqual([1001, 1127, 991, 1032, 980, 863, 1014, 1070, 944, 978]);
  });

  it('is balanced in every prefix', () => {
    const share = tally(digits.labels).map((n) => n / digits.count);
    const seen = new Array<number>(10).fill(0);
    let worst = 0;
    digits.labels.forEach((label, i) => {
      seen[label] = (seen[label] ?? 0) + 1;
      for (let k = 0; k < 10; k++) {
        worst = Math.max(worst, Math.abs((seen[k] ?? 0) - (share[k] ?? 0) * (i + 1)));
      }
    });
    expect(worst).toBeLessThan(3);
  });

  it('splits into 8,000 and 2,000', () => {
    const { training, heldOut } = splitDigits(digits);
    expect([training.count, heldOut.count]).toEqual([8000, 2000]);
    expect(heldOut.pixels.length).toBe(2000 * PIXELS);
    expect(heldOut.labels[0]).toBe(digits.labels[8000]);
    expect(heldOut.pixels[100]).toBe(digits.pixels[8000 * PIXELS + 100]);
  });

  it('keeps the full range of grey', () => {
    const floats = toFloats(digits.pixels.subarray(0, 100 * PIXELS));
    expect(Math.min(...floats)).toBe(0);
    expect(Math.max(...floats)).toBe(1);
    // an eighth of the paper is ink: a sign that rows are where they should be
    const mean = floats.reduce((sum, x) => sum + x, 0) / floats.length;
    expect(mean).toBeGreaterThan(0.1);
    expect(mean).toBeLessThan(0.17);
  });

  it('is read unzipped as well, as some servers send it', async () => {
    const plain = gunzipSync(await readFile(await ensureDigits()));
    const again = await decodeDigits(new Uint8Array(plain));
    expect(again.count).toBe(digits.count);
    expect(Buffer.compare(again.pixels, digits.pixels)).toBe(0);
  });

  it('refuses other files', async () => {
    await expect(decodeDigits(new TextEncoder().encode('<!doctype html>'))).rejects.toThrow(
      'not a digits file',
    );
    const short = new TextEncoder().encode('NLD1\x01\x00\x00\x00');
    await expect(decodeDigits(short)).rejects.toThrow('8 bytes, expected 793');
  });
});

describe('fetching the digits', () => {
  afterEach(() => vi.unstubAllGlobals());

  /** Serves 10,000 digits in pieces of 1 MB. */
  function serve(headers: Record<string, string>): void {
    const bytes = new Uint8Array(8 + 10_000 * (1 + PIXELS));
    bytes.set(new TextEncoder().encode('NLD1'));
    new DataView(bytes.buffer).setUint32(4, 10_000, true);
    vi.stubGlobal('fetch', (_: string, { signal }: RequestInit = {}) => {
      if (signal?.aborted) return Promise.reject(new Error('aborted'));
      let from = 0;
      const body = new ReadableStream<Uint8Array>({
        pull(controller) {
          if (from >= bytes.length) controller.close();
          else controller.enqueue(bytes.subarray(from, (from += 1e6)));
        },
      });
      return Promise.resolve(new Response(body, { headers }));
    });
  }

  it.each([
    ['the length of the file', { 'content-length': '7850008' }],
    [
      'the length of a zipped file that arrives unzipped',
      {
        'content-length': '1600000',
        'content-encoding': 'gzip',
      },
    ],
    ['no length', {}],
  ])('says how far it is: %s', async (_, headers) => {
    serve(headers);
    const shares: number[] = [];
    const { signal } = new AbortController();
    const { count } = await fetchDigits('x', { signal, report: (share) => shares.push(share) });
    expect(count).toBe(10_000);
    expect(shares).toHaveLength(8);
    expect(shares[0]).toBeCloseTo(1e6 / 7_850_008, 9);
    expect(shares.at(-1)).toBe(1);
    expect(shares).toEqual([...shares].sort((a, b) => a - b));
  });

  it('can be cancelled', async () => {
    serve({});
    const controller = new AbortController();
    controller.abort();
    const report = vi.fn();
    await expect(fetchDigits('x', { signal: controller.signal, report })).rejects.toThrow(
      'aborted',
    );
    expect(report).not.toHaveBeenCalled();
  });
});
