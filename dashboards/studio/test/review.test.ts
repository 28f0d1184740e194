import type { Review } from "@simulcast/api";
import { describe, expect, it } from "vitest";
import { clockOf, left, moved, outcomeOf, ruleWords, wholeOf } from "../src/review/review-words";

describe("the review queue in words", () => {
  it("counts down on the server's clock and never below nothing", () => {
    const now = Date.parse("2026-11-24T20:00:00Z");
    expect(clockOf(left("2026-11-24T20:04:05Z", now))).toBe("4:05");
    expect(left("2026-11-24T19:00:00Z", now)).toBe(0);
  });

  it("says what happens to those nobody looks at", () => {
    expect(ruleWords({ unreviewed: "refuse", review_minutes: 30 })).toContain("30 minutes is refused");
    expect(ruleWords({ unreviewed: "approve", review_minutes: 1 })).toContain("1 minute is approved");
  });

  it("names who decided, or that nobody did", () => {
    const review = { state: "refused", author: null } as Review;
    expect(outcomeOf(review)).toBe("Refused because nobody looked in time");
    expect(outcomeOf({ ...review, state: "approved", author: "Ana" })).toBe("Approved by Ana");
  });

  it("moves by keys and stops at the ends", () => {
    expect([moved(0, "j", 2), moved(1, "ArrowDown", 2), moved(0, "k", 2), moved(1, "x", 2)]).toEqual([1, 1, 0, 1]);
  });

  it("takes whole numbers within bounds alone", () => {
    expect([wholeOf("5", 1, 9), wholeOf("-5", -9, 9), wholeOf("10", 1, 9), wholeOf("1.5", 1, 9)]).toEqual([
      5, -5, null, null,
    ]);
  });
});
