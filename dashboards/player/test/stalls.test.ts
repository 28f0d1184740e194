// @vitest-environment node
import { describe, expect, it } from "vitest";
import { StallShare, StallWatch } from "../src/stalls";

/** Looks every 200 ms; `moves` says for each look whether the picture has moved. */
function run(watch: StallWatch, moves: string, from = 0) {
  const total = { watchedMs: 0, stalledMs: 0, stalls: 0, frozenMs: 0 };
  let progress = from;
  [...moves].forEach((move, index) => {
    if (move === "m") progress += 1;
    const seen = watch.look(from + index * 200, progress);
    total.watchedMs += seen.watchedMs;
    total.stalledMs += seen.stalledMs;
    total.stalls += seen.begun ? 1 : 0;
    total.frozenMs = seen.frozenMs;
  });
  return total;
}

describe("StallWatch", () => {
  it("counts a moving picture as watched", () => {
    expect(run(new StallWatch(), "mmmmmm")).toEqual({ watchedMs: 1000, stalledMs: 0, stalls: 0, frozenMs: 0 });
  });

  it("takes a hiccup for what it is", () => {
    expect(run(new StallWatch(), "mm.mm").stalls).toBe(0);
  });

  it("counts a stall once, with all of its time", () => {
    const total = run(new StallWatch(), "mm.....mm");
    expect(total.stalls).toBe(1);
    expect(total.stalledMs).toBe(1200);
    expect(total.watchedMs + total.stalledMs).toBe(1600);
  });

  it("says how long the picture has stood still", () => {
    expect(run(new StallWatch(), "m.....").frozenMs).toBe(1000);
  });

  it("counts nothing over a reset or a sleep", () => {
    const watch = new StallWatch();
    run(watch, "mm");
    watch.reset();
    expect(watch.look(1_000, 2)).toMatchObject({ watchedMs: 0, stalledMs: 0 });
    expect(watch.look(60_000, 2)).toMatchObject({ watchedMs: 0, stalledMs: 0, frozenMs: 0 });
  });
});

describe("StallShare", () => {
  it("forgets what is older than its span", () => {
    const share = new StallShare(10_000);
    share.add(0, 0, 500);
    share.add(9_000, 200, 0);
    expect(share.share).toBe(0.05);
    share.add(11_000, 200, 0);
    expect(share.share).toBe(0);
  });
});
