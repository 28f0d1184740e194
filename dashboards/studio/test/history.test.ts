import type { HealthSample, Uplink } from "@simulcast/api";
import { expect, test } from "vitest";
import { HISTORY_MS, linesOf, pathOf, rangeOf, withSamples } from "../src/show/feed/history";
import { watchPageLine } from "../src/show/feed/feed-words";
import { addressesOf, sourceLine, sourceProblem } from "../src/show/feed/source-words";
import { measureUpload } from "../src/show/feed/upload";
import { AT } from "./a-show";

const sample = (second: number, part: Partial<HealthSample> = {}): HealthSample => ({
  at: new Date(Date.parse(AT) + second * 1_000).toISOString(),
  video_kbps: 4_400,
  audio_kbps: 128,
  arrival_kbps: 4_500,
  fps: 30,
  late_ms: 20,
  ...part,
});

test("every moment is kept once, and only the last minutes", () => {
  const known = withSamples([], [sample(0), sample(1)]);
  const more = withSamples(known, [sample(1), sample(2)]);
  expect(more.map((one) => one.at)).toEqual([0, 1, 2].map((second) => sample(second).at));
  const later = withSamples(more, [sample(HISTORY_MS / 1_000 + 1)]);
  expect(later.map((one) => one.at)).toEqual([1, 2, HISTORY_MS / 1_000 + 1].map((second) => sample(second).at));
  expect(withSamples([], [])).toEqual([]);
});

test("a line says what is now, and how far it went", () => {
  const [rate, fps, late] = linesOf([
    sample(0, { arrival_kbps: 4_100 }),
    sample(1, { arrival_kbps: null, late_ms: 1_240 }),
    sample(2),
  ]);
  expect(rate && rangeOf(rate)).toEqual({ now: "4.5 Mbit/s", range: "from 4.1 Mbit/s to 4.5 Mbit/s" });
  expect(fps && rangeOf(fps)).toEqual({ now: "30", range: "steady" });
  expect(late && rangeOf(late)?.range).toBe("from 20 ms to 1.2 s");
  const [unknown] = linesOf([sample(0, { arrival_kbps: null, video_kbps: null, audio_kbps: null })]);
  expect(unknown && rangeOf(unknown)).toBeNull();
});

test("a line has a hole where nothing is known, and ends at the right edge", () => {
  const fps = (samples: HealthSample[]) => {
    const line = linesOf(samples)[1];
    return line ? pathOf(line, 300, 36) : "";
  };
  const moves = (path: string) => path.split("M").length - 1;
  expect(moves(fps([sample(0), sample(1), sample(2)]))).toBe(1);
  expect(moves(fps([sample(0), sample(1, { fps: null }), sample(2)]))).toBe(2);
  expect(moves(fps([sample(0), sample(60)]))).toBe(2);
  expect(fps([sample(0), sample(1)])).toMatch(/L300\.0 /);
  expect(fps([])).toBe("");
});

test("a little noise is not drawn as trouble", () => {
  const late = linesOf([sample(0, { late_ms: 5 }), sample(1, { late_ms: 40 })])[2];
  const heights = (late ? pathOf(late, 300, 36) : "").match(/ [\d.]+/g)?.map(Number) ?? [];
  expect(heights).toHaveLength(2);
  expect(Math.min(...heights)).toBeGreaterThan(30); // near the ground of 36
});

test("the watch page's delay is told once a player has measured it", () => {
  expect(watchPageLine(null)).toBe("");
  const health = { delays: { player: { ms: 2_400, way: "player" } } } as unknown as Parameters<typeof watchPageLine>[0];
  expect(watchPageLine({ ...health, delays: { player: { ms: 0, way: "sent" } } } as typeof health)).toBe("");
  expect(watchPageLine(health)).toBe("Viewers of your watch page see it about 2.4 s after the camera.");
});

/* ---- the upload test ---- */

const UPLINK: Uplink = { url: "http://media/uplink", token: "a+b" };

test("4 MB of noise are sent with the token, and the server's sentence is the answer", async () => {
  const sent: { url: string; bytes: number }[] = [];
  const said = await measureUpload(UPLINK, async (url, init) => {
    sent.push({ url, bytes: (init.body as Blob).size });
    return Response.json({ mbps: 20, enough: true, sentence: "Your upload is about 20 Mbit/s: enough for 1080p." });
  });
  expect(sent).toEqual([{ url: "http://media/uplink?token=a%2Bb", bytes: 4 << 20 }]);
  expect(said).toEqual({ enough: true, sentence: "Your upload is about 20 Mbit/s: enough for 1080p." });
});

test("a refusal of the media server is told in its own words", async () => {
  const busy = () => Promise.resolve(Response.json({ error: "Others are measuring. Try again soon." }, { status: 503 }));
  expect(await measureUpload(UPLINK, busy)).toEqual({
    enough: false,
    sentence: "Others are measuring. Try again soon.",
  });
});

test("an upload that breaks off late was slow; one that breaks off at once never got there", async () => {
  const broken = () => Promise.reject(new TypeError("Failed to fetch"));
  const clock = (...moments: number[]) => () => moments.shift() ?? 0;
  expect((await measureUpload(UPLINK, broken, clock(0, 10_100))).sentence).toContain("Your upload is slow");
  expect((await measureUpload(UPLINK, broken, clock(0, 40))).sentence).toContain("could not be reached");
  const odd = () => Promise.resolve(new Response("<html>", { status: 502 }));
  expect((await measureUpload(UPLINK, odd, clock(0, 40))).sentence).toContain("could not be reached");
});

/* ---- the source ---- */

test("a source says what it needs before it is saved", () => {
  const files = { kind: "playlist", count: 2, loop: false } as const;
  expect(sourceProblem("none", "", null)).toBeUndefined();
  expect(sourceProblem("pattern", "", null)).toBeUndefined();
  expect(sourceProblem("pull", "", null)).toBe("Enter the address of the stream.");
  expect(sourceProblem("pull", "camera.local", null)).toContain("no address that can be pulled");
  expect(sourceProblem("pull", "rtsp://camera.local/main", null)).toBeUndefined();
  expect(sourceProblem("file", "", files)).toBe("Enter the name of a file.");
  expect(sourceProblem("playlist", "", files)).toBeUndefined(); // keeps what is set
});

test("a playlist has one file on each line, and is told by its number only", () => {
  expect(addressesOf("playlist", " a.mp4 \n\n b.mp4")).toEqual(["a.mp4", "b.mp4"]);
  expect(addressesOf("pattern", "x")).toEqual([]);
  expect(sourceLine({ kind: "playlist", count: 2, loop: false })).toContain("2 video files in turn, once.");
  expect(sourceLine(null)).toContain("day and night");
});
