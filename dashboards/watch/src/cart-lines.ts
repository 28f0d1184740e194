/** What is in the cart: each line with its own countdown, how many, and a way out. */

import { type CartLine, countdown, formatMoney, secondsLeft } from "@simulcast/api";
import { css, html, LitElement, nothing } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { theme } from "./theme";

/** Fires `amount {variantId, quantity}`. */
export class CartLines extends LitElement {
  static override styles = [
    theme,
    css`
      li {
        display: grid;
        grid-template-columns: minmax(0, 1fr) auto;
        gap: 0.125rem 0.75rem;
        padding: 0.625rem 0;
        align-items: center;
      }
      li + li {
        border-top: 1px solid var(--line);
      }
      h3 {
        font-size: 0.9375rem;
        line-height: 1.3;
      }
      .price s {
        color: var(--quiet);
        margin-inline-end: 0.375rem;
      }
      .price {
        text-align: end;
      }
      .state {
        color: var(--quiet);
        font-size: 0.875rem;
      }
      .soon {
        color: var(--warn-text);
        font-weight: 600;
      }
      .amount {
        display: flex;
        align-items: center;
        gap: 0.25rem;
        justify-self: end;
      }
      .amount button {
        min-width: 2.75rem;
        padding: 0;
        border-radius: 999px;
        background: var(--sunk);
        font-size: 1.125rem;
      }
      .amount span {
        min-width: 1.75rem;
        text-align: center;
      }
    `,
  ];
  static override properties = {
    lines: { attribute: false },
    now: { attribute: false },
    version: { type: Number },
    fixed: { type: Boolean },
  };

  declare lines: CartLine[];
  /** Server time in ms. */
  declare now: () => number;
  declare version: number;
  /** Nothing can be changed any more. */
  declare fixed: boolean;

  constructor() {
    super();
    this.fixed = false;
  }

  private amount(line: CartLine, quantity: number): void {
    const detail = { variantId: line.variant_id, quantity };
    this.dispatchEvent(new CustomEvent("amount", { detail, bubbles: true, composed: true }));
  }

  protected override render() {
    return html`<ul role="list">
      ${repeat(
        this.lines,
        ({ variant_id }) => variant_id,
        (line) => this.line(line),
      )}
    </ul>`;
  }

  private line(line: CartLine) {
    const { amount_minor: amount, list_minor: list, currency } = line;
    return html`<li>
      <h3>${line.title}</h3>
      <p class="price number">
        ${list > amount
          ? html`<s><span class="visually-hidden">Before: </span>${formatMoney(list, currency)}</s>`
          : nothing}
        ${formatMoney(amount, currency)}
      </p>
      ${this.state(line)} ${this.fixed ? html`<span class="number">× ${line.quantity}</span>` : this.stepper(line)}
    </li>`;
  }

  private state({ state, expires_at }: CartLine) {
    if (state === "paying") return html`<p class="state">Being paid</p>`;
    if (!expires_at || state === "waiting") return html`<p class="state">Not reserved yet</p>`;
    const left = secondsLeft(expires_at, this.now());
    return html`<p class="state number ${left <= 20 ? "soon" : ""}" role="timer">
      ${left ? html`Reserved ${countdown(left)}` : "Reservation ended"}
    </p>`;
  }

  private stepper(line: CartLine) {
    const { quantity, title } = line;
    return html`<div class="amount number" role="group" aria-label=${`How many: ${title}`}>
      <button
        aria-label=${quantity > 1 ? `One less: ${title}` : `Remove ${title}`}
        @click=${() => this.amount(line, quantity - 1)}
      >
        ${quantity > 1 ? "−" : "×"}
      </button>
      <span aria-live="polite">${quantity}</span>
      <button aria-label=${`One more: ${title}`} @click=${() => this.amount(line, quantity + 1)}>+</button>
    </div>`;
  }
}
