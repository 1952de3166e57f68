// Takes the page's address and the person's choice of a device, and gives what every view works with: device, address,
// messages.
import { DeviceLostError, OutOfMemoryError, type Device } from 'nonlin';
import { messageOf } from '../training/format.ts';
import { formatAddress, parseAddress, type Address, type ViewName } from './address.ts';
import type { Alerts } from './alerts.ts';
import { BACKENDS, describeDevice, openDevice, type Backend } from './devices.ts';

/** What a view gives the shell. */
export interface View {
  /** A device to work on, or none: it was lost, or another is being opened. */
  useDevice(device: Device | undefined): void;
  /** The address was changed from outside: by a link, the history, or by hand. */
  useAddress?(params: URLSearchParams): void;
  /** An error that nobody caught. */
  fail?(error: unknown): void;
  /** How to go on after a device was lost, where there is more to it than opening another. */
  recovery?(): Recovery | undefined;
  dispose(): void;
}

export interface Recovery {
  readonly words: string;
  readonly label: string;
  /** Called once another device is open and `useDevice` has been called with it. */
  readonly run: () => void;
}

/** Puts a view into an empty element. */
export type Mount = (host: HTMLElement, lab: Lab) => View | Promise<View>;

export interface LabEvents {
  readonly device: (device: Device | undefined, words: string) => void;
  /** The address holds something else of the view. */
  readonly wrote: () => void;
}

export class Lab {
  readonly alerts: Alerts;
  readonly #events: LabEvents;
  #device: Device | undefined;
  #view: View | undefined;
  #opening = 0;

  constructor(alerts: Alerts, events: LabEvents) {
    this.alerts = alerts;
    this.#events = events;
  }

  get address(): Address {
    return parseAddress(location.hash, location.search);
  }

  get backend(): Backend {
    const text = this.address.params.get('backend');
    return BACKENDS.find((name) => name === text) ?? 'auto';
  }

  get device(): Device | undefined {
    return this.#device;
  }

  /** The view that is told of devices from now on. */
  use(view: View | undefined): void {
    this.#view = view;
    view?.useDevice(this.#device);
  }

  get view(): View | undefined {
    return this.#view;
  }

  /** Writes a view's parameters into the address; undefined removes one. The history gets no entry. */
  write(view: ViewName, entries: Readonly<Record<string, string | undefined>>): void {
    const now = this.address;
    if (now.view !== view) return;
    for (const [name, value] of Object.entries(entries)) {
      if (value === undefined) now.params.delete(name);
      else now.params.set(name, value);
    }
    // the query before the hash has been taken over
    const url = `${location.pathname}${formatAddress(now)}`;
    if (url !== `${location.pathname}${location.search}${location.hash}`) {
      history.replaceState(history.state, '', url);
      this.#events.wrote();
    }
  }

  /** Opens the device that the address asks for, in place of the one before. */
  async open(): Promise<void> {
    const turn = ++this.#opening;
    this.#take(undefined, 'Opening…');
    this.alerts.remove('device');
    const { device, note, help } = await openDevice(this.backend);
    if (turn !== this.#opening) {
      device.dispose();
      return;
    }
    if (note !== undefined) {
      const more = { title: 'How to enable WebGPU', words: help };
      this.alerts.show({ topic: 'device', words: note, more, fault: false, lasting: true });
    }
    this.#watch(device);
    this.#take(device, describeDevice(device));
  }

  /** Says what went wrong; a lost device was said already. */
  report(error: unknown): void {
    if (error instanceof DeviceLostError) return;
    const words =
      error instanceof OutOfMemoryError
        ? `Out of memory: ${error.message}. Choose smaller sizes, or close other tabs.`
        : messageOf(error);
    this.alerts.show({ topic: 'error', words, fault: true });
  }

  /** An error that nobody caught. */
  fail(error: unknown): void {
    if (this.#view?.fail) this.#view.fail(error);
    else this.report(error);
  }

  #take(device: Device | undefined, words: string): void {
    const before = this.#device;
    this.#device = device;
    this.#events.device(device, words);
    this.#view?.useDevice(device);
    // views have let go of it by now
    before?.dispose();
  }

  /** Says so when a device is lost that is still in use. */
  #watch(device: Device): void {
    void device.lost.then(({ reason, message }) => {
      if (this.#device !== device) return;
      const recovery = this.#view?.recovery?.();
      this.#take(undefined, 'Lost');
      // what failed for want of a device is no other error
      this.alerts.remove('error');
      const why = message === '' ? reason : `${reason}: ${message.replace(/\.$/, '')}`;
      this.alerts.show({
        topic: 'device',
        words: `The GPU was lost (${why}). ${recovery?.words ?? ''}`,
        fault: true,
        action: {
          label: recovery?.label ?? 'Open it again',
          run: () => {
            this.open()
              .then(() => recovery?.run())
              .catch((error: unknown) => this.report(error));
          },
        },
      });
    });
  }
}
