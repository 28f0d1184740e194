import type { Health, Profile, Target } from "@simulcast/api";
import { expect, test } from "vitest";
import { share, size } from "../src/parts/amounts";
import { airWords, recordingLine } from "../src/show/feed/feed-words";
import { addressProblems } from "../src/show/targets/address-fields";
import { layersOf, overlayOf } from "../src/show/targets/overlay";
import {
  backupWords,
  costLine,
  delayWords,
  encoderWords,
  figures,
  uprightHint,
} from "../src/show/targets/target-words";
import { aSnapshot, aTarget, AT } from "./a-show";

const HEALTH: Health = {
  on_air: "primary",
  backup: null,
  encoders: [],
  plan: null,
  findings: [],
  recording: { state: "off", reason: null, seconds: 0, bytes: 0 },
  delays: {},
};
const FEED = { publishing: true, since: AT } as NonNullable<ReturnType<typeof aSnapshot>["ingest"]>;
const SETTINGS = aSnapshot().show.feed;
const VERTICAL: Profile = {
  name: "Vertical",
  width: 720,
  height: 1280,
  fit: "crop",
  crop_x: 0.5,
  fps: 30,
  video_kbps: 3_500,
  keyframe_seconds: 2,
  audio_kbps: 128,
  audio_rate: null,
  layers: [],
};

test("a backup ingest is told of only where there is one, and says why it does not work", () => {
  const backup = (part: Partial<Target>) =>
    backupWords(aTarget({ backup_offered: true, ...part }), "live")?.text;
  expect(backup({ backup_state: "live" })).toBe("Backup: live");
  expect(backup({ backup_state: "retrying", backup_reason: "It hung up." })).toBe(
    "Backup: retrying – It hung up.",
  );
  expect(backup({ backup_wanted: false })).toBe("Backup: switched off");
  expect(backup({ backup_offered: false, backup_state: "live" })).toBeUndefined();
  expect(backupWords(aTarget({ backup_offered: true }), "scheduled")).toBeNull();
});

test("a target's figures say what is known, and when nothing gets through", () => {
  const target = aTarget({ bytes_sent: 1_240_000_000 });
  expect(figures(target, 4_512, { ms: 420, way: "acknowledged" })).toBe(
    "4.5 Mbit/s · 1.2 GB sent · arrives there about 0.4 s later",
  );
  expect(delayWords({ ms: 12_400, way: "platform" })).toBe("seen there about 12 s after the camera");
  expect(delayWords({ ms: 60, way: "sent" })).toBe("");
  expect(figures(target, 0, null)).toBe("Nothing is getting through · 1.2 GB sent");
  expect(figures(aTarget(), null, null)).toBe("");
});

test("what is on air is said, and what to do when it is the slate or the backup", () => {
  expect(airWords(HEALTH, FEED, SETTINGS, "live")).toMatchObject({ label: "On air", detail: "" });
  expect(airWords(null, FEED, SETTINGS, "scheduled").label).toBe("Receiving");
  const slate = airWords({ ...HEALTH, on_air: "slate" }, null, SETTINGS, "live");
  expect(slate.tone).toBe("bad");
  expect(slate.detail).toContain("Everybody sees “We'll be right back”");
  expect(slate.detail).toContain("for up to 1 min");
  const backup = airWords({ ...HEALTH, on_air: "backup" }, null, SETTINGS, "live");
  expect(backup.detail).toBe("Your main encoder is gone. It takes over again by itself when it is back.");
  expect(airWords(HEALTH, null, SETTINGS, "live")).toMatchObject({ tone: "bad" });
});

test("a recording that stopped says why", () => {
  const recording = { state: "stopped" as const, reason: "The disk is full.", seconds: 60, bytes: 5 };
  expect(recordingLine({ ...HEALTH, recording })).toBe("Recording has stopped. The disk is full.");
  expect(recordingLine(HEALTH)).toBe("");
});

test("re-encoding is told with its cost, and its encoders only when something is wrong", () => {
  const plan = { cores: 2, wanted_cores: 1.5, costs: {}, refused: {} };
  expect(costLine(plan)).toBe("Re-encoding takes about 1.5 of the media server's 2 cores.");
  expect(costLine({ ...plan, wanted_cores: 0 })).toBe("");
  const encoder = { profile: "Vertical", reason: null, cost_cores: 1, speed: 1, restarts: 0 };
  expect(encoderWords({ ...encoder, state: "running" })).toBeNull();
  expect(encoderWords({ ...encoder, state: "refused", reason: "Too big." })?.text).toContain("Too big.");
  expect(encoderWords({ ...encoder, state: "starved" })?.tone).toBe("warn");
});

test("an upright platform asks for an upright picture until it has one", () => {
  expect(uprightHint("TikTok", true, undefined)).toContain("9:16");
  expect(uprightHint("TikTok", true, VERTICAL)).toBe("");
  expect(uprightHint("Kick", false, undefined)).toBe("");
});

test("an address is checked before it is sent", () => {
  const address = (url: string, key = "k", passphrase = "") => ({ url, key, passphrase });
  for (const good of ["rtmp://x/live", "rtmps://x:443/app/", "srt://x:9000?latency=200", "https://x/whip"]) {
    expect(addressProblems(address(good))).toEqual({});
  }
  for (const bad of ["", "x", "rtmp://x", "srt://x", "ftp://x/live"]) {
    expect(addressProblems(address(bad))).toHaveProperty("url");
  }
  expect(addressProblems(address("rtmp://x/live", ""))).toHaveProperty("key");
  expect(addressProblems(address("srt://x:1", "", ""))).toEqual({});
  expect(addressProblems(address("srt://x:1", "", "short"))).toHaveProperty("passphrase");
  expect(addressProblems(address("", ""), true)).toEqual({});
});

test("the overlay keeps what its form does not know", () => {
  const logo = { kind: "picture" as const, asset: "a".repeat(64) };
  const profile: Profile = { ...VERTICAL, layers: [logo, { kind: "text", text: "Hi", anchor: "top", width: 0.5 }] };
  const overlay = overlayOf(profile);
  expect(overlay).toMatchObject({ text: "Hi", textAnchor: "top", qr: "" });
  expect(layersOf(profile, overlay)).toEqual(profile.layers);
  expect(layersOf(profile, { ...overlay, text: " " })).toEqual([logo]);
  const card = layersOf(profile, { ...overlay, card: "Bag", price: "€49.00" }).at(-1);
  expect(card).toMatchObject({ kind: "card", title: "Bag", price: "€49.00", anchor: "bottom" });
});

test("a report never rounds up to all of it", () => {
  expect(share(99.99, 100)).toBe("99.9 %");
  expect(share(100, 100)).toBe("100 %");
  expect(share(0, 0)).toBe("–");
  expect([size(12_345_678), size(1_400_000_000)]).toEqual(["12 MB", "1.4 GB"]);
});
