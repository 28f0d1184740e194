/** Plain words for the review queue. */

import type { Review, ReviewQueue, RiskPace, RiskRule } from "@simulcast/api";
import { plural } from "../parts/words";

/** Whole seconds of a moment on the server's clock; never below 0. */
export function left(until: string, now: number): number {
  return Math.max(0, Math.ceil((Date.parse(until) - now) / 1_000));
}

/** "4:05". */
export function clockOf(seconds: number): string {
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

/** What happens to those nobody looks at. */
export function ruleWords({ unreviewed, review_minutes }: Pick<ReviewQueue, "unreviewed" | "review_minutes">) {
  const then = unreviewed === "refuse" ? "refused and its goods are sold again" : "approved";
  return `An order nobody looks at within ${plural(review_minutes, "minute")} is ${then}.`;
}

export function outcomeOf(review: Review): string {
  const by = review.author ? ` by ${review.author}` : " because nobody looked in time";
  if (review.state === "approved") return `Approved${by}`;
  if (review.state === "refused") return `Refused${by}`;
  return "Cancelled before a decision";
}

const UNITS: Record<RiskRule["unit"], string> = {
  money: "From this amount on",
  times: "From so many times the usual order",
  seconds: "Faster than so many seconds",
  count: "From so many",
  none: "",
};

export function limitLabel(rule: RiskRule): string {
  return UNITS[rule.unit];
}

/** Only whole numbers within bounds; null for anything else. */
export function wholeOf(text: string, least: number, most: number): number | null {
  const value = /^-?\d{1,13}$/.test(text.trim()) ? Number(text) : NaN;
  return value >= least && value <= most ? value : null;
}

export function usualPace(pace: RiskPace): string {
  return `As a rule ${pace.usual_most} in ${plural(pace.usual_seconds, "second")}.`;
}

/** The place of the next card to look at: keys move within the list, and stop at its ends. */
export function moved(place: number, key: string, count: number): number {
  if (key === "j" || key === "ArrowDown") return Math.min(count - 1, place + 1);
  if (key === "k" || key === "ArrowUp") return Math.max(0, place - 1);
  return place;
}

/** The hub counts to a hundred. Empty: nothing waits. */
export function countMark(waiting: number): string {
  if (waiting >= 100) return "99+";
  return waiting > 0 ? String(waiting) : "";
}
