/**
 * Tells the hub how well it plays: counters since the viewer came, so that a lost beacon harms nothing. The
 * session's name is made up here and lives as long as the page; no cookie, nothing stored.
 */

import type { Transport } from "./sources/source";

const EVERY_MS = 10_000;
const MOST_ERRORS = 50;
const LONGEST_DETAIL = 200;

export interface Trouble {
  code: string;
  detail: string;
}

/** What is true now, besides the counters. */
export interface Reading {
  transport: Transport | null;
  height: number | null;
  latencyMs: number | null;
  /** Of the <video>, since it got its present source. */
  frames: number;
  dropped: number;
  ended: boolean;
}

export interface Beacon {
  schema: 1;
  session: string;
  seq: number;
  at_ms: number;
  transport: Transport;
  startup_ms: number | null;
  watched_ms: number;
  stalls: number;
  stalled_ms: number;
  height: number | null;
  /** Lines times ms watched: for the average. */
  height_ms: number;
  latency_ms: number | null;
  dropped: number;
  frames: number;
  switches: number;
  fallbacks: number;
  errors: Trouble[];
  ended: boolean;
  kind: "viewer" | "probe";
  /** The browser's time zone: the hub keeps its country, for figures by region, and not the zone. */
  zone: string | null;
}

/** Counts what happens; pure but for the clock that is handed in. */
export class Counters {
  private readonly began: number;
  private seq = 0;
  private wantedAt: number | null = null;
  private startupMs: number | null = null;
  private watchedMs = 0;
  private stalledMs = 0;
  private stalls = 0;
  private switches = 0;
  private fallbacks = 0;
  private frames = 0;
  private dropped = 0;
  private seen = { frames: 0, dropped: 0 };
  private linesMs = 0;
  private readonly errors: Trouble[] = [];

  constructor(
    private readonly session: string,
    private readonly kind: "viewer" | "probe",
    private readonly now: () => number,
    private readonly zone: string | null = zoneName(),
  ) {
    this.began = now();
  }

  get watched(): number {
    return this.watchedMs;
  }

  /** Somebody, or the page, wants a picture from now on. */
  wanted(): void {
    this.wantedAt ??= this.now();
  }

  /** The first picture after `wanted` is the start-up; later ones are not. */
  shown(): void {
    if (this.wantedAt !== null) this.startupMs ??= Math.round(this.now() - this.wantedAt);
  }

  /** `height` of the picture, in lines, or 0. */
  passed(watchedMs: number, stalledMs: number, begun: boolean, height = 0): void {
    this.watchedMs = Math.max(0, this.watchedMs + watchedMs);
    this.linesMs = Math.max(0, this.linesMs + watchedMs * height);
    this.stalledMs += stalledMs;
    if (begun) this.stalls += 1;
  }

  switched(): void {
    this.switches += 1;
  }

  fellBack(): void {
    this.fallbacks += 1;
  }

  failed(code: string, detail: string): void {
    this.errors.push({ code, detail: detail.slice(0, LONGEST_DETAIL) });
    if (this.errors.length > MOST_ERRORS) this.errors.shift();
  }

  /** The next beacon; null while nothing has been tried yet. */
  take({ transport, height, latencyMs, frames, dropped, ended }: Reading): Beacon | null {
    this.count(frames, dropped);
    if (!transport) return null;
    this.seq += 1;
    return {
      schema: 1,
      session: this.session,
      seq: this.seq,
      at_ms: Math.round(this.now() - this.began),
      transport,
      startup_ms: this.startupMs,
      watched_ms: Math.round(this.watchedMs),
      stalls: this.stalls,
      stalled_ms: Math.round(this.stalledMs),
      height: height || null,
      height_ms: Math.round(this.linesMs),
      latency_ms: latencyMs === null ? null : Math.round(latencyMs),
      dropped: this.dropped,
      frames: this.frames,
      switches: this.switches,
      fallbacks: this.fallbacks,
      errors: [...this.errors],
      ended,
      kind: this.kind,
      zone: this.zone,
    };
  }

  /** The browser starts counting again with each new source. */
  count(frames: number, dropped: number): void {
    this.frames += frames < this.seen.frames ? frames : frames - this.seen.frames;
    this.dropped += dropped < this.seen.dropped ? dropped : dropped - this.seen.dropped;
    this.seen = { frames, dropped };
  }
}

export interface BeaconsOptions {
  counters: Counters;
  read: () => Reading;
  url: () => string | null;
  send?: (url: string, body: string) => void;
}

/** Sends one every ten seconds while something was watched, and one when the page is left or hidden. */
export class Beacons {
  private readonly timer: ReturnType<typeof setInterval>;
  private readonly listeners = new AbortController();
  private sentAt = -1;

  constructor(private readonly options: BeaconsOptions) {
    this.timer = setInterval(() => this.beat(), EVERY_MS);
    const { signal } = this.listeners;
    addEventListener("pagehide", () => this.send(true), { signal });
    document.addEventListener("visibilitychange", () => document.hidden && this.send(false), { signal });
  }

  /** The last word. */
  stop(): void {
    clearInterval(this.timer);
    this.listeners.abort();
    this.send(true);
  }

  private beat(): void {
    if (this.options.counters.watched > this.sentAt) this.send(false);
  }

  private send(ended: boolean): void {
    const { counters, read, url, send = post } = this.options;
    const address = url();
    const now = read();
    const beacon = counters.take({ ...now, ended: ended || now.ended });
    if (!beacon || !address) return;
    this.sentAt = counters.watched;
    send(address, JSON.stringify(beacon));
  }
}

/** As plain text, so that no browser asks another site's leave first; without cookies where that can be chosen. */
function post(url: string, body: string): void {
  if (!("keepalive" in Request.prototype)) {
    navigator.sendBeacon(url, body);
    return;
  }
  const headers = { "Content-Type": "text/plain" };
  fetch(url, { method: "POST", body, headers, keepalive: true, credentials: "omit" }).catch(() => undefined);
}

/** A name for one viewing. Pages without TLS have no randomUUID. */
export function sessionName(): string {
  const { crypto } = globalThis;
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/** "Asia/Singapore"; null where the browser does not say. */
export function zoneName(): string | null {
  const { timeZone } = new Intl.DateTimeFormat().resolvedOptions();
  // Some say "+08:00": that is no place, and some nothing at all.
  return timeZone && /^[A-Za-z0-9_+/-]{1,64}$/.test(timeZone) ? timeZone : null;
}
