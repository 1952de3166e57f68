// The page stays free: a worker trains, and says how far it is.
interface Progress {
  readonly step: number;
  readonly loss: number;
  readonly device: string;
}

const output = document.querySelector('output');
const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
const losses: number[] = [];
worker.addEventListener('message', ({ data }: MessageEvent<Progress | 'done'>) => {
  if (!output) return;
  if (data === 'done') {
    output.value = `done: losses ${losses.map((loss) => loss.toFixed(3)).join(' ')}`;
    return;
  }
  losses.push(data.loss);
  output.value = `step ${data.step} on ${data.device}: loss ${data.loss.toFixed(3)}`;
});
worker.addEventListener('error', ({ message }) => {
  if (output) output.value = `failed: ${message}`;
});
