/** The picture by WebRTC: well under half a second behind, without a way back in time. */

import type { Cue } from "../cues";
import { playedFrames } from "./frames";
import type { Rung, Source, SourceNews } from "./source";
import { WhepSession } from "./whep-session";

/** Nothing on the screen by then: LL-HLS gets its turn, and together they stay below five seconds. */
export const PATIENCE_MS = 3_000;
const STATS_MS = 1_000;
/** NTP counts from 1900. */
const NTP_EPOCH_MS = 2_208_988_800_000;

export interface WhepSourceOptions {
  video: HTMLVideoElement;
  url: string;
  iceServers: RTCIceServer[];
  /** The server's clock. */
  now: () => number;
  news: SourceNews;
}

export class WhepSource implements Source {
  readonly transport = "whep";
  private readonly session: WhepSession;
  private stream: MediaStream | null = null;
  private looker: ReturnType<typeof setInterval> | undefined;
  private callback = 0;
  /** Seconds behind live, by the best clue there is. */
  private delay: number | null = null;
  private exactUntil = 0;
  private closed = false;

  constructor(private readonly options: WhepSourceOptions) {
    const { url, iceServers, news } = options;
    this.session = new WhepSession({
      url,
      iceServers,
      patienceMs: PATIENCE_MS,
      onLost: (failure) => news.onFailed(failure),
    });
  }

  get namedServers(): RTCIceServer[] {
    return this.session.namedServers;
  }

  async open(): Promise<void> {
    this.stream = await this.session.open();
  }

  /** Puts the stream on the screen; `open` has left the video to whatever played before. */
  show(): void {
    const { video, news } = this.options;
    video.removeAttribute("src");
    video.srcObject = this.stream;
    this.looker = setInterval(() => void this.look(), STATS_MS);
    this.nextFrame();
    news.onReady();
    news.onRung();
  }

  close(): void {
    this.closed = true;
    clearInterval(this.looker);
    const { video } = this.options;
    video.cancelVideoFrameCallback?.(this.callback);
    this.session.close();
    if (this.stream && video.srcObject === this.stream) video.srcObject = null;
  }

  progress(): number {
    const { video } = this.options;
    const frames = document.hidden ? 0 : playedFrames(video).frames;
    return frames || video.currentTime;
  }

  shownAt(): number | null {
    return this.delay === null ? null : this.options.now() - this.delay * 1000;
  }

  latency(): number {
    return this.delay ?? 0;
  }

  keepUp(): null {
    return null;
  }

  rungs(): Rung[] {
    return [];
  }

  limit(): void {}

  reach(): null {
    return null;
  }

  seek(): boolean {
    return false;
  }

  toLive(): void {}

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

  /** Browsers that know when a frame was captured tell it with the frame. */
  private nextFrame(): void {
    const { video } = this.options;
    if (this.closed || !video.requestVideoFrameCallback) return;
    this.callback = video.requestVideoFrameCallback((_, frame) => {
      const { captureTime, expectedDisplayTime } = frame;
      if (captureTime !== undefined) {
        this.delay = Math.max(0, expectedDisplayTime - captureTime) / 1000;
        this.exactUntil = performance.now() + 2 * STATS_MS;
      }
      this.nextFrame();
    });
  }

  private async look(): Promise<void> {
    if (performance.now() < this.exactUntil) return;
    const report = await this.session.stats();
    if (this.closed) return;
    const found: Clues = {};
    report.forEach((one: Clues & { type: string; kind?: string; nominated?: boolean }) => {
      if (one.type === "inbound-rtp" && one.kind === "video") Object.assign(found, one);
      if (one.type === "candidate-pair" && one.nominated && one.currentRoundTripTime !== undefined) {
        found.currentRoundTripTime = one.currentRoundTripTime;
      }
    });
    this.delay = delayBy(found, this.options.now());
  }
}

/** What the browser's statistics say about the age of the picture. */
export interface Clues {
  estimatedPlayoutTimestamp?: number;
  jitterBufferDelay?: number;
  jitterBufferEmittedCount?: number;
  currentRoundTripTime?: number;
}

const LONGEST_S = 60;

/**
 * Seconds: by the sender's clock where its reports came, else half the round trip and the wait in the jitter
 * buffer, which leave out only the encoder.
 */
export function delayBy(clues: Clues, now: number): number | null {
  const { estimatedPlayoutTimestamp: ntp, jitterBufferDelay: waited, jitterBufferEmittedCount: frames } = clues;
  const late = ntp ? (now - (ntp - NTP_EPOCH_MS)) / 1000 : NaN;
  if (late >= 0 && late < LONGEST_S) return late;
  if (!waited || !frames) return null;
  return waited / frames + (clues.currentRoundTripTime ?? 0) / 2;
}
