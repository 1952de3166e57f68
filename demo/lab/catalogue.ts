// Takes ops with their pictures, and gives a view of them all: exhibits, comparison, search, filter, cards; the address
// holds its state.
import { html, render, type TemplateResult } from 'lit-html';
import type { Device } from 'nonlin';
import type { ViewName } from '../shell/address.ts';
import type { Lab, View } from '../shell/lab.ts';
import { Card, type CardOp } from './card.ts';
import { chosen } from './chosen.ts';
import { Comparison, MOST } from './comparison.ts';
import { matches } from './facts.ts';
import { formatValues, parseValues } from './options.ts';
import type { PlotOptions } from './plot.ts';
import { Visible } from './visible.ts';

/** Something to try out above the cards. */
export interface Exhibit {
  readonly element: HTMLElement;
  useDevice(device: Device | undefined): void;
  dispose(): void;
}

export interface CatalogueOptions {
  readonly view: ViewName;
  readonly intro: TemplateResult;
  /** What the ops are called together. */
  readonly noun: string;
  readonly placeholder: string;
  readonly groups: readonly string[];
  readonly ops: readonly CardOp[];
  readonly captions: readonly [string, string];
  readonly plot: PlotOptions;
  /** Names compared where the address says nothing. */
  readonly comparedAtFirst: readonly string[];
  readonly exhibits: readonly Exhibit[];
}

