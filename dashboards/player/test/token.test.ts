// @vitest-environment node
import { describe, expect, it } from "vitest";
import { bare, tokenOf, withToken } from "../src/token";

const old = "https://media.example/live/s/source/live.m3u8?token=old&_HLS_msn=7&_HLS_part=2";

describe("playback tokens", () => {
  it("are swapped in addresses that carry one, and leave the rest alone", () => {
    expect(withToken(old, "new")).toBe(old.replace("old", "new"));
    expect(withToken("https://media.example/live/s/source/s7.m4s", "new")).toBe(
      "https://media.example/live/s/source/s7.m4s",
    );
    expect(withToken(old, null)).toBe(old);
    expect(tokenOf(old)).toBe("old");
  });

  it("do not make another stream of the same one", () => {
    expect(bare(old)).toBe(bare(old.replace("old", "new")));
    expect(bare("https://media.example/a.m3u8")).not.toBe(bare("https://media.example/b.m3u8"));
  });
});
