// Takes work that may take a while, and gives its progress on the page once it does, with a way to cancel it.
import { html, nothing, render } from 'lit-html';
import type { Progress } from './going.ts';

const PATIENCE_MS = 400;

/** Runs `work`; `host` shows how far it is. Resolves to undefined where it was cancelled. */
export async function withProgress<T>(
  host: HTMLElement,
  title: string,
  work: (progress: Progress) => Promise<T>,
  outer?: AbortSignal,
): Promise<T | undefined> {
  const controller = new AbortController();
  outer?.addEventListener('abort', () => controller.abort());
  let [share, words, shown] = [0, '', false];
  const draw = () => {
    if (!shown) return;
    render(
      html`<div class="work" role="group" aria-label=${title}>
        <p>${title} <span class="work-words">${words}</span></p>
        <progress max="1" .value=${share} aria-label=${title}></progress>
        <button type="button" class="small" @click=${() => controller.abort()}>Cancel</button>
      </div>`,
      host,
    );
  };
  const timer = setTimeout(() => {
    shown = true;
    draw();
  }, PATIENCE_MS);
  try {
    return await work({
      signal: controller.signal,
      report: (value, now = words) => {
        [share, words] = [value, now];
        draw();
      },
    });
  } catch (error) {
    if (controller.signal.aborted) return undefined;
    throw error;
  } finally {
    clearTimeout(timer);
    shown = false;
    render(nothing, host);
  }
}
