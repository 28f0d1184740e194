/** The merged feed: what was said everywhere, and what was sold meanwhile. Pure. */

import type {
  ChatSource,
  Delivery,
  NewMessage,
  ShowOrder,
  StaffMessage,
  Verb,
  Voice,
} from "@simulcast/api";
import { platformName } from "../../parts/words";
import type { Skip } from "./crowd";

export type Line =
  | { kind: "message"; key: string; at: number; message: StaffMessage; asked: StaffMessage | undefined }
  | { kind: "sale"; key: string; at: number; order: ShowOrder }
  | { kind: "more"; key: string; at: number; skip: Skip };

/** Messages stay in the show's order; each paid order stands where it happened, and so does what was skipped. */
export function linesOf(messages: StaffMessage[], orders: ShowOrder[], skips: Skip[] = []): Line[] {
  const first = messages[0] ? Date.parse(messages[0].at) : -Infinity;
  const from = messages[0]?.seq ?? 0;
  const sales: Line[] = orders
    .filter((order) => order.state === "paid" && Date.parse(order.placed_at) >= first)
    .map((order) => ({ kind: "sale" as const, key: order.id, at: Date.parse(order.placed_at), order }))
    .sort((a, b) => a.at - b.at);
  const waiting = skips.filter((skip) => skip.last > from);
  const byPlatform = new Map(messages.map((one) => [`${one.platform} ${one.external_id}`, one]));
  const lines: Line[] = [];
  for (const message of messages) {
    const at = Date.parse(message.at);
    while (sales[0] && sales[0].at < at) lines.push(sales.shift() as Line);
    while (waiting[0] && waiting[0].last < message.seq) lines.push(moreOf(waiting.shift() as Skip));
    lines.push({ kind: "message", key: message.id, at, message, asked: askedOf(message, byPlatform) });
  }
  return [...lines, ...waiting.map(moreOf), ...sales];
}

function moreOf(skip: Skip): Line {
  return { kind: "more", key: `more ${skip.first}`, at: Date.parse(skip.at), skip };
}

/** The message that this one answers, if it is among those shown. What we said ourselves may answer any. */
function askedOf(message: StaffMessage, known: Map<string, StaffMessage>): StaffMessage | undefined {
  if (!message.reply_to) return undefined;
  const platforms = message.outgoing ? message.deliveries.map(({ platform }) => platform) : [message.platform];
  return platforms.map((one) => known.get(`${one} ${message.reply_to}`)).find(Boolean);
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
  const labels: Record<string, string> = {
    paid: "Paid",
    membership: "Member",
    gift: "Gift",
    raid: "Raid",
    poll: "Poll",
    announcement: "Announcement",
    notice: "Notice",
  };
  return labels[kind] ?? "";
}

/** "18:30:05": for what is about seconds. */
export function timeToTheSecond(iso: string, locale?: string): string {
  return new Intl.DateTimeFormat(locale, { timeStyle: "medium" }).format(new Date(iso));
}

/** Which chat may lack what. */
export function gapWords(gap: StaffMessage, locale?: string): string {
  const [from, to] = [timeToTheSecond(gap.at, locale), timeToTheSecond(gap.received_at, locale)];
  return `${platformName(gap.platform)}: messages from ${from} to ${to} may be missing. ${gap.text}`.trim();
}

/** The truth about a message of ours on one platform. */
export function deliveryWords(delivery: Delivery): { text: string; tone: "good" | "busy" | "warn" | "bad" } {
  const place = `${delivery.purpose === "relay" ? "→ " : ""}${platformName(delivery.platform)}`;
  switch (delivery.state) {
    case "queued":
      return {
        text: delivery.due_at
          ? `${place}: waiting, goes out at ${timeToTheSecond(delivery.due_at)}`
          : `${place}: waiting`,
        tone: "busy",
      };
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

export type Keyed = NewMessage & { key: string };

/** What is to be sent, with the key it was tried with before: a lost answer costs no second message. */
export function keyed(message: NewMessage, tried: Keyed | null, fresh: () => string): Keyed {
  const again = tried && JSON.stringify(tried) === JSON.stringify({ ...message, key: tried.key });
  return { ...message, key: again ? tried.key : fresh() };
}

/** How many characters of a platform's own kind. */
export function lengthOf(words: string, unit: Voice["unit"]): number {
  return unit === "utf16" ? words.length : [...words].length;
}

/** Chats that would refuse these words, as sentences; `to`: the targets they are for, or null for all. */
export function tooMuch(words: string, voices: Voice[], to: string | null): string[] {
  return voices
    .filter((voice) => (to === null || to === voice.target_id) && voice.characters !== null)
    .filter((voice) => lengthOf(words, voice.unit) > (voice.characters ?? Infinity))
    .map((voice) => `${voice.name} takes ${voice.characters} characters; it will not be sent there.`);
}

/** What a verb will do, said before it is done. */
export function verbWords(verb: Verb, message: StaffMessage, voices: Voice[]): string {
  const there = voices.find((voice) => voice.target_id === message.target_id)?.verbs ?? [];
  const name = platformName(message.platform);
  const here = verb === "delete" || verb === "hide" ? "hides it" : "silences them";
  if (message.platform === "own") return `On the watch page.`;
  if (there.includes(verb)) return `Here and on ${name}.`;
  if (verb === "delete" && there.includes("hide")) return `Here, and hides it on ${name}.`;
  return `Only ${here} here: ${name} does not let programs do this.`;
}
