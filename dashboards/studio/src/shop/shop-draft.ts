/** Delivery, tax and terms as a form edits them. Pure. Problems are named like the hub's fields. */

import type { CheckoutSettings, CheckoutTerms, DeliveryMethod, TaxRate } from "@simulcast/api";
import { countOf, minorOf, typedOf } from "../products/amounts";

export type Problems = Record<string, string>;

/** `key` tells rows apart on the screen. */
export interface MethodDraft {
  key: string;
  id: string | null;
  title: string;
  /** Codes, separated by commas; empty: everywhere. */
  countries: string;
  price: string;
  /** Empty: never free. */
  freeFrom: string;
  currency: string;
  days: string;
}

export interface RateDraft {
  key: string;
  country: string;
  /** Empty: the whole country. */
  region: string;
  taxClass: string;
  percent: string;
  title: string;
}

export interface ShopDraft {
  methods: MethodDraft[];
  rates: RateDraft[];
  pricesIncludeTax: boolean;
  country: string;
  confirmAbove: string;
  withdrawalDays: string;
  returnPolicy: string;
  contact: string;
}

const NOT_COUNTRIES: Record<string, string> = {
  UK: "The United Kingdom's code is GB.",
  EU: "EU is no country: name each of its countries.",
};
/** Codes that stand for no country of the post (ISO 3166-1: for anybody's own use). */
const NOBODYS = /^(AA|Q[M-Z]|X[A-Z]|ZZ)$/;
const STANDARD = "standard";
const AMOUNT = "Enter an amount like 4.90.";

export function shopDraftOf({ terms, shipping_methods, tax_rates }: CheckoutSettings, currency: string): ShopDraft {
  return {
    methods: shipping_methods.map(methodDraftOf),
    rates: tax_rates.map(rateDraftOf),
    pricesIncludeTax: terms.prices_include_tax,
    country: terms.country ?? "",
    confirmAbove: typedOf(terms.confirm_above_minor, currency),
    withdrawalDays: String(terms.withdrawal_days),
    returnPolicy: terms.return_policy,
    contact: terms.contact,
  };
}

export function newMethod(key: string, currency: string): MethodDraft {
  return { key, id: null, title: "", countries: "", price: "", freeFrom: "", currency, days: "" };
}

export function newRate(key: string): RateDraft {
  return { key, country: "", region: "", taxClass: STANDARD, percent: "", title: "" };
}

/** What is sent. Call it without problems only. */
export function settingsOf(draft: ShopDraft, currency: string): CheckoutSettings {
  const terms: CheckoutTerms = {
    prices_include_tax: draft.pricesIncludeTax,
    country: codesOf(draft.country)[0] ?? null,
    confirm_above_minor: minorOf(draft.confirmAbove, currency) ?? 0,
    withdrawal_days: countOf(draft.withdrawalDays) ?? 0,
    return_policy: draft.returnPolicy.trim(),
    contact: draft.contact.trim(),
  };
  return { terms, shipping_methods: draft.methods.map(methodOf), tax_rates: draft.rates.map(rateOf) };
}

export function shopProblems(draft: ShopDraft, currency: string): Problems {
  const found: Record<string, string | undefined> = {
    "terms.country": countriesProblem(draft.country, 1),
    "terms.confirm_above_minor": minorOf(draft.confirmAbove, currency) === null ? AMOUNT : undefined,
    "terms.withdrawal_days": (countOf(draft.withdrawalDays) ?? 366) > 365 ? "From 0 to 365 days." : undefined,
  };
  draft.methods.forEach((method, index) => {
    const at = `shipping_methods.${index}`;
    const { price, freeFrom } = method;
    found[`${at}.title`] = method.title.trim() ? undefined : "Give it a name that buyers understand.";
    found[`${at}.countries`] = countriesProblem(method.countries);
    found[`${at}.price_minor`] = minorOf(price, method.currency) === null ? `${AMOUNT} 0 is free.` : undefined;
    const free = freeFrom.trim() === "" || minorOf(freeFrom, method.currency) !== null;
    found[`${at}.free_from_minor`] = free ? undefined : AMOUNT;
  });
  const places = draft.rates.map(placeOf);
  draft.rates.forEach((rate, index) => {
    const at = `tax_rates.${index}`;
    const again = places.indexOf(places[index] ?? "") < index;
    found[`${at}.country`] = rate.country.trim()
      ? (countriesProblem(rate.country, 1) ??
        (again ? "There is a rate for this place and class already. Keep one of them." : undefined))
      : "Name the country by its code, like DE.";
    found[`${at}.tax_class`] = rate.taxClass.trim() ? undefined : "Name a class, like standard.";
    found[`${at}.percent`] = percentOf(rate.percent) === null ? "Enter a percentage like 19 or 7.7." : undefined;
  });
  return Object.fromEntries(Object.entries(found).filter((pair): pair is [string, string] => Boolean(pair[1])));
}

