/** What is shown of a storm: as many messages a second as people can read. The hub keeps them all. Pure. */

import type { Message } from "@simulcast/api";

/** Of one second; the rest becomes one line. */
const READABLE = 8;
/** Older lines than these are not scrolled back to. */
const KEPT_SKIPS = 200;
const PLAIN = new Set(["text", "reaction"]);

/** Messages that were not shown, in one line. */
export interface Skip {
  first: number;
  last: number;
  count: number;
  at: string;
}

export interface Crowd {
  second: number;
  shown: number;
  skips: Skip[];
}

export const CALM: Crowd = { second: 0, shown: 0, skips: [] };

/** Whether a message is shown. Whatever is not mere talk always is, and so are people who run the chat. */
export function admit(crowd: Crowd, message: Message): { crowd: Crowd; shown: boolean } {
  if (isLoud(message)) return { crowd, shown: true };
  const second = Math.floor(Date.parse(message.received_at) / 1_000);
  const shown = second === crowd.second ? crowd.shown : 0;
  if (shown < READABLE) return { crowd: { ...crowd, second, shown: shown + 1 }, shown: true };
  return { crowd: { second, shown, skips: skipped(crowd.skips, message, second) }, shown: false };
}

export function isLoud(message: Message): boolean {
  const runs = message.badges.some(({ kind }) => kind === "owner" || kind === "moderator");
  return message.outgoing || message.hidden || runs || !PLAIN.has(message.kind);
}

/** The line is gone: its messages are shown now. */
export function opened(crowd: Crowd, first: number): Crowd {
  return { ...crowd, skips: crowd.skips.filter((skip) => skip.first !== first) };
}

function skipped(skips: Skip[], message: Message, second: number): Skip[] {
  const last = skips.at(-1);
  if (last && Math.floor(Date.parse(last.at) / 1_000) === second) {
    return [...skips.slice(0, -1), { ...last, last: message.seq, count: last.count + 1 }];
  }
  const { seq, received_at: at } = message;
  return [...skips.slice(1 - KEPT_SKIPS), { first: seq, last: seq, count: 1, at }];
}
