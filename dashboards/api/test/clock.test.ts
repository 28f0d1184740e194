// @vitest-environment node
import { describe, expect, it } from "vitest";
import { countdown, secondsLeft, ServerClock } from "../src";

describe("ServerClock", () => {
  it("corrects a phone that is wrong by minutes, by the middle of the round trip", () => {
    let local = 1_000_000;
    const clock = new ServerClock(() => local);
    local += 200;
    clock.learn(new Date(1_300_100).toISOString(), 1_000_000);
    expect(clock.now()).toBe(1_300_200);
  });

  it("keeps the reading with the shortest round trip", () => {
    let local = 100;
    const clock = new ServerClock(() => local);
    clock.learn(new Date(1_000).toISOString(), 90);
    const first = clock.offsetMs;
    local = 5_000;
    clock.learn(new Date(9_000).toISOString(), 1_000);
    expect(clock.offsetMs).toBe(first);
  });

  it("ignores a time it cannot read", () => {
    const clock = new ServerClock(() => 5);
    clock.learn("soon", 0);
    expect(clock.offsetMs).toBe(0);
  });
});

describe("hold countdown", () => {
  const until = "2026-01-01T00:01:30.000Z";
  const at = (iso: string) => secondsLeft(until, Date.parse(iso));

  it("counts a started second and never goes below zero", () => {
    expect(at("2026-01-01T00:00:00.000Z")).toBe(90);
    expect(at("2026-01-01T00:00:05.400Z")).toBe(85);
    expect(at("2026-01-01T00:01:29.999Z")).toBe(1);
    expect(at("2026-01-01T00:01:30.000Z")).toBe(0);
    expect(at("2026-01-01T09:00:00.000Z")).toBe(0);
    expect(secondsLeft("", 0)).toBe(0);
  });

  it("is written as minutes and seconds", () => {
    expect(countdown(84)).toBe("1:24");
    expect(countdown(5)).toBe("0:05");
    expect(countdown(3_723)).toBe("1:02:03");
  });
});
