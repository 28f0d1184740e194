/** How fast to play so that the delay shrinks to where it should be, without anybody hearing it. */

/** All in seconds of media. */
export interface Position {
  /** How far the playhead is behind the newest media in the playlist. */
  latency: number;
  /** How far it should be: the server's PART-HOLD-BACK, and more after stalls. */
  target: number;
  /** How much is downloaded ahead of the playhead. */
  ahead: number;
}

/** Browsers keep the pitch; up to here they also keep the sound clean. */
export const MAX_RATE = 1.08;
const GENTLE_RATE = 1.04;
/** Beyond this excess the faster rate. Only two: each change of the rate may be heard, not the rate itself. */
const FAR = 0.6;

/** Closer than this to the target is good enough. */
const CLOSE = 0.15;
/** Once catching up, go on until this close, or the rate would flicker around the limit above. */
const REACHED = 0.05;
/** With less than this share of the target downloaded, speeding up would only run into a stall. */
const NEEDED_AHEAD = 0.5;

/**
 * The playback rate, 1 to 1.08. hls.js's own rule never speeds up with less than a second ahead, and
 * with short parts there never is that much: the delay of each stall would stay for good.
 */
export function catchUpRate(at: Position, current: number): number {
  const excess = at.latency - at.target;
  const enough = current > 1 ? REACHED : CLOSE;
  if (!Number.isFinite(excess) || excess <= enough) return 1;
  if (at.ahead < at.target * NEEDED_AHEAD) return 1;
  const far = current === MAX_RATE ? FAR - CLOSE : FAR;
  return excess > far ? MAX_RATE : GENTLE_RATE;
}

/** Further behind than this is skipped when what follows is here already: a slow start, a long stall. */
const SKIPPED = 1.5;

/** Whether to jump to the target: playing faster would take too long, and the jump costs no second stall. */
export function shouldJump(at: Position): boolean {
  const excess = at.latency - at.target;
  if (excess > Math.max(6, at.target * 4)) return true; // a laptop that slept: there is nothing to lose
  return excess > SKIPPED && at.ahead - excess >= at.target * NEEDED_AHEAD;
}
