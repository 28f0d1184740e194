import type { Clip, Health, RecordedFile } from "@simulcast/api";
import { expect, test } from "vitest";
import {
  breakLine,
  breaksOf,
  clipLine,
  fileLine,
  lastMinute,
  length,
  secondsOf,
  showTime,
  spanProblems,
  stateWords,
  wholeShow,
} from "../src/show/recording/recording-words";
import { AT } from "./a-show";

const CLIP: Clip = {
  name: "a.mp4",
  url: "/api/v1/shows/s1/clips/a.mp4",
  begins_at: AT,
  ends_at: AT,
  begins_s: 718,
  seconds: 62,
  bytes: 34_000_000,
};

test("show time is written and read back the same way", () => {
  for (const seconds of [0, 7, 59, 60, 754, 3_599, 3_600, 3_723, 40_000]) {
    expect(secondsOf(showTime(seconds))).toBe(seconds);
  }
  expect(showTime(3_723)).toBe("1:02:03");
  expect(secondsOf(" 45 ")).toBe(45);
  expect(secondsOf("90:00")).toBe(5_400);
});

test("what is no time is not taken for one", () => {
  for (const wrong of ["", "now", "1:60", "1:60:00", "-5", "1:2:3:4", "12.5", ":30"]) expect(secondsOf(wrong)).toBeNull();
});

test("the last minute of a young show begins with the show", () => {
  expect(lastMinute(30.9)).toEqual({ from: "0:00", to: "0:30" });
  expect(lastMinute(754.2)).toEqual({ from: "11:34", to: "12:34" });
  expect(wholeShow(754.2)).toEqual({ from: "0:00", to: "12:34" });
});

test("the last minute does not go across a change of the picture", () => {
  const at = (second: number) => new Date(Date.parse(AT) + second * 1_000).toISOString();
  const files = [0, 425.2, 425.8].map((second) => ({ begins_at: at(second) }) as RecordedFile);
  const breaks = breaksOf(files, AT);
  expect(breaks.map((one) => one.toFixed(1))).toEqual(["425.2", "425.8"]);
  expect(lastMinute(450, breaks)).toEqual({ from: "7:06", to: "7:30" });
  expect(lastMinute(600, breaks).from).toBe("9:00");
  expect(lastMinute(428, breaks).from).toBe("6:08"); // too short a piece to be of use
  expect(breakLine(400, 450, breaks)).toContain("End it before 7:05, or begin it after 7:06.");
  expect(breakLine(430, 450, breaks)).toBe("");
});

test("times that make no clip are refused beside their field", () => {
  expect(spanProblems({ from: "00:10", to: "00:20" }, 60)).toEqual({});
  expect(spanProblems({ from: "x", to: "00:20" }, 60).from).toContain("such as 12:30");
  expect(spanProblems({ from: "00:20", to: "00:20" }, 60).to).toContain("after the beginning");
  expect(spanProblems({ from: "02:00", to: "03:00" }, 60).from).toBe("The show has only got to 1:00.");
});

test("a clip says where it really begins, and why", () => {
  expect(clipLine(CLIP, 718.2)).toBe("Your clip is ready: 1 min 2 s, 34 MB. It begins at 11:58.");
  expect(clipLine(CLIP, 720)).toContain("11:58, 2.0 s earlier than you asked: clips begin at a keyframe");
  expect(clipLine(CLIP, 600)).toContain("nothing was recorded before");
  expect(clipLine({ ...CLIP, begins_s: null }, 0)).toBe("Your clip is ready: 1 min 2 s, 34 MB.");
});

test("lengths and files are told as people say them", () => {
  expect([58.4, 60, 200, 3_720].map(length)).toEqual(["58 s", "1 min", "3 min 20 s", "1 h 2 min"]);
  const file = {
    name: "a",
    begins_at: AT,
    seconds: 720,
    bytes: 640e6,
    video_codec: "avc1.64001f",
    audio_codec: "mp4a.40.2",
    width: 1_280,
    height: 720,
  };
  const rest = String.raw` · 12 min · 640 MB · 1280 × 720 · H.264 \+ AAC · \d\d:\d\d$`;
  const live = (seconds: number) => new Date(Date.parse(AT) - seconds * 1_000).toISOString();
  expect(fileLine(file, live(23), "en-GB")).toMatch(new RegExp(`^From 0:23${rest}`));
  expect(fileLine(file, live(-90), "en-GB")).toMatch(new RegExp(`^From 1 min 30 s before going live${rest}`));
  expect(fileLine(file, null, "en-GB")).toMatch(new RegExp(`^From before the show${rest}`));
});

test("a recording that stopped is told of, whatever is wished", () => {
  const health = (state: Health["recording"]["state"], reason: string | null = null) =>
    ({ recording: { state, reason, seconds: 125, bytes: 64e6 } }) as Health;
  expect(stateWords(true, health("recording")).text).toBe("Recording: 2 min, 64 MB so far.");
  expect(stateWords(true, health("stopped", "The disk is full."))).toEqual({
    text: "Recording has stopped. The disk is full.",
    tone: "bad",
  });
  expect(stateWords(true, null).text).toBe("Recording begins with the picture.");
  expect(stateWords(false, health("off")).text).toBe("Not recorded.");
});
