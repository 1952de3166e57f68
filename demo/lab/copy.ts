// Takes text, and gives a button that copies it and says so.
import { html, type TemplateResult } from 'lit-html';

const SAID_MS = 1500;

export function copyButton(text: () => string, label = 'Copy'): TemplateResult {
  return html`<button
    type="button"
    class="small"
    @click=${(event: Event) => {
      const button = event.currentTarget as HTMLButtonElement;
      const say = (words: string) => {
        button.textContent = words;
        setTimeout(() => (button.textContent = label), SAID_MS);
      };
      navigator.clipboard.writeText(text()).then(
        () => say('Copied'),
        () => say('Not allowed'),
      );
    }}
  >
    ${label}
  </button>`;
}
