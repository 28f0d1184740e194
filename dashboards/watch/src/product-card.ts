/** The featured product with its Buy button, and the list of the others. */

import { formatMoney, offerFor, type PublicProduct, type PublicVariant, type ViewerOffer, type WaitPlace } from "@simulcast/api";
import { css, html, LitElement, nothing, type PropertyValues } from "lit";
import type { Item } from "./purchase-types";
import { stockLabel } from "./reduce";
import { theme } from "./theme";
import { placeWords } from "./waiting";

type Wish = "buy" | "add" | "cart" | "wait" | "stop-waiting";

/** Sold out: what comes back is offered in the order of the line. */
const LINE: Record<"none" | "waiting" | "offered", readonly [Wish, string]> = {
  none: ["wait", "Wait for one"],
  waiting: ["stop-waiting", "Stop waiting"],
  offered: ["cart", "Check out"],
};

/** One product. Fires `buy`, `add`, `cart`, `wait` and `stop-waiting` with its Item. With `compact` it is a row of a list. */
export class ProductCard extends LitElement {
  static override styles = [
    theme,
    css`
      :host {
        display: block;
      }
      article {
        display: grid;
        grid-template-columns: auto minmax(0, 1fr) auto;
        gap: 0 0.75rem;
        align-items: center;
      }
      img,
      .blank {
        width: 4rem;
        height: 4rem;
        border-radius: 0.75rem;
        object-fit: cover;
        background: var(--sunk);
      }
      :host([compact]) img,
      :host([compact]) .blank {
        width: 3.25rem;
        height: 3.25rem;
      }
      h2 {
        font-size: 1rem;
        font-weight: 600;
        line-height: 1.25;
        display: -webkit-box;
        -webkit-line-clamp: 2;
        -webkit-box-orient: vertical;
        overflow: hidden;
      }
      .now {
        color: var(--accent-text);
        font-size: 0.75rem;
        font-weight: 700;
        letter-spacing: 0.04em;
        text-transform: uppercase;
      }
      .about {
        color: var(--quiet);
        font-size: 0.875rem;
        line-height: 1.3;
        display: -webkit-box;
        -webkit-line-clamp: 2;
        -webkit-box-orient: vertical;
        overflow: hidden;
      }
      .facts {
        display: flex;
        flex-wrap: wrap;
        gap: 0 0.5rem;
        margin-top: 0.125rem;
      }
      .price {
        font-weight: 650;
      }
      .stock {
        color: var(--quiet);
      }
      .stock.few {
        color: var(--warn-text);
        font-weight: 600;
      }
      .buttons {
        display: flex;
        gap: 0.375rem;
        align-items: center;
      }
      .add {
        min-width: 2.75rem;
        padding: 0;
        border-radius: 999px;
        background: var(--sunk);
        display: grid;
        place-items: center;
      }
      .wait {
        min-height: 3rem;
        padding: 0 0.875rem;
        border: 1px solid var(--line);
        border-radius: 999px;
      }
      :host([compact]) .wait {
        min-height: 2.75rem;
      }
      .add svg {
        width: 1.375rem;
        fill: none;
        stroke: currentcolor;
        stroke-width: 1.8;
        stroke-linecap: round;
        stroke-linejoin: round;
      }
      offer-badge {
        grid-column: 1 / -1;
        margin-top: 0.375rem;
      }
      .primary {
        min-width: 5.25rem;
        min-height: 3rem;
      }
      :host([compact]) .primary {
        min-height: 2.75rem;
      }
      fieldset {
        grid-column: 1 / -1;
        border: 0;
        margin: 0.5rem 0 0;
        padding: 0.1875rem;
        display: flex;
        gap: 0.5rem;
        overflow-x: auto;
      }
      label {
        flex: none;
        display: inline-flex;
        align-items: center;
        min-height: 2.25rem;
        padding: 0 0.875rem;
        border: 1px solid var(--line);
        border-radius: 999px;
        font-size: 0.9375rem;
        cursor: pointer;
      }
      label:has(:checked) {
        background: var(--text);
        border-color: var(--text);
        color: var(--surface);
      }
      label:has(:focus-visible) {
        outline: 3px solid var(--focus);
        outline-offset: 1px;
      }
      label.gone {
        text-decoration: line-through;
        color: var(--quiet);
      }
      label.gone:has(:checked) {
        color: var(--surface);
      }
      /* A phone on its side: the chat needs what little height there is. */
      @media (orientation: landscape) and (max-height: 32rem) {
        .about {
          display: none;
        }
        img,
        .blank {
          width: 3rem;
          height: 3rem;
        }
        fieldset {
          margin-top: 0.25rem;
        }
      }
    `,
  ];
  static override properties = {
    product: { attribute: false },
    offers: { attribute: false },
    now: { attribute: false },
    member: { type: Boolean },
    compact: { type: Boolean, reflect: true },
    closed: { type: Boolean },
    placeOf: { attribute: false },
    version: { attribute: false },
    chosen: { state: true },
  };

