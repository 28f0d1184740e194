// @vitest-environment node
import { describe, expect, it } from "vitest";
import type { PlayerState } from "../src/states";
import { delayLabel, message, spoken, untilStart } from "../src/words";

const said = (state: PlayerState, more = {}) => message({ state, reason: "", startsAt: null, replay: false, ...more });

describe("the player's words", () => {
  it("leaves a playing or paused picture alone", () => {
    expect([said("live"), said("replay"), said("paused")]).toEqual([null, null, null]);
    expect([spoken("live", null), spoken("replay", null), spoken("paused", null)]).toEqual([
      "Playing live.",
      "Playing the replay.",
      "Paused.",
    ]);
  });

  it("says what is the matter and what happens next", () => {
    const words = said("error", { reason: "The stream cannot be reached. Trying again by itself." });
    expect(spoken("error", words)).toBe(
      "The video cannot be shown. The stream cannot be reached. Trying again by itself.",
    );
    const all: PlayerState[] = ["loading", "stalled", "waiting", "offline", "refused", "full", "ended"];
    for (const state of all) expect(said(state)?.title, state).toBeTruthy();
    expect(said("refused")?.detail).toMatch(/Reload the page/);
  });

  it("offers a replay only where there is one", () => {
    expect(said("ended")?.detail).toBe("Thank you for watching.");
    expect(said("ended", { replay: true })?.detail).toBe("You can watch it again.");
  });

  it("says when a planned show starts, and counts the last day down", () => {
    expect(said("scheduled")?.title).toBe("The show starts soon");
    const startsAt = "2026-12-24T18:00:00Z";
    expect(said("scheduled", { startsAt })?.title).toMatch(/^The show starts on .*24/);
    const before = (ms: number) => untilStart(startsAt, Date.parse(startsAt) - ms);
    expect([before(61_000), before(3_725_000), before(0), before(100_000_000)]).toEqual(["1:01", "1:02:05", "", ""]);
    expect(untilStart(null, 0)).toBe("");
  });

  it("rounds the delay to what can be read", () => {
    expect(delayLabel(1.449)).toBe("1.4 s behind live");
    expect(delayLabel(24.4)).toBe("24 s behind live");
    expect(delayLabel(600)).toBe("10 min behind live");
  });
});
