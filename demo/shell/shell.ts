// Takes the page as loaded, and gives navigation, the device switch, the theme button, and the view that the address names.
import { messageOf } from '../training/format.ts';
import { formatAddress, parseAddress, VIEW_NAMES, type ViewName } from './address.ts';
import { Alerts } from './alerts.ts';
import { BACKENDS } from './devices.ts';
import { byId } from './dom.ts';
import { Lab, type Mount, type View } from './lab.ts';
import { Scrolling } from './scrolling.ts';
import { startTheme } from './theme.ts';

/** Each view is a chunk of its own, loaded when it is first asked for. */
const VIEWS: Readonly<Record<ViewName, () => Promise<{ mount: Mount }>>> = {
  home: () => import('../views/home/index.ts'),
  functions: () => import('../views/functions/index.ts'),
  losses: () => import('../views/losses/index.ts'),
  train: () => import('../views/train/index.ts'),
  write: () => import('../views/write/index.ts'),
  own: () => import('../views/own/index.ts'),
  accuracy: () => import('../views/accuracy/index.ts'),
  gpu: () => import('../views/gpu/index.ts'),
  benchmark: () => import('../views/benchmark/index.ts'),
};

const TITLES: Readonly<Record<ViewName, string>> = {
  home: 'Activations and losses on your GPU',
  functions: 'Activation functions',
  losses: 'Losses',
  train: 'Train',
  write: 'A transformer that learns to write',
  own: 'Write your own activation or loss',
  accuracy: 'Accuracy',
  gpu: 'How wrong is your GPU?',
  benchmark: 'Benchmark',
};

/** Loading that takes longer says so. */
const PATIENCE_MS = 400;

export class Shell {
  readonly #main = byId('view', HTMLElement);
  readonly #backend = byId('backend', HTMLSelectElement);
  readonly #lab = new Lab(new Alerts(byId('alerts', HTMLElement)), {
    device: (device, words) => {
      byId('device', HTMLElement).textContent = words;
      this.#main.dataset.device = device?.type ?? 'none';
    },
    wrote: () => this.#link(),
  });
  readonly #scrolling = new Scrolling();
  /** What each view's address held when it was last seen: going back to it by the navigation loses nothing. */
  readonly #seen = new Map<ViewName, URLSearchParams>();
  #shown: ViewName | undefined;
  #view: View | undefined;
  #turn = 0;
  /** The hash that is shown, to tell our own changes of it from others. */
  #openedBackend = '';

  start(): void {
    startTheme(byId('theme', HTMLButtonElement));
    this.#scrolling.start();
    byId('skip', HTMLAnchorElement).addEventListener('click', (event) => {
      event.preventDefault();
      this.#main.focus();
    });
    this.#backend.addEventListener('change', () => {
      const now = this.#lab.address;
      if (this.#backend.value === 'auto') now.params.delete('backend');
      else now.params.set('backend', this.#backend.value);
      location.hash = formatAddress(now);
    });
    addEventListener('hashchange', () => this.#follow());
    addEventListener('error', (event) => this.#lab.fail(event.error ?? event.message));
    addEventListener('unhandledrejection', (event) => this.#lab.fail(event.reason));
    this.#follow();
  }

  /** Shows what the address says. */
  #follow(): void {
    const { view, params } = parseAddress(location.hash, location.search);
    const backend = this.#lab.backend;
    const wanted = params.get('backend');
    if (wanted !== null && !BACKENDS.some((name) => name === wanted)) {
      const words = `The address: backend: expected one of ${BACKENDS.join(', ')}, got "${wanted}".`;
      this.#lab.alerts.show({ topic: 'backend', words, fault: true });
    }
    this.#backend.value = backend;
    this.#link();
    if (view !== this.#shown) this.#show(view).catch((error: unknown) => this.#broken(error));
    else {
      this.#view?.useAddress?.(params);
      this.#scrolling.restore();
    }
    if (backend !== this.#openedBackend) {
      this.#openedBackend = backend;
      this.#lab.open().catch((error: unknown) => this.#lab.report(error));
    }
  }

  /** Links keep the chosen device, and what was set in each view. */
  #link(): void {
    const { backend, address } = this.#lab;
    this.#seen.set(address.view, address.params);
    for (const name of VIEW_NAMES) {
      const params = new URLSearchParams(this.#seen.get(name));
      if (backend === 'auto') params.delete('backend');
      else params.set('backend', backend);
      byId(`to-${name}`, HTMLAnchorElement).href = formatAddress({ view: name, params });
    }
  }

  async #show(name: ViewName): Promise<void> {
    const first = this.#shown === undefined;
    const turn = ++this.#turn;
    this.#shown = name;
    this.#scrolling.hold();
    for (const other of VIEW_NAMES) {
      const link = byId(`to-${other}`, HTMLAnchorElement);
      if (other === name) {
        link.setAttribute('aria-current', 'page');
        showWithin(link);
      } else link.removeAttribute('aria-current');
    }
    document.title = `${TITLES[name]} · nonlin`;
    this.#lab.use(undefined);
    this.#view?.dispose();
    this.#view = undefined;
    this.#lab.alerts.remove('error');
    this.#lab.alerts.remove('query');
    const host = document.createElement('div');
    host.className = `view view-${name}`;
    this.#main.dataset.view = name;
    this.#main.replaceChildren(host);
    const waiting = setTimeout(() => (host.textContent = 'Loading…'), PATIENCE_MS);
    const { mount } = await VIEWS[name]();
    clearTimeout(waiting);
    if (turn !== this.#turn) return;
    host.replaceChildren();
    const view = await mount(host, this.#lab);
    if (turn !== this.#turn) {
      view.dispose();
      return;
    }
    this.#view = view;
    this.#lab.use(view);
    if (!first) this.#main.focus({ preventScroll: true });
    this.#scrolling.restore();
  }

  #broken(error: unknown): void {
    const words = `This view could not be loaded: ${messageOf(error)}`;
    const action = { label: 'Reload', run: () => location.reload() };
    this.#lab.alerts.show({ topic: 'error', words, fault: true, action });
  }
}

/** Scrolls the navigation, which is wider than a phone, to one of its links; the page itself stays where it is. */
function showWithin(link: HTMLElement): void {
  const frame = link.closest('nav');
  if (!frame) return;
  const [inner, outer] = [link.getBoundingClientRect(), frame.getBoundingClientRect()];
  frame.scrollLeft += inner.left + inner.width / 2 - outer.left - outer.width / 2;
}
