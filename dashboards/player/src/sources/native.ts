/** HLS by the browser itself, where hls.js cannot run: older iPhones. */

import type { Cue } from "../cues";
import { failure, type Rung, type Source, type SourceNews } from "./source";

/** Safari tells when the media's zero was. */
type Dated = HTMLVideoElement & { getStartDate?: () => Date };

export interface NativeSourceOptions {
  video: HTMLVideoElement;
  url: string;
  /** Where to begin: a moment in ms; null: where the browser does. */
  from: { moment: number } | null;
  news: SourceNews;
}

export class NativeSource implements Source {
  readonly transport = "native";
  private readonly listeners = new AbortController();

  constructor(private readonly options: NativeSourceOptions) {}

  open(): Promise<void> {
    const { video, url, from, news } = this.options;
    const { signal } = this.listeners;
    const failed = () => news.onFailed(failure(codeOf(video.error), video.error?.message || "The video broke off."));
    video.addEventListener("error", failed, { signal });
    video.addEventListener("loadedmetadata", () => from && this.seek(from.moment), { signal });
    video.srcObject = null;
    video.src = url;
    news.onReady();
    return Promise.resolve();
  }

  close(): void {
    this.listeners.abort();
    this.options.video.removeAttribute("src");
    this.options.video.load();
  }

  progress(): number {
    return this.options.video.currentTime;
  }

  shownAt(): number | null {
    const zero = this.zero();
    return zero === null ? null : zero + this.options.video.currentTime * 1000;
  }

  latency(): number {
    const { seekable, currentTime } = this.options.video;
    return seekable.length ? Math.max(0, seekable.end(seekable.length - 1) - currentTime) : 0;
  }

  keepUp(): null {
    return null;
  }

  rungs(): Rung[] {
    return [];
  }

  limit(): void {}

  reach(): { from: number; to: number } | null {
    const zero = this.zero();
    const { seekable } = this.options.video;
    if (zero === null || !seekable.length) return null;
    return { from: zero + seekable.start(0) * 1000, to: zero + seekable.end(seekable.length - 1) * 1000 };
  }

  seek(moment: number): boolean {
    const [zero, reach] = [this.zero(), this.reach()];
    if (zero === null || !reach || moment < reach.from - 1000) return false;
    this.options.video.currentTime = (Math.min(moment, reach.to) - zero) / 1000;
    return true;
  }

  toLive(): void {
    const { video } = this.options;
    if (video.seekable.length) video.currentTime = video.seekable.end(video.seekable.length - 1);
  }

  /** The browser keeps the address that it was given: a token runs out with the next attempt. */
  renew(): void {}

  cues(): readonly Cue[] | null {
    return null;
  }

  arriving(): boolean {
    return true;
  }

  fed(): boolean {
    return true;
  }

  private zero(): number | null {
    const at = (this.options.video as Dated).getStartDate?.().getTime() ?? NaN;
    return Number.isNaN(at) ? null : at;
  }
}

/** A browser does not tell 403 from 404; a network error is all it says. */
function codeOf(error: MediaError | null) {
  return error?.code === 3 || error?.code === 4 ? "unplayable" : "unreachable";
}
