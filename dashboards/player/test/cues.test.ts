// @vitest-environment node
import { describe, expect, it } from "vitest";
import { chapterAt, chaptersIn } from "../src/chapters";
import { type Cue, cueOf, cuesOf, CueWatch } from "../src/cues";

const cue = (id: string, at: number, until: number | null = null): Cue => ({
  id,
  kind: "product",
  title: id,
  reference: "",
  at,
  until,
});
const ids = (cues: Cue[]) => cues.map(({ id }) => id);

describe("CueWatch", () => {
  it("tells a cue when its picture is on the screen, and once", () => {
    const watch = new CueWatch();
    const cues = [cue("a", 1_000), cue("b", 1_900)];
    expect(ids(watch.due(cues, 800))).toEqual([]);
    expect(ids(watch.due(cues, 1_000))).toEqual(["a"]);
    expect(ids(watch.due(cues, 1_200))).toEqual([]);
    expect(ids(watch.due(cues, 2_000))).toEqual(["b"]);
  });

  it("tells one that became known late, if it is not too late", () => {
    const watch = new CueWatch();
    watch.due([], 19_000);
    watch.due([], 20_000);
    expect(ids(watch.due([cue("old", 1_000), cue("late", 18_000)], 20_200))).toEqual(["late"]);
  });

  it("tells whoever joins or jumps what is on, and nothing that is over", () => {
    const watch = new CueWatch();
    const cues = [cue("over", 1_000, 2_000), cue("on", 3_000, 60_000), cue("next", 41_000)];
    expect(ids(watch.due(cues, 40_000))).toEqual(["on"]);
    expect(ids(watch.due(cues, 40_200))).toEqual([]);
    expect(ids(watch.due(cues, 1_500))).toEqual(["over"]);
    expect(ids(watch.due(cues, 3_100))).toEqual(["on"]);
  });

  it("does not know the time without a picture", () => {
    expect(new CueWatch().due([cue("a", 0)], null)).toEqual([]);
  });
});

describe("where cues come from", () => {
  it("reads a date range of ours and no other", () => {
    const said = { CLASS: "com.simulcast.offer", "X-TITLE": "Bag", "X-REFERENCE": "p1" };
    expect(cueOf("c", 5, null, said)).toEqual({ id: "c", kind: "offer", title: "Bag", reference: "p1", at: 5, until: null });
    expect(cueOf("ad", 5, null, { "SCTE35-OUT": "0x0" })).toBeNull();
    expect(cueOf("c", NaN, null, said)).toBeNull();
  });

  it("reads the list of chapters in the order of the show", () => {
    const list = chaptersIn([
      { id: "b", kind: "product", title: "B", reference: "", begins_at: 60, ends_at: null },
      { id: "a", kind: "chapter", title: "A", reference: "", begins_at: 2, ends_at: 60 },
      { id: 7 },
    ]);
    expect(list.map(({ id }) => id)).toEqual(["a", "b"]);
    expect(chaptersIn("nothing")).toEqual([]);
    expect(cuesOf(list, 1_000).map(({ at, until }) => [at, until])).toEqual([
      [3_000, 61_000],
      [61_000, null],
    ]);
    expect(chapterAt(list, 59)?.id).toBe("a");
    expect(chapterAt(list, 1)).toBeNull();
  });
});
