/** What the page says of a purchase whose sheet is closed: a payment under way, what lies in the cart. */

import { countdown, formatMoney, secondsLeft } from "@simulcast/api";
import { html, nothing } from "lit";
import { firstEndOf } from "./checkout-parts";
import type { Purchase } from "./purchase";

/** `told`: what putting something into the cart was refused for. `now`: the server's time, in milliseconds. */
export function cartBar(purchase: Purchase, told: string, now: number) {
  return html`${payment(purchase)} ${told ? html`<p class="payment" role="alert">${told}</p>` : nothing}
  ${basket(purchase, now)}`;
}

/** What is kept for later, with the time it is still reserved for. */
function basket(purchase: Purchase, now: number) {
  const { lines, open } = purchase;
  const first = lines[0];
  if (!first || open) return nothing;
  const count = lines.reduce((sum, { quantity }) => sum + quantity, 0);
  const total = lines.reduce((sum, { amount_minor }) => sum + amount_minor, 0);
  const ends = firstEndOf(lines);
  const left = ends ? secondsLeft(ends, now) : 0;
  return html`<button class="basket number" @click=${() => void purchase.start(null)}>
    <span>Your cart: ${count} · ${formatMoney(total, first.currency)}</span>
    <span>${left ? html`reserved ${countdown(left)}` : "not reserved"} · Check out</span>
  </button>`;
}

/** A payment whose sheet was closed. */
function payment(purchase: Purchase) {
  const { checkout, open } = purchase;
  if (!checkout || open) return nothing;
  return html`<button class="payment" @click=${() => purchase.show()}>
    Confirming payment: ${checkout.item?.title ?? "your cart"}
  </button>`;
}
