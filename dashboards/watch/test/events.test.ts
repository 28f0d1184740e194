import type { GatewayEvent, PublicShow, Told, ViewerApi } from "@simulcast/api";
import { describe, expect, it } from "vitest";
import { tabMemory } from "../src/events/memory";
import { PageEvents } from "../src/events/page";
import { MOST_KEPT, TOGETHER, Tracker } from "../src/events/tracker";
import { Views } from "../src/events/views";

const START = Date.parse("2026-01-01T00:00:00Z");

interface Frame {
  t: string;
  n: number;
  events: Told[];
  token?: string;
}

/** A page with a clock that obeys and a line that is open or not. */
function page(options: { open?: boolean; memory?: ReturnType<typeof tabMemory> } = {}) {
  const sent: Frame[] = [];
  const posted: Frame[] = [];
  const state = { now: START, open: options.open ?? true };
  const tracker = new Tracker({
    send: (frame) => {
      expect(frame.startsWith('{"t":"events"')).toBe(true);
      if (state.open) sent.push(JSON.parse(frame) as Frame);
      return state.open;
    },
    beacon: (body) => Boolean(posted.push(JSON.parse(body) as Frame)),
    token: () => "a.viewer.token",
    now: () => state.now,
    ...(options.memory ? { memory: options.memory } : {}),
  });
  return { tracker, sent, posted, state };
}

describe("the tracker", () => {
  it("keeps an event until the hub keeps it, and says how long ago it happened", () => {
    const { tracker, sent, state } = page({ open: false });
    tracker.tell("product_view", { product_id: "p1" });
    state.now += 4_000;
    tracker.tick();
    expect([sent.length, tracker.count]).toEqual([0, 1]);
    state.open = true;
    tracker.tick();
    expect(sent[0]?.events[0]).toMatchObject({ kind: "product_view", product_id: "p1", ago_ms: 4_000 });
    tracker.kept(99);
    expect(tracker.count).toBe(1);
    tracker.kept(sent[0]?.n ?? 0);
    expect(tracker.count).toBe(0);
    tracker.tick();
    expect(sent.length).toBe(1);
  });

  it("repeats what is not answered with the same id, and one frame at a time", () => {
    const { tracker, sent, state } = page();
    tracker.tell("heartbeat");
    tracker.tick();
    tracker.tell("stall");
    tracker.tick();
    expect(sent.length).toBe(1);
    state.now += 10_000;
    tracker.tick();
    expect(sent.length).toBe(2);
    expect(sent[1]?.events.map(({ kind }) => kind)).toEqual(["heartbeat", "stall"]);
    expect(sent[1]?.events[0]?.id).toBe(sent[0]?.events[0]?.id);
    tracker.kept(sent[0]?.n ?? 0); // too late: it may be of a socket that is gone
    expect(tracker.count).toBe(2);
    tracker.kept(sent[1]?.n ?? 0);
    expect(tracker.count).toBe(0);
  });

  it("waits as long as it is told, and loses nothing", () => {
    const { tracker, sent, state } = page();
    tracker.tell("reaction", { data: { emoji: "heart" } });
    tracker.tick();
    tracker.later(60);
    state.now += 59_000;
    tracker.tick();
    expect(sent.length).toBe(1);
    state.now += 1_000;
    tracker.tick();
    expect(sent.length).toBe(2);
  });

  it("sends twenty at once without waiting, and lets go of heartbeats before anything else", () => {
    const { tracker, sent, state } = page();
    for (let n = 0; n < TOGETHER; n += 1) tracker.tell("product_click");
    expect(sent.map(({ events }) => events.length)).toEqual([TOGETHER]);
    state.open = false;
    tracker.tell("heartbeat");
    for (let n = tracker.count; n <= MOST_KEPT; n += 1) tracker.tell("product_click");
    expect(tracker.count).toBe(MOST_KEPT);
    tracker.kept(sent[0]?.n ?? 0);
    expect(tracker.count).toBe(MOST_KEPT - TOGETHER);
  });

  it("hands what is left to the browser when the page goes away", () => {
    const { tracker, posted } = page({ open: false });
    tracker.goodbye();
    expect(posted).toEqual([]);
    for (let n = 0; n < 50; n += 1) tracker.tell("poll");
    tracker.goodbye();
    expect(posted[0]).toMatchObject({ t: "events", token: "a.viewer.token" });
    expect(posted[0]?.events.length).toBe(40);
    expect(tracker.count).toBe(50);
  });

  it("names every event with a UUIDv7 of its own", () => {
    const { tracker, posted } = page({ open: false });
    for (let n = 0; n < 30; n += 1) tracker.tell("poll");
    tracker.goodbye();
    const ids = posted[0]?.events.map(({ id }) => id) ?? [];
    expect(new Set(ids).size).toBe(30);
    for (const id of ids) {
      expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
      expect(parseInt(id.replace("-", "").slice(0, 12), 16)).toBe(START);
    }
  });

  it("survives a reload only where the viewer allows it", () => {
    let allowed = true;
    const memory = () => tabMemory("spring", () => allowed);
    const before = page({ open: false, memory: memory() });
    before.tracker.tell("poll");
    before.tracker.tick();
    const after = page({ memory: memory() });
    after.state.now += 5_000;
    after.tracker.tick();
    expect(after.sent[0]?.events[0]).toMatchObject({ kind: "poll", ago_ms: 5_000 });
    allowed = false;
    after.tracker.tick();
    expect(page({ memory: memory() }).tracker.count).toBe(0);
  });
});