  declare product: PublicProduct;
  /** What runs in the show; the one that is this variant's now is shown. */
  declare offers: ViewerOffer[];
  /** Server time in ms. */
  declare now: () => number;
  declare member: boolean;
  declare compact: boolean;
  /** Nothing can be bought here: the page says why. */
  declare closed: boolean;
  /** Where the viewer stands in the line for what is sold out. */
  declare placeOf: (variantId: string) => WaitPlace | null;
  /** Goes up whenever that may have changed. */
  declare version: number;
  private declare chosen: string;

  constructor() {
    super();
    this.offers = [];
    this.now = Date.now;
    this.member = false;
    this.compact = false;
    this.closed = false;
    this.placeOf = () => null;
    this.version = 0;
    this.chosen = "";
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (!changed.has("product")) return;
    const { variants } = this.product;
    if (variants.some((variant) => variant.id === this.chosen)) return;
    this.chosen = (variants.find((variant) => variant.available > 0) ?? variants[0])?.id ?? "";
  }

  private tell(kind: Wish, variant: PublicVariant): void {
    const { product } = this;
    const name = product.variants.length > 1 ? `${product.title}, ${variant.title}` : product.title;
    const detail: Item = {
      variantId: variant.id,
      title: name,
      imageUrl: product.image_url,
      priceMinor: this.priceOf(variant),
      currency: variant.currency,
    };
    this.dispatchEvent(new CustomEvent(kind, { detail, bubbles: true, composed: true }));
  }

  private offerOf(variant: PublicVariant): ViewerOffer | null {
    return offerFor(this.offers, variant.id, this.now(), this.member);
  }

  private priceOf(variant: PublicVariant): number {
    const item = this.offerOf(variant)?.items.find((one) => one.variant_id === variant.id);
    return item?.unit_minor ?? variant.price_minor;
  }

  protected override render() {
    const { product } = this;
    const variant = product.variants.find((one) => one.id === this.chosen);
    const left = variant?.available ?? 0;
    const offer = variant ? this.offerOf(variant) : null;
    const place = variant && left <= 0 ? this.placeOf(variant.id) : null;
    return html`
      <article aria-label=${product.title}>
        ${product.image_url
          ? html`<img src=${product.image_url} alt="" width="64" height="64" loading="lazy" />`
          : html`<div class="blank"></div>`}
        <div>
          ${product.highlighted && !this.closed ? html`<p class="now">Showing now</p>` : nothing}
          <h2>${product.title}</h2>
          ${product.description && !this.compact ? html`<p class="about">${product.description}</p>` : nothing}
          ${variant
            ? html`<p class="facts number">
                <span class="price">${formatMoney(this.priceOf(variant), variant.currency)}</span>
                <span class="stock ${left > 0 && left <= 5 ? "few" : ""}">${stockLabel(left, variant.back)}</span>
                ${place ? html`<span class="stock" role="status">${placeWords(place)}</span>` : nothing}
              </p>`
            : nothing}
        </div>
        ${variant && !this.closed ? this.buttons(variant) : nothing}
        ${variant && offer
          ? html`<offer-badge
              .offer=${offer}
              .variantId=${variant.id}
              .now=${this.now}
              ?member=${this.member}
            ></offer-badge>`
          : nothing}
        ${product.variants.length > 1 ? this.choices() : nothing}
      </article>
    `;
  }

  /** One button all along: a buyer who gives up the last one comes back to it. */
  private buttons(variant: PublicVariant) {
    const { title } = this.product;
    const gone = variant.available <= 0;
    const place = gone ? this.placeOf(variant.id) : null;
    const [verb, words] = !gone ? (["buy", "Buy"] as const) : LINE[place?.state ?? "none"];
    return html`<div class="buttons">
      <button
        class=${verb === "buy" || verb === "cart" ? "primary" : "wait"}
        aria-label=${gone ? `${words}: ${title}` : `Buy ${title}`}
        @click=${() => this.tell(verb, variant)}
      >
        ${words}
      </button>
      ${gone
        ? nothing
        : html`<button class="add" aria-label=${`Put ${title} into the cart`} @click=${() => this.tell("add", variant)}>
            <svg viewBox="0 0 24 24" aria-hidden="true">
              <path d="M6 8h12l1 12H5L6 8zM9 8a3 3 0 0 1 6 0M12 11.5v5M9.5 14h5" />
            </svg>
          </button>`}
    </div>`;
  }

  private choices() {
    return html`<fieldset>
      <legend class="visually-hidden">Which one</legend>
      ${this.product.variants.map(
        (variant) =>
          html`<label class=${variant.available > 0 ? "" : "gone"}>
            <input
              class="visually-hidden"
              type="radio"
              name="variant"
              .checked=${variant.id === this.chosen}
              @change=${() => (this.chosen = variant.id)}
            />${variant.title}
            ${variant.available > 0 ? nothing : html`<span class="visually-hidden">, sold out</span>`}
          </label>`,
      )}
    </fieldset>`;
  }
}
