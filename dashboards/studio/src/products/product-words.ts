/** States of products and listings in words. Pure. */

import type { CatalogProduct, Listing, ProductState } from "@simulcast/api";
import type { Tone } from "../parts/words";

export const STATES: Record<ProductState, { label: string; tone: Tone }> = {
  active: { label: "On sale", tone: "good" },
  draft: { label: "Draft", tone: "busy" },
  archived: { label: "Archived", tone: "quiet" },
};

export const LISTING_STATES: Record<Listing["state"], { label: string; tone: Tone }> = {
  on: { label: "On", tone: "good" },
  paused: { label: "Paused", tone: "warn" },
  gone: { label: "No longer there", tone: "bad" },
  source: { label: "Source only", tone: "quiet" },
};

/** Where it may be sold, when that is not everywhere and always. */
export function limitsOf(product: CatalogProduct): string[] {
  return [product.live_only && "Live only", product.own_site_only && "Own site only"].filter(
    (word): word is string => Boolean(word),
  );
}

/** "34 %" of the price before tax and fees; null where the cost is not known or the price is nothing. */
export function marginOf(priceMinor: number | null, costMinor: number | null): string | null {
  if (!priceMinor || costMinor === null) return null;
  return `${Math.round(((priceMinor - costMinor) / priceMinor) * 100)} %`;
}
