// @vitest-environment node
import { describe, expect, it } from "vitest";
import { playbackOf } from "../src/programme";
import { addressOf, beginningAt, keyOf, type Wish } from "../src/wish";

const wish = (change: Partial<Wish["playback"]> = {}, over = false): Wish => ({
  playback: { ...playbackOf({ hls_url: "https://m/live/s/index.m3u8?token=a", dvr_url: "https://m/live/s/dvr.m3u8?token=a" }), ...change },
  over,
  began: 1_000_000,
});

describe("wishes", () => {
  it("are the same streams when only their tokens differ", () => {
    expect(keyOf(wish({ hlsUrl: "https://m/live/s/index.m3u8?token=b" }), false)).toBe(keyOf(wish(), false));
    expect(keyOf(wish({ hlsUrl: "https://edge/live/s/index.m3u8?token=a" }), false)).not.toBe(keyOf(wish(), false));
    expect(keyOf(wish({ mode: "interactive" }), false)).not.toBe(keyOf(wish(), false));
  });

  it("have one past, while the show runs and when it has ended", () => {
    expect(keyOf(wish({ whepUrl: "https://m/live/s/whep" }), true)).toBe(keyOf(wish({}, true), true));
    expect(keyOf(wish(), true)).not.toBe(keyOf(wish(), false));
    expect(addressOf(wish(), true)).toBe("https://m/live/s/dvr.m3u8?token=a");
    expect(addressOf(wish({ dvrUrl: null }), true)).toBe("https://m/live/s/index.m3u8?token=a");
  });

  it("take the recording to begin with the programme until its playlist is there", () => {
    expect(beginningAt(1_008_000, wish())).toEqual({ moment: 1_008_000, place: 8 });
    expect(beginningAt(990_000, wish())).toEqual({ moment: 990_000, place: 0 });
    expect(beginningAt(5, { ...wish(), began: null })).toEqual({ moment: 5, place: 0 });
  });
});
