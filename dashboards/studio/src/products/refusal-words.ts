/** Stock that a shop did not take, in words. Pure. */

import type { Product } from "@simulcast/api";
import type { Refusal } from "@simulcast/api/types";
import { closed } from "../parts/words";

export function refusalWords(refusal: Refusal, available: number): string {
  return (
    `${refusal.account} did not take this stock and may sell too much: ${closed(refusal.reason)} ` +
    `Set it to ${available} there by hand. The next change of stock is sent again.`
  );
}

/** The products as shown, with the newest refusals: no news tells of those. */
export function withRefusals(shown: Product[], newest: Product[]): Product[] {
  const found = new Map(newest.flatMap((one) => one.variants).map((one) => [one.id, one.refused]));
  return shown.map((product) => ({
    ...product,
    variants: product.variants.map((one) => ({ ...one, refused: found.get(one.id) ?? one.refused })),
  }));
}
