// @vitest-environment node
import { describe, expect, it } from "vitest";
import { Attempts, preferred } from "../src/chooser";

const both = { whep: true, hls: true };
const everything = { webrtc: true, mse: true, native: true };

describe("preferred", () => {
  it("puts WebRTC first in an interactive show, and HLS first in a balanced one", () => {
    expect(preferred({ mode: "interactive", offered: both, able: everything })).toEqual(["whep", "hls"]);
    expect(preferred({ mode: "balanced", offered: both, able: everything })).toEqual(["hls", "whep"]);
  });

  it("leaves HLS to the browser only where hls.js cannot run", () => {
    const able = { ...everything, mse: false };
    expect(preferred({ mode: "balanced", offered: both, able })).toEqual(["native", "whep"]);
  });

  it("names nothing that is not offered or not possible", () => {
    expect(preferred({ mode: "interactive", offered: { whep: false, hls: true }, able: everything })).toEqual(["hls"]);
    expect(
      preferred({ mode: "interactive", offered: both, able: { webrtc: false, mse: false, native: false } }),
    ).toEqual([]);
  });
});

describe("Attempts", () => {
  const order = ["whep", "hls"] as const;

  it("falls to the other transport at once, and waits longer for WebRTC each time", () => {
    const attempts = new Attempts(() => 1);
    attempts.failure("whep", "unreachable", 0);
    expect(attempts.next(order, 0)).toBe("hls");
    expect(attempts.next(order, 29_999)).toBe("hls");
    expect(attempts.next(order, 30_000)).toBe("whep");
    attempts.failure("whep", "unreachable", 30_000);
    expect(attempts.next(order, 89_999)).toBe("hls");
    expect(attempts.next(order, 90_000)).toBe("whep");
  });

  it("says how long to wait when both have failed", () => {
    const attempts = new Attempts(() => 1);
    attempts.failure("whep", "full", 0);
    attempts.failure("hls", "unreachable", 0);
    expect(attempts.next(order, 0)).toBeNull();
    expect(attempts.wait(order, 0)).toBe(1_000);
    expect(attempts.wait([], 0)).toBeNull();
  });

  it("comes back to WebRTC sooner where LL-HLS fails time and again", () => {
    const attempts = new Attempts(() => 1);
    attempts.failure("whep", "unreachable", 0);
    attempts.failure("hls", "unreachable", 1_000);
    expect(attempts.next(order, 1_500)).toBeNull();
    attempts.failure("hls", "unreachable", 4_000);
    expect(attempts.next(order, 4_500)).toBeNull();
    expect(attempts.next(order, 5_000)).toBe("whep");
    expect(attempts.next(["whep"], 5_000)).toBeNull();
  });

  it("waits as long as the server asks", () => {
    const attempts = new Attempts(() => 0);
    attempts.failure("hls", "full", 0, 20_000);
    expect(attempts.wait(["hls"], 0)).toBe(20_000);
  });

  it("does not hold a publisher's absence against WebRTC", () => {
    const attempts = new Attempts(() => 1);
    attempts.failure("whep", "absent", 0);
    expect(attempts.next(["whep"], 1_000)).toBe("whep");
  });

  it("forgives what has worked since, and everything when a person asks", () => {
    const attempts = new Attempts(() => 1);
    attempts.failure("whep", "silent", 0);
    attempts.worked("whep");
    expect(attempts.next(order, 0)).toBe("whep");
    attempts.failure("hls", "silent", 0);
    attempts.forgive();
    expect(attempts.next(["hls"], 0)).toBe("hls");
  });

  it("never makes a crowd come back in the same moment", () => {
    const wait = (random: number) => {
      const attempts = new Attempts(() => random);
      attempts.failure("hls", "unreachable", 0);
      return attempts.wait(["hls"], 0);
    };
    expect(wait(0)).toBe(500);
    expect(wait(1)).toBe(1_000);
  });
});
