// The memory of a device, in figures and in words.

/** What Node's `util.inspect` calls. */
const INSPECT: unique symbol = /* @__PURE__ */ Symbol.for('nodejs.util.inspect.custom');

interface Counts {
  readonly liveBuffers: number;
  readonly liveBytes: number;
  readonly pooledBuffers: number;
  readonly pooledBytes: number;
}

/** The memory that a device has allocated. `String(memory)`, and `console.log` of Node, say it in words. */
export class DeviceMemory {
  /** Buffers (or host arrays) held by tensors. */
  readonly liveBuffers: number;
  readonly liveBytes: number;
  /** Buffers kept for reuse. */
  readonly pooledBuffers: number;
  readonly pooledBytes: number;
  /** Both together. */
  readonly totalBytes: number;

  constructor(counts: Counts) {
    this.liveBuffers = counts.liveBuffers;
    this.liveBytes = counts.liveBytes;
    this.pooledBuffers = counts.pooledBuffers;
    this.pooledBytes = counts.pooledBytes;
    this.totalBytes = counts.liveBytes + counts.pooledBytes;
  }

  /** Such as `12.6 MB: 8.4 MB of tensors in 31 buffers, 4.2 MB kept for reuse in 12`. */
  toString(): string {
    const tensors = `${inWords(this.liveBytes)} of tensors in ${this.liveBuffers} buffers`;
    const pooled = `${inWords(this.pooledBytes)} kept for reuse in ${this.pooledBuffers}`;
    return `${inWords(this.totalBytes)}: ${tensors}, ${pooled}`;
  }

  /** @internal */
  [INSPECT](): string {
    return this.toString();
  }
}

function inWords(bytes: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB'];
  const power = Math.min(Math.floor(Math.log10(Math.max(bytes, 1)) / 3), units.length - 1);
  return `${power === 0 ? bytes : (bytes / 1000 ** power).toFixed(1)} ${units[power] ?? ''}`;
}
