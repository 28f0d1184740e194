/** Moments of the show: told when their picture is on the screen, each once, however they came to be known. */

import type { Chapter } from "@simulcast/api";

/** `at` and `until` in ms by the server's clock. */
export interface Cue {
  id: string;
  kind: string;
  title: string;
  reference: string;
  at: number;
  until: number | null;
}

/** A cue seen this late is not told any more: whoever comes then learns of it from the page. */
const LATEST_MS = 10_000;
/** A picture this far from the last one was jumped to. */
const JUMP_MS = 2_000;

/** What the CLASS of our moments begins with; their kind follows. */
const CLASS = "com.simulcast.";

/** EXT-X-DATERANGE's attributes; null for one that is no cue of ours. */
export function cueOf(id: string, at: number, until: number | null, said: Record<string, string | undefined>): Cue | null {
  const kind = said.CLASS?.startsWith(CLASS) ? said.CLASS.slice(CLASS.length) : "";
  if (!kind || Number.isNaN(at)) return null;
  return {
    id,
    kind,
    title: said["X-TITLE"] ?? "",
    reference: said["X-REFERENCE"] ?? "",
    at,
    until,
  };
}

/** The hub's list of chapters, on the clock on which the programme began at `began`. */
export function cuesOf(chapters: readonly Chapter[], began: number): Cue[] {
  return chapters.map(({ id, kind, title, reference, begins_at, ends_at }) => ({
    id,
    kind,
    title,
    reference,
    at: began + begins_at * 1000,
    until: ends_at === null ? null : began + ends_at * 1000,
  }));
}

/** Ask `due` with each picture that is shown, or a few times a second. */
export class CueWatch {
  private readonly told = new Set<string>();
  private last: number | null = null;

  /** The cues whose moment has come. After a jump those that are still on count as come, and no others. */
  due(cues: readonly Cue[], shownAt: number | null): Cue[] {
    if (shownAt === null) return [];
    const before = this.last;
    this.last = shownAt;
    if (before === null || Math.abs(shownAt - before) > JUMP_MS) return this.after(cues, shownAt);
    const found = cues.filter(({ id, at }) => at <= shownAt && at > shownAt - LATEST_MS && !this.told.has(id));
    for (const { id } of found) this.told.add(id);
    return found;
  }

  private after(cues: readonly Cue[], shownAt: number): Cue[] {
    this.told.clear();
    for (const { id, at } of cues) if (at <= shownAt) this.told.add(id);
    return cues.filter(({ at, until }) => at <= shownAt && (until === null ? at > shownAt - LATEST_MS : until > shownAt));
  }
}
