// Takes a result, and gives its picture: a bar of each op's largest error, WGSL's built-ins beside ours.
import { colour } from '../../shell/theme.ts';
import { formatUlp } from '../accuracy/summary.ts';
import { bandwidthInWords } from './bandwidth.ts';
import { byError, headlineOf, percent, type GpuResult, type OpErrors } from './result.ts';

const WIDTH = 1200;
const MARGIN = 48;
const ROW = 34;
const TOP = 168;
const NAMES = 170;
const WORDS = 190;
/** Bars are logarithmic, over these. */
const ENDS = { least: 0.1, most: 1e8 };
const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, sans-serif';

export function drawPicture(canvas: HTMLCanvasElement, result: GpuResult): void {
  const rows = byError(result.results);
  canvas.width = WIDTH;
  canvas.height = TOP + rows.length * ROW + MARGIN + (result.bandwidth ? 32 : 0);
  const context = canvas.getContext('2d');
  if (!context) return;
  const [paper, ink, muted] = [colour('--raised'), colour('--ink'), colour('--muted')];
  const [ours, theirs, bad] = [colour('--c1'), colour('--c2'), colour('--bad')];
  const write = (text: string, x: number, y: number, size: number, style = ink, weight = 400) => {
    context.font = `${weight} ${size}px ${FONT}`;
    context.fillStyle = style;
    context.fillText(text, x, y, WIDTH - x - MARGIN);
  };
  context.fillStyle = paper;
  context.fillRect(0, 0, canvas.width, canvas.height);
  write(headlineOf(result), MARGIN, 64, 30, ink, 700);
  write([result.adapter, result.browser, result.date].join(' · '), MARGIN, 98, 18, muted);
  const speed = result.bandwidth ? bandwidthInWords(result.bandwidth) : '';
  write('WGSL built-ins', MARGIN + NAMES, 138, 16, theirs, 600);
  write('nonlin', MARGIN + NAMES + 156, 138, 16, ours, 600);
  write('largest error in ULP, logarithmic', MARGIN + NAMES + 236, 138, 16, muted);
  const room = WIDTH - 2 * MARGIN - NAMES - WORDS;
  const length = (ulp: number) => {
    const span = Math.log10(ENDS.most / ENDS.least);
    return Math.max(2, (room * Math.log10(Math.max(ulp, ENDS.least) / ENDS.least)) / span);
  };
  rows.forEach(({ op, builtin, nonlin }, i) => {
    const y = TOP + i * ROW;
    write(op, MARGIN, y + 17, 17);
    const bar = ({ ulp, wrong }: OpErrors, top: number, style: string) => {
      context.fillStyle = wrong > 0 ? bad : style;
      context.fillRect(MARGIN + NAMES, top, wrong > 0 ? room : Math.min(room, length(ulp)), 10);
    };
    bar(builtin, y, theirs);
    bar(nonlin, y + 12, ours);
    const words = builtin.wrong > 0 ? `wrong: ${percent(builtin.wrong)}` : formatUlp(builtin.ulp);
    write(words, MARGIN + NAMES + room + 14, y + 12, 14, builtin.wrong > 0 ? bad : muted, 600);
    write(formatUlp(nonlin.ulp), MARGIN + NAMES + room + 120, y + 22, 14, ours, 600);
  });
  write(speed, MARGIN, canvas.height - 44, 17);
  write('nonlin: activations and losses for WebGPU', MARGIN, canvas.height - 18, 15, muted);
}
