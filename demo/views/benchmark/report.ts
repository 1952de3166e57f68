// Takes timings, and gives their table as Markdown, to be pasted where people talk about GPUs.

export interface Timing {
  readonly op: string;
  readonly gradient: boolean;
  readonly shape: string;
  /** Milliseconds a call; undefined where it was not, or not yet, measured. */
  gpu?: number;
  cpu?: number;
  /** Bytes that a call has to move at least. */
  bytes: number;
}

export interface Circumstances {
  readonly device: string;
  readonly size: number;
  /** Milliseconds of the copy kernel on as many floats; undefined without a GPU. */
  readonly copy: number | undefined;
}

export const nameOf = ({ op, gradient }: Timing): string => (gradient ? `${op} + gradient` : op);

export function formatMs(ms: number | undefined): string {
  if (ms === undefined) return '–';
  return ms >= 100 ? ms.toFixed(0) : ms.toPrecision(3);
}

export const timesCopy = ({ gpu }: Timing, copy: number | undefined): string =>
  gpu === undefined || copy === undefined ? '–' : (gpu / copy).toFixed(1);

export const bandwidth = ({ gpu, bytes }: Timing): string =>
  gpu === undefined ? '–' : (bytes / gpu / 1e6).toPrecision(3);

export const speedUp = ({ gpu, cpu }: Timing): string =>
  gpu === undefined || cpu === undefined ? '–' : `${(cpu / gpu).toPrecision(2)} ×`;

export function markdown(timings: readonly Timing[], about: Circumstances): string {
  const { device, size, copy } = about;
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const rows = timings.map((timing) =>
    line([
      nameOf(timing),
      timing.shape,
      formatMs(timing.gpu),
      timesCopy(timing, copy),
      bandwidth(timing),
      formatMs(timing.cpu),
      speedUp(timing),
    ]),
  );
  const floor =
    copy === undefined
      ? ''
      : `; copy kernel ${formatMs(copy)} ms (${((8 * size) / copy / 1e6).toPrecision(3)} GB/s)`;
  return [
    `nonlin on ${device}, ${size.toLocaleString('en')} elements, float32${floor}.`,
    `Medians of 7 rounds. ${navigator.userAgent}`,
    '',
    line(['Op', 'Shape', 'GPU ms', '× copy', 'GB/s', 'CPU ms', 'GPU against CPU']),
    line(['---', '---', '--:', '--:', '--:', '--:', '--:']),
    ...rows,
    '',
  ].join('\n');
}
