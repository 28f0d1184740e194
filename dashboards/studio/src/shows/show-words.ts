/** A show's state in words. */

import type { ShowState, ShowSummary } from "@simulcast/api";
import { dateTime, type Tone } from "../parts/words";

export const SHOW_STATES: Record<ShowState, { label: string; tone: Tone }> = {
  scheduled: { label: "Planned", tone: "busy" },
  live: { label: "Live", tone: "air" },
  ended: { label: "Ended", tone: "quiet" },
};

const CANCELLED: { label: string; tone: Tone } = { label: "Cancelled", tone: "quiet" };

export function stateOf({ state, cancelled }: Pick<ShowSummary, "state" | "cancelled">) {
  return cancelled ? CANCELLED : SHOW_STATES[state];
}

/** When it is, was or began. */
export function whenOf(show: ShowSummary, locale?: string): string {
  if (show.cancelled && show.ended_at) return `Cancelled ${dateTime(show.ended_at, locale)}`;
  if (show.state === "ended" && show.ended_at) return `Ended ${dateTime(show.ended_at, locale)}`;
  if (show.state === "live" && show.live_at) return `Live since ${dateTime(show.live_at, locale)}`;
  return show.starts_at ? `Starts ${dateTime(show.starts_at, locale)}` : "No start time set";
}
