import { ApiError, type Ingest, type Target } from "@simulcast/api";
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

test("a target's stage is told in words of its own, whatever our push does", () => {
  const label = (stage: Target["stage"], state: Target["state"] = "live") =>
    targetWords(aTarget({ state, stage }), "live").label;
  expect(label("live")).toBe("Live");
  expect(label("opening", "idle")).toBe("Opening");
  expect(label("created", "idle")).toBe("Waiting");
  expect(label("waiting")).toBe("Waiting for data");
  expect(label("starting")).toBe("Starting");
  expect(label("failed")).toBe("Not on air");
  expect(label("failed", "failed")).toBe("Failed");
  expect(targetWords(aTarget({ stage: "by_hand", reason: "End it in the app." }), "ended")).toEqual({
    label: "End it there",
    tone: "warn",
    detail: "End it in the app.",
  });
});

test("a target says why it fails, and that it is paused only when it is", () => {
  const failed = aTarget({ stage: "failed", state: "failed", reason: "The stream key was refused." });
  expect(targetWords(failed, "live")).toMatchObject({ tone: "bad", detail: "The stream key was refused." });
  const off = (state: Target["state"]) => aTarget({ wanted: false, stage: "off", state });
  expect(targetWords(off("live"), "live").label).toBe("Pausing");
  expect(targetWords(off("paused"), "live").label).toBe("Paused");
  expect(targetWords(aTarget({ stage: "created", state: "paused" }), "live").label).toBe("Resuming");
});

test("a retrying target counts down to its next try", () => {
  const target = aTarget({ state: "retrying", next_try_at: "2026-11-24T20:00:12+00:00" });
  expect(nextTry(target, Date.parse(AT))).toBe("Next try in 12 s.");
  expect(nextTry(target, Date.parse(AT) + 13_000)).toBe("Trying now…");
  expect(nextTry({ ...target, wanted: false }, Date.parse(AT))).toBe("");
});

test("the summary counts what is on air and what needs a person", () => {
  const targets = [
    aTarget({ stage: "live" }),
    aTarget({ stage: "retrying" }),
    aTarget({ stage: "failed" }),
    aTarget({ stage: "off", wanted: false }),
  ];
  expect(targetsLine(targets, "live")).toBe("1 of 3 live, 1 needs you");
  expect(targetsLine(targets, "scheduled")).toBe("");
  const over = [aTarget({ stage: "ended" }), aTarget({ stage: "by_hand" })];
  expect(targetsLine(over, "ended")).toBe("1 of 2 ended, 1 needs you");
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
