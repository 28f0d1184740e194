/** One way to get the picture into the <video>: what the stage asks of it, and how it fails. */

import type { Cue } from "../cues";

export type Transport = "whep" | "hls" | "native";

export type FailureCode =
  /** 401, 403: the token or the site is not allowed. */
  | "refused"
  /** As many watch as may. */
  | "full"
  /** Nobody publishes (yet). */
  | "absent"
  /** The network, or the server behind it. */
  | "unreachable"
  /** The browser cannot decode it. */
  | "unplayable"
  /** Connected, but no picture came in time. */
  | "silent";

export interface Failure {
  code: FailureCode;
  detail: string;
  /** What the server asks for before the next attempt; null when it did not say. */
  retryAfterMs: number | null;
}

export function failure(code: FailureCode, detail: string, retryAfterMs: number | null = null): Failure {
  return { code, detail, retryAfterMs };
}

/** What a server said: 0 for one that could not be reached. */
export interface Said {
  status: number;
  /** Its sentence. */
  text?: string;
  retryAfter?: string | null;
}

/** What that means for a viewer. */
export function failureOf({ status, text = "", retryAfter }: Said): Failure {
  const wait = retryAfterMs(retryAfter);
  const detail = status ? `The server answered ${status}.` : "The server cannot be reached.";
  if (status === 401 || status === 403) return failure("refused", detail, wait);
  if (status === 404 || status === 409 || status === 410) return failure("absent", detail, wait);
  if (status === 406 || status === 415) return failure("unplayable", detail, wait);
  // 503 is also what a playlist says while nobody publishes.
  if (status === 503) return failure(/\bfull\b/i.test(text) ? "full" : "absent", detail, wait);
  return failure("unreachable", detail, wait);
}

/** Seconds, as our servers say it. A date is not understood and counts as unsaid. */
export function retryAfterMs(header: string | null | undefined): number | null {
  const seconds = Number(header || NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? Math.min(seconds, 600) * 1000 : null;
}

/** One quality that can be chosen. */
export interface Rung {
  height: number;
  kbps: number;
}

/** What is allowed of the ladder, and how far behind live to stay. */
export interface Limits {
  /** The rung that the viewer chose; null: whatever fits. */
  height: number | null;
  /** No higher than this, in pixels. */
  most: number;
  /** How many of the rungs below that are also shut. */
  lower: number;
  /** Times the server's own hold-back. */
  holdBack: number;
}

export interface SourceNews {
  onFailed: (failure: Failure) => void;
  /** The rungs are known, or another one plays. */
  onRung: () => void;
  /** It may start: `play` of the video makes sense now. */
  onReady: () => void;
}

/** Opened once, closed once. Moments are in ms by the server's clock. */
export interface Source {
  readonly transport: Transport;
  /** The browser has taken it in; WHEP resolves only when pictures arrive, and leaves the video alone until then. */
  open(): Promise<void>;
  close(): void;
  /** Changes whenever another picture is on the screen. */
  progress(): number;
  /** When the picture on the screen was taken; null when it cannot be told. */
  shownAt(): number | null;
  /** Seconds behind live by the transport's own reckoning; 0: not known. */
  latency(): number;
  /** How far behind live it should be and how much is downloaded ahead, in s; null: it keeps up by itself. */
  keepUp(): { target: number; ahead: number } | null;
  rungs(): Rung[];
  limit(limits: Limits): void;
  /** What can be reached without another source. */
  reach(): { from: number; to: number } | null;
  /** Goes to the picture of a moment; false when it is out of reach. */
  seek(moment: number): boolean;
  toLive(): void;
  /** The same stream with a newer token in its address. */
  renew(address: string): void;
  /** Cues that came with the media; null: this transport carries none. */
  cues(): readonly Cue[] | null;
  /** New media arrives: a picture that stands still should move. */
  arriving(): boolean;
  /** There is more to show than has been shown: a stall is the connection's fault, not the publisher's. */
  fed(): boolean;
}
