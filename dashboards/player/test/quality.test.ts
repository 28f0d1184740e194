// @vitest-environment node
import { describe, expect, it } from "vitest";
import { chosen, highest, HLS_STEPS, limits, offered, qualityOf } from "../src/quality";

const ladder = [360, 480, 720, 1080].map((height) => ({ height, kbps: height * 4 }));
const top = (...of: Parameters<typeof limits>) => ladder[highest(ladder, limits(...of))]?.height;

describe("quality", () => {
  it("offers each height once, highest first, and nothing where there is no choice", () => {
    expect(offered([...ladder, { height: 720, kbps: 1 }])).toEqual([1080, 720, 480, 360]);
    expect(offered([{ height: 720, kbps: 1 }])).toEqual([]);
    expect(offered([{ height: 0, kbps: 1 }, { height: 0, kbps: 2 }])).toEqual([]);
  });

  it("plays no more than the screen shows, and enough to fill it", () => {
    expect(top("auto", 0, 0)).toBe(1080);
    expect(top("auto", 600, 0)).toBe(720);
    expect(top("auto", 1200, 0)).toBe(1080);
    expect(top("auto", 200, 0)).toBe(360);
  });

  it("never plays more than 480 lines when data is to be saved", () => {
    expect(top("saver", 2000, 0)).toBe(480);
    expect(top("saver", 300, 0)).toBe(360);
  });

  it("shuts one rung with each step down, then stays further behind live", () => {
    expect(top("auto", 0, 1)).toBe(720);
    expect(top("auto", 0, HLS_STEPS)).toBe(480);
    const backs = [0, 1, 2, 3].map((down) => limits("auto", 0, down).holdBack);
    expect(backs).toEqual([...backs].sort((a, b) => a - b));
    expect(backs[1]).toBe(1);
    expect(backs[HLS_STEPS]).toBeGreaterThan(1);
    expect(top("auto", 300, HLS_STEPS)).toBe(360);
  });

  it("leaves the rung to whoever chose it, and takes the nearest when the ladder has changed", () => {
    expect(limits(720, 200, 2)).toMatchObject({ height: 720, most: Infinity, lower: 0 });
    expect(chosen(ladder, 720)).toBe(2);
    expect(chosen(ladder, 540)).toBe(1);
  });

  it("understands what pages and menus say", () => {
    expect(["auto", "saver", "720p", 480, "best", -1, null].map(qualityOf)).toEqual([
      "auto",
      "saver",
      720,
      480,
      null,
      null,
      null,
    ]);
  });
});
