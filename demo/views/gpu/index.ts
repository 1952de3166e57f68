// Takes an empty element, the lab, and gives the view that measures the visitor's GPU, to be shown around.
import './gpu.css';
import { html, nothing, render, type TemplateResult } from 'lit-html';
import type { Device } from 'nonlin';
import { copyButton } from '../../lab/copy.ts';
import { download } from '../../lab/download.ts';
import type { Progress } from '../../lab/going.ts';
import { withProgress } from '../../lab/progress.ts';
import { formatAddress } from '../../shell/address.ts';
import type { Lab, Mount, View } from '../../shell/lab.ts';
import { onTheme } from '../../shell/theme.ts';
import { formatUlp } from '../accuracy/summary.ts';
import { percentOf } from '../benchmark/shares.ts';
import { bandwidthInWords, measureBandwidth, type Bandwidth } from './bandwidth.ts';
import { drawPicture } from './picture.ts';
import {
  browserOf,
  byError,
  FORMAT,
  headlineOf,
  paramsOf,
  percent,
  resultOf,
  type GpuResult,
  type OpErrors,
} from './result.ts';
import { SAMPLES, sweep } from './sweep.ts';

/** Of the time that a measurement takes. */
const SWEEP_SHARE = 0.8;

export const mount: Mount = (host, lab) => new GpuView(host, lab);

class GpuView implements View {
  readonly #host: HTMLElement;
  readonly #lab: Lab;
  readonly #work = document.createElement('div');
  readonly #canvas = document.createElement('canvas');
  readonly #untheme: () => void;
  #device: Device | undefined;
  #result: GpuResult | undefined;
  /** Measured here, and not brought by a link. */
  #own = false;
  #stop: AbortController | undefined;

  constructor(host: HTMLElement, lab: Lab) {
    this.#host = host;
    this.#lab = lab;
    this.#canvas.setAttribute('role', 'img');
    this.#untheme = onTheme(() => this.#draw());
    this.useAddress(lab.address.params);
  }

  useDevice(device: Device | undefined): void {
    this.#stop?.abort();
    this.#stop = undefined;
    this.#device = device;
    this.#render();
  }

  useAddress(params: URLSearchParams): void {
    const result = resultOf(params);
    if (result && this.#result && paramsOf(result).r === paramsOf(this.#result).r) return;
    this.#result = result;
    this.#own = false;
    this.#draw();
    this.#render();
  }

  dispose(): void {
    this.#stop?.abort();
    this.#untheme();
  }

  async #measure(): Promise<void> {
    const device = this.#device;
    if (!device) return;
    const stop = (this.#stop = new AbortController());
    this.#render();
    try {
      const found = await withProgress(
        this.#work,
        'Measuring',
        (progress) => this.#both(device, progress),
        stop.signal,
      );
      if (found && !stop.signal.aborted) {
        this.#result = {
          format: FORMAT,
          adapter: device.name,
          browser: browserOf(navigator.userAgent),
          date: new Date().toISOString().slice(0, 10),
          samples: SAMPLES,
          ...found,
        };
        this.#own = true;
        this.#lab.write('gpu', { bw: undefined, ...paramsOf(this.#result) });
      }
    } catch (error) {
      if (!stop.signal.aborted) this.#lab.report(error);
    }
    if (this.#stop === stop) this.#stop = undefined;
    this.#draw();
    this.#render();
  }

  /** Errors first, which take most of the time, then how fast it is. */
  async #both(
    device: Device,
    progress: Progress,
  ): Promise<Pick<GpuResult, 'results' | 'bandwidth'>> {
    const part = (from: number, to: number): Progress => ({
      signal: progress.signal,
      report: (share, words) => progress.report(from + share * (to - from), words),
    });
    const results = await sweep(device, part(0, SWEEP_SHARE));
    const bandwidth = await measureBandwidth(device, part(SWEEP_SHARE, 1));
    return bandwidth ? { results, bandwidth } : { results };
  }

