// Takes an empty element, the lab, and gives the view that times every op on the visitor's device: against a copy, and the
// CPU.
import './benchmark.css';
import { html, nothing, render, type TemplateResult } from 'lit-html';
import type { Device } from 'nonlin';
import { chosen } from '../../lab/chosen.ts';
import { copyButton } from '../../lab/copy.ts';
import { checkGoing, type Progress } from '../../lab/going.ts';
import { withProgress } from '../../lab/progress.ts';
import { describeDevice } from '../../shell/devices.ts';
import type { Lab, Mount, View } from '../../shell/lab.ts';
import { breathe } from '../../training/breathe.ts';
import { findCases, type Case } from './cases.ts';
import type { CpuJob, CpuResult } from './cpu-worker.ts';
import { markdown, nameOf, type Circumstances, type Timing } from './report.ts';
import { sharePicture } from './share-picture.ts';
import { extremesOf, headlineOf } from './shares.ts';
import { timingTable } from './table.ts';
import { medianOf, onDevice, timeCopy } from './timing.ts';

const SIZES = [1e3, 1e5, 1e6, 1.6e7] as const;
const DEFAULT_SIZE = 1e6;
/** What is timed unless all are asked for; of these, what the catalog has. */
const USUAL =
  'relu,leakyRelu,gelu,tanh,sigmoid,silu,softplus,swiglu,softmax,logSoftmax,mseLoss,crossEntropy';

export const mount: Mount = async (host, lab) => new BenchmarkView(host, lab, await findCases());

class BenchmarkView implements View {
  readonly #host: HTMLElement;
  readonly #lab: Lab;
  readonly #cases: readonly Case[];
  readonly #work = document.createElement('div');
  #device: Device | undefined;
  #size: number = DEFAULT_SIZE;
  /** Names, or `all`. */
  #ops = USUAL;
  #cpu = true;
  #timings: Timing[] = [];
  #copy: number | undefined;
  #measured: { device: string; size: number } | undefined;
  #stop: AbortController | undefined;
  #state: 'idle' | 'running' | 'done' | 'cancelled' = 'idle';

  constructor(host: HTMLElement, lab: Lab, cases: readonly Case[]) {
    this.#host = host;
    this.#lab = lab;
    this.#cases = cases;
    this.useAddress(lab.address.params);
  }

  useDevice(device: Device | undefined): void {
    this.#stop?.abort();
    this.#device = device;
    this.#render();
  }

  useAddress(params: URLSearchParams): void {
    this.#size = SIZES.find((size) => String(size) === params.get('size')) ?? DEFAULT_SIZE;
    this.#ops = params.get('ops') ?? USUAL;
    this.#cpu = params.get('cpu') !== '0';
    this.#render();
  }

  dispose(): void {
    this.#stop?.abort();
  }

