/** Orders in words. */

import type { OrderLine, OrderState, ShowOrder } from "@simulcast/api";
import type { Tone } from "../../parts/words";

export const ORDER_STATES: Record<OrderState, { label: string; tone: Tone }> = {
  reserved: { label: "Reserved", tone: "busy" },
  authorising: { label: "Paying", tone: "busy" },
  review: { label: "In review", tone: "warn" },
  paid: { label: "Paid", tone: "good" },
  failed: { label: "Payment failed", tone: "bad" },
  expired: { label: "Expired", tone: "quiet" },
  cancelled: { label: "Cancelled", tone: "quiet" },
  refunded: { label: "Refunded", tone: "warn" },
  sold_out: { label: "Sold out", tone: "warn" },
};

/** What a person must know of an order, as sentences; empty when all is well. */
export function orderTroubles(order: ShowOrder): string[] {
  const { tone } = ORDER_STATES[order.state];
  // While all is well the message is for the buyer ("Paid. Thank you!").
  const said = order.message && tone !== "good" && tone !== "busy" ? [order.message] : [];
  const unknown = order.lines.filter((line) => line.state === "unknown_sku");
  return [...said, ...unknown.map(unknownLine)];
}

function unknownLine({ sku, title }: OrderLine): string {
  if (!sku) return `${title} has no SKU in the shop: its stock was not taken.`;
  return `SKU ${sku} is not in your catalogue: its stock was not taken.`;
}

/** "2 × Linnea bag, 1 × Mug". */
export function linesOf(order: ShowOrder): string {
  return order.lines.map((line) => `${line.quantity} × ${line.title || line.sku}`).join(", ");
}

export function sourceName(source: string): string {
  return source === "direct" ? "No tagged link" : source;
}