/** An observer whose sight is told. */
class Eye {
  static last: Eye;
  readonly observed = new Set<Element>();
  constructor(readonly see: IntersectionObserverCallback) {
    Eye.last = this;
  }
  observe = (card: Element) => void this.observed.add(card);
  unobserve = (card: Element) => void this.observed.delete(card);
  disconnect = () => this.observed.clear();
  sees(target: Element, isIntersecting: boolean): void {
    const change = { target, isIntersecting } as IntersectionObserverEntry;
    this.see([change], this as unknown as IntersectionObserver);
  }
}

describe("a product's view", () => {
  it("takes a second on the screen, and is none for a card that was scrolled past or is gone", async () => {
    const viewed: string[] = [];
    const card = (id: string) => Object.assign(document.createElement("div"), { product: { id } });
    const [a, b, c] = [card("a"), card("b"), card("c")];
    const views = new Views({
      onView: (id) => viewed.push(id),
      observer: Eye as unknown as typeof IntersectionObserver,
    });
    views.look([a, b, c]);
    for (const one of [a, b, c]) Eye.last.sees(one, true);
    Eye.last.sees(b, false);
    views.look([a, b]);
    expect(Eye.last.observed.size).toBe(2);
    expect(viewed).toEqual([]);
    await expect.poll(() => viewed, { timeout: 10_000 }).toEqual(["a"]);
    views.stop();
    expect(Eye.last.observed.size).toBe(0);
  });
});

describe("the page", () => {
  it("tells clicks with their product, steps once each, stalls with their length, and what goes into the cart", () => {
    const frames: Frame[] = [];
    const room = {
      show: { products: [{ id: "p1", variants: [{ id: "v1" }] }] } as unknown as PublicShow,
      tell: (frame: string) => Boolean(frames.push(JSON.parse(frame) as Frame)),
      onAnswer: null as ((event: GatewayEvent) => void) | null,
    };
    const api = { slug: "spring", viewerToken: "t" } as ViewerApi;
    const events = new PageEvents({ api, room, keeps: () => false });
    const host = document.createElement("div");
    events.start(host);
    const fire = (name: string, detail: object) => host.dispatchEvent(new CustomEvent(name, { detail }));
    fire("buy", { variantId: "v1" });
    fire("buy-offer", { variantId: "v1", offerId: "o1" });
    fire("simulcast-state", { state: "live" });
    fire("simulcast-state", { state: "stalled" });
    fire("simulcast-state", { state: "live" });
    for (const step of ["", "form", "form", "paying", ""]) events.look(host, step);
    events.added({ variantId: "v1" });
    for (let n = 0; n < TOGETHER; n += 1) events.tell("reaction");
    const told = frames[0]?.events ?? [];
    expect(told.slice(0, 6).map(({ kind }) => kind)).toEqual([
      "product_click",
      "product_click",
      "stall",
      "checkout_step",
      "checkout_step",
      "cart_add",
    ]);
    expect(told[1]).toMatchObject({ product_id: "p1", variant_id: "v1", offer_id: "o1" });
    expect(told.slice(3, 5).map(({ data }) => data?.step)).toEqual(["form", "paying"]);
    expect(told[5]).toMatchObject({ product_id: "p1", quantity: 1 });
    room.onAnswer?.({ kind: "kept", seq: null, data: { n: frames[0]?.n ?? 0, refused: 0 } });
    for (let n = 0; n < TOGETHER; n += 1) events.tell("poll");
    expect(frames[1]?.events.at(-1)?.kind).toBe("poll");
    events.stop();
  });
});
