// @vitest-environment node
import { describe, expect, it, vi } from "vitest";
import { commandOf, obey } from "../src/keyboard";

const key = (name: string, more = {}) => ({ key: name, ctrlKey: false, metaKey: false, altKey: false, ...more });

describe("keyboard", () => {
  it("knows its keys, also in capitals", () => {
    expect(commandOf(key("k"), false)).toEqual({ do: "toggle-play" });
    expect(commandOf(key("M"), false)).toEqual({ do: "toggle-sound" });
    expect(commandOf(key("5"), false)).toEqual({ do: "part", of: 0.5 });
    expect(commandOf(key("q"), false)).toBeNull();
  });

  it("leaves the browser's own shortcuts alone", () => {
    expect(commandOf(key("f", { ctrlKey: true }), false)).toBeNull();
    expect(commandOf(key("l", { metaKey: true }), false)).toBeNull();
  });

  it("leaves a focused button or slider the keys that it needs", () => {
    expect([" ", "ArrowUp", "ArrowLeft", "3"].map((name) => commandOf(key(name), true))).toEqual([
      null,
      null,
      null,
      null,
    ]);
    expect(commandOf(key("k"), true)).toEqual({ do: "toggle-play" });
  });

  it("skips and seeks in the show, where there is a way back", () => {
    const pressed = {} as Parameters<typeof obey>[2];
    const seek = vi.fn();
    const played = { volume: 0.5, showTime: 100, seekable: { from: 0, to: 200 }, seek };
    obey({ do: "skip", by: -10 }, played, pressed);
    obey({ do: "part", of: 0.5 }, played, pressed);
    expect(seek.mock.calls).toEqual([[90], [100]]);
    obey({ do: "skip", by: -10 }, { ...played, seekable: null }, pressed);
    expect(seek).toHaveBeenCalledTimes(2);
  });

  it("changes the volume of the player", () => {
    const played = { volume: 0.5, showTime: null, seekable: null, seek: vi.fn() };
    obey({ do: "volume", by: 0.1 }, played, {} as Parameters<typeof obey>[2]);
    expect(played.volume).toBe(0.6);
  });
});
