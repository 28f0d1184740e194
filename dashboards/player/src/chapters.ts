/** The show's list of moments, fetched beside the media: for the seek bar, and where no cues come with the media. */

import type { Chapter } from "@simulcast/api";

/** For the seek bar; cues are told by the media itself. */
const SLOWLY_MS = 30_000;
/** WebRTC and the browser's own HLS carry no cues; nor is the address known at first. */
const CLOSELY_MS = 1_000;
const TIMEOUT_MS = 5_000;

export interface ChaptersOptions {
  url: () => string | null;
  /** The server's clock. */
  now: () => number;
  /** The media carry no cues. */
  closely: () => boolean;
  onChange: () => void;
}

/** `stop` it when the player goes. A list that cannot be had leaves the last one. */
export class Chapters {
  list: readonly Chapter[] = [];
  private timer: ReturnType<typeof setTimeout> | undefined;
  private stopped = false;
  private said = "";
  private readonly seen = new Map<string, number>();

  constructor(private readonly options: ChaptersOptions) {}

  /** When a moment was first listed; null for those that were before the viewer came. */
  cameUp(id: string): number | null {
    return this.seen.get(id) || null;
  }

  /** From now on, until `stop`. */
  start(): void {
    void this.load();
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
  }

  private async load(): Promise<void> {
    const url = document.hidden ? null : this.options.url();
    if (url) await this.fetch(url).catch(() => undefined);
    clearTimeout(this.timer);
    if (this.stopped) return;
    const closely = !url || this.options.closely();
    this.timer = setTimeout(() => void this.load(), closely ? CLOSELY_MS : SLOWLY_MS);
  }

  private async fetch(url: string): Promise<void> {
    const response = await fetch(url, { credentials: "omit", signal: AbortSignal.timeout(TIMEOUT_MS) });
    const text = response.ok ? await response.text() : this.said;
    if (text === this.said || this.stopped) return;
    this.list = chaptersIn(JSON.parse(text));
    const at = this.said ? this.options.now() : 0;
    for (const { id } of this.list) if (!this.seen.has(id)) this.seen.set(id, at);
    this.said = text;
    this.options.onChange();
  }
}

/** In the order of the show; what is no chapter is left out. */
export function chaptersIn(said: unknown): Chapter[] {
  if (!Array.isArray(said)) return [];
  const good = said.filter((one): one is Chapter => typeof one?.id === "string" && Number.isFinite(one.begins_at));
  return good.sort((a, b) => a.begins_at - b.begins_at);
}

/** The chapter that a show time lies in: the last one that has begun. */
export function chapterAt(chapters: readonly Chapter[], seconds: number): Chapter | null {
  return chapters.findLast(({ begins_at }) => begins_at <= seconds) ?? null;
}
