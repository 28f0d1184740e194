import type { ProbePlace, ProbeRun, QualityRegion, RegionAlarm } from "@simulcast/api";
import { expect, test } from "vitest";
import {
  alarmTimes,
  alarmWords,
  apart,
  dayWords,
  hoursOf,
  planWords,
  regionLines,
  regionName,
  sourceWords,
  wishOf,
} from "../src/show/quality/region-words";

const region = (name: string | null, by: QualityRegion["by"]) => ({ region: name, by }) as QualityRegion;

const ALARM: RegionAlarm = {
  id: "1",
  show_id: "2",
  show_title: "Evening",
  region: "BR",
  kind: "startup",
  value: 2_410,
  median: 900,
  viewers: 12,
  began_at: "2026-11-24T18:30:00Z",
  ended_at: null,
};

function run(local_hour: number, part: Partial<ProbeRun> = {}): ProbeRun {
  return {
    id: String(local_hour),
    place_id: "sg",
    show_id: null,
    show_title: null,
    source: "hub",
    how: "client",
    at: "2026-11-24T12:00:00Z",
    local_hour,
    startup_ms: 800,
    watched_ms: 29_000,
    stalls: 0,
    stalled_ms: 0,
    rebuffer_ratio: 0,
    latency_ms: 1_500,
    height: 720,
    error: null,
    ...part,
  };
}

test("a region is called by its country's name, and anything else as it came", () => {
  expect(regionName("SG", "en")).toBe("Singapore");
  expect(regionName("EU-WEST", "en")).toBe("EU-WEST");
  expect(regionName(null)).toBe("Not known");
});

test("where nobody knows a region there is nothing to tell apart", () => {
  expect(apart([region(null, null)])).toBe(false);
  expect(apart([region(null, null), region("SG", "zone")])).toBe(true);
});

test("the table says who says where viewers are", () => {
  expect(sourceWords([region("SG", "proxy"), region(null, null)])).toBe("Told by your CDN or proxy.");
  expect(sourceWords([region("SG", "zone")])).toContain("somebody abroad may be counted at home");
  for (const both of [[region("SG", "both")], [region("SG", "proxy"), region("BR", "zone")]]) {
    expect(sourceWords(both)).toMatch(/^Told by your CDN or proxy, and where it does not/);
  }
});

test("an alarm says where, how bad, and beside what", () => {
  expect(alarmWords(ALARM, "en")).toBe(
    "Viewers in Brazil wait 2.4 s for the first picture; the regions’ median is 0.9 s.",
  );
  expect(alarmWords({ ...ALARM, kind: "stalls", value: 0.042, median: 0.001 }, "en")).toBe(
    "Viewers in Brazil see the picture stand still 4.2 % of the time; the regions’ median is 0.10 %.",
  );
  expect(alarmTimes(ALARM, "en")).toMatch(/^“Evening”, since .*, 12 players\.$/);
});

test("an alarm that is over says how long it lasted", () => {
  const over = { ...ALARM, ended_at: "2026-11-24T18:34:00Z" };
  expect(alarmTimes(over, "en")).toMatch(/, for 4 minutes, 12 players\.$/);
});

test("each region has a line, those with most viewers first", () => {
  const point = (name: string, minute: number, viewers: number, startup_ms: number | null) => ({
    region: name,
    at: new Date(Date.UTC(2026, 10, 24, 18, minute)).toISOString(),
    viewers,
    startup_ms,
    latency_ms: null,
    rebuffer_ratio: 0,
    stalls: 0,
  });
  const points = [point("BR", 0, 5, 900), point("SG", 0, 50, 800), point("BR", 9, 6, null), point("SG", 9, 40, 700)];
  const { lines, span } = regionLines([...points, point("DE", 9, 90, 600)], "en");
  expect(lines.map((one) => one.title)).toEqual(["Singapore", "Brazil"]);
  expect(lines[1]?.points.map((one) => one.value)).toEqual([900, null]);
  expect(span).toBe(540_000);
  expect(regionLines([])).toEqual({ lines: [], span: 60_000 });
});

test("an hour of a region's day is the middle of its runs", () => {
  const runs = [
    run(9, { startup_ms: 600 }),
    run(21, { startup_ms: 1_000 }),
    run(21, { startup_ms: 2_000, rebuffer_ratio: 0.02 }),
    run(21, { startup_ms: null, rebuffer_ratio: null, error: "No picture came." }),
    run(21, { place_id: "br", startup_ms: 9_000 }),
  ];
  const hours = hoursOf(runs, "sg");
  expect(hours).toHaveLength(24);
  expect(hours[21]).toEqual({ hour: 21, runs: 3, failed: 1, startup: 1_500, still: 0.01 });
  expect(hours[3]).toEqual({ hour: 3, runs: 0, failed: 0, startup: null, still: null });
  expect(dayWords(hours)).toBe(
    "First picture from 0.6 s at 09:00 to 1.5 s at 21:00. Stood still most at 21:00: 1.0 %. 1 of 4 runs failed.",
  );
  expect(dayWords(hoursOf([], "sg"))).toBe("No run yet.");
  expect(dayWords(hoursOf([run(9)], "sg"))).toBe("First picture after 0.8 s at 09:00. 1 run, none failed.");
});

test("where a machine there reports, runs of the hub do not count", () => {
  const there = { source: "there" as const, startup_ms: 3_000 };
  const runs = [run(21, { startup_ms: 500, error: "It stopped." }), run(21, there), run(9), run(9, { place_id: "br" })];
  const hours = hoursOf(runs, "sg");
  expect(hours[21]).toEqual({ hour: 21, runs: 1, failed: 0, startup: 3_000, still: 0 });
  expect(hours[9]?.runs).toBe(0);
  expect(hoursOf(runs, "br")[9]?.runs).toBe(1);
});

test("a run that asked no server is no failure of a region", () => {
  const none = { startup_ms: null, rebuffer_ratio: null };
  const runs = [
    run(21),
    run(21, { ...none, error: "There was nothing to play: no show was live, and none has a replay." }),
    run(21, { ...none, source: "there", error: "The hub was too busy to begin within the hour." }),
  ];
  expect(hoursOf(runs, "sg")[21]).toEqual({ hour: 21, runs: 1, failed: 0, startup: 800, still: 0 });
});

test("a region says when it is probed", () => {
  const place: ProbePlace = { id: "1", name: "Singapore", zone: "Asia/Singapore", hours: [9, 20, 21], base_url: null };
  expect(planWords(place)).toBe("At 09:00, 20:00 and 21:00 in Asia/Singapore.");
  expect(planWords({ ...place, hours: [9] })).toBe("At 09:00 in Asia/Singapore.");
  expect(planWords({ ...place, hours: [] })).toMatch(/^Only machines that stand there report/);
});

test("a form is read, or says what is wrong with it", () => {
  const draft = { name: " Singapore ", zone: "Asia/Singapore", hours: "21:00, 20 20", base: "" };
  expect(wishOf(draft)).toEqual({
    wish: { name: "Singapore", zone: "Asia/Singapore", hours: [20, 21], base_url: null },
  });
  expect(wishOf({ ...draft, hours: "" })).toMatchObject({ wish: { hours: [] } });
  for (const hours of ["24", "noon", "-1"]) expect(wishOf({ ...draft, hours })).toHaveProperty("problem");
  expect(wishOf({ ...draft, name: " " })).toHaveProperty("problem");
});
