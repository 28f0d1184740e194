/** What a brand says about delivery, tax and its checkout; and how a show shares out its stock. */

import type { ShippingMethod } from "./cart";
import { call, type Fetch } from "./http";

/** `country`: whose tax an order without an address bears. */
export interface CheckoutTerms {
  prices_include_tax: boolean;
  country: string | null;
  /** From this total on, a buyer who pays with a saved card confirms that it is they. */
  confirm_above_minor: number;
  withdrawal_days: number;
  return_policy: string;
  contact: string;
}

/** A way of delivery; a new one has no id yet. */
export type DeliveryMethod = Omit<ShippingMethod, "id"> & { id: string | null };

/** The tax of a class of goods in a country, or in one region of it. `percent` is a decimal number: "19.000". */
export interface TaxRate {
  country: string;
  region: string | null;
  tax_class: string;
  percent: string;
  title: string;
}

/** One document; methods in the order in which buyers see them. */
export interface CheckoutSettings {
  terms: CheckoutTerms;
  shipping_methods: DeliveryMethod[];
  tax_rates: TaxRate[];
}

/** `hold_seconds` null: as long as the installation says. `units_per_network` 0: no limit. */
export interface StockRules {
  hold_policy: "hold" | "first_paid" | "hybrid";
  hold_seconds: number | null;
  units_per_buyer: number;
  units_per_network: number;
}

const CHECKOUT = "/api/v1/checkout/settings";

export class SettingsApi {
  constructor(private readonly fetch: Fetch = (input, init) => globalThis.fetch(input, init)) {}

  checkout = (signal?: AbortSignal) => call<CheckoutSettings>(this.fetch, CHECKOUT, { signal });
  /** All of it: methods and rates that are not named are gone. */
  changeCheckout = (settings: CheckoutSettings) =>
    call<CheckoutSettings>(this.fetch, CHECKOUT, {
      method: "PUT",
      body: settings,
      headers: { "X-Requested-With": "simulcast" },
    });
}
