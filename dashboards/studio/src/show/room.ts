/** One show, kept true: a snapshot over HTTP, then news from the gateway on top. */

import {
  type Action,
  ApiError,
  backoffDelay,
  GatewayClient,
  type GatewayEvent,
  type GatewayState,
  type NewMessage,
  ServerClock,
  type ShowOrder,
  type Socket,
  type StaffApi,
  type StaffMessage,
  type Verb,
} from "@simulcast/api";
import { CALM, opened, type Skip } from "./chat/crowd";
import { type Picture, reduce, withMessages } from "./reduce";

export interface Look {
  phase: "loading" | "ready" | "missing" | "unreachable";
  picture: Picture | null;
  connection: GatewayState;
}

export interface RoomOptions {
  api: StaffApi;
  showId: string;
  onSignedOut: () => void;
  /** An account of the brand needs a person, or no longer does. */
  onAlarms?: () => void;
  /** Something was claimed by a comment, or decided about it. */
  onClaims?: () => void;
  open?: (url: string) => Socket;
}

const AGAIN = { baseMs: 1_000, capMs: 15_000 };
/** The snapshot brings the newest 200 messages; a hole of up to so many numbers before them is filled. */
const FILLED = 1_000;
const PAGE = 200;
const OPENED = 500;
/** Screens are not told more often than this, however busy the chat. */
const TELL_MS = 50;
/** Names are asked for once for all orders of so long. */
const NAMES_MS = 1_000;

