/** The WebSocket to the gateway: comes back by itself, resumes where it was, never shows an event twice. */

import { backoffDelay, type Backoff } from "./backoff";
import type { GatewayEvent } from "./types";

/** The part of a WebSocket that is used here. */
export interface Socket {
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: ((event: { code: number }) => void) | null;
  send(data: string): void;
  close(): void;
}

export type GatewayState = "connecting" | "open" | "waiting" | "closed";

export interface GatewayOptions {
  /**
   * Address with its token, asked for before each attempt: a staff ticket opens one connection only.
   * `failures` counts the attempts since the last time it worked. It may reject: that is a failure too.
   */
  address: (failures: number) => Promise<{ url: string; token: string }>;
  /** The seq of the snapshot that the page shows. */
  after: number;
  /** Everything that happened, in order, each event once. */
  onEvents: (events: GatewayEvent[]) => void;
  /**
   * Something after `since` was missed: load the snapshot, show it and answer its seq. News wait for that. Also
   * asked for after each reconnection: news without a number (stock, playback) are not kept for latecomers.
   */
  onGap: (since: number) => Promise<number>;
  /** False for staff: they are few, and need not make room for each other. */
  crowded?: boolean;
  onState?: (state: GatewayState) => void;
  /** The gateway's answer to what `tell` sent. */
  onAnswer?: (event: GatewayEvent) => void;
  backoff?: Backoff;
  open?: (url: string) => Socket;
  random?: () => number;
}

const BACKOFF: Backoff = { baseMs: 500, capMs: 5_000 };
const PING_MS = 20_000;
/** A connection that answers nothing for so long is dead, whatever the browser thinks. */
const PONG_TIMEOUT_MS = 10_000;
const OPEN_TIMEOUT_MS = 10_000;
/** A snapshot older than this when the gateway greets may lack news that had no number. */
const FRESH_MS = 2_000;
/** A crowd loses its gateway, or some news, in the same moment. It comes back at 2,000 viewers a second … */
const BACK_MS_EACH = 0.5;
const LONGEST_WAY_BACK_MS = 10_000;
/** … and asks for at most 250 snapshots a second; a small one is spread over this. */
const SNAPSHOT_MS_EACH = 4;
const SPREAD_MS = 1_500;
const LONGEST_SPREAD_MS = 60_000;
const SNAPSHOT_AGAIN: Backoff = { baseMs: 1_000, capMs: 15_000 };

/** Call `start` once and `stop` when the page goes. */
export class GatewayClient {
  private seq: number;
  private socket: Socket | null = null;
  private failures = 0;
  private running = false;
  private state: GatewayState = "closed";
  private retry: ReturnType<typeof setTimeout> | undefined;
  private ping: ReturnType<typeof setInterval> | undefined;
  private patience: ReturnType<typeof setTimeout> | undefined;
  private pulse: ReturnType<typeof setTimeout> | undefined;
  private refresh: ReturnType<typeof setTimeout> | undefined;
  /** How many watch, as far as is known: those are who would do the same as we at the same time. */
  private crowd = 0;
  /** The gateway said goodbye, and within which time to come back. */
  private awayMs: number | null = null;
  private failedLoads = 0;
  private greetedBefore = false;
  /**
   * When a snapshot came while we were listening, by the page's own steady clock. The page's first one came
   * before: in a drop, stock has changed by the time the gateway greets, and that news has no number.
   */
  private loadedAt = -Infinity;
  /** Events that wait for a snapshot; null when none is being loaded. */
  private held: GatewayEvent[] | null = null;
  private outdated = false;
  /** Some news after this number are missing until a snapshot has been loaded; null when none are. */
  private missedSince: number | null = null;

  constructor(private readonly options: GatewayOptions) {
    this.seq = options.after;
  }

  /** The seq of the last event passed on. */
  get lastSeq(): number {
    return this.seq;
  }

  start(): void {
    if (this.running) return;
    this.running = true;
    globalThis.addEventListener?.("online", this.hurry);
    globalThis.document?.addEventListener("visibilitychange", this.hurry);
    void this.connect();
  }

  stop(): void {
    this.running = false;
    globalThis.removeEventListener?.("online", this.hurry);
    globalThis.document?.removeEventListener("visibilitychange", this.hurry);
    clearTimeout(this.retry);
    this.drop();
    this.report("closed");
  }

  /** The network is back, or somebody looks at the page again: no need to sit out the wait. */
  private readonly hurry = (): void => {
    if (this.state !== "waiting" || globalThis.document?.hidden) return;
    clearTimeout(this.retry);
    void this.connect();
  };

  private async connect(): Promise<void> {
    this.report("connecting");
    let url: string;
    try {
      const { url: base, token } = await this.options.address(this.failures);
      url = `${base}${base.includes("?") ? "&" : "?"}token=${encodeURIComponent(token)}&after=${this.seq}`;
    } catch {
      this.later(); // the API is away or refuses: the same wait as for the gateway itself
      return;
    }
    if (!this.running) return;
    const open = this.options.open ?? ((address) => new WebSocket(address) as Socket);
    const socket = open(url);
    this.socket = socket;
    this.patience = setTimeout(() => this.lost(socket), OPEN_TIMEOUT_MS);
    socket.onmessage = ({ data }) => this.receive(data);
    socket.onclose = () => this.lost(socket);
  }

