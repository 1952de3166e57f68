// Takes a GPU, and gives how much memory a copy moves in a second, and which share of that some ops reach.
import type { Device } from 'nonlin';
import { isSoftware } from '../../../src/init.ts';
import type { Progress } from '../../lab/going.ts';
import { breathe } from '../../training/breathe.ts';
import { findCases } from '../benchmark/cases.ts';
import { percentOf } from '../benchmark/shares.ts';
import { medianOf, onDevice, timeCopy } from '../benchmark/timing.ts';

export interface OpShare {
  readonly op: string;
  /** With its gradient. */
  readonly gradient: boolean;
  /** Of the copy's bandwidth, counted in bytes that the call has to move at least. */
  readonly share: number;
}

export interface Bandwidth {
  /** Elements of each tensor, float32. */
  readonly size: number;
  /** What a copy reads and writes, in GB/s. */
  readonly copy: number;
  readonly ops: readonly OpShare[];
}

const OPS = ['relu', 'gelu', 'softmax', 'crossEntropy'];
/** Too many for a cache of hardware; a program on the CPU would take minutes. */
const SIZES = { hardware: 1.6e7, software: 1e6 };

/** Undefined without a GPU. */
export async function measureBandwidth(
  device: Device,
  progress: Progress,
): Promise<Bandwidth | undefined> {
  const { gpuDevice } = device;
  if (!gpuDevice) return undefined;
  const size = isSoftware(gpuDevice.adapterInfo) ? SIZES.software : SIZES.hardware;
  const cases = (await findCases()).filter(({ op }) => OPS.includes(op));
  progress.report(0, 'bandwidth of a copy');
  // each number is read and written
  const copy = (8 * size) / (await timeCopy(gpuDevice, size, progress)) / 1e6;
  const ops: OpShare[] = [];
  for (const [i, { op, gradient, prepare }] of cases.entries()) {
    progress.report((i + 1) / (cases.length + 1), `bandwidth of ${op}`);
    await breathe();
    const { run, bytes, dispose } = prepare(size, device);
    try {
      const ms = await medianOf(onDevice(device, run), progress);
      ops.push({ op, gradient, share: bytes / ms / 1e6 / copy });
    } finally {
      dispose();
    }
  }
  return { size, copy, ops };
}

const short = (value: number) => String(Number(value.toPrecision(3)));

/** What an address holds: `1000000:12.3,relu:0.98,relu+:0.7`, with a plus for the gradient. */
export const formatBandwidth = ({ size, copy, ops }: Bandwidth): string =>
  [
    `${size}:${short(copy)}`,
    ...ops.map(({ op, gradient, share }) => `${op}${gradient ? '+' : ''}:${short(share)}`),
  ].join(',');

/** Undefined where the text is none. */
export function parseBandwidth(text: string | null): Bandwidth | undefined {
  const [first = '', ...rest] = (text ?? '').split(',');
  const [size = NaN, copy = NaN] = first.split(':').map(Number);
  if (!(Number.isInteger(size) && size > 0 && copy > 0 && copy < Infinity)) return undefined;
  const ops = rest.flatMap((part): OpShare[] => {
    const [, op = '', plus, number] = /^([a-zA-Z]\w{0,40})(\+?):([\d.e-]+)$/.exec(part) ?? [];
    const share = Number(number);
    return share >= 0 && share < Infinity ? [{ op, gradient: plus === '+', share }] : [];
  });
  return { size, copy, ops };
}

export const copyInWords = ({ copy }: Bandwidth): string => `${short(copy)} GB/s`;

/** The result in a sentence. */
export function bandwidthInWords(bandwidth: Bandwidth): string {
  const { ops } = bandwidth;
  const said = ops
    .filter(({ gradient }) => !gradient)
    .map(({ op, share }) => `${op} ${percentOf(share)}`);
  const copied = `A copy moves ${copyInWords(bandwidth)}`;
  return said.length === 0 ? `${copied}.` : `${copied}; of that ${said.join(', ')}.`;
}
