// Takes what the person must know, and gives a message on the page, read aloud, to be dismissed or acted on.

export interface Action {
  readonly label: string;
  readonly run: () => void;
}

export interface Alert {
  /** A message replaces the one before of the same topic. */
  readonly topic: string;
  readonly words: string;
  /** More to read for who wants it, under a heading of its own. */
  readonly more?: { readonly title: string; readonly words: string };
  /** Something went wrong, as opposed to being merely worth knowing. */
  readonly fault: boolean;
  /** Holds for the whole visit: it stands at the top of the page, and does not follow the eye. */
  readonly lasting?: boolean;
  readonly action?: Action;
  /** Another thing that can be done about it. */
  readonly other?: Action;
}

/** The page's messages. */
export class Alerts {
  readonly #notes = document.createElement('div');
  /** At the edge of the window: what was done may be thousands of pixels below the top of the page. */
  readonly #toasts = document.createElement('div');

  constructor(parent: HTMLElement) {
    this.#notes.className = 'notes';
    this.#toasts.className = 'toasts';
    parent.append(this.#notes, this.#toasts);
  }

  show({ topic, words, more, fault, lasting = false, action, other }: Alert): void {
    this.remove(topic);
    const notice = document.createElement('div');
    notice.className = fault ? 'notice fault' : 'notice';
    notice.dataset.topic = topic;
    notice.setAttribute('role', fault ? 'alert' : 'status');
    const text = document.createElement('div');
    text.append(paragraph(words));
    if (more) {
      const details = document.createElement('details');
      const summary = document.createElement('summary');
      summary.textContent = more.title;
      details.append(summary, paragraph(more.words));
      text.append(details);
    }
    const button = (label: string, run: () => void) => {
      const element = document.createElement('button');
      element.type = 'button';
      element.textContent = label;
      element.addEventListener('click', () => {
        this.remove(topic);
        run();
      });
      return element;
    };
    const dismiss = button('×', () => undefined);
    dismiss.className = 'dismiss';
    dismiss.setAttribute('aria-label', 'Dismiss');
    const actions = [action, other].filter((one) => one !== undefined);
    notice.append(text, ...actions.map(({ label, run }) => button(label, run)), dismiss);
    (lasting ? this.#notes : this.#toasts).append(notice);
  }

  remove(topic: string): void {
    for (const notice of [...this.#notes.children, ...this.#toasts.children]) {
      if (notice instanceof HTMLElement && notice.dataset.topic === topic) notice.remove();
    }
  }
}

function paragraph(words: string): HTMLElement {
  const element = document.createElement('p');
  element.textContent = words;
  return element;
}
