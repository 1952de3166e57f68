// The memory of a device, in figures and in words.
import type { DeviceStats } from './device.ts';

/** The memory that a device has allocated. As text it says so in words: `12.6 MB: 8.4 MB of tensors in 31 buffers, …`. */
export interface DeviceMemory extends Pick<
  DeviceStats,
  'liveBuffers' | 'liveBytes' | 'pooledBuffers' | 'pooledBytes'
> {
  /** Bytes of tensors, and of what is kept for reuse. */
  readonly totalBytes: number;
  toString(): string;
}

export function memoryOf(stats: DeviceStats): DeviceMemory {
  const { liveBuffers, liveBytes, pooledBuffers, pooledBytes } = stats;
  const totalBytes = liveBytes + pooledBytes;
  const text = `${inWords(totalBytes)}: ${inWords(liveBytes)} of tensors in ${liveBuffers} buffers, ${inWords(pooledBytes)} kept for reuse in ${pooledBuffers}`;
  return { liveBuffers, liveBytes, pooledBuffers, pooledBytes, totalBytes, toString: () => text };
}

function inWords(bytes: number): string {
  let [value, unit] = [bytes, 0];
  for (; value >= 1000 && unit < 3; unit++) value /= 1000;
  return `${Number(value.toFixed(1))} ${['bytes', 'kB', 'MB', 'GB'][unit] ?? ''}`;
}
