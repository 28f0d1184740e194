/** What the viewer does, on its way to the hub: kept here until the hub says that it keeps it. */

import type { Told, ToldKind } from "@simulcast/api";

/** What an event adds to its kind. */
export type About = Pick<Told, "product_id" | "variant_id" | "offer_id" | "quantity" | "data">;

export interface Line {
  /** Sends a frame; false when there is no open socket. */
  send: (frame: string) => boolean;
  /** Hands over to the browser what is still here when the page goes away. */
  beacon: (body: string) => boolean;
  /** The viewer token, for the beacon. */
  token: () => string;
}

/** Survives a reload of the tab. Used only while the viewer allows it. */
export interface TrackerMemory {
  get(): Kept[];
  set(kept: Kept[]): void;
}

export interface Kept {
  event: Told;
  /** In ms since 1970, by the page's steady clock. */
  at: number;
}

export interface TrackerOptions extends Line {
  /** Steady, in ms since 1970. */
  now: () => number;
  memory?: TrackerMemory;
}

export const MOST_KEPT = 500;
export const TOGETHER = 20;
/** As many as the hub takes at once. */
const LAST_WORDS = 40;
/** An answer takes a moment; after this it is not coming. */
const PATIENCE_MS = 10_000;
const LONGEST_AGO_MS = 3_600_000;
/** Of these one more or less tells little: they go first when there are too many. */
const CHEAP: ToldKind = "heartbeat";

/** Call `tick` every two seconds, `heard` with the gateway's answers, and `goodbye` when the page goes away. */
export class Tracker {
  private waiting: Kept[];
  private n = 0;
  private underWay: { n: number; ids: Set<string>; at: number } | null = null;
  private notBefore = -Infinity;
  private readonly visit: string;

  constructor(private readonly options: TrackerOptions) {
    this.waiting = options.memory?.get().slice(-MOST_KEPT) ?? [];
    this.visit = this.newId();
  }

  get count(): number {
    return this.waiting.length;
  }

  tell(kind: ToldKind, about: About = {}): void {
    const event: Told = { id: this.newId(), kind, visit: this.visit, ...about };
    this.waiting.push({ event, at: this.options.now() });
    if (this.waiting.length > MOST_KEPT) {
      const cheap = this.waiting.findIndex((one) => one.event.kind === CHEAP);
      this.waiting.splice(Math.max(cheap, 0), 1);
    }
    if (this.waiting.length >= TOGETHER) this.flush();
  }

  tick(): void {
    this.flush();
    this.options.memory?.set(this.waiting);
  }

  /** All of frame `n` is kept: odd ones among it would be refused again. */
  kept(n: number): void {
    const { underWay } = this;
    if (underWay?.n !== n) return;
    this.underWay = null;
    this.waiting = this.waiting.filter(({ event }) => !underWay.ids.has(event.id));
    if (this.waiting.length >= TOGETHER) this.flush();
  }

  /** Nothing of it is promised. */
  later(seconds: number): void {
    this.underWay = null;
    this.notBefore = this.options.now() + seconds * 1000;
  }

  /** The newest go with the browser's own post; nobody hears whether they arrive, so all of them stay here. */
  goodbye(): void {
    const events = this.told(this.waiting.slice(-LAST_WORDS));
    if (events.length) {
      this.n += 1;
      this.options.beacon(
        JSON.stringify({ t: "events", n: this.n, events, token: this.options.token() }),
      );
    }
    this.options.memory?.set(this.waiting);
  }

  private flush(): void {
    const now = this.options.now();
    if (!this.waiting.length || now < this.notBefore) return;
    if (this.underWay && now - this.underWay.at < PATIENCE_MS) return;
    const some = this.waiting.slice(0, TOGETHER);
    this.n += 1;
    // The hub knows a frame of events by how it begins.
    const frame = JSON.stringify({ t: "events", n: this.n, events: this.told(some) });
    if (!this.options.send(frame)) return;
    this.underWay = { n: this.n, ids: new Set(some.map(({ event }) => event.id)), at: now };
  }

  private told(some: Kept[]): Told[] {
    const now = this.options.now();
    return some.map(({ event, at }) => ({
      ...event,
      ago_ms: Math.round(Math.min(Math.max(now - at, 0), LONGEST_AGO_MS)),
    }));
  }

  /** A UUIDv7 (RFC 9562): the hub refuses any other. */
  private newId(): string {
    const bytes = new Uint8Array(16);
    crypto.getRandomValues(bytes);
    new DataView(bytes.buffer).setUint32(0, Math.floor(this.options.now() / 0x10000));
    new DataView(bytes.buffer).setUint16(4, Math.floor(this.options.now()) % 0x10000);
    bytes[6] = 0x70 | ((bytes[6] ?? 0) & 0x0f);
    bytes[8] = 0x80 | ((bytes[8] ?? 0) & 0x3f);
    const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
  }
}
