import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Counters } from "../src/beacons";
import { type Playback, playbackOf } from "../src/programme";
import { Stage } from "../src/stage";

const BEGAN = Date.parse("2026-01-01T20:00:00Z");
const MEDIA = "https://media.example/live/s";
const playback: Playback = playbackOf({ hls_url: `${MEDIA}/index.m3u8?token=t1`, dvr_url: `${MEDIA}/dvr.m3u8?token=t1` });
const renewed: Playback = { ...playback, dvrUrl: `${MEDIA}/dvr.m3u8?token=t2` };

/** A <video> of a browser that plays HLS itself; the test is its decoder. `opened`: what it was told to play. */
function screen() {
  const opened: string[] = [];
  const video = document.createElement("video");
  const own = {
    currentTime: 0,
    paused: false,
    readyState: 4,
    seekable: { length: 1, start: () => 0, end: () => 600 },
    getStartDate: () => new Date(BEGAN),
    play: () => Promise.resolve(),
    load: () => undefined,
    pause: () => undefined,
  };
  for (const [name, value] of Object.entries(own)) Object.defineProperty(video, name, { value, writable: true });
  Object.defineProperty(video, "src", { set: (address: string) => opened.push(address) });
  return { video, opened };
}

function onStage() {
  const { video, opened } = screen();
  const stage = new Stage({
    video,
    counters: new Counters("s", "viewer", () => performance.now()),
    now: () => BEGAN + 3_600_000,
    onChange: () => undefined,
    onTick: () => undefined,
    onTrouble: () => undefined,
    onRefused: () => undefined,
  });
  const plays = (from: number) => {
    video.dispatchEvent(new Event("loadedmetadata"));
    video.currentTime ||= from;
    for (let look = 0; look < 3; look += 1) {
      video.currentTime += 0.2;
      vi.advanceTimersByTime(200);
    }
  };
  return { stage, video, opened, plays };
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(HTMLMediaElement.prototype, "canPlayType").mockReturnValue("maybe");
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe("Stage", () => {
  it("goes on with a replay where it broke off", () => {
    const { stage, video, opened, plays } = onStage();
    stage.tune({ playback, over: true, began: BEGAN });
    plays(100);
    expect(stage.picture).toBe("moving");
    const at = video.currentTime;
    video.dispatchEvent(new Event("error"));
    video.currentTime = 0;
    vi.advanceTimersByTime(1_000);
    expect(opened).toEqual([playback.dvrUrl, playback.dvrUrl]);
    video.dispatchEvent(new Event("loadedmetadata"));
    expect(video.currentTime).toBeCloseTo(at);
    stage.close();
  });

  it("goes on with a replay whose address has changed where it was", () => {
    const { stage, video, plays } = onStage();
    stage.tune({ playback, over: true, began: BEGAN });
    plays(100);
    const at = video.currentTime;
    stage.tune({ playback: { ...playback, dvrUrl: "https://edge.example/live/s/dvr.m3u8" }, over: true, began: BEGAN });
    video.currentTime = 0;
    video.dispatchEvent(new Event("loadedmetadata"));
    expect(video.currentTime).toBeCloseTo(at);
    stage.close();
  });

  it("leaves who is behind alone when the show ends", () => {
    const { stage, video, opened, plays } = onStage();
    stage.tune({ playback, over: false, began: BEGAN });
    plays(500);
    expect([stage.live, stage.behind]).toEqual([true, false]);
    Object.defineProperty(video, "seekable", { value: { length: 1, start: () => 400, end: () => 600 } });
    expect(stage.seek(BEGAN + 60_000)).toBe(true);
    expect(stage.behind).toBe(true);
    stage.tune({ playback: renewed, over: true, began: BEGAN });
    expect(opened).toEqual([playback.hlsUrl, playback.dvrUrl]);
    expect([stage.live, stage.behind]).toEqual([false, false]);
    stage.close();
  });

  it("begins a show that has just ended from its beginning", () => {
    const { stage, video, opened, plays } = onStage();
    stage.tune({ playback, over: false, began: BEGAN });
    plays(500);
    stage.tune({ playback, over: true, began: BEGAN });
    video.currentTime = 0;
    video.dispatchEvent(new Event("loadedmetadata"));
    expect(opened).toEqual([playback.hlsUrl, playback.dvrUrl]);
    expect(video.currentTime).toBe(0);
    stage.close();
  });

  it("has nothing to complain of while there is nothing to play", () => {
    const { stage } = onStage();
    stage.play();
    expect([stage.failure, stage.picture]).toEqual([null, "none"]);
    stage.close();
  });
});
