/** Connections in words. */

import { type Budget, type Connection, countdown, secondsLeft } from "@simulcast/api";
import { closed, dateTime, timeOfDay, type Tone } from "../parts/words";

const ABILITIES: [string, string][] = [
  ["destination", "shows the video"],
  ["chat_source", "chat is read"],
  ["chat_sink", "chat can be answered"],
  ["order_source", "orders come in"],
  ["stock_sink", "stock is kept in step"],
  ["payments", "takes payments"],
  ["delivery", "delivers the player through its CDN"],
  ["conversions", "is told of sales"],
];
const DAY_S = 86_400;

/** "Shows the video, chat is read." */
export function abilities(capabilities: string[]): string {
  const words = ABILITIES.filter(([name]) => capabilities.includes(name)).map(([, text]) => text);
  const line = words.join(", ");
  return line && `${line.charAt(0).toUpperCase()}${line.slice(1)}.`;
}

export function stateOf(connection: Connection): { label: string; tone: Tone } {
  switch (connection.state) {
    case "ok":
      return { label: "Linked", tone: "good" };
    case "reconnect":
      return { label: "Reconnect", tone: "bad" };
    case "off":
      return { label: "Unlinked", tone: "quiet" };
    case "gone":
      return { label: "No longer known", tone: "warn" };
  }
}

export interface Line {
  text: string;
  tone: Tone;
}

/** How long the login lasts; null where the platform does not say. */
export function loginLine(connection: Connection, nowMs: number, locale?: string): Line | null {
  const ends = connection.token_expires_at;
  if (connection.state !== "ok") return null;
  const left = ends ? secondsLeft(ends, nowMs) : 0;
  if (connection.renews) {
    // A date that has passed says nothing: the next use renews it.
    const next = ends && left ? `, next before ${dateTime(ends, locale)}` : "";
    return { text: `The login renews itself${next}.`, tone: "quiet" };
  }
  if (!ends) return null;
  if (!left) return { text: `The login ended on ${dateTime(ends, locale)}. Press Reconnect.`, tone: "bad" };
  const soon = left < 7 * DAY_S;
  const advice = soon ? " Press Reconnect before then." : "";
  return { text: `The login ends on ${dateTime(ends, locale)}.${advice}`, tone: soon ? "warn" : "quiet" };
}

/** How long a stream key that a person entered is still good; null where keys do not run out. */
export function keyLine(connection: Connection, nowMs: number): Line | null {
  const ends = connection.key_ends_at;
  if (!ends) return null;
  const left = secondsLeft(ends, nowMs);
  if (!left) {
    const text = `The stream key has run out. Get a new one from ${connection.title} and enter it.`;
    return { text, tone: "warn" };
  }
  return { text: `The stream key is good for ${countdown(left)}.`, tone: left < 1_800 ? "warn" : "quiet" };
}

/** "3,200 of 10,000 units used today. Whole again at 09:00." */
export function budgetLine(budget: Budget, locale?: string): Line {
  const number = new Intl.NumberFormat(locale);
  const used = `${number.format(budget.used)} of ${number.format(budget.units)} units used today.`;
  const low = budget.used >= 0.8 * (budget.units - budget.reserve);
  return {
    text: `${used} Whole again at ${timeOfDay(budget.resets_at, locale)}.`,
    tone: low ? "warn" : "quiet",
  };
}

const PROBLEMS: Record<string, string> = {
  denied:
    "You did not allow it there, so nothing was linked. Start once more, and press Allow on the platform's page; " +
    "whoever may not decide it asks the owner of the account.",
  stale: "That login had been used already, or took longer than ten minutes. Start once more.",
  cut_off: "This login is still being worked on, or was cut off. Look whether the account is there; if not, start once more.",
  failed: "The platform did not let you through. Look at your app's settings there, then start once more.",
  refused:
    "The platform did not accept the login. Compare your app's credentials, and the redirect address in its " +
    "settings there, then start once more. It said:",
  away: "The platform is not answering. Try again in a few minutes.",
  no_account: "Nothing to link was found there. Sign in as somebody with a page or channel of the brand.",
  other_account: "That was another account than the one to reconnect. Sign in there as the right one.",
  signed_out:
    "You were signed out here when the platform sent you back. Open the studio at the address that it is " +
    "reached by, and start once more.",
};

/** Why nothing was linked. `said` is the platform's own sentence. */
export function problemWords(problem: string, said: string | null | undefined): string {
  const words = PROBLEMS[problem] ?? "Nothing was linked. Start once more.";
  return said ? `${words} ${closed(said)}` : words.replace(/ It said:$/, "");
}
