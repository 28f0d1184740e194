/** What was answered, kept in this browser so that nobody is asked twice: the answer itself, and no name or number. */

import type { Choice } from "./allowed";

const PLACE = "simulcast.consent";
/** Half a year, then we ask again; a longer silence is no answer. */
export const ASK_AGAIN_MS = 182 * 24 * 3_600_000;

export interface Remembered extends Choice {
  version: number;
  at: number;
}

export interface Memory {
  get(): Remembered | null;
  set(answer: Remembered): void;
}

/** A browser that forbids it is asked on each visit. */
export const browserMemory: Memory = {
  get: () => {
    try {
      return remembered(JSON.parse(localStorage.getItem(PLACE) ?? "null"));
    } catch {
      return null;
    }
  },
  set: (answer) => {
    try {
      localStorage.setItem(PLACE, JSON.stringify(answer));
    } catch {
      // it is asked again next time
    }
  },
};

/** Anything may stand there: other versions of this page wrote it, or somebody by hand. */
export function remembered(found: unknown): Remembered | null {
  if (typeof found !== "object" || found === null) return null;
  const { version, at, analytics, ads } = found as Record<string, unknown>;
  if (typeof version !== "number" || typeof at !== "number") return null;
  return { version, at, analytics: analytics === true, ads: ads === true };
}
