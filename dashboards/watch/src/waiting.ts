/** What this viewer waits for, as far as the page knows. What becomes theirs is in their cart by itself. */

import type { EventData, WaitlistApi, WaitPlace } from "@simulcast/api";

export type OfferedNews = EventData["waitlist.offered"];

export interface WaitingOptions {
  api: Pick<WaitlistApi, "places" | "join" | "leave">;
  onChange: () => void;
  /** One is reserved for the viewer now. */
  onOffered: () => void;
}

/** An offer that was not taken is over a moment after its time. */
const GRACE_MS = 1_500;
/** Places in line change with every unit that comes back; asking more often tells nobody more. */
const ASK_AGAIN_MS = 3_000;
/** After the hub gave no answer. */
const AWAY_MS = 10_000;

export class Waiting {
  private places = new Map<string, WaitPlace>();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private due = Infinity;

  constructor(private readonly options: WaitingOptions) {}

  placeOf(variantId: string): WaitPlace | null {
    return this.places.get(variantId) ?? null;
  }

  /** The places as they are now; those known before, while the hub does not answer. */
  async load(): Promise<void> {
    const found = await this.options.api.places().catch(() => null);
    if (!found) {
      if (this.places.size) this.askIn(AWAY_MS);
      return;
    }
    this.places = new Map(found.map((place) => [place.variant_id, place]));
    for (const { offered_until: until, server_time: now } of found) {
      if (until) this.askIn(Date.parse(until) - Date.parse(now) + GRACE_MS);
    }
    this.options.onChange();
  }

  /** Throws the hub's no. */
  async join(variantId: string): Promise<void> {
    this.places.set(variantId, await this.options.api.join(variantId));
    this.options.onChange();
  }

  /** Throws the hub's no. */
  async leave(variantId: string): Promise<void> {
    await this.options.api.leave(variantId);
    this.places.delete(variantId);
    this.options.onChange();
  }

  offered(): void {
    this.options.onOffered();
    void this.load();
  }

  /** Somebody bought or gave back one of these. */
  stockChanged(variantId: string): void {
    if (this.places.has(variantId)) this.askIn(ASK_AGAIN_MS);
  }

  stop(): void {
    clearTimeout(this.timer);
    this.due = Infinity;
  }

  /** The earliest of all reasons to ask counts: its answer brings the later ones back. */
  private askIn(ms: number): void {
    const due = Date.now() + ms;
    if (due >= this.due) return;
    clearTimeout(this.timer);
    this.due = due;
    this.timer = setTimeout(() => {
      this.due = Infinity;
      void this.load();
    }, ms);
  }
}

/** "You are next in line." */
export function placeWords({ state, position }: WaitPlace): string {
  if (state === "offered") return "One is reserved for you";
  return position <= 1 ? "You are next in line" : `${position - 1} before you in line`;
}