  #draw(): void {
    if (!this.#result) return;
    drawPicture(this.#canvas, this.#result);
    this.#canvas.setAttribute('aria-label', headlineOf(this.#result));
  }

  #save(): void {
    this.#canvas.toBlob((blob) => {
      if (blob) download(blob, 'how-wrong-is-my-gpu.png');
    });
  }

  #render(): void {
    const running = this.#stop !== undefined;
    const onGpu = this.#device?.type === 'webgpu';
    const state = running ? 'running' : this.#result ? 'done' : 'idle';
    const elsewhere = new URLSearchParams({ backend: 'webgpu' });
    render(
      html`<div class="intro">
          <h1>How wrong is your GPU?</h1>
          <p class="lead">
            WGSL allows a GPU’s own <code>tanh</code>, <code>exp</code> and <code>log</code> to be
            far from the true values, and every GPU makes its own errors. One press measures each
            activation over all powers of two in float32, written with these built-ins, and ours,
            and then how fast its memory is.
          </p>
        </div>
        <div id="gpu" data-state=${state}>
          <div class="toolbar">
            <button
              type="button"
              class="primary"
              id="measure"
              ?disabled=${!onGpu || running}
              @click=${() => void this.#measure()}
            >
              Measure this GPU
            </button>
            ${
              this.#device && !onGpu
                ? html`<p class="help">
                    The page now runs on the CPU, which has no such built-ins.
                    <a href=${formatAddress({ view: 'gpu', params: elsewhere })}
                      >Use any WebGPU adapter, even a software one</a
                    >
                  </p>`
                : html`<p class="help">${this.#device?.name ?? 'Opening…'}</p>`
            }
          </div>
          ${this.#work} ${this.#result ? this.#shown(this.#result) : nothing}
        </div>`,
      this.#host,
    );
  }

  #shown(result: GpuResult): TemplateResult {
    const { adapter, browser, date, results } = result;
    const share = () =>
      this.#own ? `${location.origin}${location.pathname}${linkOf(result)}` : location.href;
    return html`<section class="gpu-result" aria-labelledby="headline">
      <h2 id="headline">${headlineOf(result)}</h2>
      <p class="help">
        ${this.#own ? 'Measured here, on' : 'From the link: measured on'} ${adapter}, ${browser},
        ${date}
      </p>
      ${this.#canvas}
      <div class="toolbar">
        <button type="button" id="save-picture" @click=${() => this.#save()}>
          Save the picture
        </button>
        ${copyButton(share, 'Copy the link')}
        ${copyButton(() => JSON.stringify(result, undefined, 2), 'Copy as JSON')}
      </div>
      ${result.bandwidth ? bandwidthTable(result.bandwidth) : nothing}
      <div class="table-frame" tabindex="0" role="region" aria-label="All results">
        <table>
          <thead>
            <tr>
              <th scope="col">Activation</th>
              <th scope="col">Built-ins: largest error, ULP</th>
              <th scope="col">Wrongly NaN or ∞</th>
              <th scope="col">nonlin: largest error, ULP</th>
              <th scope="col">Wrongly NaN or ∞</th>
            </tr>
          </thead>
          <tbody>
            ${byError(results).map(
              ({ op, builtin, nonlin }) =>
                html`<tr data-op=${op}>
                  <th scope="row">${op}</th>
                  ${cells(builtin)} ${cells(nonlin)}
                </tr>`,
            )}
          </tbody>
        </table>
      </div>
      <p class="help">
        One ULP is the distance to the next float32 number. The built-ins are used in the usual
        formula of each activation. Inputs are random, ${result.samples} for each sign and power of
        two. Results of other GPUs: docs/gpus.md.
      </p>
    </section>`;
  }
}

const linkOf = (result: GpuResult) =>
  formatAddress({ view: 'gpu', params: new URLSearchParams(paramsOf(result)) });

function bandwidthTable(bandwidth: Bandwidth): TemplateResult {
  const { size, ops } = bandwidth;
  const shareOf = (name: string, withGradient: boolean) => {
    const found = ops.find(({ op, gradient }) => op === name && gradient === withGradient);
    return html`<td data-share=${found?.share ?? nothing}>
      ${found ? percentOf(found.share) : '–'}
    </td>`;
  };
  return html`<section class="gpu-bandwidth" aria-labelledby="bandwidth">
    <h3 id="bandwidth" data-copy=${bandwidth.copy}>${bandwidthInWords(bandwidth)}</h3>
    <div class="table-frame" tabindex="0" role="region" aria-label="Bandwidth">
      <table>
        <thead>
          <tr>
            <th scope="col">Share of a copy’s bandwidth</th>
            <th scope="col">forward</th>
            <th scope="col">with gradient</th>
          </tr>
        </thead>
        <tbody>
          ${[...new Set(ops.map(({ op }) => op))].map(
            (op) =>
              html`<tr data-bandwidth=${op}>
                <th scope="row">${op}</th>
                ${shareOf(op, false)} ${shareOf(op, true)}
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
    <p class="help">
      Tensors of ${size.toLocaleString('en')} numbers. The bytes that a call has to move at least,
      by its time, against a kernel that only copies.
      <a href="#/benchmark">All ops, other sizes, and the CPU: the benchmark</a>
    </p>
  </section>`;
}

const cells = ({ ulp, wrong }: OpErrors) =>
  html`<td data-ulp=${ulp}>${formatUlp(ulp)}</td>
    <td data-wrong=${wrong}>${wrong === 0 ? 'none' : percent(wrong)}</td>`;
