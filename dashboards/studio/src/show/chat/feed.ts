/** The merged feed: what was said everywhere, and what was sold meanwhile. Pure. */

import type { ChatSource, Delivery, ShowOrder, StaffMessage } from "@simulcast/api";
import { platformName } from "../../parts/words";

export type Line =
  | { kind: "message"; key: string; at: number; message: StaffMessage }
  | { kind: "sale"; key: string; at: number; order: ShowOrder };

/** Messages stay in the show's order; each paid order stands where it happened. */
export function linesOf(messages: StaffMessage[], orders: ShowOrder[]): Line[] {
  const first = messages[0] ? Date.parse(messages[0].at) : -Infinity;
  const sales: Line[] = orders
    .filter((order) => order.state === "paid" && Date.parse(order.placed_at) >= first)
    .map((order) => ({ kind: "sale" as const, key: order.id, at: Date.parse(order.placed_at), order }))
    .sort((a, b) => a.at - b.at);
  const lines: Line[] = [];
  for (const message of messages) {
    const at = Date.parse(message.at);
    while (sales[0] && sales[0].at < at) lines.push(sales.shift() as Line);
    lines.push({ kind: "message", key: message.id, at, message });
  }
  return [...lines, ...sales];
}

/** The number of the newest message; 0 when there is none. */
export function newestSeq(messages: StaffMessage[]): number {
  return messages.at(-1)?.seq ?? 0;
}

/** How many messages came after the last one that was seen. */
export function unseen(messages: StaffMessage[], lastSeen: number): number {
  return messages.length - 1 - messages.findLastIndex((message) => message.seq <= lastSeen);
}

/** What a message is, where it is more than words. */
export function kindLabel(kind: string): string {
  const labels: Record<string, string> = { paid: "Paid", membership: "Member", notice: "Notice" };
  return labels[kind] ?? "";
}

/** The truth about a reply on one platform. */
export function deliveryWords(delivery: Delivery): { text: string; tone: "good" | "busy" | "warn" | "bad" } {
  const place = platformName(delivery.platform);
  switch (delivery.state) {
    case "queued":
      return { text: `${place}: waiting`, tone: "busy" };
    case "sent":
      return { text: `${place}: sent`, tone: "good" };
    case "confirmed":
      return { text: `${place}: in the chat`, tone: "good" };
    case "failed":
      return { text: `${place}: not sent`, tone: "bad" };
    case "unknown":
      return { text: `${place}: maybe sent, check there`, tone: "warn" };
  }
}

/** Chats that are not fully heard right now, as sentences. */
export function chatTroubles(chats: ChatSource[]): string[] {
  return chats
    .filter((chat) => chat.state === "degraded" || chat.state === "down")
    .map((chat) => {
      const name = platformName(chat.platform);
      const what = chat.state === "down" ? `${name} chat is not coming in.` : `${name} chat may have holes.`;
      return `${what} ${chat.detail}`.trim();
    });
}
