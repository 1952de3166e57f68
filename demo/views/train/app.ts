// In: the page's elements and its address. Out: settings, device, session, charts, pad and reader, wired together.
import { DeviceLostError, init, type Device } from 'nonlin';
import { findActivations } from './activations.ts';
import { Alerts } from './alerts.ts';
import { breathe } from './breathe.ts';
import { Charts } from './charts.ts';
import { describeDevice, openDevice } from './devices.ts';
import { fetchDigits, PIXELS, splitDigits, toFloats, type Digits } from './digits.ts';
import { byId } from './dom.ts';
import { messageOf } from './format.ts';
import { SettingsForm } from './form.ts';
import { findLosses } from './losses.ts';
import { Pad } from './pad.ts';
import { Reader } from './reader.ts';
import { Session, type Phase } from './session.ts';
import type { Report, Trainer } from './trainer.ts';
import { View } from './view.ts';

/** How often the drawn digit is read again while the model learns. */
const REREAD_MS = 400;

/** What is there once the page has loaded. */
interface Loaded {
  readonly form: SettingsForm;
  readonly training: Digits;
  readonly heldOut: Digits;
}

export class App {
  readonly #alerts = new Alerts(byId('alerts', HTMLElement));
  readonly #view = new View();
  readonly #charts = new Charts(byId('charts', HTMLElement));
  readonly #session = new Session({
    phase: (phase) => this.#phase(phase),
    report: (report) => this.#report(report),
    failed: (error) => {
      // `#watch` says so, once, with what to do about it
      if (!(error instanceof DeviceLostError)) this.#say('error', messageOf(error), true);
    },
  });
  readonly #reader = new Reader(
    {
      bars: byId('bars', HTMLElement),
      verdict: byId('verdict', HTMLElement),
      seen: byId('seen', HTMLCanvasElement),
    },
    (error) => this.fail(error),
  );
  readonly #pad = new Pad(byId('pad', HTMLCanvasElement), {
    changed: (pixels) => this.#reader.read(pixels),
    said: (words) => (byId('pad-status', HTMLElement).textContent = words),
  });
  #loaded: Loaded | undefined;
  #device: Device | undefined;
  /** The trainer whose figures are shown. */
  #shown: Trainer | undefined;
  #lastReading = 0;

  constructor() {
    const on = (id: string, act: () => void) => {
      byId(id, HTMLButtonElement).addEventListener('click', act);
    };
    byId('settings', HTMLFormElement).addEventListener('submit', (event) => {
      event.preventDefault();
      this.#attempt(() => this.#train());
    });
    on('pause', () =>
      this.#session.phase === 'paused' ? this.#session.resume() : this.#session.pause(),
    );
    on('stop', () => this.#attempt(() => this.#session.stop()));
    on('reset', () => this.#attempt(() => this.#session.reset()));
    on('clear', () => this.#pad.clear());
    on('sample', () => this.#sample());
    byId('backend', HTMLSelectElement).addEventListener('change', () => {
      this.#attempt(() => this.#open());
    });
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#pad.redraw());
    this.#view.busy();
  }

  /** Loads the digits, finds out what can be chosen, opens a device. */
  async start(): Promise<void> {
    try {
      const digits = fetchDigits(new URL('mnist.bin.gz', document.baseURI));
      // ops are tried out on a CPU: they are tiny there, and a GPU may still be asleep
      const cpu = await init({ backend: 'cpu' });
      const form = new SettingsForm(await findActivations(cpu), await findLosses(cpu));
      cpu.dispose();
      const faults = form.applyQuery(new URLSearchParams(location.search));
      if (faults.length > 0) this.#say('query', `The address: ${faults.join('; ')}.`, true);
      this.#loaded = { form, ...splitDigits(await digits) };
      await this.#open();
      byId('sample', HTMLButtonElement).disabled = false;
    } catch (error) {
      this.#say('error', `The page could not start: ${messageOf(error)}`, true);
      byId('device', HTMLElement).textContent = 'Not available';
    }
  }

  /** Shows an error and ends training because of it. */
  fail(error: unknown): void {
    void this.#session.fail(error);
  }

  /** Runs what may go wrong at once or later; either way it is shown. */
  #attempt(act: () => Promise<void>): void {
    act().catch((error: unknown) => this.fail(error));
  }

  #say(topic: string, words: string, fault: boolean): void {
    this.#alerts.show({ topic, words, fault });
  }

  /** Opens the chosen device in place of the one before. */
  async #open(): Promise<void> {
    if (!this.#loaded) return;
    await this.#session.reset();
    this.#view.busy();
    const before = this.#device;
    this.#device = undefined;
    before?.dispose();
    this.#alerts.remove('device');
    const { device, note, help } = await openDevice(this.#loaded.form.backend);
    this.#device = device;
    if (note !== undefined) {
      const more = { title: 'How to enable WebGPU', words: help };
      this.#alerts.show({ topic: 'device', words: note, more, fault: false });
    }
    const name = document.createElement('strong');
    name.textContent = describeDevice(device);
    byId('device', HTMLElement).replaceChildren('Runs on ', name);
    byId('app', HTMLElement).dataset.device = device.type;
    this.#watch(device);
    this.#view.phase('idle');
  }

  /** Says so when a device is lost that is still in use. */
  #watch(device: Device): void {
    void device.lost.then(({ reason, message }) => {
      if (this.#device !== device) return;
      this.#device = undefined;
      this.#attempt(async () => {
        await this.#session.abandon();
        // what failed for want of a device is no other error
        this.#alerts.remove('error');
      });
      const why = message === '' ? reason : `${reason}: ${message}`;
      this.#alerts.show({
        topic: 'device',
        words: `The GPU was lost (${why}), and the model with it.`,
        fault: true,
        action: { label: 'Start again', run: () => this.#attempt(() => this.#open()) },
      });
    });
  }

  async #train(): Promise<void> {
    if (!this.#loaded) return;
    if (!this.#device) await this.#open();
    if (!this.#device) return;
    const { form, training, heldOut } = this.#loaded;
    await this.#session.start({
      settings: form.settings,
      activation: form.activation,
      loss: form.loss,
      training,
      heldOut,
      device: this.#device,
      breathe,
    });
  }

  #phase(phase: Phase): void {
    const trainer = this.#session.trainer;
    if (phase === 'idle' || (phase === 'running' && trainer !== this.#shown)) {
      this.#shown = trainer;
      this.#view.begin(trainer);
      this.#charts.start(trainer?.steps ?? 0);
      this.#alerts.remove('error');
    }
    this.#view.phase(phase);
    const usable = phase === 'failed' ? undefined : trainer;
    this.#reader.use(usable && ((pixels) => usable.predict(pixels)));
  }

  #report(report: Report): void {
    this.#view.report(report);
    this.#charts.add(report);
    if (report.kind === 'epoch' || performance.now() - this.#lastReading > REREAD_MS) {
      this.#lastReading = performance.now();
      this.#reader.refresh();
    }
  }

  /** Puts a held-out digit on the pad. */
  #sample(): void {
    const heldOut = this.#loaded?.heldOut;
    if (!heldOut) return;
    const index = Math.floor(Math.random() * heldOut.count);
    const pixels = toFloats(heldOut.pixels.subarray(index * PIXELS, (index + 1) * PIXELS));
    this.#pad.show(pixels);
    this.#reader.read(pixels, heldOut.labels[index]);
  }
}
