import { beforeEach, describe, expect, it, vi } from "vitest";
import { StreamCaptions } from "../src/stream-captions";

/** What of it is used; jsdom has none. */
class Cue {
  line: number | "auto" = "auto";
  constructor(
    public startTime: number,
    public endTime: number,
    public text: string,
  ) {}
}

const PAINT = [0x14, 0x29], BOTTOM = [0x14, 0x70], TOP = [0x11, 0x70], CLEAR = [0x14, 0x2c];
const letters = (text: string) => [...text.padEnd(text.length + (text.length % 2), " ")].map((one) => one.charCodeAt(0));

function data(...codes: number[][]): Uint8Array {
  const bytes = codes.flat();
  const triples = [];
  for (let at = 0; at < bytes.length; at += 2) triples.push(0xfc, bytes[at] ?? 0, bytes[at + 1] ?? 0);
  return Uint8Array.from([0x40 | (triples.length / 3), 0xff, ...triples]);
}

function theatre() {
  const cues: Cue[] = [];
  const remove = vi.fn();
  const make = vi.fn(() => ({
    track: {
      addCue: (cue: TextTrackCue) => void cues.push(cue as unknown as Cue),
      removeCue: (cue: TextTrackCue) => void cues.splice(cues.indexOf(cue as unknown as Cue), 1),
    },
    remove,
  }));
  const captions = new StreamCaptions(make);
  const play = (pts: number, ...codes: number[][]) => {
    captions.take([{ pts, bytes: data(...codes) }]);
    captions.until(pts + 1);
  };
  const told = () => cues.map(({ startTime, endTime, text }) => [startTime, endTime, text]);
  return { captions, cues, make, play, remove, told };
}

beforeEach(() => void vi.stubGlobal("VTTCue", Cue));

describe("captions inside the stream", () => {
  it("make no track before there is one", () => {
    const { captions, make, play } = theatre();
    captions.take([{ pts: 1 }]);
    play(2, [0x80, 0x80]);
    expect(make).not.toHaveBeenCalled();
    play(3, PAINT, BOTTOM, letters("HELLO"));
    play(5, CLEAR, PAINT, letters("AGAIN"));
    expect(make).toHaveBeenCalledOnce();
  });

  it("are there as soon as they begin, and end when the stream says so", () => {
    const { told, play } = theatre();
    play(10, PAINT, BOTTOM, letters("HELLO"));
    expect(told()).toEqual([[10, 26, "HELLO"]]);
    play(12.5, CLEAR);
    expect(told()).toEqual([[10, 12.5, "HELLO"]]);
  });

  it("grow in steps that can be read, not letter by letter", () => {
    const { told, play } = theatre();
    play(1, PAINT, BOTTOM, letters("AB"));
    play(1.1, letters("CD"));
    play(1.5, letters("EF"));
    expect(told()).toEqual([
      [1, 1.5, "ABCD"],
      [1.5, 17.5, "ABCDEF"],
    ]);
  });

  it("are text, not markup", () => {
    const { told, play } = theatre();
    play(1, PAINT, BOTTOM, letters("<b>R&B"));
    expect(told()[0]?.[2]).toBe("&lt;b>R&amp;B");
  });

  it("stand at the top where the stream puts them there", () => {
    const { cues, play } = theatre();
    play(1, PAINT, TOP, letters("UP"));
    play(2, CLEAR, PAINT, BOTTOM, letters("DOWN"));
    expect(cues.map(({ line }) => line)).toEqual([0, "auto"]);
  });

  it("are not there twice when the same pictures are buffered again", () => {
    const { told, play } = theatre();
    const once = () => {
      play(1, PAINT, BOTTOM, letters("ONE"));
      play(3, CLEAR, letters("TWO"));
      return told();
    };
    expect(once()).toEqual(once());
    expect(told()).toHaveLength(2);
  });

  it("are read in the order of presentation, whatever the order of decoding", () => {
    const { captions, told } = theatre();
    captions.take([
      { pts: 1, bytes: data(PAINT, BOTTOM) },
      { pts: 1.13, bytes: data(letters("CD")) },
    ]);
    captions.until(1.1);
    captions.take([{ pts: 1.07, bytes: data(letters("AB")) }]);
    captions.until(2);
    expect(told().map(([, , text]) => text)).toEqual(["ABCD"]);
  });

  it("are forgotten when they are old, and all of them when the source is closed", () => {
    const { captions, cues, play, remove } = theatre();
    for (let at = 0; at < 250; at += 1) play(at, CLEAR, PAINT, BOTTOM, letters(`${at}`));
    expect(cues).toHaveLength(200);
    captions.close();
    expect(remove).toHaveBeenCalledOnce();
  });
});
