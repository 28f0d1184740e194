// @vitest-environment node
import { describe, expect, it } from "vitest";
import { catchUpRate, MAX_RATE, shouldJump } from "../src/catch-up";

describe("catchUpRate", () => {
  const at = (latency: number, ahead = 0.9) => ({ latency, target: 1, ahead });

  it("plays at normal speed when close to the target or nearer to live than it", () => {
    expect(catchUpRate(at(1.1), 1)).toBe(1);
    expect(catchUpRate(at(0.4), 1)).toBe(1);
    expect(catchUpRate(at(NaN), 1)).toBe(1);
  });

  it("speeds up with less than a second ahead, where hls.js does not", () => {
    expect(catchUpRate(at(1.5, 0.6), 1)).toBeGreaterThan(1);
  });

  it("grows with the distance and never passes what is heard", () => {
    const rates = [1.2, 1.5, 1.8, 2.5, 4, 60].map((latency) => catchUpRate(at(latency), 1));
    expect(rates).toEqual([...rates].sort((a, b) => a - b));
    expect(Math.max(...rates)).toBe(MAX_RATE);
    expect(MAX_RATE).toBeLessThanOrEqual(1.1);
  });

  it("goes on until the target is reached, so that the rate does not flicker", () => {
    expect(catchUpRate(at(1.1), 1.04)).toBeGreaterThan(1);
    expect(catchUpRate(at(1.04), 1.04)).toBe(1);
  });

  it("does not run into a stall with little downloaded", () => {
    expect(catchUpRate(at(3, 0.3), MAX_RATE)).toBe(1);
  });

  it("gets from two seconds too late to the target within 40 s of playing, in two rates", () => {
    let [latency, rate, seconds] = [3, 1, 0];
    const rates: number[] = [];
    while (latency > 1.05 && seconds < 60) {
      rate = catchUpRate(at(latency), rate);
      if (rates.at(-1) !== rate) rates.push(rate);
      latency -= (rate - 1) * 0.2;
      seconds += 0.2;
    }
    expect(seconds).toBeLessThan(40);
    expect(rates).toHaveLength(2);
  });
});

describe("shouldJump", () => {
  it("jumps where playing faster would take minutes", () => {
    expect(shouldJump({ latency: 8, target: 1, ahead: 1 })).toBe(true);
  });

  it("skips a slow start at once, but only over what is downloaded", () => {
    expect(shouldJump({ latency: 4.3, target: 1, ahead: 4 })).toBe(true);
    expect(shouldJump({ latency: 4.3, target: 1, ahead: 3 })).toBe(false);
  });

  it("leaves small delays to the rate", () => {
    expect(shouldJump({ latency: 2.4, target: 1, ahead: 2.4 })).toBe(false);
    expect(shouldJump({ latency: NaN, target: 1, ahead: 2.4 })).toBe(false);
  });
});
