/** Plays one LL-HLS address in a <video>, by hls.js or the browser's own HLS. It starts again by itself. */

/// <reference path="./hls-light.d.ts" />
import Hls, { type ErrorData } from "hls.js/light";
import { backoffDelay } from "@simulcast/api/backoff";
import { catchUpRate, shouldJump } from "./catch-up";
import { delayOf } from "./delay";
import { options } from "./hls-options";

export type StreamState = "connecting" | "live" | "stalled" | "ended" | "error";

export interface StreamOptions {
  onState: (state: StreamState, reason: string) => void;
  /** About twice a second while it plays. */
  onTick: () => void;
  /** The browser will not start by itself: a person has to press play. */
  onBlocked: () => void;
  /** The server's clock in ms. */
  now: () => number;
}

const TICK_MS = 500;
const RETRY = { baseMs: 1_000, capMs: 8_000 };
/** Frozen this long although it should play counts as a stall. */
const STALL_MS = 800;
/** Frozen this long although new media arrives: only starting afresh helps. */
const STUCK_MS = 6_000;
const NO_PICTURE = "Waiting for the picture. It starts by itself.";

/** Stays with `video` until `close`. */
export class Stream {
  private hls: Hls | null = null;
  private failures = 0;
  private retry: ReturnType<typeof setTimeout> | undefined;
  private readonly ticker: ReturnType<typeof setInterval>;
  private readonly listeners = new AbortController();
  private state: StreamState | null = null;
  private movedAt = 0;
  private lastTime = 0;
  /** The viewer pressed pause: whatever comes back, it does not play by itself. */
  private held = false;

  constructor(
    private readonly video: HTMLVideoElement,
    private readonly src: string,
    private readonly options: StreamOptions,
  ) {
    const { signal } = this.listeners;
    video.addEventListener("playing", () => this.plays(), { signal });
    video.addEventListener("ended", () => this.report("ended"), { signal });
    if (!Hls.isSupported()) {
      video.addEventListener("error", () => this.failed("The video could not be played."), { signal });
    }
    this.ticker = setInterval(() => this.tick(), TICK_MS);
    this.report("connecting", NO_PICTURE);
    this.open();
  }

  /** Seconds from the camera's encoder to the screen; null when nothing plays. */
  get delay(): number | null {
    if (this.state !== "live" || this.video.paused) return null;
    return delayOf({
      now: this.options.now(),
      shownAt: this.shownAt(),
      fallback: this.hls?.latency ?? 0,
    });
  }

  close(): void {
    clearInterval(this.ticker);
    clearTimeout(this.retry);
    this.listeners.abort();
    this.shut();
    this.video.removeAttribute("src");
    this.video.load();
  }

  pause(): void {
    this.held = true;
    this.video.pause();
  }

  /** Plays the newest picture, as after a pause: a live show is watched live. */
  play(): void {
    this.held = false;
    const live = this.hls?.liveSyncPosition ?? this.nativeEdge();
    if (live !== null && live > this.video.currentTime) this.video.currentTime = live;
    this.start();
  }

  private open(): void {
    this.shut();
    if (!Hls.isSupported()) {
      this.video.src = this.src;
      this.start();
      return;
    }
    const hls = new Hls(options);
    this.hls = hls;
    hls.on(Hls.Events.MANIFEST_PARSED, () => this.start());
    hls.on(Hls.Events.ERROR, (_, data) => this.problem(data));
    hls.loadSource(this.src);
    hls.attachMedia(this.video);
  }

  /** Browsers start by themselves only without sound, and some phones not even then. */
  private start(): void {
    if (this.held) return;
    void this.video.play().catch((error: unknown) => {
      if (error instanceof DOMException && error.name === "NotAllowedError") this.options.onBlocked();
    });
  }

  private shut(): void {
    this.hls?.destroy();
    this.hls = null;
  }

  private plays(): void {
    this.failures = 0;
    this.movedAt = performance.now();
    this.report("live");
  }

  private problem(data: ErrorData): void {
    if (!data.fatal) return;
    const status = data.response?.code ?? 0;
    if (status === 404 || status === 410 || status === 503) {
      this.failed(NO_PICTURE, "connecting"); // nobody streams yet, or the worker has just come back
    } else if (data.type === Hls.ErrorTypes.MEDIA_ERROR && this.failures === 0) {
      this.failures = 1;
      this.hls?.recoverMediaError();
      this.start();
    } else if (data.type === Hls.ErrorTypes.NETWORK_ERROR) {
      this.failed("The stream cannot be reached. Trying again by itself.");
    } else {
      this.failed("The video could not be played. Trying again by itself.");
    }
  }

  private failed(reason: string, state: StreamState = "error"): void {
    this.shut();
    this.report(state, reason);
    clearTimeout(this.retry);
    this.retry = setTimeout(() => this.open(), backoffDelay(this.failures, RETRY, Math.random));
    this.failures += 1;
  }

  private tick(): void {
    const { video } = this;
    const now = performance.now();
    if (video.currentTime !== this.lastTime || video.paused) {
      this.lastTime = video.currentTime;
      this.movedAt = now;
      if (!video.paused && this.state === "stalled") this.report("live");
    } else if (this.state === "live" && now - this.movedAt > STALL_MS && !video.ended) {
      this.report("stalled");
    } else if (this.state === "stalled" && now - this.movedAt > STUCK_MS && this.arriving()) {
      this.failed(NO_PICTURE, "connecting");
    }
    if (video.paused || this.state !== "live") return;
    this.keepUp();
    this.options.onTick();
  }

  /** The playlist grows. When it does not, nobody sends, and the last seconds need not be shown again. */
  private arriving(): boolean {
    const details = this.hls?.latestLevelDetails;
    return details !== undefined && details !== null && details.age < details.targetduration * 2;
  }

  private keepUp(): void {
    const { hls, video } = this;
    if (!hls || hls.targetLatency === null) return;
    const end = video.buffered.length ? video.buffered.end(video.buffered.length - 1) : 0;
    const at = { latency: hls.latency, target: hls.targetLatency, ahead: end - video.currentTime };
    if (shouldJump(at)) this.play();
    else video.playbackRate = catchUpRate(at, video.playbackRate);
  }

  /** When the frame on the screen was captured, in ms, by PROGRAM-DATE-TIME. */
  private shownAt(): number | null {
    if (this.hls) return this.hls.playingDate?.getTime() ?? null;
    const start = (this.video as { getStartDate?: () => Date }).getStartDate?.().getTime();
    return start === undefined || Number.isNaN(start) ? null : start + this.video.currentTime * 1000;
  }

  private nativeEdge(): number | null {
    const { seekable } = this.video;
    return seekable.length ? seekable.end(seekable.length - 1) : null;
  }

  private report(state: StreamState, reason = ""): void {
    this.state = state;
    this.options.onState(state, reason);
  }
}
