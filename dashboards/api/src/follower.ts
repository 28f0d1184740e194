/** One show as a viewer sees it, kept up to date: the first answer, then news from the gateway. */

import { backoffDelay } from "./backoff";
import { ServerClock } from "./clock";
import { GatewayClient, type GatewayState } from "./gateway";
import { ApiError } from "./http";
import type { GatewayEvent, PublicShow } from "./types";
import type { ViewerApi } from "./viewer";

export type Phase = "loading" | "ready" | "missing" | "unreachable";

export interface FollowerOptions {
  api: ViewerApi;
  /** After each change of anything below. */
  onChange: () => void;
  /** News in order, each once, when `show` has taken them in. */
  onEvents?: (events: GatewayEvent[]) => void;
  /** What news beyond the show's state and picture do to `show`; nothing may be changed in place. */
  reduce?: (show: PublicShow, event: GatewayEvent) => PublicShow;
  /** What of `show` outlives a fresh answer, as after a gap. */
  keep?: (before: PublicShow, now: PublicShow) => PublicShow;
}

/**
 * A browser does not say why a socket was refused: the token may be too old, but mostly the gateway is
 * away, and then its whole crowd must not ask the API for a token with every attempt.
 */
const RENEW_EVERY = 4;
const RELOAD = { baseMs: 1_000, capMs: 15_000 };

/** Call `enter` once and `leave` when the page goes. */
export class ShowFollower {
  readonly clock = new ServerClock();
  phase: Phase = "loading";
  show: PublicShow | null = null;
  viewers: number | null = null;
  connection: GatewayState = "connecting";
  /** Hears the gateway's answers to what `tell` sent. */
  onAnswer: ((event: GatewayEvent) => void) | null = null;

  private gateway: GatewayClient | null = null;
  private attempts = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly options: FollowerOptions) {}

  /** Resolves once the show is there or known to be missing; an unreachable hub is asked again and again. */
  async enter(): Promise<void> {
    try {
      this.listen(await this.load());
    } catch (error) {
      const missing = error instanceof ApiError && error.status === 404;
      this.phase = missing ? "missing" : "unreachable";
      this.options.onChange();
      if (!missing) await this.pause().then(() => this.enter());
    }
  }

  /** Sends a frame of the page's own over the gateway; false when there is no open socket. */
  tell(frame: string): boolean {
    return this.gateway?.tell(frame) ?? false;
  }

  leave(): void {
    clearTimeout(this.timer);
    this.gateway?.stop();
  }

  /** Changes the picture of the show before the news of it arrive. */
  change(to: (show: PublicShow) => PublicShow): void {
    if (!this.show) return;
    this.show = to(this.show);
    this.options.onChange();
  }

  private async load(): Promise<number> {
    const sentAt = Date.now();
    const show = await this.options.api.load();
    this.clock.learn(show.server_time, sentAt);
    this.show = (this.show && this.options.keep?.(this.show, show)) ?? show;
    this.phase = "ready";
    this.options.onChange();
    this.awaitPicture();
    return show.seq;
  }

  private listen(after: number): void {
    const { api } = this.options;
    this.gateway = new GatewayClient({
      after,
      address: async (failures) => {
        if (failures % RENEW_EVERY === RENEW_EVERY - 1) await api.renew();
        return { url: this.show?.gateway.url ?? "", token: api.viewerToken };
      },
      onEvents: (events) => this.hear(events),
      onGap: () => this.load(),
      onAnswer: (event) => this.onAnswer?.(event),
      onState: (state) => {
        this.connection = state;
        this.options.onChange();
      },
    });
    this.gateway.start();
  }

  private hear(events: GatewayEvent[]): void {
    for (const event of events) {
      if (event.kind === "hello") this.viewers = event.data.viewers;
      else if (event.kind === "viewers.changed") this.viewers = event.data.count;
      if (this.show) this.show = this.reduced(this.show, event);
    }
    this.options.onEvents?.(events);
    this.options.onChange();
    if (events.some(({ kind }) => kind === "show.changed" || kind === "playback.changed")) {
      this.attempts = 0;
      this.awaitPicture();
    }
  }

  private reduced(show: PublicShow, event: GatewayEvent): PublicShow {
    if (event.kind === "show.changed") {
      const { state, live_at, viewers_shown = show.show.viewers_shown ?? true } = event.data;
      const playback = state === "live" ? show.playback : null;
      return { ...show, show: { ...show.show, state, live_at, viewers_shown }, playback };
    }
    if (event.kind === "playback.changed" && !event.data.playable) return { ...show, playback: null };
    return this.options.reduce?.(show, event) ?? show;
  }

  /** A show that is live has a picture soon: its address comes with the show, so ask until it is there. */
  private awaitPicture(): void {
    clearTimeout(this.timer);
    if (this.show?.show.state !== "live" || this.show.playback) return;
    void this.pause().then(() => this.gateway?.resync().catch(() => this.awaitPicture()));
  }

  /** Random waits: everybody who watches hears of the start in the same moment. */
  private pause(): Promise<void> {
    clearTimeout(this.timer);
    const wait = backoffDelay(this.attempts, RELOAD, Math.random);
    this.attempts += 1;
    return new Promise((resolve) => (this.timer = setTimeout(resolve, wait)));
  }
}
