/** The encoder's feed in plain words. */

import type { Feed, Finding, Health, Ingest, ShowState } from "@simulcast/api";
import { bitrate, duration, size } from "../../parts/amounts";
import type { Tone } from "../../parts/words";

/** Longer than this and platforms complain, and viewers wait for the picture. */
const LONGEST_KEYFRAME_MS = 4_500;
const LOWEST_KBPS = 1_000;

const CODECS: Record<string, string> = {
  avc1: "H.264",
  hvc1: "H.265",
  hev1: "H.265",
  av01: "AV1",
  mp4a: "AAC",
};

/** "1920 × 1080 · 30 frames/s · 4.5 Mbit/s · H.264 + AAC"; what is not known yet is left out. */
export function feedLine(feed: Ingest): string {
  const codecs = [codecName(feed.video_codec), codecName(feed.audio_codec)].filter(Boolean).join(" + ");
  return [
    feed.width && feed.height && `${feed.width} × ${feed.height}`,
    feed.fps && `${Math.round(feed.fps)} frames/s`,
    feed.bitrate_kbps && bitrate(feed.bitrate_kbps),
    codecs,
  ]
    .filter(Boolean)
    .join(" · ");
}

/** From RFC 6381's "avc1.42c01f" to the name that encoders show. */
export function codecName(codec: string | null | undefined): string {
  return codec ? (CODECS[codec.slice(0, 4)] ?? codec) : "";
}

/** "Keyframe every 2 s · sound 40 ms late · 3 pictures missing": what helps to find a fault. */
export function feedDetail(feed: Ingest): string {
  const { keyframe_interval_ms: keyframe, drift_ms: drift = 0, frames_missing: missing = 0 } = feed;
  return [
    keyframe && `Keyframe every ${Number((keyframe / 1000).toFixed(1))} s`,
    Math.abs(drift) >= 40 && `sound ${Math.abs(drift)} ms ${drift > 0 ? "late" : "early"}`,
    missing > 0 && `${missing} ${missing === 1 ? "picture" : "pictures"} missing`,
  ]
    .filter(Boolean)
    .join(" · ");
}

export interface AirWords {
  label: string;
  tone: Tone;
  /** What a person should know or do; empty when all is well. */
  detail: string;
}

/** What the viewers and the platforms get right now. */
export function airWords(
  health: Health | null,
  feed: Ingest | null,
  settings: Feed,
  show: ShowState,
): AirWords {
  const live = show === "live";
  const slate = settings.slate_asset || !settings.slate_text ? "your slate" : `“${settings.slate_text}”`;
  if (health?.on_air === "slate") {
    return {
      label: "Slate on air",
      tone: "bad",
      detail:
        `Your encoder is gone. Everybody sees ${slate}, and the platforms stay ` +
        `connected for up to ${duration(settings.grace_seconds)}. Start your encoder again with the same key.`,
    };
  }
  if (health?.on_air === "backup") {
    const back =
      settings.failback === "return" ? "It takes over again by itself when it is back." : "The backup stays on air.";
    const detail = feed ? `The backup is on air. ${back}` : `Your main encoder is gone. ${back}`;
    return { label: "Backup on air", tone: "warn", detail: live ? detail : "" };
  }
  return feed
    ? { label: live ? "On air" : "Receiving", tone: "good", detail: "" }
    : { label: "Nothing received", tone: live ? "bad" : "quiet", detail: "" };
}

/** "Viewers of your watch page see it about 2.4 s after the camera." Empty until a player has said so. */
export function watchPageLine(health: Health | null): string {
  const delay = health?.delays.player;
  if (delay?.way !== "player") return "";
  return `Viewers of your watch page see it about ${(delay.ms / 1000).toFixed(1)} s after the camera.`;
}

/** A finding about the feed, with what it is about where its own words don't say so. */
export function findingLine({ code, sentence }: Finding): string {
  return code === "source.trouble" ? `What should play without an encoder does not come. ${sentence}` : sentence;
}

/** "Recording: 12 min, 640 MB." Empty when nothing is to be recorded. */
export function recordingLine(health: Health | null): string {
  const recording = health?.recording;
  switch (recording?.state) {
    case "recording":
      return `Recording: ${duration(recording.seconds)}, ${size(recording.bytes)}.`;
    case "waiting":
      return "Recording starts with the picture.";
    case "stopped":
      return `Recording has stopped. ${recording.reason ?? ""}`.trim();
    default:
      return "";
  }
}

/** What to change in the encoder, as sentences; empty when the feed is fine. */
export function feedAdvice(feed: Ingest): string[] {
  const advice: string[] = [];
  if ((feed.keyframe_interval_ms ?? 0) > LONGEST_KEYFRAME_MS) {
    const seconds = ((feed.keyframe_interval_ms ?? 0) / 1000).toFixed(0);
    advice.push(
      `There is a keyframe only every ${seconds} s. Set the keyframe interval to 2 s in your encoder.`,
    );
  }
  if (feed.bitrate_kbps > 0 && feed.bitrate_kbps < LOWEST_KBPS) {
    advice.push("The picture arrives at a very low bitrate. Check the upload of your network.");
  }
  if (feed.audio_codec === null) advice.push("There is no sound. Check the audio source in your encoder.");
  return advice;
}
