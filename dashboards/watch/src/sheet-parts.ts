/** Pieces of the sheet that only show, and say what was chosen. */

import { formatMoney, type ShippingMethod } from "@simulcast/api";
import { html, nothing } from "lit";
import type { Gone, Step } from "./purchase-types";

/** The truth while the bank is asked; the buyer need not wait for it. */
export function confirming({ slow, review }: Extract<Step, { name: "paying" }>, dismiss: () => void) {
  const words = review
    ? "The shop looks at this order before it takes the money. It stays reserved for you; we send you a mail."
    : slow
      ? "The bank takes longer than usual. Still confirming payment…"
      : "Confirming payment…";
  return html`
    <div class="wait" role="status">
      <span class="spinner"></span>
      <div>
        <h3>Reserved for you</h3>
        <p>${words}</p>
      </div>
    </div>
    <button class="quiet wide" @click=${() => dismiss()}>Watch on while we confirm</button>
  `;
}

export function someGone(lines: Gone[], goOn: () => void, leave: () => void) {
  return html`
    <div class="end" role="alert">
      <h3>Not all of it could be reserved</h3>
      <ul role="list">
        ${lines.map(({ title, detail }) => html`<li><strong>${title}</strong>: ${detail}</li>`)}
      </ul>
      <p>Nothing was charged. The rest is still in your cart.</p>
    </div>
    <div class="actions">
      <button class="primary" data-first @click=${goOn}>Go on without ${lines.length > 1 ? "them" : "it"}</button>
      <button class="quiet" @click=${leave}>Back to the show</button>
    </div>
  `;
}

export function deliveryForm(
  methods: ShippingMethod[],
  chosen: string | null,
  onChosen: (id: string) => void,
) {
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    onChosen(String(new FormData(event.target as HTMLFormElement).get("method")));
  };
  return html`<form @submit=${submit}>
    <fieldset class="ways">
      <legend>Delivery</legend>
      ${methods.map(
        ({ id, title, days, price_minor: price, free_from_minor: free, currency }) =>
          html`<label>
            <input type="radio" name="method" value=${id} ?checked=${id === chosen} required />
            <span>
              ${title} ${days ? html`<small>${days}</small>` : nothing}
              ${free === null ? nothing : html`<small>Free from ${formatMoney(free, currency)}</small>`}
            </span>
            <span class="number">${price ? formatMoney(price, currency) : "Free"}</span>
          </label>`,
      )}
    </fieldset>
    <button class="primary wide" data-first>Go on</button>
  </form>`;
}

/** The country of the browser's language, if it is one of these. */
export function likely(codes: string[]): string {
  const own = new Intl.Locale(navigator.language).maximize().region ?? "";
  return codes.includes(own) ? own : (codes[0] ?? "");
}
