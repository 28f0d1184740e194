// @vitest-environment node
import type { PublicShow, ViewerApi } from "@simulcast/api";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Playback, playable, playbackOf, type Programme } from "../src/programme";
import { newest, Renewal, renewIn } from "../src/renewal";

const playback = (change: Partial<Playback>): Playback => ({ ...playbackOf({ hls_url: "/a.m3u8" }), ...change });

describe("renewal", () => {
  it("comes before the token runs out, not for everybody at once, and never in a storm", () => {
    expect(renewIn(null, 0, () => 0)).toBeNull();
    expect(renewIn(100_000, 0, () => 0)).toBe(80_000);
    expect(renewIn(100_000, 0, () => 1)).toBe(70_000);
    expect(renewIn(100_000, 99_000, () => 1)).toBe(2_000);
  });

  it("keeps the newer token when the page repeats what it once heard", () => {
    const early = playback({ hlsUrl: "/a?token=1", renewAt: 100 });
    const late = playback({ hlsUrl: "/a?token=2", renewAt: 200 });
    expect(newest(early, late)?.hlsUrl).toBe("/a?token=2");
    expect(newest({ ...early, away: true }, late)).toMatchObject({ hlsUrl: "/a?token=2", away: true });
    expect(newest({ ...early, renewAt: 300 }, late)?.hlsUrl).toBe("/a?token=1");
    expect(newest(null, late)).toBeNull();
    expect(newest(early, null)).toBe(early);
  });
});

describe("Renewal", () => {
  const ended: Programme = { title: "", state: "ended", startsAt: null, hlsUrl: null, clockOffsetMs: 0 };
  const load = vi.fn(() => Promise.resolve({ show: {}, playback: null, server_time: "" } as unknown as PublicShow));
  let renewal: Renewal;

  beforeEach(() => {
    vi.useFakeTimers({ now: 0 });
    load.mockClear();
    const api = { load } as unknown as ViewerApi;
    const onRenewed = () => renewal.plan(ended, null);
    renewal = new Renewal({ api, now: () => Date.now(), onRenewed, random: () => 0 });
  });
  afterEach(() => {
    renewal.stop();
    vi.useRealTimers();
  });

  it("asks once before the token runs out, however often there is other news", async () => {
    const live = { ...ended, state: "live" as const };
    for (let second = 0; second < 75; second += 1) {
      renewal.plan(live, playback({ renewAt: 100_000 }));
      await vi.advanceTimersByTimeAsync(1_000);
    }
    await vi.advanceTimersByTimeAsync(6_000);
    expect(load).toHaveBeenCalledOnce();
  });

  it("looks for the replay after the end, less and less often, and not for ever", async () => {
    renewal.plan(ended, null);
    await vi.advanceTimersByTimeAsync(60_000);
    const atFirst = load.mock.calls.length;
    expect(atFirst).toBeGreaterThan(1);
    await vi.advanceTimersByTimeAsync(3 * 3_600_000);
    expect(load.mock.calls.length).toBeLessThan(90);
    const after = load.mock.calls.length;
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect(load.mock.calls.length).toBe(after);
  });

  it("tries again when the hub is away", async () => {
    load.mockRejectedValueOnce(new Error("away"));
    renewal.plan({ ...ended, state: "live" }, playback({ renewAt: 1_000 }));
    await vi.advanceTimersByTimeAsync(15_000);
    expect(load.mock.calls.length).toBeGreaterThanOrEqual(2);
  });
});

describe("what a hub says", () => {
  it("is understood when it knows no more than LL-HLS", () => {
    expect(playbackOf({ hls_url: "/a.m3u8" })).toEqual({
      mode: "balanced",
      hlsUrl: "/a.m3u8",
      whepUrl: null,
      dvrUrl: null,
      chaptersUrl: null,
      replay: false,
      away: false,
      posterUrl: null,
      iceServers: [],
      renewAt: null,
      beaconUrl: null,
    });
    const page: Programme = { title: "", state: "live", startsAt: null, hlsUrl: "/b.m3u8", clockOffsetMs: 0 };
    expect(playable(page)?.hlsUrl).toBe("/b.m3u8");
    expect(playable({ ...page, hlsUrl: null })).toBeNull();
  });

  it("is taken over in full", () => {
    const said = playbackOf({
      hls_url: null,
      mode: "interactive",
      whep_url: "/whep",
      paused: true,
      renew_at: "1970-01-01T00:00:01Z",
      ice_servers: [{ urls: ["stun:s.example"] }],
    });
    expect(said).toMatchObject({ mode: "interactive", whepUrl: "/whep", away: true, renewAt: 1_000 });
    expect(said.iceServers).toEqual([{ urls: ["stun:s.example"] }]);
  });
});
