import { ApiError, type Ingest } from "@simulcast/api";
import { expect, test } from "vitest";
import { pageOf } from "../src/navigation";
import { plural, why } from "../src/parts/words";
import { feedAdvice, feedLine } from "../src/show/feed/feed-words";
import { nextTry, targetsLine, targetWords } from "../src/show/targets/target-words";
import { aTarget, AT } from "./a-show";

const FEED: Ingest = {
  publishing: true,
  peer: "10.0.0.5",
  encoder: "OBS",
  video_codec: "avc1.64002a",
  audio_codec: "mp4a.40.2",
  width: 1920,
  height: 1080,
  fps: 30,
  bitrate_kbps: 4_500,
  keyframe_interval_ms: 2_000,
  since: AT,
};

test("a target is live only when its platform does not say otherwise", () => {
  const label = (platform_state: string | null) =>
    targetWords(aTarget({ state: "live", platform_state }), "live").label;
  expect(label(null)).toBe("Live");
  expect(label("live")).toBe("Live");
  expect(label("starting")).toBe("Starting");
  expect(label("failed")).toBe("Not on air");
});

test("a target says why it fails, and that it is paused only when it is", () => {
  const failed = aTarget({ state: "failed", reason: "The stream key was refused." });
  expect(targetWords(failed, "live")).toMatchObject({ tone: "bad", detail: "The stream key was refused." });
  expect(targetWords(aTarget({ wanted: false, state: "live" }), "live").label).toBe("Pausing");
  expect(targetWords(aTarget({ wanted: false, state: "paused" }), "live").label).toBe("Paused");
  expect(targetWords(aTarget({ wanted: true, state: "paused" }), "live").label).toBe("Resuming");
});

test("a retrying target counts down to its next try", () => {
  const target = aTarget({ state: "retrying", next_try_at: "2026-11-24T20:00:12+00:00" });
  expect(nextTry(target, Date.parse(AT))).toBe("Next try in 12 s.");
  expect(nextTry(target, Date.parse(AT) + 13_000)).toBe("Trying now…");
  expect(nextTry({ ...target, wanted: false }, Date.parse(AT))).toBe("");
});

test("the summary counts what is on air and what needs a person", () => {
  const targets = [
    aTarget({ state: "live" }),
    aTarget({ state: "retrying" }),
    aTarget({ state: "failed" }),
    aTarget({ wanted: false, state: "paused" }),
  ];
  expect(targetsLine(targets, "live")).toBe("1 of 3 live, 1 needs you");
  expect(targetsLine(targets, "scheduled")).toBe("");
});

test("the encoder's feed is told in plain words, as far as it is known", () => {
  expect(feedLine(FEED)).toBe("1920 × 1080 · 30 frames/s · 4.5 Mbit/s · H.264 + AAC");
  const size = { width: null, height: null, fps: null, bitrate_kbps: 0 };
  expect(feedLine({ ...FEED, ...size, video_codec: null, audio_codec: null })).toBe("");
});

test("a feed that platforms will not like comes with what to change", () => {
  expect(feedAdvice(FEED)).toEqual([]);
  expect(feedAdvice({ ...FEED, keyframe_interval_ms: 10_000 })[0]).toContain("every 10 s");
  expect(feedAdvice({ ...FEED, audio_codec: null })[0]).toContain("no sound");
});

test("too many sign-ins say how long to wait", () => {
  const problem = { code: "too_many_attempts", detail: "Too many.", retry_after: 290 };
  expect(why(new ApiError(429, problem))).toBe("Too many failed sign-ins. Wait 5 minutes, then try again.");
});

test("a hub that is away is told apart from one that refuses", () => {
  expect(why(new ApiError(0, { code: "offline" }))).toContain("can't be reached");
  expect(why(new ApiError(409, { code: "stale", detail: "The stock changed." }))).toBe("The stock changed.");
});

test("counted things agree with their number", () => {
  expect([plural(1, "order"), plural(12, "order")]).toEqual(["1 order", "12 orders"]);
});

test("every screen has its own address", () => {
  expect(pageOf("/studio")).toEqual({ name: "shows" });
  expect(pageOf("/studio/")).toEqual({ name: "shows" });
  expect(pageOf("/studio/shows/new")).toEqual({ name: "plan" });
  expect(pageOf("/studio/shows/s1")).toEqual({ name: "show", id: "s1" });
  expect(pageOf("/studio/connections")).toEqual({ name: "connections" });
  expect(pageOf("/studio/nothing")).toEqual({ name: "missing" });
  expect(pageOf("/studio/shows/s1/more")).toEqual({ name: "missing" });
});
