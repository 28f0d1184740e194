/** Plain words for what became of conversions. */

import type { ConversionAccount, ConversionEvent, ConversionFigures } from "@simulcast/api";
import { closed, plural, timeOfDay, type Tone } from "../parts/words";

const EVENTS: Record<string, string> = { purchase: "Purchase", refund: "Refund" };

export function eventName({ event_name }: Pick<ConversionEvent, "event_name">): string {
  return EVENTS[event_name] ?? event_name;
}

export interface Health {
  label: string;
  tone: Tone;
}

/** How an account is doing, in a word or two. */
export function healthOf(account: ConversionAccount): Health {
  const { figures } = account;
  if (!account.linked) return { label: "Link again", tone: "bad" };
  if (account.paused) return { label: "Paused", tone: "quiet" };
  if (figures.refused) return { label: "Look at this", tone: "warn" };
  if (account.problem) return { label: account.rest_until ? "Trying again" : "Look at this", tone: "warn" };
  if (!account.last_sent_at) return { label: "Nothing sent yet", tone: "quiet" };
  return { label: "Working", tone: "good" };
}

/** What is wrong, and what to do about it; null when nothing is. */
export function adviceFor(account: ConversionAccount, now: number): string | null {
  if (!account.linked) return `${closed(account.problem ?? "The login no longer works.")} Link it again under Connections.`;
  if (!account.problem) return null;
  const until = account.rest_until ? new Date(account.rest_until) : null;
  if (until && until.getTime() > now) {
    return `${closed(account.problem)} Trying again at ${timeOfDay(until.toISOString())}; nothing is lost.`;
  }
  return closed(account.problem);
}

/** "38 of 40 (95 %)" */
export function share(part: number, whole: number): string {
  if (!whole) return "–";
  return `${part} of ${whole} (${Math.round((part / whole) * 100)} %)`;
}

/** How long what waits may wait. */
export function waits(days: number): string {
  return days < 4 ? plural(Math.round(days * 24), "hour") : plural(Math.round(days), "day");
}

export function tooOld({ too_old }: ConversionFigures, days: number): string | null {
  if (!too_old) return null;
  return `${plural(too_old, "event")} waited longer than the ${waits(days)} that the platform allows, and can't be sent any more.`;
}

/** What an account may be told only with the buyer's consent to. */
export function purposeWords({ purpose }: Pick<ConversionAccount, "purpose">): string {
  return purpose === "ads" ? "Only of buyers who agreed to advertising." : "Only of buyers who agreed to analytics.";
}