export class Catalogue implements View {
  readonly #host: HTMLElement;
  readonly #lab: Lab;
  readonly #options: CatalogueOptions;
  readonly #cards: readonly Card[];
  readonly #comparison: Comparison;
  readonly #compareHost = document.createElement('section');
  readonly #visible = new Visible((element) =>
    this.#cards.find((card) => card.element === element)?.draw(),
  );
  #compared: readonly string[] = [];
  #search = '';
  #group = '';
  #smooth = false;

  constructor(host: HTMLElement, lab: Lab, options: CatalogueOptions) {
    this.#host = host;
    this.#lab = lab;
    this.#options = options;
    this.#compareHost.className = 'comparison panel';
    this.#comparison = new Comparison(this.#compareHost, {
      title: 'Side by side',
      captions: options.captions,
      plot: options.plot,
      remove: (op) => this.#compare(op, false),
      failed: (error) => lab.report(error),
    });
    this.#cards = options.ops.map((op) => {
      const changed = () => {
        this.#write();
        if (this.#compared.includes(op.op)) this.#showCompared();
      };
      return new Card(op, { changed, compare: (wanted) => this.#compare(op.op, wanted) });
    });
    this.useAddress(lab.address.params);
    for (const card of this.#cards) this.#visible.watch(card.element);
  }

  useDevice(device: Device | undefined): void {
    this.#comparison.useDevice(device);
    for (const exhibit of this.#options.exhibits) exhibit.useDevice(device);
    for (const card of this.#cards) {
      card.useDevice(device);
      if (this.#visible.has(card.element)) card.draw();
    }
  }

  useAddress(params: URLSearchParams): void {
    const { groups, comparedAtFirst } = this.#options;
    this.#search = params.get('q') ?? '';
    this.#group = groups.find((name) => name === params.get('group')) ?? '';
    this.#smooth = params.has('smooth');
    const names = params.get('compare')?.split(',') ?? comparedAtFirst;
    this.#compared = names
      .filter((name) => this.#cards.some(({ op }) => op.op === name && op.compared))
      .slice(0, MOST);
    const options = params.get('options') ?? '';
    for (const card of this.#cards) {
      card.values = parseValues(card.op.op, card.op.options, options);
    }
    this.#showCompared();
    this.#render();
  }

  dispose(): void {
    this.#visible.dispose();
    this.#comparison.dispose();
    for (const exhibit of this.#options.exhibits) exhibit.dispose();
    for (const card of this.#cards) card.dispose();
  }

  /** Returns whether the op is compared now: there is room for a few only, over the same axis. */
  #compare(op: string, wanted: boolean): boolean {
    const others = this.#compared.filter((name) => name !== op);
    const refusal = wanted ? this.#refusal(op, others) : undefined;
    if (refusal !== undefined) {
      this.#lab.alerts.show({ topic: 'compare', words: refusal, fault: false });
      return false;
    }
    this.#lab.alerts.remove('compare');
    this.#compared = wanted ? [...others, op] : others;
    this.#showCompared();
    this.#write();
    return wanted;
  }

  #refusal(op: string, others: readonly string[]): string | undefined {
    if (others.length >= MOST) return `Up to ${MOST} can be compared. Remove one first.`;
    const [own, first] = [this.#axisOf(op), others[0] && this.#axisOf(others[0])];
    if (others.length === 0 || own === first) return undefined;
    return `${op} has another horizontal axis (${own ?? 'x'}) than ${others.join(', ')} (${first ?? 'x'}). Remove these first.`;
  }

  #axisOf(name: string): string | undefined {
    const card = this.#cards.find(({ op }) => op.op === name);
    return card?.op.compared?.(card.values).axis;
  }

  #showCompared(): void {
    for (const card of this.#cards) card.compared = this.#compared.includes(card.op.op);
    const compared = this.#compared.flatMap((name) => {
      const card = this.#cards.find(({ op }) => op.op === name);
      return card?.op.compared?.(card.values) ?? [];
    });
    this.#comparison.show(compared, compared[0]?.axis);
  }

  #write(): void {
    const options = this.#cards.flatMap(({ op, values }) =>
      formatValues(op.op, op.options, values),
    );
    const compare = this.#compared.join(',');
    this.#lab.write(this.#options.view, {
      compare: compare === this.#options.comparedAtFirst.join(',') ? undefined : compare,
      q: this.#search || undefined,
      group: this.#group || undefined,
      smooth: this.#smooth ? '1' : undefined,
      options: options.length > 0 ? options.join(',') : undefined,
    });
  }

  #filter(change: () => void): void {
    change();
    this.#write();
    this.#render();
  }

  #render(): void {
    const { intro, noun, exhibits } = this.#options;
    const shown = this.#cards.filter(
      ({ op }) =>
        matches(op, this.#search) &&
        (this.#group === '' || op.group === this.#group) &&
        !(this.#smooth && op.docs.kinks !== undefined),
    );
    for (const card of this.#cards) card.element.hidden = !shown.includes(card);
    render(
      html`<div class="intro">${intro}</div>
        ${exhibits.map(({ element }) => element)} ${this.#compareHost}
        <section aria-labelledby="all-title">
          <div class="section-head">
            <h2 id="all-title">All ${noun}</h2>
            ${this.#filters(shown.length)}
          </div>
          ${shown.length === 0 ? html`<p class="empty">Nothing matches. Try fewer words.</p>` : ''}
          <div class="cards">${this.#cards.map((card) => card.element)}</div>
        </section>`,
      this.#host,
    );
  }

  #filters(shown: number): TemplateResult {
    const { placeholder, groups } = this.#options;
    return html`<form
      class="filters"
      role="search"
      @submit=${(event: Event) => event.preventDefault()}
    >
      <input
        type="search"
        aria-label="Search"
        placeholder=${placeholder}
        .value=${this.#search}
        @input=${(event: Event) => {
          const { value } = event.currentTarget as HTMLInputElement;
          this.#filter(() => (this.#search = value.trim()));
        }}
      />
      <select
        aria-label="Kind"
        @change=${(event: Event) => {
          const { value } = event.currentTarget as HTMLSelectElement;
          this.#filter(() => (this.#group = value));
        }}
      >
        <option value="">All kinds</option>
        ${groups.map((name) => html`<option value=${name}>${name}</option>`)} ${chosen(this.#group)}
      </select>
      <label class="check">
        <input
          type="checkbox"
          .checked=${this.#smooth}
          @change=${(event: Event) => {
            const { checked } = event.currentTarget as HTMLInputElement;
            this.#filter(() => (this.#smooth = checked));
          }}
        />
        Without kinks
      </label>
      <p class="count" role="status">${shown} of ${this.#cards.length}</p>
    </form>`;
  }
}
