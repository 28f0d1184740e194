/** How the linked shops are doing, in words. Pure. */

import type { Drift, Shop } from "@simulcast/api";
import { closed, dateTime, plural, type Tone } from "../parts/words";

/** The one thing to know about a shop first. */
export function shopState(shop: Shop, now: number): { tone: Tone; label: string } {
  if (shop.state !== "ok") return { tone: "bad", label: "Link it again" };
  if (shop.silent_since) return { tone: "bad", label: "No longer tells us" };
  if (shop.problem || shop.refused || shop.hidden) return { tone: "warn", label: "Look at this" };
  if (shop.drifting) return { tone: "warn", label: "Being put right" };
  if (shop.rest_until && Date.parse(shop.rest_until) > now) return { tone: "busy", label: "Resting" };
  return { tone: "good", label: "In step" };
}

/** What is wrong and what happens about it, gravest first; empty when all is well. */
export function shopSentences(shop: Shop, now: number, locale?: string): string[] {
  const said: string[] = [];
  if (shop.silent_since) {
    said.push(
      `Not heard from since ${dateTime(shop.silent_since, locale)}. ` +
        "Orders are still found by reading, a minute late.",
    );
  }
  if (shop.problem) said.push(`We can't ask it to tell us of orders: ${closed(shop.problem)}`);
  if (shop.refused) {
    said.push(`It does not take our number for ${plural(shop.refused, "product")}. The listings say why.`);
  }
  if (shop.hidden) {
    said.push(`It shows ${plural(shop.hidden, "product")} to nobody. The listings say why and what to do.`);
  }
  if (shop.drifting) said.push(`${plural(shop.drifting, "number")} there being put right.`);
  if (shop.rest_until && Date.parse(shop.rest_until) > now) {
    said.push("It asked us to slow down; what is sold out is told as soon as it lets us.");
  }
  return said;
}

/** "Orders read 24 Nov 2026, 18:30, stock compared …": when we last knew for certain. */
export function shopTimes(shop: Shop, locale?: string): string {
  const read = shop.orders_read_at && `Orders read ${dateTime(shop.orders_read_at, locale)}`;
  const compared = shop.levels_read_at && `stock compared ${dateTime(shop.levels_read_at, locale)}`;
  const parts = [read, compared].filter(Boolean);
  return parts.length ? `${parts.join(", ")}.` : "Not read yet.";
}

/** "We told it 10, it offered 25." */
export function driftNumbers(drift: Drift): string {
  return `We told it ${drift.ours}, it offered ${drift.theirs}.`;
}

/** "Since 24 Nov 2026, 18:30." or, when it is over, how long it lasted. */
export function driftTimes(drift: Drift, locale?: string): string {
  const found = dateTime(drift.found_at, locale);
  if (!drift.healed_at) return `Since ${found}. Our number is sent again.`;
  const seconds = (Date.parse(drift.healed_at) - Date.parse(drift.found_at)) / 1000;
  const lasted = seconds < 90 ? "within seconds" : `after ${plural(Math.round(seconds / 60), "minute")}`;
  return `Found ${found}, put right ${lasted}.`;
}
