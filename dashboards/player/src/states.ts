/** The player's one state, from everything that is known. */

import type { ShowState } from "@simulcast/api";
import type { FailureCode } from "./sources/source";

/**
 * loading: it should play, and there is no picture yet. scheduled: the show has not begun. live, replay: it
 * plays. stalled: a short wait in mid-picture. paused: by the viewer, or by a browser that refuses to start
 * alone. waiting: the show goes on, but nobody publishes. ended: with or without a replay to start. full: as
 * many watch as may. refused: the token or the site is not allowed. offline: the device has no network.
 */
export type PlayerState =
  | "loading"
  | "scheduled"
  | "live"
  | "stalled"
  | "paused"
  | "waiting"
  | "ended"
  | "replay"
  | "error"
  | "offline"
  | "refused"
  | "full";

export interface Facts {
  /** Null while the hub has not answered. */
  show: ShowState | null;
  /** What cannot be put right by waiting; "" when nothing is. */
  hopeless: string;
  /** The show is for others. */
  refused: boolean;
  /** There are addresses to play. */
  playable: boolean;
  /** Nobody publishes. */
  away: boolean;
  /** The replay has been asked for. */
  replaying: boolean;
  /** The last seconds of a show that has just ended are still being shown. */
  lingering: boolean;
  /** The viewer pressed pause, or has not pressed play yet. */
  held: boolean;
  online: boolean;
  picture: "none" | "coming" | "moving" | "frozen" | "over";
  failure: FailureCode | null;
}

/** Pure. */
export function stateOf(at: Facts): PlayerState {
  if (at.hopeless) return "error";
  if (at.refused) return "refused";
  if (at.show === "scheduled") return "scheduled";
  if (at.picture === "over") return "ended";
  if (at.show === "ended" && !at.replaying) return at.lingering ? "live" : "ended";
  const going: PlayerState = at.show === "ended" ? "replay" : "live";
  if (at.held && at.picture !== "none" && !at.failure) return "paused";
  if (at.picture === "moving") return going;
  if (!at.online) return "offline";
  if (at.failure) return failed(at.failure, at);
  if (at.show === "live" && at.away) return "waiting";
  if (at.held && at.playable) return "paused";
  return at.picture === "frozen" ? "stalled" : "loading";
}

function failed(code: FailureCode, { away }: Facts): PlayerState {
  switch (code) {
    case "refused":
      return "refused";
    case "full":
      return "full";
    case "absent":
      return away ? "waiting" : "loading";
    case "silent":
      return "loading";
    case "unreachable":
    case "unplayable":
      return "error";
  }
}
