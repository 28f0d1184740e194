/** The fields of the sheet: who buys, where it goes, what it comes to. Plain functions of what they show. */

import { type Address, type CartLine, type CountryRule, formatMoney, type Sums } from "@simulcast/api";
import { html, nothing } from "lit";
import type { Buyer } from "./purchase-types";

/** As the consent record has it (`hub/consent/texts.py`). */
export const NEWS = "Tell me about the next shows.";

export type Wrong = Record<string, string>;

export function contactFields(buyer: Buyer, { mailHint = false } = {}) {
  return html`
    <label for="name">Name</label>
    <input
      id="name"
      name="name"
      type="text"
      value=${buyer.name}
      ?data-first=${!buyer.name}
      autocomplete="name"
      enterkeyhint="next"
      required
      maxlength="120"
    />
    <label for="email">E-mail</label>
    <input
      id="email"
      name="email"
      type="email"
      value=${buyer.email}
      autocomplete="email"
      enterkeyhint="done"
      pattern="[^@\\s]+@[^@\\s]+\\.[^@\\s]+"
      title="An address like name@example.com"
      aria-describedby=${mailHint ? "mail-hint" : nothing}
      required
      maxlength="320"
    />
    ${mailHint ? html`<small id="mail-hint">Your confirmation goes there.</small>` : nothing}
    <label class="check">
      <input name="news" type="checkbox" ?checked=${buyer.news ?? false} />
      ${NEWS}
    </label>
  `;
}

/** What each country's post needs, and no more. */
export function addressFields(
  address: Address,
  countries: CountryRule[],
  wrong: Wrong,
  onCountry: (code: string) => void,
) {
  const rule = countries.find(({ code }) => code === address.country) ?? countries[0];
  return html`
    <label for="country">Country</label>
    <select
      id="country"
      name="country"
      autocomplete="country"
      @change=${(event: Event) => onCountry((event.target as HTMLSelectElement).value)}
    >
      ${countryNames(countries).map(
        ([code, name]) => html`<option value=${code} ?selected=${code === rule?.code}>${name}</option>`,
      )}
    </select>
    ${line("line1", "Street and number", "address-line1", address.line1, wrong)}
    ${line("line2", "Flat, floor, company (if any)", "address-line2", address.line2, wrong, false)}
    <div class="row">
      ${rule?.postcode
        ? html`<div class="short">${line("postcode", "Postcode", "postal-code", address.postcode, wrong)}</div>`
        : nothing}
      <div>${line("city", "Town or city", "address-level2", address.city, wrong)}</div>
    </div>
    ${rule?.region ? line("region", "State or province", "address-level1", address.region, wrong) : nothing}
  `;
}

function line(name: string, title: string, fill: string, value: string, wrong: Wrong, required = true) {
  const why = wrong[`address.${name}`];
  return html`
    <label for=${name}>${title}</label>
    <input
      id=${name}
      name=${name}
      type="text"
      .value=${value}
      autocomplete=${fill}
      maxlength="120"
      ?required=${required}
      aria-invalid=${why ? "true" : nothing}
      aria-describedby=${why ? `${name}-why` : nothing}
    />
    ${why ? html`<small class="why" id="${name}-why">${why}</small>` : nothing}
  `;
}

/** By name, in the reader's own language; the likeliest one first is not ours to guess. */
function countryNames(countries: CountryRule[]): [string, string][] {
  const names = new Intl.DisplayNames(undefined, { type: "region" });
  return countries
    .map(({ code }): [string, string] => [code, names.of(code) ?? code])
    .sort(([, one], [, other]) => one.localeCompare(other));
}

/** The address that a form holds. */
export function addressIn(form: HTMLFormElement): Address {
  const fields = new FormData(form);
  const text = (name: string) => String(fields.get(name) ?? "").trim();
  return {
    line1: text("line1"),
    line2: text("line2"),
    city: text("city"),
    postcode: text("postcode"),
    region: text("region"),
    country: text("country"),
    phone: "",
  };
}

export function buyerIn(form: HTMLFormElement): Buyer {
  const fields = new FormData(form);
  const text = (name: string) => String(fields.get(name) ?? "").trim();
  return { name: text("name"), email: text("email"), news: fields.has("news") };
}

export const addressLine = ({ line1, postcode, city, region, country }: Address): string =>
  [line1, [postcode, city].filter(Boolean).join(" "), region, country].filter(Boolean).join(", ");

/** Nothing for one product without delivery, tax or coupon: its price says it all. */
export function sumsTable(sums: Sums, lines: CartLine[], method: string) {
  const { currency, discount_minor: off, tax_minor: tax } = sums;
  const plain = lines.length <= 1 && !method && !off && (!tax || sums.prices_include_tax);
  if (plain && !tax) return nothing;
  const row = (title: string, minor: number, strong = false) =>
    html`<tr class=${strong ? "total" : ""}>
      <th scope="row">${title}</th>
      <td class="number">${formatMoney(minor, currency)}</td>
    </tr>`;
  return html`<table class="sums">
    <caption class="visually-hidden">
      What it comes to
    </caption>
    <tbody>
      ${plain ? nothing : row("Products", sums.subtotal_minor)} ${off ? row("Coupon", -off) : nothing}
      ${method ? row(method, sums.shipping_minor) : nothing}
      ${tax && !sums.prices_include_tax ? row("Tax", tax) : nothing}
      ${row("Total", sums.total_minor, true)}
      ${tax && sums.prices_include_tax ? row("Tax included", tax) : nothing}
    </tbody>
  </table>`;
}
