// @vitest-environment jsdom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Beacons, Counters, type Reading, sessionName, zoneName } from "../src/beacons";

const reading: Reading = { transport: "hls", height: 720, latencyMs: 1_234.5, frames: 0, dropped: 0, ended: false };

describe("Counters", () => {
  let now = 0;
  const counters = () => new Counters("s", "viewer", () => now);

  beforeEach(() => (now = 1_000));

  it("measures the start-up once, from the first wish to the first picture", () => {
    const count = counters();
    now = 1_500;
    count.wanted();
    now = 2_300;
    count.shown();
    count.wanted();
    now = 9_000;
    count.shown();
    expect(count.take(reading)).toMatchObject({ startup_ms: 800, at_ms: 8_000, seq: 1, schema: 1, kind: "viewer" });
  });

  it("adds up, so that a lost beacon harms nothing", () => {
    const count = counters();
    count.passed(900, 0, false);
    count.passed(-300, 500, true);
    count.switched();
    count.fellBack();
    count.failed("hls_silent", "x".repeat(500));
    const first = count.take(reading);
    count.passed(1_000, 0, false);
    expect(first).toMatchObject({ watched_ms: 600, stalls: 1, stalled_ms: 500, switches: 1, fallbacks: 1 });
    expect(first?.errors).toEqual([{ code: "hls_silent", detail: "x".repeat(200) }]);
    expect(count.take(reading)).toMatchObject({ watched_ms: 1_600, stalls: 1, seq: 2 });
  });

  it("adds frames up over several sources, of which each counts from zero", () => {
    const count = counters();
    count.take({ ...reading, frames: 100, dropped: 3 });
    count.take({ ...reading, frames: 150, dropped: 5 });
    expect(count.take({ ...reading, frames: 20, dropped: 1 })).toMatchObject({ frames: 170, dropped: 6 });
  });

  it("says which time zone the browser has, and nothing where it has none", () => {
    expect(new Counters("s", "viewer", () => 0, "Asia/Singapore").take(reading)?.zone).toBe("Asia/Singapore");
    expect(new Counters("s", "viewer", () => 0, null).take(reading)?.zone).toBeNull();
    expect(zoneName()).toMatch(/^[A-Za-z]/);
  });

  it("has nothing to say before anything was tried", () => {
    expect(counters().take({ ...reading, transport: null })).toBeNull();
  });

  it("keeps the newest errors and no endless list", () => {
    const count = counters();
    for (let i = 0; i < 60; i += 1) count.failed("hls_unreachable", String(i));
    expect(count.take(reading)?.errors).toHaveLength(50);
    expect(count.take(reading)?.errors.at(-1)?.detail).toBe("59");
  });

  it("weighs each height by how long it was watched", () => {
    const count = counters();
    count.passed(1_000, 0, false, 720);
    count.passed(3_000, 0, false, 360);
    expect(count.take(reading)?.height_ms).toBe(1_800_000);
  });
});

describe("Beacons", () => {
  const sent: [string, string][] = [];
  let counters: Counters;
  let beacons: Beacons;

  beforeEach(() => {
    vi.useFakeTimers();
    sent.length = 0;
    counters = new Counters("s", "probe", () => Date.now());
    beacons = new Beacons({
      counters,
      read: () => reading,
      url: () => "/quality",
      send: (url, body) => sent.push([url, body]),
    });
  });

  afterEach(() => {
    beacons.stop();
    vi.useRealTimers();
  });

  it("are sent every ten seconds while something is watched", () => {
    counters.passed(200, 0, false);
    vi.advanceTimersByTime(10_000);
    vi.advanceTimersByTime(10_000);
    expect(sent).toHaveLength(1);
    counters.passed(200, 0, false);
    vi.advanceTimersByTime(10_000);
    expect(sent).toHaveLength(2);
    expect(JSON.parse(sent[1]?.[1] ?? "")).toMatchObject({ seq: 2, kind: "probe", transport: "hls" });
  });

  it("are sent when the page goes, and say that it was the last", () => {
    dispatchEvent(new Event("pagehide"));
    expect(JSON.parse(sent[0]?.[1] ?? "")).toMatchObject({ ended: true });
  });
});

it("makes up another name for each session", () => {
  expect(sessionName()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(sessionName()).not.toBe(sessionName());
});
