// Published figures of GPUs, and from them what bounds a kernel there.
import type { Counts } from './assembly.ts';
import type { Family } from './compile.ts';

export interface Gpu {
  readonly name: string;
  readonly architecture: string;
  /** Lanes of all vector units: each does an instruction a clock. */
  readonly lanes: number;
  readonly gigahertz: number;
  /** Of its memory, in gigabytes a second. */
  readonly bandwidth: number;
  readonly source: string;
}

export const GPUS: Readonly<Record<Family, Gpu>> = {
  gfx1100: {
    name: 'RX 7900 XTX',
    architecture: 'RDNA 3',
    lanes: 6144,
    gigahertz: 2.499,
    bandwidth: 960,
    source: 'https://cputronic.com/gpu/amd-radeon-rx-7900-xtx',
  },
  navi21: {
    name: 'RX 6800 XT',
    architecture: 'RDNA 2',
    lanes: 4608,
    gigahertz: 2.25,
    bandwidth: 512,
    source: 'https://cputronic.com/gpu/amd-radeon-rx-6800-xt',
  },
  vega10: {
    name: 'RX Vega 64',
    architecture: 'GCN 5',
    lanes: 4096,
    gigahertz: 1.546,
    bandwidth: 483.8,
    source: 'https://cputronic.com/gpu/compare/amd-radeon-rx-vega-64-vs-amd-radeon-rx-6500-xt',
  },
};

/** Instructions of a lane that the GPU does while it moves a byte. */
export function instructionsPerByte({ lanes, gigahertz, bandwidth }: Gpu): number {
  return (lanes * gigahertz) / bandwidth;
}

/** A transcendental instruction takes the vector unit four times as long as another. */
const TRANSCENDENTAL = 4;

/** What instructions cost, in plain ones of a lane. */
export function costOf({ vector, transcendental }: Counts): number {
  return vector + (TRANSCENDENTAL - 1) * transcendental;
}

/**
 * How busy the vector units are while the memory moves what some instructions move, from 0; past 1 they bound the kernel.
 * Instructions that touch no memory leave nothing to compare with: NaN.
 */
export function pressure(counts: Counts, gpu: Gpu): number {
  return costOf(counts) / counts.memoryBytes / instructionsPerByte(gpu);
}