  private receive(data: unknown): void {
    clearTimeout(this.pulse);
    const news: GatewayEvent[] = [];
    for (const event of decode(data)) {
      if (event.kind === "hello") this.greeted(event.data.viewers);
      if (event.kind === "viewers.changed") this.crowd = event.data.count;
      if (event.kind === "closing") this.awayMs = event.data.within_ms;
      else if (event.kind === "gap") this.missed();
      else if (event.kind === "pong") continue;
      else if (event.kind === "kept" || event.kind === "later") this.options.onAnswer?.(event);
      else if (this.held) this.held.push(event);
      else if (event.seq === null || event.seq > this.seq) {
        this.seq = event.seq ?? this.seq;
        news.push(event);
      }
    }
    if (news.length) this.options.onEvents(news);
  }

  /** What comes after the gap is shown all the same; the snapshot fills it. */
  private missed(): void {
    this.missedSince ??= this.seq;
    if (this.held) this.outdated = true;
    else this.reloadWithin(this.spread());
  }

  private greeted(viewers: number): void {
    clearTimeout(this.patience);
    this.failures = 0;
    this.awayMs = null;
    this.crowd = Math.max(this.crowd, viewers);
    this.report("open");
    clearInterval(this.ping);
    this.ping = setInterval(() => this.feelPulse(), PING_MS);
    // Who comes for the first time comes alone; whoever returns may do so with all the others.
    const spread = this.greetedBefore ? this.spread() : Math.min(SPREAD_MS, this.spread());
    this.greetedBefore = true;
    if (performance.now() - this.loadedAt >= FRESH_MS) this.reloadWithin(spread);
  }

  private feelPulse(): void {
    const { socket } = this;
    if (!socket) return;
    clearTimeout(this.pulse);
    this.pulse = setTimeout(() => this.lost(socket), PONG_TIMEOUT_MS);
    socket.send('{"kind":"ping"}');
  }

  /** Sends a frame of the page's own; false when there is no open socket. */
  tell(frame: string): boolean {
    if (this.state !== "open" || !this.socket) return false;
    this.socket.send(frame);
    return true;
  }

  private spread(): number {
    if (this.options.crowded === false) return 0;
    return Math.max(SPREAD_MS, Math.min(LONGEST_SPREAD_MS, this.crowd * SNAPSHOT_MS_EACH));
  }

  private reloadWithin(wait: number): void {
    if (this.refresh !== undefined) return;
    this.refresh = setTimeout(() => {
      this.refresh = undefined;
      void this.reload();
    }, this.random() * wait);
  }

  private random(): number {
    return (this.options.random ?? Math.random)();
  }

  /**
   * Loads the snapshot. Holds the news back until it is shown: an old snapshot must not undo newer news.
   * Rejects with what `onGap` rejects with; nothing is lost by that.
   */
  async resync(): Promise<void> {
    this.outdated = true;
    if (this.held) return; // asked again while the snapshot loads: it is loaded once more
    this.held = [];
    const listening = this.state === "open" ? this.socket : null;
    try {
      while (this.outdated) {
        this.outdated = false;
        this.seq = await this.options.onGap(this.missedSince ?? this.seq);
      }
      this.missedSince = null;
      this.failedLoads = 0;
      if (listening && listening === this.socket) this.loadedAt = performance.now();
    } finally {
      this.release();
    }
  }

  /** Passes on what was held back. */
  private release(): void {
    const held = this.held ?? [];
    this.held = null;
    const news = held.filter((event) => event.seq === null || event.seq > this.seq);
    this.seq = Math.max(this.seq, ...news.map((event) => event.seq ?? 0));
    if (news.length && this.running) this.options.onEvents(news);
  }

  private async reload(): Promise<void> {
    try {
      await this.resync();
    } catch {
      if (!this.socket) return; // the next greeting asks for it again
      this.reloadWithin(backoffDelay(this.failedLoads, SNAPSHOT_AGAIN, () => 1));
      this.failedLoads += 1;
    }
  }

  private lost(socket: Socket): void {
    if (socket !== this.socket) return;
    const crowded = this.state === "open" && this.options.crowded !== false;
    if (this.state === "open") this.loadedAt = -Infinity;
    this.drop();
    if (this.running) this.later(crowded ? Math.min(LONGEST_WAY_BACK_MS, this.crowd * BACK_MS_EACH) : 0);
  }

  private later(spread = 0): void {
    if (!this.running) return;
    this.report("waiting");
    const wait =
      this.awayMs === null
        ? backoffDelay(this.failures, this.options.backoff ?? BACKOFF, () => this.random()) +
          this.random() * spread
        : this.random() * this.awayMs;
    this.awayMs = null;
    this.failures += 1;
    clearTimeout(this.retry);
    this.retry = setTimeout(() => void this.connect(), wait);
  }

  private drop(): void {
    clearTimeout(this.patience);
    clearTimeout(this.pulse);
    clearTimeout(this.refresh);
    this.refresh = undefined;
    clearInterval(this.ping);
    const { socket } = this;
    this.socket = null;
    if (!socket) return;
    socket.onmessage = null;
    socket.onclose = null;
    socket.close();
  }

  private report(state: GatewayState): void {
    if (state === this.state) return;
    this.state = state;
    this.options.onState?.(state);
  }
}

/** One text frame is a JSON array of events. Anything else is dropped: it is not from our gateway. */
function decode(data: unknown): GatewayEvent[] {
  if (typeof data !== "string") return [];
  try {
    const events: unknown = JSON.parse(data);
    return Array.isArray(events) ? (events as GatewayEvent[]) : [];
  } catch {
    return [];
  }
}