/** "de, at" → ["DE", "AT"], each once. */
export function codesOf(text: string): string[] {
  return [...new Set(text.toUpperCase().split(/[\s,;]+/).filter(Boolean))];
}

/** "DE, AT" → "Germany, Austria"; what is no code stays away. */
export function countryNames(text: string): string {
  return codesOf(text)
    .map((code) => nameOf(code))
    .filter(Boolean)
    .join(", ");
}

export function countriesProblem(text: string, most = 250): string | undefined {
  const codes = codesOf(text);
  const wrong = codes.find((code) => !nameOf(code));
  if (wrong) return NOT_COUNTRIES[wrong] ?? `“${wrong}” is no country code. Use two letters, like DE.`;
  return codes.length > most ? "Name one country." : undefined;
}

/** "7,7" → "7.7"; null when it is no percentage below 100. */
export function percentOf(typed: string): string | null {
  return /^\d{1,2}([.,]\d{1,3})?$/.test(typed.trim()) ? typed.trim().replace(",", ".") : null;
}

/** A row up or down by one; the same list at its ends. */
export function movedBy<Row>(rows: Row[], index: number, by: 1 | -1): Row[] {
  const [row, other] = [rows[index], rows[index + by]];
  if (row === undefined || other === undefined) return rows;
  return rows.map((one, at) => (at === index ? other : at === index + by ? row : one));
}

function nameOf(code: string): string {
  if (!/^[A-Z]{2}$/.test(code) || NOBODYS.test(code) || code in NOT_COUNTRIES) return "";
  return new Intl.DisplayNames("en", { type: "region", fallback: "none" }).of(code) ?? "";
}

function methodDraftOf(method: DeliveryMethod): MethodDraft {
  const { id, title, countries, price_minor, free_from_minor, currency, days } = method;
  return {
    key: id ?? title,
    id,
    title,
    countries: countries.join(", "),
    price: typedOf(price_minor, currency),
    freeFrom: free_from_minor === null ? "" : typedOf(free_from_minor, currency),
    currency,
    days,
  };
}

function methodOf({ id, title, countries, price, freeFrom, currency, days }: MethodDraft): DeliveryMethod {
  return {
    id,
    title: title.trim(),
    countries: codesOf(countries),
    price_minor: minorOf(price, currency) ?? 0,
    free_from_minor: freeFrom.trim() ? minorOf(freeFrom, currency) : null,
    currency,
    days: days.trim(),
  };
}

function rateDraftOf({ country, region, tax_class, percent, title }: TaxRate): RateDraft {
  return {
    key: `${country} ${region ?? ""} ${tax_class}`,
    country,
    region: region ?? "",
    taxClass: tax_class,
    percent: String(Number(percent)),
    title,
  };
}

function rateOf(rate: RateDraft): TaxRate {
  return {
    country: codesOf(rate.country)[0] ?? "",
    region: rate.region.trim().toUpperCase() || null,
    tax_class: rate.taxClass.trim(),
    percent: percentOf(rate.percent) ?? "0",
    title: rate.title.trim(),
  };
}

function placeOf(rate: RateDraft): string {
  const { country, region, tax_class } = rateOf(rate);
  return [country, region ?? "", tax_class].join("\n");
}
