// Takes an op and its picture, and gives its card: formula, picture computed on the visitor's device, sliders, words, code.
import { html, nothing, render } from 'lit-html';
import type { Device } from 'nonlin';
import type { Compared } from './comparison.ts';
import { facts, glance, torchName, type Described } from './facts.ts';
import { formula } from './formula.ts';
import { optionControls } from './option-controls.ts';
import { Latest } from './latest.ts';
import { defaultsOf, type Option, type Value, type Values } from './options.ts';
import { messageOf } from '../training/format.ts';

/** What a card shows. */
export interface CardOp extends Described {
  /** One of the catalogue's groups. */
  readonly group: string;
  readonly options: readonly Option[];
  readonly code: (values: Values) => string;
  /** Builds its picture into an element; `set` changes one of the options. */
  readonly picture: (host: HTMLElement, set: (name: string, value: Value) => void) => Picture;
  /** For the comparison; left out where there is nothing to compare. */
  readonly compared?: (values: Values) => Compared & { readonly axis?: string };
}

export interface CardEvents {
  /** Option values were changed. */
  readonly changed: () => void;
  /** It is to be compared with others, or no longer; returns whether it is now. */
  readonly compare: (wanted: boolean) => boolean;
}

/** Draws a function with option values. */
export interface Picture {
  /** Called with every change, before it is drawn: for what is set in the picture itself. */
  take?(values: Values): void;
  draw(device: Device, values: Values): Promise<void>;
  dispose(): void;
}

export class Card {
  readonly element = document.createElement('article');
  readonly op: CardOp;
  readonly #events: CardEvents;
  readonly #picture: Picture;
  readonly #frame = document.createElement('div');
  readonly #drawing: Latest;
  #device: Device | undefined;
  #values: Values;
  #compared = false;
  #fault = '';
  #stale = true;

  constructor(op: CardOp, events: CardEvents) {
    this.op = op;
    this.#events = events;
    this.#values = defaultsOf(op.options);
    this.element.className = 'card';
    this.element.id = `op-${op.op}`;
    this.element.dataset.op = op.op;
    this.element.setAttribute('aria-labelledby', `name-${op.op}`);
    this.#picture = op.picture(this.#frame, (name, value) => this.#set(name, value));
    this.#drawing = new Latest(
      () => this.#draw(),
      (error) => {
        this.#fault = messageOf(error);
        this.#render();
      },
    );
    this.#render();
  }

  get values(): Values {
    return this.#values;
  }

  set values(values: Values) {
    this.#values = { ...defaultsOf(this.op.options), ...values };
    this.#render();
    this.draw(true);
  }

  set compared(compared: boolean) {
    this.#compared = compared;
    this.#render();
  }

  useDevice(device: Device | undefined): void {
    this.#device = device;
    this.#stale = true;
  }

  /** Draws where something changed; at once if `now`. */
  draw(now = false): void {
    if (now) this.#stale = true;
    if (this.#stale && this.#device) this.#drawing.ask();
  }

  dispose(): void {
    this.#picture.dispose();
  }

  async #draw(): Promise<void> {
    const device = this.#device;
    if (!device) return;
    this.#stale = false;
    try {
      await this.#picture.draw(device, this.#values);
    } catch (error) {
      // of a device that is gone: the next one draws
      if (device !== this.#device) return;
      throw error;
    }
    this.element.dataset.drawn = device.type;
    if (this.#fault !== '') {
      this.#fault = '';
      this.#render();
    }
  }

  #set(name: string, value: Value): void {
    this.#values = { ...this.#values, [name]: value };
    this.#render();
    this.draw(true);
    this.#events.changed();
  }

  #render(): void {
    const { op, docs, formulas, options, compared } = this.op;
    this.#picture.take?.(this.#values);
    render(
      html`<header>
          <h3 id="name-${op}">${breakable(op)}</h3>
          ${
            compared
              ? html`<label class="compare">
                  <input
                    type="checkbox"
                    .checked=${this.#compared}
                    @change=${(event: Event) => {
                      const box = event.currentTarget as HTMLInputElement;
                      box.checked = this.#events.compare(box.checked);
                    }}
                  />
                  <span>Compare<span class="visually-hidden"> ${op}</span></span>
                </label>`
              : nothing
          }
          ${torchName(this.op)}
        </header>
        ${formula(formulas, docs.tex)} ${this.#frame}
        <div class="settings">
          ${optionControls(op, options, this.#values, (name, value) => this.#set(name, value))}
          ${
            this.#fault === ''
              ? nothing
              : html`<p class="fault-line" role="alert">${this.#fault}</p>`
          }
        </div>
        <p class="use">${docs.use}</p>
        ${glance(this.op, () => this.op.code(this.#values))} ${facts(this.op)}`,
      this.element,
    );
  }
}

/** A name that breaks between its words, where it has to. */
const breakable = (name: string) =>
  name.split(/(?=[A-Z])/).map((word, i) => (i > 0 ? html`<wbr />${word}` : word));
