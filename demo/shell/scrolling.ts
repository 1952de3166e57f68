// Takes the window's scrolling and history, and gives back the place in the page where one was. Views are made after the
// browser has gone back, so that it cannot do that itself.

/** How long a view may take to become as long as it was. */
const PATIENCE_MS = 3000;
const SETTLED_MS = 120;

interface Place {
  readonly scroll: number;
}

const isPlace = (state: unknown): state is Place =>
  typeof state === 'object' && state !== null && 'scroll' in state;

export class Scrolling {
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Set while a view is made: the page is short then, and what it scrolls to is no wish. */
  #held = true;
  #turn = 0;

  start(): void {
    history.scrollRestoration = 'manual';
    addEventListener('scroll', () => {
      if (this.#held) return;
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#note(), SETTLED_MS);
    });
    // before a link is followed or the page is left
    for (const event of ['click', 'pagehide']) addEventListener(event, () => this.#note(), true);
    for (const event of ['wheel', 'touchstart', 'keydown', 'pointerdown']) {
      addEventListener(event, () => this.#turn++, { passive: true });
    }
  }

  /** What happens to the page's height is no scrolling, until `restore`. */
  hold(): void {
    this.#held = true;
    clearTimeout(this.#timer);
  }

  /** Scrolls to where the entry of the history was left, or to the top; as far as the page is that long yet. */
  restore(): void {
    const to = isPlace(history.state) ? history.state.scroll : 0;
    const turn = ++this.#turn;
    const until = performance.now() + PATIENCE_MS;
    const attempt = (): void => {
      if (turn !== this.#turn) {
        this.#held = false;
        return;
      }
      scrollTo({ top: to, behavior: 'instant' });
      if (Math.abs(scrollY - to) > 1 && performance.now() < until) requestAnimationFrame(attempt);
      else this.#held = false;
    };
    attempt();
  }

  #note(): void {
    if (this.#held) return;
    clearTimeout(this.#timer);
    const before = isPlace(history.state) ? history.state.scroll : 0;
    if (Math.abs(before - scrollY) < 1) return;
    history.replaceState({ ...(history.state as object | null), scroll: scrollY }, '');
  }
}
