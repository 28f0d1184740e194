/** Claims by comment, in words. Pure. */

import { type Claim, type ClaimName, countdown, type ShowProduct } from "@simulcast/api";
import { closed, plural, type Tone } from "../../parts/words";

/** What became of a claim; `nowMs` on the server's clock. */
export function claimState(claim: Claim, nowMs: number): { tone: Tone; label: string } {
  switch (claim.state) {
    case "waiting":
      return { tone: "busy", label: "Being decided" };
    case "held":
      return { tone: "busy", label: heldWords(claim, nowMs) };
    case "queued":
      return { tone: "warn", label: "In line" };
    case "unclear":
      return { tone: "warn", label: "Unclear" };
    case "sold_out":
      return { tone: "warn", label: "Sold out" };
    case "refused":
      return { tone: "bad", label: "Refused" };
    case "withdrawn":
      return { tone: "quiet", label: "Message taken down" };
    case "lapsed":
      return { tone: "bad", label: "Not paid in time" };
    case "paid":
      return { tone: "good", label: "Paid" };
  }
}

function heldWords({ detail, expires_at: ends, opened }: Claim, nowMs: number): string {
  const left = ends ? Math.ceil((Date.parse(ends) - nowMs) / 1_000) : 0;
  if (left <= 0) return "Time is up";
  const what = detail === "soft" ? "First to pay gets it" : opened ? "Link opened" : "Reserved";
  return `${what}, ${countdown(left)}`;
}

/** Reserved and not paid yet, or not paid in time: whom to remind. */
export function unpaid(claim: Claim): boolean {
  return claim.state === "held" || claim.state === "lapsed";
}

/** Whether it may be offered to the same person once more. */
export function offerable({ state, variant_id: variant }: Claim): boolean {
  return variant !== null && ["lapsed", "sold_out", "refused", "queued"].includes(state);
}

/** "2 × Bag red". */
export function goodsWords(claim: Claim, products: ShowProduct[]): string {
  const product = products.find(({ id }) => id === claim.product_id);
  const variant = product?.variants.find(({ id }) => id === claim.variant_id);
  const title = [product?.title ?? "a product that is gone", variant?.title].filter(Boolean).join(" ");
  return `${claim.quantity} × ${title}`;
}

/** Why, and how the buyer was told: the sentences under a claim. */
export function claimSentences(claim: Claim): string[] {
  const { state, detail, restricted } = claim;
  const said: string[] = [];
  // "soft" is no sentence: a held claim's state says it.
  if (detail && state !== "held" && detail !== "soft") said.push(closed(detail));
  const told = toldWords(claim);
  if (told) said.push(told);
  if (restricted) said.push("This person's claims are not taken any more.");
  return said;
}

function toldWords({ answer, answer_state: way, answer_reason: reason }: Claim): string {
  if (answer === "none") return "";
  if (answer === "page") return "Told on the watch page.";
  if (answer === "host") return "Not told by us.";
  const how = answer === "private" ? "in a private message" : "in the chat";
  if (way === "failed") return `Our answer ${how} did not get through${reason ? `: ${closed(reason)}` : "."}`;
  if (way === "queued") return `Our answer ${how} is on its way.`;
  if (way === "unknown") return `Our answer ${how} may not have arrived.`;
  return `Told ${how}.`;
}

/** The link that a person has to pass on, because we could not. */
export function linkToTell({ answer, answer_state: way, link, state }: Claim): string | null {
  return state === "held" && (answer === "host" || way === "failed") ? link : null;
}

/** What viewers write for a product: "sold 3, or sold red". */
export function keywords({ number, word }: ClaimName): string {
  return word ? `sold ${number}, or sold ${word}` : `sold ${number}`;
}

/** The usual choices, with the present one among them. */
export function choices(usual: number[], now: number): number[] {
  return [...new Set([...usual, now])].sort((a, b) => a - b);
}

export function timeWords(seconds: number): string {
  if (seconds % 60) return plural(seconds, "second");
  return plural(seconds / 60, "minute");
}

/** What was typed as a number: null without one, "bad" for what is none. */
export function numberOf(typed: string): number | null | "bad" {
  if (!typed.trim()) return null;
  const number = Number(typed);
  return Number.isInteger(number) && number >= 1 && number <= 99_999 ? number : "bad";
}
