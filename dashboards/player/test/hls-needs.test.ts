// @vitest-environment node
import { describe, expect, it, vi } from "vitest";
import { buildAbsoluteURL, EventEmitter, utf8ArrayToStr } from "../hls-needs";

describe("what hls.js takes from other packages", () => {
  it("calls every listener with its context, those of once one time", () => {
    const events = new EventEmitter();
    const context = { n: 0 };
    const add = function (this: unknown, by: unknown) {
      (this as typeof context).n += by as number;
    };
    events.on("a", add, context);
    events.once("a", () => (context.n += 100));
    expect([events.emit("a", 1), events.emit("a", 1), events.emit("b")]).toEqual([true, true, false]);
    expect(context.n).toBe(102);
    expect(events.listenerCount("a")).toBe(1);
  });

  it("takes listeners away by context, and while they are being called", () => {
    const events = new EventEmitter();
    const heard = vi.fn();
    const [one, other] = [{}, {}];
    events.on("a", heard, one).on("a", heard, other);
    events.off("a", heard, one);
    events.emit("a");
    expect(heard).toHaveBeenCalledOnce();
    events.on("a", () => void events.removeAllListeners());
    events.on("a", heard);
    events.emit("a");
    expect(heard).toHaveBeenCalledTimes(3);
    expect(events.listeners("a")).toEqual([]);
  });

  it("resolves addresses as a browser does", () => {
    expect(buildAbsoluteURL("https://m.example/live/s/a/live.m3u8?token=t", "../b/live.m3u8")).toBe(
      "https://m.example/live/s/b/live.m3u8",
    );
  });

  it("reads text up to the first zero where asked", () => {
    const bytes = new TextEncoder().encode("é\0x");
    expect([utf8ArrayToStr(bytes), utf8ArrayToStr(bytes, true)]).toEqual(["é\0x", "é"]);
  });
});
