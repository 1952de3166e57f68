// Takes an op's name and a size, by message, and gives what a call takes on the CPU path, by message; the page stays free.
import { init } from 'nonlin';
import { findCases } from './cases.ts';
import { medianOf, onDevice } from './timing.ts';

export interface CpuJob {
  readonly op: string;
  readonly gradient: boolean;
  readonly size: number;
}

export interface CpuResult {
  /** Undefined where it failed: `error` says how. */
  readonly ms?: number;
  readonly error?: string;
}

const ready = findCases();

addEventListener('message', ({ data }: MessageEvent<CpuJob>) => {
  measure(data).then(
    (ms) => postMessage({ ms } satisfies CpuResult),
    (error: unknown) => postMessage({ error: String(error) } satisfies CpuResult),
  );
});

async function measure({ op, gradient, size }: CpuJob): Promise<number> {
  const found = (await ready).find((one) => one.op === op && one.gradient === gradient);
  if (!found) throw new Error(`no op ${op}`);
  const device = await init({ backend: 'cpu' });
  const prepared = found.prepare(size, device);
  try {
    return await medianOf(onDevice(device, prepared.run));
  } finally {
    prepared.dispose();
    device.dispose();
  }
}
