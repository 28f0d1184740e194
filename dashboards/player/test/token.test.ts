// @vitest-environment node
import { describe, expect, it } from "vitest";
import { bare, carried, tokenOf, withToken } from "../src/token";

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

describe("a CDN's signature", () => {
  const edge = "https://cdn.example/live/s";
  const signed = "Policy=a-b_~&Signature=c~_&Key-Pair-Id=K1";
  const newest = `${edge}/index.m3u8?token=new&${signed}`;

  it("goes with playlists and media, as it was written", () => {
    expect(carried(`${edge}/source/s7.m4s`, newest)).toBe(`${edge}/source/s7.m4s?${signed}`);
    expect(carried(`${edge}/source/live.m3u8?token=old&_HLS_msn=7`, newest)).toBe(
      `${edge}/source/live.m3u8?token=new&_HLS_msn=7&${signed}`,
    );
  });

  it("takes the place of an older one", () => {
    expect(carried(`${edge}/index.m3u8?edge_token=1_a&token=old`, `${edge}/index.m3u8?token=new&edge_token=2_b`)).toBe(
      `${edge}/index.m3u8?token=new&edge_token=2_b`,
    );
    expect(carried(newest, newest)).toBe(newest);
  });

  it("is told to nobody else", () => {
    expect(carried("https://ads.example/a.m4s", newest)).toBe("https://ads.example/a.m4s");
  });

  it("does not make another stream of the same one", () => {
    expect(bare(newest)).toBe(bare(`${edge}/index.m3u8?edge_token=2_b`));
  });

  it("is not made up where there is none", () => {
    const open = `${edge}/index.m3u8`;
    expect(carried(`${edge}/source/live.m3u8?_HLS_msn=7`, open)).toBe(`${edge}/source/live.m3u8?_HLS_msn=7`);
    expect(carried(old, `${open}?token=new`)).toBe(old.replace("old", "new"));
  });
});
