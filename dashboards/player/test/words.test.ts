// @vitest-environment node
import { describe, expect, it } from "vitest";
import { delayLabel, message, spoken } from "../src/words";

describe("the player's words", () => {
  it("leaves a playing or paused picture alone", () => {
    expect(message("live", "", null)).toBeNull();
    expect(message("paused", "", null)).toBeNull();
    expect([spoken("live", null), spoken("paused", null)]).toEqual(["Playing live.", "Paused."]);
  });

  it("says what is the matter and what happens next", () => {
    const words = message("error", "The stream cannot be reached. Trying again by itself.", null);
    expect(spoken("error", words)).toBe(
      "The video cannot be shown. The stream cannot be reached. Trying again by itself.",
    );
    expect(message("ended", "", null)?.title).toBe("The show has ended");
  });

  it("says when a planned show starts", () => {
    expect(message("scheduled", "", null)?.title).toBe("The show starts soon");
    expect(message("scheduled", "", "2026-12-24T18:00:00Z")?.title).toMatch(/^The show starts on .*24/);
  });

  it("rounds the delay to what can be read", () => {
    expect(delayLabel(1.449)).toBe("1.4 s behind live");
    expect(delayLabel(24.4)).toBe("24 s behind live");
  });
});
