/** The watch page's events: who hears what happens on it, and tells the tracker. */

import type { GatewayEvent, PublicShow, ToldKind, ViewerApi } from "@simulcast/api";
import type { PlayerEvents } from "@simulcast/player";
import { tabMemory } from "./memory";
import { type About, Tracker } from "./tracker";
import { Views } from "./views";

const TICK_MS = 2_000;
export const HEARTBEAT_S = 30;

/** The part of a room that is used here. */
export interface Line {
  readonly show: PublicShow | null;
  tell(frame: string): boolean;
  onAnswer: ((event: GatewayEvent) => void) | null;
}

export interface PageEventsOptions {
  api: ViewerApi;
  room: Line;
  /** Whether the viewer allows that something is kept in the browser for analysis. */
  keeps: () => boolean;
}

interface Wanted {
  variantId: string;
  offerId?: string | null;
}

/** Call `start` with the page's element, `look` after each change of it, and `stop`. */
export class PageEvents {
  private readonly tracker: Tracker;
  private readonly views = new Views({ onView: (product_id) => this.tracker.tell("product_view", { product_id }) });
  private readonly listeners = new AbortController();
  private timers: ReturnType<typeof setInterval>[] = [];
  private step = "";
  private stalledAt: number | null = null;

  constructor(private readonly options: PageEventsOptions) {
    const { api, room, keeps } = options;
    this.tracker = new Tracker({
      send: (frame) => room.tell(frame),
      beacon: (body) => navigator.sendBeacon?.("/api/v1/public/events", body) ?? false,
      token: () => api.viewerToken,
      now: steadyNow,
      memory: tabMemory(api.slug, keeps),
    });
    room.onAnswer = (event) => {
      if (event.kind === "kept") this.tracker.kept(event.data.n);
      else if (event.kind === "later") this.tracker.later(event.data.seconds);
    };
  }

  start(page: HTMLElement): void {
    const { signal } = this.listeners;
    const hear = <D>(name: string, heard: (detail: D) => void) =>
      page.addEventListener(name, (event) => heard((event as CustomEvent<D>).detail), { signal });
    hear<Wanted>("buy", (wanted) => this.tell("product_click", this.about(wanted)));
    hear<Wanted>("buy-offer", (wanted) => this.tell("product_click", this.about(wanted)));
    hear<PlayerEvents["simulcast-state"]>("simulcast-state", ({ state }) => this.played(state));
    addEventListener("pagehide", () => this.goodbye(), { signal });
    this.timers = [
      setInterval(() => this.tracker.tick(), TICK_MS),
      setInterval(() => this.beat(), HEARTBEAT_S * 1000),
    ];
  }

  stop(): void {
    this.listeners.abort();
    this.timers.forEach(clearInterval);
    this.views.stop();
  }

  /** The page has changed: other cards, or another step of the purchase. */
  look(root: ParentNode, step = ""): void {
    this.views.look(root.querySelectorAll("product-card"));
    if (step !== this.step && step) this.tell("checkout_step", { data: { step } });
    this.step = step;
  }

  /** One more in the cart. */
  added(wanted: Wanted): void {
    this.tell("cart_add", { ...this.about(wanted), quantity: 1 });
  }

  /** What else there may be on the page: reactions, polls. */
  tell(kind: ToldKind, about: About = {}): void {
    this.tracker.tell(kind, about);
  }

  private beat(): void {
    if (document.visibilityState === "visible") this.tell("heartbeat", { data: { seconds: HEARTBEAT_S } });
  }

  private played(state: string): void {
    if (state === "stalled") {
      this.stalledAt ??= steadyNow();
    } else if (this.stalledAt !== null) {
      this.tell("stall", { data: { ms: Math.round(steadyNow() - this.stalledAt) } });
      this.stalledAt = null;
    }
  }

  private goodbye(): void {
    this.tell("leave");
    this.tracker.goodbye();
  }

  private about({ variantId, offerId }: Wanted): About {
    const product = this.options.room.show?.products.find(({ variants }) =>
      variants.some(({ id }) => id === variantId),
    );
    return {
      variant_id: variantId,
      ...(product ? { product_id: product.id } : {}),
      ...(offerId ? { offer_id: offerId } : {}),
    };
  }
}

/** Wall time of a clock that is never set back. */
function steadyNow(): number {
  return performance.timeOrigin + performance.now();
}
