// @vitest-environment node
import { describe, expect, it } from "vitest";
import { Steps } from "../src/steps";

/** Notes every 200 ms from `from` on until `seconds` later; `stalled` of each look in ms. Answers all steps taken. */
function run(steps: Steps, from: number, seconds: number, stalled = 0): number[] {
  const taken: number[] = [];
  for (let at = from; at < from + seconds * 1000; at += 200) {
    const step = steps.note(at, 200 - stalled, stalled);
    if (step) taken.push(step);
  }
  return taken;
}

describe("Steps", () => {
  it("stays while less than one hundredth of a minute is stalled", () => {
    const steps = new Steps(3);
    steps.note(0, 0, 600);
    expect(run(steps, 200, 50)).toEqual([]);
  });

  it("steps down above that, once, and gives the step time to help", () => {
    const steps = new Steps(3);
    expect(run(steps, 10_000, 4, 100)).toEqual([1]);
    expect(steps.down).toBe(1);
  });

  it("steps down again while it stalls, and no further than there are steps", () => {
    const steps = new Steps(2);
    expect(run(steps, 10_000, 60, 100)).toEqual([1, 1]);
    expect(steps.down).toBe(2);
  });

  it("steps up after a calm minute", () => {
    const steps = new Steps(3);
    run(steps, 10_000, 2, 100);
    expect(run(steps, 12_000, 59)).toEqual([]);
    expect(run(steps, 71_000, 5)).toEqual([-1]);
    expect(steps.down).toBe(0);
  });

  it("waits twice as long after a step up that was a mistake", () => {
    const steps = new Steps(3);
    run(steps, 10_000, 2, 100);
    expect(run(steps, 12_000, 64)).toEqual([-1]);
    expect(run(steps, 80_000, 2, 100)).toEqual([1]);
    expect(run(steps, 82_000, 110)).toEqual([]);
    expect(run(steps, 192_000, 15)).toEqual([-1]);
  });

  it("starts afresh with another show, and keeps its depth over another source", () => {
    const steps = new Steps(3);
    run(steps, 10_000, 2, 100);
    steps.settle();
    expect(steps.down).toBe(1);
    steps.reset();
    expect(steps.down).toBe(0);
  });
});
