import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Fetch, type PublicShow, ShowFollower, ViewerApi } from "../src";

const document = (change: Partial<PublicShow> = {}): PublicShow => ({
  show: {
    slug: "s",
    title: "S",
    description: "",
    state: "live",
    starts_at: null,
    live_at: null,
    brand: "B",
  },
  playback: null,
  gateway: { url: "ws://gateway/ws" },
  viewer_token: "t",
  viewer_id: "me",
  server_time: new Date().toISOString(),
  products: [],
  messages: [],
  seq: 4,
  payment: null,
  ...change,
});

/** The gateway's end of the page's socket. */
class Wire {
  static last: Wire;
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose = null;
  constructor(readonly url: string) {
    Wire.last = this;
  }
  send(): void {}
  close(): void {}
  say(kind: string, data: object, seq: number | null = null): void {
    this.onmessage?.({ data: JSON.stringify([{ kind, seq, data }]) });
  }
}

async function enter(...answers: (PublicShow | number)[]) {
  const fetch: Fetch = async () => {
    const next = answers.length > 1 ? answers.shift() : answers[0];
    if (typeof next === "number") return new Response(JSON.stringify({ code: "x" }), { status: next });
    return new Response(JSON.stringify(next));
  };
  const follower = new ShowFollower({ api: new ViewerApi("s", fetch), onChange: () => undefined });
  void follower.enter();
  await vi.advanceTimersByTimeAsync(0);
  return follower;
}

const playback = { hls_url: "http://media/live/s/index.m3u8" };

describe("ShowFollower", () => {
  beforeEach(() => {
    vi.useFakeTimers();
    vi.stubGlobal("WebSocket", Wire);
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  it("asks for the picture's address until a live show has one", async () => {
    const follower = await enter(document(), document(), document({ playback }));
    expect(follower.show?.playback).toBeNull();
    await vi.advanceTimersByTimeAsync(4_000);
    expect(follower.show?.playback).toEqual(playback);
    follower.leave();
  });

  it("fetches the address when it hears that the show begins, and lets go of it at the end", async () => {
    const planned = document({ show: { ...document().show, state: "scheduled" } });
    const follower = await enter(planned, document({ playback, seq: 5 }));
    Wire.last.say("hello", { viewers: 3 });
    Wire.last.say("show.changed", { state: "live", live_at: "2026-01-01T00:00:00Z" }, 5);
    expect(follower.show?.show.state).toBe("live");
    expect(follower.viewers).toBe(3);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(follower.show?.playback).toEqual(playback);
    Wire.last.say("show.changed", { state: "live", live_at: null, viewers_shown: false }, 6);
    expect(follower.show?.show.viewers_shown).toBe(false);
    Wire.last.say("show.changed", { state: "ended", live_at: null }, 7);
    expect(follower.show?.playback).toBeNull();
    expect(follower.show?.show.viewers_shown).toBe(false);
    follower.leave();
  });

  it("takes the address away while there is nothing to play", async () => {
    const follower = await enter(document({ playback }));
    Wire.last.say("playback.changed", { playable: false });
    expect(follower.show?.playback).toBeNull();
    follower.leave();
  });

  it("tells a wrong address from a hub that is away, and comes back to the latter", async () => {
    expect((await enter(404)).phase).toBe("missing");
    const follower = await enter(503, document({ playback }));
    expect(follower.phase).toBe("unreachable");
    await vi.advanceTimersByTimeAsync(1_000);
    expect(follower.phase).toBe("ready");
    follower.leave();
  });
});
