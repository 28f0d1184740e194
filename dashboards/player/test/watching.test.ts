// @vitest-environment node
import { describe, expect, it } from "vitest";
import { type Seen, Watching } from "../src/watching";

const playing: Seen = {
  transport: "hls",
  progress: 0,
  ready: true,
  begun: true,
  live: true,
  hidden: false,
  arriving: true,
  fed: true,
  another: false,
  position: null,
  rate: 1,
};

/** Looks every 200 ms for some seconds; the last verdict, and the time of the first that `stops` it. */
function run(watching: Watching, change: Partial<Seen>, seconds: number, moving: boolean, from = 0) {
  let last = watching.look(from, { ...playing, ...change, progress: from });
  for (let at = from + 200; at <= from + seconds * 1000; at += 200) {
    last = watching.look(at, { ...playing, ...change, progress: moving ? at : from });
    if (last.fail || last.tryOther) return { ...last, at: at - from };
  }
  return { ...last, at: seconds * 1000 };
}

const opened = () => {
  const watching = new Watching();
  watching.opened(0);
  return watching;
};

describe("Watching", () => {
  it("sees the first picture when it moves", () => {
    expect(run(opened(), { begun: false }, 1, true).picture).toBe("moving");
    expect(run(opened(), { begun: false, ready: false }, 1, true).picture).toBeNull();
  });

  it("tries the other transport soon when none comes, and waits where there is no other", () => {
    const late = run(opened(), { begun: false, another: true }, 10, false);
    expect(late).toMatchObject({ tryOther: true, fail: null });
    expect(late.at).toBeLessThan(3_000);
    expect(run(opened(), { begun: false }, 10, false).tryOther).toBe(false);
  });

  it("gives WebRTC up when it shows nothing, or stands still", () => {
    expect(run(opened(), { begun: false, transport: "whep" }, 10, false).at).toBeLessThan(3_000);
    const still = run(opened(), { transport: "whep", another: true }, 10, false);
    expect(still.fail).toBeTruthy();
    expect(still.at).toBeLessThan(3_500);
  });

  it("shows a stall only when it lasts", () => {
    expect(run(opened(), {}, 0.6, false).picture).toBeNull();
    expect(run(opened(), {}, 1, false).picture).toBe("frozen");
  });

  it("begins afresh where media arrives and the picture does not move, and has patience where none does", () => {
    expect(run(opened(), {}, 10, false)).toMatchObject({ fail: "The picture stood still.", at: 6_200 });
    expect(run(opened(), { arriving: false }, 30, false).fail).toBeNull();
  });

  it("does not believe in stalls while the page is hidden", () => {
    const hidden = run(opened(), { hidden: true }, 10, false);
    expect(hidden).toMatchObject({ fail: null, stalledMs: 0 });
  });

  it("steps down on HLS, and leaves WebRTC, when too much is spent in stalls", () => {
    const watching = opened();
    run(watching, {}, 6, true);
    run(watching, {}, 2, false, 6_200);
    expect(watching.down).toBe(1);
    const whep = opened();
    run(whep, { transport: "whep", another: true }, 6, true);
    expect(run(whep, { transport: "whep", another: true }, 2, false, 6_200).fail).toMatch(/last minute/);
  });

  it("does not blame the connection when there is nothing more to show", () => {
    const watching = opened();
    run(watching, { fed: false }, 6, true);
    run(watching, { fed: false, arriving: false }, 10, false, 6_200);
    expect(watching.down).toBe(0);
  });

  it("catches up at the live edge, jumps when far behind, and never fights a viewer who went back", () => {
    const late = { latency: 2, target: 1, ahead: 1 };
    expect(run(opened(), { position: late }, 1, true).rate).toBeGreaterThan(1);
    expect(run(opened(), { position: { ...late, latency: 20 } }, 1, true).rate).toBe("jump");
    expect(run(opened(), { position: late, live: false }, 1, true).rate).toBeNull();
  });

  it("says when it has been calm for long enough to try the better transport", () => {
    expect(run(opened(), {}, 20, true).calm).toBe(false);
    expect(run(opened(), {}, 40, true)).toMatchObject({ calm: true, proven: false });
    expect(run(opened(), {}, 70, true).proven).toBe(true);
  });
});
