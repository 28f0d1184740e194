// @vitest-environment node
import { describe, expect, it } from "vitest";
import { delayOf } from "../src/delay";

const now = Date.parse("2026-01-01T20:00:00Z");

describe("delayOf", () => {
  it("is the age of the frame on the screen", () => {
    expect(delayOf({ now, shownAt: now - 1_450, fallback: 9 })).toBe(1.45);
  });

  it("falls back to the playlist when the frame's date cannot be true", () => {
    expect(delayOf({ now, shownAt: now + 5_000, fallback: 1.2 })).toBe(1.2);
    expect(delayOf({ now, shownAt: now - 86_400_000, fallback: 1.2 })).toBe(1.2);
    expect(delayOf({ now, shownAt: null, fallback: 1.2 })).toBe(1.2);
  });

  it("is nothing rather than a guess", () => {
    expect(delayOf({ now, shownAt: null, fallback: 0 })).toBeNull();
  });
});
