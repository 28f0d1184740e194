import type { PlaybackSession, Quality, QualityPoint } from "@simulcast/api";
import { expect, test } from "vitest";
import { pathOf, rangeOf } from "../src/show/feed/history";
import {
  errorWords,
  figuresOf,
  linesOf,
  overall,
  percent,
  secs,
  sessionName,
  watched,
} from "../src/show/quality/quality-words";
import { AT } from "./a-show";

function aQuality(part: Partial<Quality> = {}): Quality {
  return {
    at: AT,
    sessions: 13,
    without_picture: 1,
    viewers: { all: 12, hls: 8, whep: 4, native: 0 },
    startup: { median: 900, p95: 1_400, measured: 12, bar: 2_000, grade: "good" },
    latency: { median: 1_600, p95: 2_400, measured: 12, bar: 3_000, grade: "good" },
    rebuffer: { value: 0.0031, bar: 0.005, grade: "good" },
    stalls_per_hour: 1.25,
    watched_hours: 4,
    rungs: [
      { height: 1080, viewers: 3 },
      { height: 720, viewers: 9 },
    ],
    average_height: 812.4,
    dropped_ratio: 0.00001,
    switches: 1,
    fallbacks: 2,
    errors: [],
    probes: [],
    regions: [],
    ...part,
  };
}

const figure = (title: string, quality = aQuality()) => figuresOf(quality).find((one) => one.title === title);

test("every figure says what it is", () => {
  for (const one of figuresOf(aQuality())) expect(one.meaning).toMatch(/\.$/);
  expect(figure("Watching now")).toMatchObject({ value: "12", detail: "8 by LL-HLS · 4 by WebRTC" });
  expect(figure("First picture")).toMatchObject({ value: "0.9 s", detail: "95 % within 1.4 s", grade: "good" });
  expect(figure("Standing still")).toMatchObject({ value: "0.31 %", detail: "1.3 times an hour" });
  expect(figure("Behind the camera")).toMatchObject({ value: "1.6 s", detail: "95 % within 2.4 s" });
  expect(figure("Picture")).toMatchObject({ value: "812 lines", detail: "Now 1080p: 3 · 720p: 9" });
  expect(figure("Dropped pictures")?.value).toBe("below 0.01 %");
  expect(figure("Fall-backs")).toMatchObject({ value: "2", detail: "1 change of quality" });
  expect(figure("Left without a picture")).toMatchObject({ value: "1", detail: "of 13 visits" });
});

test("what nobody measured is not made up", () => {
  const nothing = { median: null, p95: null, measured: 0, bar: 1, grade: null };
  const quality = aQuality({ startup: nothing, latency: nothing, rebuffer: { value: null, bar: 1, grade: null } });
  for (const title of ["First picture", "Standing still", "Behind the camera"]) {
    expect(figure(title, quality)).toMatchObject({ value: "not known yet", grade: null });
  }
  expect(overall(quality)).toBeNull();
});

test("the worst figure is the word for all of it", () => {
  expect(overall(aQuality())).toBe("good");
  const slow = { ...aQuality().startup, grade: "attention" as const };
  expect(overall(aQuality({ startup: slow }))).toBe("attention");
  expect(overall(aQuality({ startup: slow, rebuffer: { value: 0.3, bar: 0.005, grade: "bad" } }))).toBe("bad");
});

test("amounts are short, and small ones are not nothing", () => {
  expect([0, 0.00005, 0.0049, 0.042, 1].map(percent)).toEqual(["0 %", "below 0.01 %", "0.49 %", "4.2 %", "100.0 %"]);
  expect([850, 2_449].map(secs)).toEqual(["0.8 s", "2.4 s"]);
  expect([48_000, 725_000].map(watched)).toEqual(["48 s", "12 min"]);
});

test("an error is said in words, and one that is not known as it came", () => {
  expect(errorWords("hls_unreachable")).toBe("LL-HLS: the server could not be reached");
  expect(errorWords("native_unplayable")).toBe("The browser's own HLS: the browser could not decode it");
  expect(errorWords("whep_something")).toBe("whep_something");
  expect(errorWords("x")).toBe("x");
});

test("a player is known by its device and transport alone", () => {
  const one = { device: "tv", transport: "hls", now: false } as PlaybackSession;
  expect(sessionName(one)).toBe("TV, LL-HLS, gone");
  expect(sessionName({ ...one, device: "phone", transport: "whep", now: true })).toBe("Phone, WebRTC");
});

test("the lines of a whole show fill the drawing, with a hole where nothing is known", () => {
  const points = [0, 60, 600].map(
    (second): QualityPoint => ({
      at: new Date(Date.parse(AT) + second * 1_000).toISOString(),
      viewers: second,
      latency_ms: null,
      height: 720,
      rebuffer_ratio: 0,
      stalls: 0,
    }),
  );
  const [viewers, late] = linesOf(points);
  const path = viewers && pathOf(viewers, 300, 36, { span: 600_000, hole: 150_000 });
  expect(path).toMatch(/^M0\.0 [\d.]+L30\.0 [\d.]+M300\.0 [\d.]+$/);
  expect(viewers && rangeOf(viewers)).toEqual({ now: "600", range: "from 0 to 600" });
  expect(late && rangeOf(late)).toBeNull();
});
