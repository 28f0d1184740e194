/** How far behind live the picture is. */

/** Moments in ms: `shownAt` is when the frame on the screen was captured, by PROGRAM-DATE-TIME. */
export interface Clues {
  now: number;
  shownAt: number | null;
  /** hls.js's own reckoning from the playlist's end, in seconds; 0 while it does not know. */
  fallback: number;
}

/** No live picture is this old: a PROGRAM-DATE-TIME that says so was written by a wrong clock. */
const LONGEST_MS = 600_000;

/** Seconds behind live, or null when it cannot be told. */
export function delayOf({ now, shownAt, fallback }: Clues): number | null {
  const late = shownAt === null ? NaN : now - shownAt;
  if (late >= 0 && late < LONGEST_MS) return late / 1000;
  return fallback > 0 ? fallback : null;
}