/** Call `enter` once, and `leave` when the page goes. */
export class Room {
  readonly clock = new ServerClock();
  private look: Look = { phase: "loading", picture: null, connection: "connecting" };
  private readonly listeners = new Set<() => void>();
  private gateway: GatewayClient | null = null;
  private failures = 0;
  private askedAt = 0;
  private left = false;
  private retry: ReturnType<typeof setTimeout> | undefined;
  private telling: ReturnType<typeof setTimeout> | undefined;
  private naming: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly options: RoomOptions) {}

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly now = (): Look => this.look;

  async enter(): Promise<void> {
    try {
      const seq = await this.load();
      if (!this.left) this.listen(seq);
    } catch (error) {
      const missing = error instanceof ApiError && (error.status === 404 || error.status === 422);
      this.show({ phase: missing ? "missing" : "unreachable" });
      if (!missing) this.later(() => this.enter());
    }
  }

  leave(): void {
    this.left = true;
    clearTimeout(this.retry);
    clearTimeout(this.telling);
    clearTimeout(this.naming);
    this.gateway?.stop();
  }

  /** Reads everything again: for what no news tells. */
  readonly refresh = async (): Promise<void> => {
    await this.gateway?.resync();
  };

  async say(message: NewMessage): Promise<void> {
    this.take([await this.options.api.sendMessage(this.options.showId, message)]);
  }

  /** Shows what was too much to be shown. */
  readonly open = async (skip: Skip): Promise<void> => {
    const found: StaffMessage[] = [];
    for (let after = skip.first - 1; after < skip.last; ) {
      const page = await this.messages(after, Math.min(OPENED, skip.last - after));
      if (!page.length) break;
      found.push(...page.filter((message) => message.seq <= skip.last));
      after = page.at(-1)?.seq ?? skip.last;
    }
    this.take(found);
    const { picture } = this.look;
    if (picture) this.show({ picture: { ...picture, crowd: opened(picture.crowd, skip.first) } });
  };

  async moderate(message: StaffMessage, verb: Verb, seconds?: number): Promise<void> {
    const wish = seconds ? { verb, seconds } : { verb };
    this.acted(await this.options.api.moderate(this.options.showId, message.id, wish));
  }

  async undo(actionId: string): Promise<void> {
    this.acted(await this.options.api.undoModeration(this.options.showId, actionId));
  }

  /** What the hub answered, unless the news of it were quicker. */
  private acted(action: Action): void {
    const { picture } = this.look;
    if (!picture || picture.actions.some(({ id }) => id === action.id)) return;
    this.show({ picture: { ...picture, actions: [action, ...picture.actions] } });
  }

  /** Older messages; false when there were none. */
  readonly earlier = async (): Promise<boolean> => {
    const first = this.look.picture?.show.messages[0]?.seq ?? 0;
    const found = await this.messages(Math.max(0, first - 1 - PAGE));
    const older = found.filter((message) => message.seq < first);
    this.take(older);
    return older.length > 0;
  };

  private listen(after: number): void {
    const { api, showId, open } = this.options;
    this.gateway = new GatewayClient({
      after,
      address: async () => {
        const { url, ticket } = await api.gatewayTicket(showId).catch(this.refused);
        this.askedAt = Date.now();
        return { url, token: ticket };
      },
      onEvents: (events) => this.hear(events),
      onGap: (since) => this.load(since),
      crowded: false,
      onState: (connection) => this.show({ connection }),
      ...(open ? { open } : {}),
    });
    this.gateway.start();
  }

  private hear(events: GatewayEvent[]): void {
    let stale = false;
    for (const event of events) {
      if (event.kind === "hello") {
        this.clock.learn(event.data.server_time, this.askedAt);
      } else if (event.kind === "playback.changed") stale = true;
      else if (event.kind === "alarms.changed") this.options.onAlarms?.();
      else if (event.kind === "claims.changed") this.options.onClaims?.();
      else if (event.kind === "order.placed") this.naming ??= setTimeout(() => this.askNames(), NAMES_MS);
      else if (event.kind === "message.added" && event.data.outgoing) this.followReply(event.data.seq);
    }
    const { picture } = this.look;
    if (picture) this.show({ picture: events.reduce(reduce, picture) });
    if (stale) this.resync();
  }

  /** The news of a reply does not say where it goes; the hub does. */
  private followReply(seq: number): void {
    this.messages(seq - 1, 1).then(
      (found) => this.take(found),
      () => undefined, // each delivery tells of itself as soon as anything becomes of it
    );
  }

  /** News go to everybody in the room, so they bear no names: the hub says them to whoever may know. */
  private askNames(): void {
    this.naming = undefined;
    this.options.api.orders(this.options.showId).then(
      (found) => {
        const { picture } = this.look;
        const names = new Map(found.map((order) => [order.id, order.buyer_name]));
        const named = (order: ShowOrder) => ({ ...order, buyer_name: names.get(order.id) ?? order.buyer_name });
        if (picture && !this.left) this.show({ picture: { ...picture, orders: picture.orders.map(named) } });
      },
      () => undefined, // the next order asks again
    );
  }

  private resync(): void {
    this.refresh().catch(() => this.later(() => this.refresh()));
  }

  /** Of what is known, all is kept up to `since`: after that something may be missing. */
  private async load(since = Infinity): Promise<number> {
    const { api, showId } = this.options;
    const [show, orders] = await Promise.all([api.show(showId), api.orders(showId)]).catch(this.refused);
    const known = this.look.picture;
    const kept = known?.show.messages.filter((message) => message.seq <= since) ?? [];
    const before = await this.between(kept, show.messages);
    const picture: Picture = {
      show: { ...show, messages: withMessages(before, show.messages) },
      orders,
      viewers: this.look.picture?.viewers ?? show.viewers,
      refused: known?.refused ?? null,
      crowd: known?.crowd ?? CALM,
      actions: known?.actions ?? [],
      dropped: known?.dropped ?? {},
    };
    this.failures = 0;
    this.show({ phase: "ready", picture });
    return show.seq;
  }

  /** What is known from before the newest messages, without a hole in between. */
  private async between(known: StaffMessage[], newest: StaffMessage[]): Promise<StaffMessage[]> {
    const from = newest[0]?.seq ?? Infinity;
    const kept = known.filter((message) => message.seq < from);
    const last = known.at(-1)?.seq ?? from;
    if (from === Infinity || last >= from - 1) return kept;
    if (from - last > FILLED) return [];
    const filled = [...kept];
    for (let after = last; after < from - 1; after += PAGE) {
      filled.push(...(await this.messages(after)).filter((message) => message.seq < from));
    }
    return filled;
  }

  private messages(after: number, limit = PAGE): Promise<StaffMessage[]> {
    return this.options.api.messages(this.options.showId, after, limit);
  }

  private take(messages: StaffMessage[]): void {
    const { picture } = this.look;
    if (!picture) return;
    const { show } = picture;
    this.show({
      picture: { ...picture, show: { ...show, messages: withMessages(show.messages, messages) } },
    });
  }

  private readonly refused = (error: unknown): never => {
    if (error instanceof ApiError && error.status === 401) this.options.onSignedOut();
    throw error;
  };

  private later(again: () => Promise<unknown>): void {
    if (this.left) return;
    clearTimeout(this.retry);
    const wait = backoffDelay(this.failures, AGAIN, Math.random);
    this.failures += 1;
    this.retry = setTimeout(() => void again().catch(() => this.later(again)), wait);
  }

  private show(part: Partial<Look>): void {
    if (this.left) return;
    this.look = { ...this.look, ...part };
    this.telling ??= setTimeout(() => {
      this.telling = undefined;
      for (const listener of this.listeners) listener();
    }, TELL_MS);
  }
}
