/** The encoder's feed in plain words. */

import type { Ingest } from "@simulcast/api";


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

function bitrate(kbps: number): string {
  return kbps < 1_000 ? `${kbps} kbit/s` : `${(kbps / 1_000).toFixed(1)} Mbit/s`;
}

/** From RFC 6381's "avc1.42c01f" to the name that encoders show. */
export function codecName(codec: string | null | undefined): string {
  return codec ? (CODECS[codec.slice(0, 4)] ?? codec) : "";
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
