/** What the player says: plain sentences for each state, and what to do. */

import { countdown, secondsLeft } from "@simulcast/api/clock";
import type { PlayerState } from "./states";

export interface Message {
  title: string;
  detail: string;
}

const DAY_S = 86_400;

/** `reason` is why, where there is a reason; `replay`: there is one to start. */
export interface Saying {
  state: PlayerState;
  reason: string;
  startsAt: string | null;
  replay: boolean;
}

/** What stands over the picture, or null while nothing must. */
export function message({ state, reason, startsAt, replay }: Saying): Message | null {
  switch (state) {
    case "scheduled":
      return {
        title: startsAt ? `The show starts ${moment(startsAt)}` : "The show starts soon",
        detail: "It begins here by itself.",
      };
    case "loading":
      return { title: "Connecting to the show…", detail: reason };
    case "stalled":
      return { title: "One moment…", detail: "The picture comes back by itself." };
    case "waiting":
      return { title: "Back in a moment", detail: "The show is paused. It goes on here by itself." };
    case "ended":
      return {
        title: "The show has ended",
        detail: replay ? "You can watch it again." : "Thank you for watching.",
      };
    case "offline":
      return { title: "You are offline", detail: "Check your connection. The show comes back by itself." };
    case "refused":
      return {
        title: "This video cannot be played here",
        detail:
          reason || "Your link may have run out. Reload the page, or ask whoever sent it to you for a new one.",
      };
    case "full":
      return {
        title: "The show is full",
        detail: "As many people watch as there is room for. You come in by itself as soon as somebody leaves.",
      };
    case "error":
      return { title: "The video cannot be shown", detail: reason };
    case "live":
    case "replay":
    case "paused":
      return null;
  }
}

/** What screen readers hear when the state changes. */
export function spoken(state: PlayerState, words: Message | null): string {
  if (words) return `${words.title.replace(/[^.…]$/, "$&.")} ${words.detail}`.trim();
  if (state === "paused") return "Paused.";
  return state === "replay" ? "Playing the replay." : "Playing live.";
}

/** "1.4 s behind live"; whole seconds from ten on, where tenths only flicker; minutes from two on. */
export function delayLabel(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(1)} s behind live`;
  if (seconds < 120) return `${Math.round(seconds)} s behind live`;
  return `${Math.round(seconds / 60)} min behind live`;
}

/** "4:59" until the start; "" when it is more than a day away, or due. */
export function untilStart(startsAt: string | null, now: number): string {
  if (!startsAt) return "";
  const left = secondsLeft(startsAt, now);
  return left > 0 && left < DAY_S ? countdown(left) : "";
}

/** "on Thursday 24 December, 19:00", in the viewer's own time zone and language. */
function moment(iso: string): string {
  const format = new Intl.DateTimeFormat(undefined, {
    weekday: "long",
    day: "numeric",
    month: "long",
    hour: "numeric",
    minute: "2-digit",
  });
  return `on ${format.format(new Date(iso))}`;
}
