// @vitest-environment node
import { describe, expect, it } from "vitest";
import { type Facts, stateOf } from "../src/states";

const playing: Facts = {
  show: "live",
  hopeless: "",
  refused: false,
  playable: true,
  away: false,
  replaying: false,
  lingering: false,
  held: false,
  online: true,
  picture: "moving",
  failure: null,
};
const state = (change: Partial<Facts>) => stateOf({ ...playing, ...change });

describe("stateOf", () => {
  it("is live while the picture moves, whatever else is said", () => {
    expect(state({})).toBe("live");
    expect(state({ away: true, online: false })).toBe("live");
  });

  it("goes from loading over the picture to a stall", () => {
    expect(state({ show: null, picture: "none", playable: false })).toBe("loading");
    expect(state({ picture: "coming" })).toBe("loading");
    expect(state({ picture: "frozen" })).toBe("stalled");
  });

  it("tells the viewer's pause from the show's", () => {
    expect(state({ held: true })).toBe("paused");
    expect(state({ held: true, picture: "none" })).toBe("paused");
    expect(state({ away: true, picture: "frozen" })).toBe("waiting");
    expect(state({ away: true, picture: "coming", failure: "absent" })).toBe("waiting");
  });

  it("names what stands in the way", () => {
    const failed = (failure: Facts["failure"]) => state({ picture: "coming", failure });
    expect([failed("refused"), failed("full"), failed("absent"), failed("silent")]).toEqual([
      "refused",
      "full",
      "loading",
      "loading",
    ]);
    expect([failed("unreachable"), failed("unplayable")]).toEqual(["error", "error"]);
    expect(state({ picture: "frozen", online: false })).toBe("offline");
    expect(state({ refused: true, show: "scheduled" })).toBe("refused");
    expect(state({ hopeless: "There is no show at this address." })).toBe("error");
  });

  it("follows the show from before its beginning to its replay", () => {
    expect(state({ show: "scheduled", picture: "none" })).toBe("scheduled");
    expect(state({ show: "ended", lingering: true })).toBe("live");
    expect(state({ show: "ended", picture: "none" })).toBe("ended");
    expect(state({ show: "ended", replaying: true })).toBe("replay");
    expect(state({ show: "ended", replaying: true, picture: "over" })).toBe("ended");
  });
});
