import { describe, expect, it, vi } from "vitest";
import { startPlaying } from "../src/autoplay";

/** A video in a browser that allows what `allows` says. */
function videoIn(allows: (video: { muted: boolean }) => boolean, muted: boolean) {
  const video = {
    muted,
    play: () => (allows(video) ? Promise.resolve() : Promise.reject(new DOMException("No.", "NotAllowedError"))),
  };
  return video;
}

async function started(video: ReturnType<typeof videoIn>) {
  const onBlocked = vi.fn();
  startPlaying(video as unknown as HTMLVideoElement, onBlocked);
  await new Promise((resolve) => setTimeout(resolve));
  return { muted: video.muted, blocked: onBlocked.mock.calls.length };
}

describe("startPlaying", () => {
  it("plays with sound where that is allowed", async () => {
    expect(await started(videoIn(() => true, false))).toEqual({ muted: false, blocked: 0 });
  });

  it("goes silent rather than not play", async () => {
    expect(await started(videoIn(({ muted }) => muted, false))).toEqual({ muted: true, blocked: 0 });
  });

  it("leaves it to a person where nothing starts by itself", async () => {
    expect(await started(videoIn(() => false, false))).toEqual({ muted: true, blocked: 1 });
  });

  it("takes an interrupted start for nothing: the next source starts again", async () => {
    const video = { muted: true, play: () => Promise.reject(new DOMException("", "AbortError")) };
    expect(await started(video as never)).toEqual({ muted: true, blocked: 0 });
  });
});
