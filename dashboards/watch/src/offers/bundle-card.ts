/** A bundle: what is in it, what it costs, and one button for all of it. */

import { closedWords, formatMoney, type OfferItem, standing, timeLeft, type ViewerOffer } from "@simulcast/api";
import { css, html, LitElement, nothing } from "lit";
import { theme } from "../theme";
import { offerStyles } from "./offer-styles";
import { Ticker } from "./ticker";

/** What `buy-offer` brings: the hold is asked for with this offer and this variant. */
export interface OfferChosen {
  offerId: string;
  variantId: string;
  title: string;
  unitMinor: number;
  currency: string;
}

/** Fires `buy-offer {OfferChosen}`. All of it is reserved, or nothing. */
export class BundleCard extends LitElement {
  static override styles = [
    theme,
    offerStyles,
    css`
      .parts {
        margin: 0.25rem 0;
        color: var(--text);
      }
      .primary {
        min-height: 3rem;
      }
    `,
  ];
  static override properties = {
    offer: { attribute: false },
    now: { attribute: false },
    member: { type: Boolean },
    closed: { type: Boolean },
  };

  declare offer: ViewerOffer;
  declare now: () => number;
  declare member: boolean;
  /** Nothing can be bought here: the page says why. */
  declare closed: boolean;

  constructor() {
    super();
    this.now = Date.now;
    this.member = false;
    this.closed = false;
    new Ticker(this, () => this.now());
  }

  protected override render() {
    const { offer } = this;
    const at = this.now();
    const why = closedWords(offer, at, this.member);
    const clock = timeLeft(offer, at);
    const { bundle } = offer;
    if (!bundle) return nothing;
    return html`
      <article class="offer ${why ? "over" : ""}" aria-label=${offer.title}>
        <p class="line">
          <span class="title">${offer.title}</span>
          ${clock
            ? html`<span class="clock number" role="timer">
                ${standing(offer, at) === "soon" ? "Begins in" : "Ends in"} ${clock}
              </span>`
            : nothing}
        </p>
        <ul class="parts small" role="list">
          ${contents(offer.items).map((text) => html`<li>${text}</li>`)}
        </ul>
        <p class="line number">
          <span class="price">${formatMoney(bundle.unit_minor, bundle.currency)}</span>
          ${bundle.was_minor !== null && bundle.percent !== null
            ? html`<span><span class="visually-hidden">One by one: </span><s>${formatMoney(bundle.was_minor, bundle.currency)}</s></span>
                <span>−${bundle.percent} %</span>`
            : nothing}
          ${offer.left !== null && !why ? html`<span>${offer.left} left</span>` : nothing}
        </p>
        ${why ? html`<p class="small" role="status">${why}</p>` : nothing}
        ${this.closed
          ? nothing
          : html`<button class="primary" aria-disabled=${Boolean(why)} @click=${() => why || this.buy()}>
              Buy all ${count(offer.items)}
            </button>`}
      </article>
    `;
  }

  private buy(): void {
    const { offer } = this;
    const [first] = offer.items;
    if (!first || !offer.bundle) return;
    const detail: OfferChosen = {
      offerId: offer.id,
      variantId: first.variant_id,
      title: offer.title,
      unitMinor: offer.bundle.unit_minor,
      currency: offer.bundle.currency,
    };
    this.dispatchEvent(new CustomEvent("buy-offer", { detail, bubbles: true, composed: true }));
  }
}

/** "2 × Socks"; a product that is a bundle itself is named by what is in it. */
export function contents(items: OfferItem[]): string[] {
  return items.flatMap((item) => {
    const parts = item.parts.length ? item.parts : [{ title: item.title, quantity: 1 }];
    return parts.map((part) => times(part.quantity * item.quantity, part.title));
  });
}

function count(items: OfferItem[]): number {
  return items.reduce((sum, item) => {
    const inside = item.parts.reduce((parts, part) => parts + part.quantity, 0) || 1;
    return sum + item.quantity * inside;
  }, 0);
}

function times(quantity: number, title: string): string {
  return quantity > 1 ? `${quantity} × ${title}` : title;
}
