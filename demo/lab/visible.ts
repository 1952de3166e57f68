// Takes elements, and gives a call when each first comes near the window, and whether it is near now.

/** Work for what is seen only: forty plots at once would keep a slow device busy for seconds. */
export class Visible {
  readonly #near = new Set<Element>();
  readonly #observer: IntersectionObserver;

  constructor(appeared: (element: Element) => void) {
    this.#observer = new IntersectionObserver(
      (entries) => {
        for (const { target, isIntersecting } of entries) {
          if (!isIntersecting) this.#near.delete(target);
          else if (!this.#near.has(target)) {
            this.#near.add(target);
            appeared(target);
          }
        }
      },
      { rootMargin: '200px' },
    );
  }

  watch(element: Element): void {
    this.#observer.observe(element);
  }

  has(element: Element): boolean {
    return this.#near.has(element);
  }

  dispose(): void {
    this.#observer.disconnect();
  }
}
