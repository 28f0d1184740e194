/** Orders in words. */

import type { OrderState, ShowOrder } from "@simulcast/api";
import type { Tone } from "../../parts/words";

export const ORDER_STATES: Record<OrderState, { label: string; tone: Tone }> = {
  reserved: { label: "Reserved", tone: "busy" },
  authorising: { label: "Paying", tone: "busy" },
  paid: { label: "Paid", tone: "good" },
  failed: { label: "Payment failed", tone: "bad" },
  expired: { label: "Expired", tone: "quiet" },
  cancelled: { label: "Cancelled", tone: "quiet" },
  refunded: { label: "Refunded", tone: "warn" },
  sold_out: { label: "Sold out", tone: "warn" },
};

/** "2 × Linnea bag, 1 × Mug". */
export function linesOf(order: ShowOrder): string {
  return order.lines.map((line) => `${line.quantity} × ${line.title || line.sku}`).join(", ");
}

export function sourceName(source: string): string {
  return source === "direct" ? "No tagged link" : source;
}
