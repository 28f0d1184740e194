/** What the player says: plain sentences for each state. */

/**
 * scheduled: the show has not begun. connecting: live, but there is no picture yet or any more.
 * stalled: a short wait in mid-picture. paused: by the viewer, or by a browser that refuses to start alone.
 */
export type PlayerState = "scheduled" | "connecting" | "live" | "stalled" | "paused" | "ended" | "error";

export interface Message {
  title: string;
  detail: string;
}

/** What stands over the picture, or null while nothing must. `reason` is why, where there is a reason. */
export function message(state: PlayerState, reason: string, startsAt: string | null): Message | null {
  switch (state) {
    case "scheduled":
      return {
        title: startsAt ? `The show starts ${moment(startsAt)}` : "The show starts soon",
        detail: "It begins here by itself.",
      };
    case "connecting":
      return { title: "Connecting to the show…", detail: reason };
    case "stalled":
      return { title: "One moment…", detail: "The picture comes back by itself." };
    case "ended":
      return { title: "The show has ended", detail: "Thank you for watching." };
    case "error":
      return { title: "The video cannot be shown", detail: reason };
    case "live":
    case "paused":
      return null;
  }
}

/** What screen readers hear when the state changes. */
export function spoken(state: PlayerState, words: Message | null): string {
  if (words) return `${words.title.replace(/[^.…]$/, "$&.")} ${words.detail}`.trim();
  return state === "paused" ? "Paused." : "Playing live.";
}

/** "1.4 s behind live"; whole seconds from ten on, where tenths only flicker. */
export function delayLabel(seconds: number): string {
  return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s behind live`;
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
