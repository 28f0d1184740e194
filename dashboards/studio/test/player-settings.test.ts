import type { Rung } from "@simulcast/api";
import { expect, test } from "vitest";
import {
  ACCESS,
  capProblem,
  modeHelp,
  rungWords,
  showTime,
  siteProblem,
  sitesOf,
  whepProblem,
} from "../src/show/playback/player-words";

const RUNG: Rung = { name: "720p", height: 720, state: "running", reason: null, video_kbps: 2_500, behind_ms: 100 };

test("sites are read from lines and commas, and what is no site is named", () => {
  expect(sitesOf(" https://brand.com\n\nshop.brand.com, https://*.brand.org ")).toEqual([
    "https://brand.com",
    "shop.brand.com",
    "https://*.brand.org",
  ]);
  expect(siteProblem("https://brand.com\nhttp://localhost:3000/")).toBeUndefined();
  expect(siteProblem("")).toBeUndefined();
  expect(siteProblem("https://brand.com\nhttps://brand.com/shop")).toContain("“https://brand.com/shop” is no site");
  expect(siteProblem("javascript://x y")).toContain("is no site");
});

test("another server's address must be safe for viewers", () => {
  expect(whepProblem(" https://sfu.example.com/whep/evening ")).toBeUndefined();
  expect(whepProblem("")).toBeUndefined();
  expect(whepProblem("http://127.0.0.1:8088/whep")).toBeUndefined();
  for (const wrong of ["http://sfu.example.com/whep", "sfu.example.com", "https://me:word@sfu.example.com/"]) {
    expect(whepProblem(wrong), wrong).toContain("https://");
  }
});

test("the number of viewers is a number, or nothing", () => {
  expect([capProblem(""), capProblem(" 500 "), capProblem("1000000")]).toEqual([undefined, undefined, undefined]);
  for (const wrong of ["0", "-1", "many", "1e3", "1000001"]) expect(capProblem(wrong), wrong).toBeDefined();
});

test("a rung says what it carries, or why it is not there", () => {
  expect(rungWords(RUNG)).toMatchObject({ label: "Running", tone: "good", detail: "2.5 Mbit/s" });
  expect(rungWords({ ...RUNG, behind_ms: 1_900 }).detail).toBe("2.5 Mbit/s · 1.9 s behind");
  const refused = rungWords({ ...RUNG, state: "refused", reason: "This machine has two cores.", video_kbps: 0 });
  expect(refused).toMatchObject({ label: "Left out", tone: "quiet", detail: "This machine has two cores." });
});

test("a mode that can't be had says what happens instead", () => {
  expect(modeHelp("interactive", true)).toContain("by itself");
  expect(modeHelp("interactive", false)).toContain("switched off");
  expect(modeHelp("balanced", false)).not.toContain("switched off");
});

test("unlisted says that it can be passed on", () => {
  expect(ACCESS.find(({ value }) => value === "unlisted")?.help).toContain("passed on");
});

test("a chapter stands at its time of the show", () => {
  expect(showTime("2026-11-24T21:02:05Z", "2026-11-24T20:00:00Z")).toBe("1:02:05");
  expect(showTime("2026-11-24T20:00:00Z", null)).toBe("0:00:00");
});
