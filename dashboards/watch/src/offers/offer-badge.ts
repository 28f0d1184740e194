/** What runs for a product: its price, the true time left, and how many the ledger has at it. */

import { closedWords, formatMoney, leftWords, membersFirst, standing, tierWords, timeLeft, type ViewerOffer } from "@simulcast/api";
import { html, LitElement, nothing } from "lit";
import { theme } from "../theme";
import { offerStyles } from "./offer-styles";
import { Ticker } from "./ticker";

const HINT = "What was promised, signed so that anybody can check it";

/** One offer for one variant. `now` is the server's clock; the badge closes itself when the time is up. */
export class OfferBadge extends LitElement {
  static override styles = [theme, offerStyles];
  static override properties = {
    offer: { attribute: false },
    variantId: { attribute: false },
    now: { attribute: false },
    member: { type: Boolean },
  };

  declare offer: ViewerOffer;
  declare variantId: string;
  declare now: () => number;
  declare member: boolean;

  constructor() {
    super();
    this.variantId = "";
    this.now = Date.now;
    this.member = false;
    new Ticker(this, () => this.now());
  }

  protected override render() {
    const { offer } = this;
    const at = this.now();
    const stands = standing(offer, at);
    const clock = timeLeft(offer, at);
    const why = closedWords(offer, at, this.member);
    const over = stands === "ended" || stands === "gone";
    return html`
      <div class="offer ${over ? "over" : ""}">
        <p class="line">
          <span class="title">${offer.title}</span>
          ${clock ? this.clock(stands === "soon" ? "Begins in" : "Ends in", clock) : nothing}
        </p>
        ${stands === "ended" ? nothing : this.price()}
        ${offer.kind === "tiers" && !over ? this.tiers() : nothing} ${this.facts(why, at)}
        <p class="visually-hidden" role="status">${over ? why : ""}</p>
      </div>
    `;
  }

  /** A timer is not read out every second; that it is over is said once, below. */
  private clock(word: string, clock: string) {
    return html`<span class="clock number" role="timer" aria-label=${`${word} ${clock}`}>${word} ${clock}</span>`;
  }

  private price() {
    const item = this.offer.items.find((one) => one.variant_id === this.variantId) ?? this.offer.items[0];
    if (!item || this.offer.kind === "bundle") return nothing;
    const { was_minor: was, percent, unit_minor: unit, currency } = item;
    return html`<p class="line number">
      <span class="price">${formatMoney(unit, currency)}</span>
      ${was !== null && percent !== null
        ? html`<span><span class="visually-hidden">Lowest price of the last 30 days: </span><s>${formatMoney(was, currency)}</s></span>
            <span>−${percent} %</span>`
        : nothing}
    </p>`;
  }

  private tiers() {
    return html`<ul class="tiers small number" role="list">
      ${tierWords(this.offer, this.variantId).map(
        (tier) => html`<li class=${tier.now ? "now" : tier.gone ? "gone" : ""}>${tier.text}</li>`,
      )}
    </ul>`;
  }

  private facts(why: string | null, at: number) {
    const { offer } = this;
    const left = standing(offer, at) === "open" && offer.kind !== "tiers" ? leftWords(offer) : null;
    const facts = [
      left,
      membersFirst(offer, at) && this.member ? "Yours first, as a member" : null,
      offer.kind === "live_exclusive" && !why ? "Only during this show" : null,
      offer.per_buyer && !why ? `At most ${offer.per_buyer} each` : null,
    ].filter(Boolean);
    return html`
      ${facts.length ? html`<p class="small number">${facts.join(" · ")}</p>` : nothing}
      ${why ? html`<p class="small">${why}</p>` : nothing}
      <p class="small"><a href=${offer.record_url} target="_blank" rel="noopener" title=${HINT}>Check this offer</a></p>
    `;
  }
}
