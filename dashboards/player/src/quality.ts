/** Which rungs may play: what the viewer chose, what the picture's size needs, what the connection bore. */

import type { Limits, Rung } from "./sources/source";

/** `saver` never plays more than 480 lines. */
export type Quality = "auto" | "saver" | number;

const SAVER_HEIGHT = 480;
/** A rung up to this much larger than the screen still shows; beyond that it only costs. */
const ROOM = 1.1;
/** Steps beyond the ladder's last rung stay further behind live. */
const HOLD_BACKS = [1, 1, 1.5, 2.5];

/** How many steps down there are on HLS. */
export const HLS_STEPS = HOLD_BACKS.length - 1;

/** Heights to offer, highest first, each once; nothing where there is no choice. */
export function offered(rungs: readonly Rung[]): number[] {
  const heights = [...new Set(rungs.map(({ height }) => height))].filter((height) => height > 0);
  return heights.length > 1 ? heights.sort((a, b) => b - a) : [];
}

/** `screen` is the picture's height on the screen in device pixels; 0 while it is not known. */
export function limits(quality: Quality, screen: number, stepsDown: number): Limits {
  const holdBack = HOLD_BACKS[Math.min(stepsDown, HLS_STEPS)] ?? 1;
  if (typeof quality === "number") return { height: quality, most: Infinity, lower: 0, holdBack };
  const shown = screen > 0 ? Math.max(screen, 1) : Infinity;
  const most = quality === "saver" ? Math.min(SAVER_HEIGHT, shown) : shown;
  return { height: null, most, lower: Math.min(stepsDown, 2), holdBack };
}

/**
 * The highest rung allowed, as an index into rungs that go from low to high. The smallest one that fills
 * the screen is still wanted: one below it would be drawn larger than it is.
 */
export function highest(rungs: readonly Rung[], { most, lower }: Limits): number {
  const last = rungs.length - 1;
  const filling = rungs.findIndex(({ height }) => height * ROOM >= most);
  return Math.max(0, (filling < 0 ? last : filling) - lower);
}

/** The rung of a height that was chosen; the nearest when the ladder has changed since. */
export function chosen(rungs: readonly Rung[], height: number): number {
  let best = 0;
  rungs.forEach((one, index) => {
    const nearer = Math.abs(one.height - height) < Math.abs((rungs[best]?.height ?? 0) - height);
    if (nearer) best = index;
  });
  return best;
}

/** What a page or a menu says: "auto", "saver", "720p" or 720; null for anything else. */
export function qualityOf(said: unknown): Quality | null {
  if (said === "auto" || said === "saver") return said;
  const height = typeof said === "string" ? Number.parseInt(said, 10) : said;
  return typeof height === "number" && height > 0 ? height : null;
}