  #choose(change: () => void): void {
    change();
    this.#lab.write('benchmark', {
      size: this.#size === DEFAULT_SIZE ? undefined : String(this.#size),
      ops: this.#ops === USUAL ? undefined : this.#ops,
      cpu: this.#cpu ? undefined : '0',
    });
    this.#render();
  }

  get #chosen(): readonly Case[] {
    if (this.#ops === 'all') return this.#cases;
    const names = this.#ops.split(',');
    return this.#cases.filter(({ op }) => names.includes(op));
  }

  async #run(): Promise<void> {
    const device = this.#device;
    if (!device) return;
    const stop = (this.#stop = new AbortController());
    const cases = this.#chosen;
    const size = this.#size;
    this.#timings = cases.map(({ op, gradient, shape }) => ({
      op,
      gradient,
      shape: shape(size),
      bytes: 0,
    }));
    this.#copy = undefined;
    this.#measured = { device: describeDevice(device), size };
    this.#state = 'running';
    this.#render();
    try {
      const done = await withProgress(
        this.#work,
        'Measuring',
        (progress) => this.#measure(cases, size, device, progress),
        stop.signal,
      );
      this.#state = done ? 'done' : 'cancelled';
    } catch (error) {
      this.#state = 'cancelled';
      if (!stop.signal.aborted) this.#lab.report(error);
    }
    this.#render();
  }

  async #measure(
    cases: readonly Case[],
    size: number,
    device: Device,
    progress: Progress,
  ): Promise<true> {
    const { gpuDevice } = device;
    const both = this.#cpu || !gpuDevice;
    const steps = cases.length * ((gpuDevice ? 1 : 0) + (both ? 1 : 0)) + 1;
    let step = 0;
    const next = (words: string) => progress.report(step++ / steps, words);
    if (gpuDevice) {
      next('copy kernel');
      this.#copy = await timeCopy(gpuDevice, size, progress);
    }
    for (const [i, one] of cases.entries()) {
      const timing = this.#timings[i];
      if (!timing || !gpuDevice) break;
      next(nameOf(timing));
      await breathe();
      const prepared = one.prepare(size, device);
      timing.bytes = prepared.bytes;
      try {
        timing.gpu = await medianOf(onDevice(device, prepared.run), progress);
      } finally {
        prepared.dispose();
      }
      this.#render();
    }
    if (!both) return true;
    const worker = new Worker(new URL('./cpu-worker.ts', import.meta.url), { type: 'module' });
    progress.signal.addEventListener('abort', () => worker.terminate());
    try {
      for (const [i, { op, gradient }] of cases.entries()) {
        const timing = this.#timings[i];
        if (!timing) break;
        next(`${nameOf(timing)}, on the CPU`);
        timing.cpu = await ask(worker, { op, gradient, size }, progress);
        this.#render();
      }
    } finally {
      worker.terminate();
    }
    return true;
  }

  #render(): void {
    const running = this.#state === 'running';
    const measured = this.#measured;
    render(
      html`<div class="intro">
          <h1>Benchmark</h1>
          <p class="lead">
            How long each op takes on your device, compared with a simple kernel that copies as many
            numbers, and with the CPU path.
          </p>
        </div>
        <form
          class="benchmark-form"
          @submit=${(event: Event) => {
            event.preventDefault();
            this.#run().catch((error: unknown) => this.#lab.report(error));
          }}
        >
          ${this.#controls(running)}
          <button
            id="measure"
            type="submit"
            class="primary"
            ?disabled=${running || !this.#device || this.#chosen.length === 0}
          >
            Measure
          </button>
          ${
            measured && this.#state !== 'running'
              ? copyButton(
                  () => markdown(this.#timings, { ...measured, copy: this.#copy }),
                  'Copy as Markdown',
                )
              : nothing
          }
        </form>
        ${this.#work}
        <div id="benchmark" data-state=${this.#state}>
          ${
            measured
              ? this.#shown({ ...measured, copy: this.#copy })
              : html`<p class="empty">Nothing measured yet. It takes about a minute.</p>`
          }
        </div>
        <p class="help">
          Each time is the median of 7 rounds after a warm-up. A round makes many calls, leaves the
          results on the device, and waits once. GB/s counts the bytes that a call must at least
          read and write. Row-wise ops and classification losses have rows of 1,000. The CPU path
          computes in float64, in a worker.
        </p>`,
      this.#host,
    );
  }

  #shown(about: Circumstances): TemplateResult {
    return html`<section class="benchmark-result" aria-labelledby="benchmark-headline">
        <h2 id="benchmark-headline">${headlineOf(this.#timings, about)}</h2>
        <p class="help">${extremesOf(this.#timings, about)}</p>
        ${sharePicture(this.#timings, about)}
      </section>
      ${timingTable(this.#timings, about, this.#state === 'cancelled')}`;
  }

  #controls(running: boolean): TemplateResult {
    const usual = this.#ops === USUAL ? 'usual' : this.#ops === 'all' ? 'all' : 'own';
    return html`<label
        >Elements
        <select
          id="size"
          ?disabled=${running}
          @change=${(event: Event) =>
            this.#choose(
              () => (this.#size = Number((event.currentTarget as HTMLSelectElement).value)),
            )}
        >
          ${SIZES.map((size) => html`<option value=${size}>${size.toLocaleString('en')}</option>`)}
          ${chosen(String(this.#size))}
        </select></label
      >
      <label
        >Ops
        <select
          id="ops"
          ?disabled=${running}
          @change=${(event: Event) => {
            const { value } = event.currentTarget as HTMLSelectElement;
            this.#choose(() => (this.#ops = value === 'all' ? 'all' : USUAL));
          }}
        >
          <option value="usual">The usual ones</option>
          <option value="all">All of the catalog</option>
          ${usual === 'own' ? html`<option value="own">${this.#ops}</option>` : nothing}
          ${chosen(usual)}
        </select></label
      >
      <label class="check">
        <input
          type="checkbox"
          id="with-cpu"
          ?disabled=${running}
          .checked=${this.#cpu}
          @change=${(event: Event) =>
            this.#choose(() => (this.#cpu = (event.currentTarget as HTMLInputElement).checked))}
        />
        Also on the CPU
      </label>`;
  }
}

/** One job of the worker, or an error once it is cancelled. */
function ask(worker: Worker, job: CpuJob, progress: Progress): Promise<number> {
  return new Promise((resolve, reject) => {
    progress.signal.addEventListener('abort', () => reject(new Error('cancelled')));
    worker.onmessage = ({ data }: MessageEvent<CpuResult>) => {
      if (data.ms === undefined) reject(new Error(data.error ?? 'no result'));
      else resolve(data.ms);
    };
    worker.onerror = (event) => reject(new Error(event.message || 'the worker failed'));
    checkGoing(progress);
    worker.postMessage(job);
  });
}
