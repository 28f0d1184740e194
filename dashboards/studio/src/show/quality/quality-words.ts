/** How viewers see the show, in plain words. Pure. */

import type { Grade, PlaybackSession, PlaybackTransport, Quality, QualityPoint } from "@simulcast/api";
import { duration } from "../../parts/amounts";
import { plural, sentence, type Tone } from "../../parts/words";
import type { Line } from "../feed/history";

export const TRANSPORTS: Record<PlaybackTransport, string> = {
  hls: "LL-HLS",
  whep: "WebRTC",
  native: "the browser's own HLS",
};

const GRADES: Record<Grade, { label: string; tone: Tone }> = {
  good: { label: "Good", tone: "good" },
  attention: { label: "Attention", tone: "warn" },
  bad: { label: "Bad", tone: "bad" },
};

export function gradeWords(grade: Grade | null): { label: string; tone: Tone } | null {
  return grade && GRADES[grade];
}

/** The worst of the three that have a bar; null while nobody has watched. */
export function overall({ startup, latency, rebuffer }: Quality): Grade | null {
  const grades = [startup.grade, latency.grade, rebuffer.grade];
  return (["bad", "attention", "good"] as const).find((one) => grades.includes(one)) ?? null;
}

/** "0.9 s". */
export function secs(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}

/** "48 s", "12 min". */
export function watched(ms: number): string {
  return duration(ms / 1_000);
}

/** "0 %", "below 0.01 %", "0.31 %", "4.2 %". */
export function percent(ratio: number): string {
  const value = ratio * 100;
  if (value <= 0) return "0 %";
  if (value < 0.01) return "below 0.01 %";
  return `${value.toFixed(value < 1 ? 2 : 1)} %`;
}

export interface Figure {
  title: string;
  value: string;
  /** More about it; empty when there is nothing more. */
  detail: string;
  grade: Grade | null;
  /** What the number is, and when it is good. */
  meaning: string;
}

const UNKNOWN = "not known yet";

/** What the panel shows, the most important first. */
export function figuresOf(quality: Quality): Figure[] {
  const { startup, latency, rebuffer, viewers } = quality;
  const within = (p95: number | null) => (p95 === null ? "" : `95 % within ${secs(p95)}`);
  return [
    {
      title: "Watching now",
      value: String(viewers.all),
      detail: transportsLine(quality),
      grade: null,
      meaning: "Players that reported in the last 25 seconds.",
    },
    {
      title: "First picture",
      value: startup.median === null ? UNKNOWN : secs(startup.median),
      detail: within(startup.p95),
      grade: startup.grade,
      meaning: "From the wish to play to the picture. Good when 95 % of viewers wait less than 2 s.",
    },
    {
      title: "Standing still",
      value: rebuffer.value === null ? UNKNOWN : percent(rebuffer.value),
      detail: quality.stalls_per_hour === null ? "" : `${quality.stalls_per_hour.toFixed(1)} times an hour`,
      grade: rebuffer.grade,
      meaning: "Of the time that viewers waited and watched together. Good below 0.5 %.",
    },
    {
      title: "Behind the camera",
      value: latency.median === null ? UNKNOWN : secs(latency.median),
      detail: within(latency.p95),
      grade: latency.grade,
      meaning: "From your encoder to the screens of those who watch now. Good when 95 % are below 3 s.",
    },
    {
      title: "Picture",
      value: quality.average_height === null ? UNKNOWN : `${Math.round(quality.average_height)} lines`,
      detail: rungsLine(quality),
      grade: null,
      meaning: "Height of the picture over the whole show, by the time watched at each.",
    },
    {
      title: "Dropped pictures",
      value: quality.dropped_ratio === null ? UNKNOWN : percent(quality.dropped_ratio),
      detail: "",
      grade: null,
      meaning: "Pictures that viewers' devices could not show in time.",
    },
    {
      title: "Fall-backs",
      value: String(quality.fallbacks),
      detail: quality.switches ? plural(quality.switches, "change of quality", "changes of quality") : "",
      grade: null,
      meaning: "Times that a player went from WebRTC to LL-HLS or back to keep playing.",
    },
    {
      title: "Left without a picture",
      value: String(quality.without_picture),
      detail: `of ${plural(quality.sessions, "visit")}`,
      grade: null,
      meaning: "Visits that are over and never saw the show.",
    },
  ];
}

/** "8 by LL-HLS · 4 by WebRTC". */
function transportsLine({ viewers }: Quality): string {
  return (["hls", "whep", "native"] as const)
    .filter((one) => viewers[one] > 0)
    .map((one) => `${viewers[one]} by ${TRANSPORTS[one]}`)
    .join(" · ");
}

/** "Now 1080p: 3 · 720p: 9". */
function rungsLine({ rungs }: Quality): string {
  const list = rungs.map(({ height, viewers }) => `${height}p: ${viewers}`).join(" · ");
  return list && `Now ${list}`;
}

/** "Phone, LL-HLS"; "Phone, LL-HLS, gone". */
export function sessionName({ device, transport, now }: PlaybackSession): string {
  const word = device === "tv" ? "TV" : device.charAt(0).toUpperCase() + device.slice(1);
  return [word, TRANSPORTS[transport], ...(now ? [] : ["gone"])].join(", ");
}

const FAILURES: Record<string, string> = {
  refused: "not allowed to play",
  full: "no room for another viewer",
  absent: "nothing was being sent",
  unreachable: "the server could not be reached",
  unplayable: "the browser could not decode it",
  silent: "connected, but no picture came",
};

/** "LL-HLS: the server could not be reached"; what a newer player may say stays as it is. */
export function errorWords(code: string): string {
  const [transport = "", ...rest] = code.split("_");
  const failure = FAILURES[rest.join("_")];
  const name = TRANSPORTS[transport as PlaybackTransport];
  return failure && name ? `${sentence(name)}: ${failure}` : code;
}

/** What the chart shows of the points. */
export function linesOf(points: QualityPoint[]): Line[] {
  const line = (value: (one: QualityPoint) => number | null) =>
    points.map((one) => ({ at: Date.parse(one.at), value: value(one) }));
  return [
    { title: "Viewers", points: line((one) => one.viewers), least: 5, write: (value) => String(Math.round(value)) },
    { title: "Behind the camera", points: line((one) => one.latency_ms), least: 3_000, write: secs },
    { title: "Standing still", points: line((one) => one.rebuffer_ratio), least: 0.02, write: percent },
    {
      title: "Picture",
      points: line((one) => one.height),
      least: 720,
      write: (value) => `${Math.round(value)} lines`,
    },
  ];
}
