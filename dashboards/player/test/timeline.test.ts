// @vitest-environment node
import { describe, expect, it } from "vitest";
import { clock, placeOf, ShowTime, spokenClock } from "../src/timeline";

describe("ShowTime", () => {
  it("counts from when the programme began", () => {
    const time = new ShowTime("2026-01-01T20:00:00Z");
    const began = Date.parse("2026-01-01T20:00:00Z");
    expect(time.of(began + 90_500)).toBe(90.5);
    expect(time.moment(90.5)).toBe(began + 90_500);
    expect(time.of(null)).toBeNull();
  });

  it("counts from the first picture where that is not said", () => {
    const time = new ShowTime(null);
    expect(time.moment(0)).toBeNull();
    expect(time.of(5_000)).toBe(0);
    expect(time.of(7_000)).toBe(2);
  });
});

describe("placeOf", () => {
  const stretches = [
    { start: 0, duration: 2, moment: 10_000 },
    { start: 2, duration: 2, moment: 12_000 },
    { start: 4, duration: 2, moment: 30_000 },
  ];

  it("finds the picture of a moment", () => {
    expect(placeOf(10_500, stretches)).toBe(0.5);
    expect(placeOf(13_000, stretches)).toBe(3);
    expect(placeOf(31_000, stretches)).toBe(5);
  });

  it("goes to the next picture where nobody published", () => {
    expect(placeOf(20_000, stretches)).toBe(4);
  });

  it("knows nothing of what was before", () => {
    expect(placeOf(9_000, stretches)).toBeNull();
    expect(placeOf(9_000, [])).toBeNull();
  });
});

describe("clock", () => {
  it("is short to read and whole to hear", () => {
    expect([clock(65.9), clock(3_727), clock(-3)]).toEqual(["1:05", "1:02:07", "0:00"]);
    expect(spokenClock(3_727)).toBe("1 hour 2 minutes 7 seconds");
    expect([spokenClock(60), spokenClock(0)]).toEqual(["1 minute", "0 seconds"]);
  });
});
