// Takes what is being written, and gives it as text in which every character can be looked at: how sure the model was of it,
// and what it looked back at.
import { html, nothing, render, type TemplateResult } from 'lit-html';
import { gazeOf, mostSeen, nameOf, type Gaze, type Head } from './attention.ts';
import { charactersOf, type Sample } from './run.ts';

export interface TextEvents {
  /** A character is looked at: its place, or the newest. */
  readonly point: (at: number | undefined) => void;
}

export class TextPanel {
  readonly element = document.createElement('section');
  readonly #events: TextEvents;
  #sample: Sample | undefined;
  #head: Head;
  /** By the pointer, and by keys or a tap. */
  #pointed: number | undefined;
  #pinned: number | undefined;
  #title = '';
  #lines = false;

  constructor(events: TextEvents) {
    this.#events = events;
    this.element.className = 'paper';
    this.element.setAttribute('aria-labelledby', 'paper-title');
  }

  /** The character that is looked at. */
  get at(): number | undefined {
    const sample = this.#sample;
    if (!sample) return undefined;
    const last = charactersOf(sample).length - 1;
    const at = this.#pointed ?? this.#pinned ?? last;
    return at <= last ? at : last;
  }

  /** `lines`: the text is of short lines, which stand in columns. */
  show(sample: Sample | undefined, head: Head, title: string, lines: boolean): void {
    // another text: a place in the one before says nothing
    if (sample?.step !== this.#sample?.step) this.#pinned = this.#pointed = undefined;
    this.#sample = sample;
    this.#head = head;
    this.#title = title;
    this.#lines = lines;
    this.#render();
  }

  /** Looks at a place from outside. */
  point(at: number | undefined): void {
    this.#pointed = at;
    this.#render();
  }

  #change(act: () => void): void {
    act();
    this.#render();
    this.#events.point(this.#pointed ?? this.#pinned);
  }

  #key(event: KeyboardEvent): void {
    const at = this.at ?? 0;
    const last = this.#sample ? charactersOf(this.#sample).length - 1 : 0;
    const to: Readonly<Record<string, number | undefined>> = {
      ArrowLeft: at - 1,
      ArrowRight: at + 1,
      Home: 0,
      End: last,
    };
    if (event.key === 'Escape') this.#change(() => (this.#pinned = undefined));
    else if (event.key in to) {
      event.preventDefault();
      const place = Math.min(Math.max(to[event.key] ?? 0, 0), last);
      this.#change(() => (this.#pinned = place));
    }
  }

  #render(): void {
    const sample = this.#sample;
    const { at } = this;
    const gaze = sample && at !== undefined ? gazeOf(sample, at, this.#head) : undefined;
    render(
      html`<div class="paper-head">
          <h2 id="paper-title">What it writes</h2>
          <span class="help" id="sample-step">${this.#title}</span>
        </div>
        <div
          id="text"
          class=${this.#lines ? 'text lines' : 'text'}
          tabindex="0"
          role="group"
          aria-label="The text that is written. Arrow keys go from character to character."
          aria-describedby="glance"
          @keydown=${(event: KeyboardEvent) => this.#key(event)}
          @pointerover=${(event: PointerEvent) => {
            if (event.pointerType !== 'mouse') return;
            const place = placeOf(event);
            if (place !== undefined) this.#change(() => (this.#pointed = place));
          }}
          @pointerleave=${() => this.#change(() => (this.#pointed = undefined))}
          @click=${(event: Event) => {
            const place = placeOf(event);
            if (place !== undefined) this.#change(() => (this.#pinned = place));
          }}
        >
          ${
            sample
              ? characters(sample, at, gaze)
              : html`<span class="nothing"
                  >It begins with noise. After some hundred steps there are words, and after some
                  thousand nearly sentences.</span
                >`
          }${sample && !sample.whole ? html`<span class="caret"></span>` : nothing}
        </div>
        <p id="glance" class="help glance-line">
          ${sample && at !== undefined ? wordsOf(sample, at, gaze) : ''}
        </p>`,
      this.element,
    );
  }
}

function placeOf(event: Event): number | undefined {
  const { target } = event;
  const text = target instanceof HTMLElement ? target.dataset.at : undefined;
  return text === undefined ? undefined : Number(text);
}

function characters(sample: Sample, at: number | undefined, gaze: Gaze | undefined): unknown[] {
  const given = sample.prompt.length;
  return charactersOf(sample).map((character, i): TemplateResult => {
    const weight = gaze?.weights[i - gaze.from] ?? 0;
    const name = [i < given ? 'given' : '', i === at ? 'looked' : ''].filter(Boolean).join(' ');
    return html`<span
      data-at=${i}
      class=${name || nothing}
      style=${weight > 0.004 ? `--weight: ${Math.round(100 * Math.sqrt(weight))}` : nothing}
      >${character}</span
    >`;
  });
}

function wordsOf(sample: Sample, at: number, gaze: Gaze | undefined): string {
  const text = charactersOf(sample);
  const drawn = sample.characters[at - sample.prompt.length];
  if (!drawn || !gaze) return `${nameOf(text[at] ?? '')} was given.`;
  const percent = (share: number) => `${Math.round(100 * share)} %`;
  const seen = mostSeen(gaze, 3).map(
    ({ at: place, weight }) => `${nameOf(text[place] ?? '')} ${percent(weight)}`,
  );
  return `${nameOf(drawn.character)}: the model gave it ${percent(drawn.probability)}, and looked mostly at ${seen.join(', ')}.`;
}
