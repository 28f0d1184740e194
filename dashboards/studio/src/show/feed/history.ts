/** The feed over the last minutes, and how its lines are drawn. Pure. */

import type { HealthSample } from "@simulcast/api";
import { bitrate } from "../../parts/amounts";

export const HISTORY_MS = 5 * 60_000;
/** Longer without a sample and the line has a hole. */
const HOLE_MS = 5_000;

export interface Point {
  at: number;
  value: number | null;
}

/** Each moment once, the oldest first, and nothing older than the last minutes. */
export function withSamples(known: HealthSample[], fresh: HealthSample[]): HealthSample[] {
  const last = known.at(-1)?.at ?? "";
  const all = [...known, ...fresh.filter((one) => Date.parse(one.at) > (last ? Date.parse(last) : 0))];
  const newest = all.at(-1);
  if (!newest) return all;
  const since = Date.parse(newest.at) - HISTORY_MS;
  return all.filter((one) => Date.parse(one.at) >= since);
}

export interface Line {
  title: string;
  points: Point[];
  /** The least that the top of the drawing stands for, so that noise is not made to look like trouble. */
  least: number;
  write: (value: number) => string;
}

/** What the history shows of the samples. */
export function linesOf(samples: HealthSample[]): Line[] {
  const line = (value: (one: HealthSample) => number | null): Point[] =>
    samples.map((one) => ({ at: Date.parse(one.at), value: value(one) }));
  return [
    {
      title: "Bit rate",
      points: line((one) => one.arrival_kbps ?? sent(one)),
      least: 1_000,
      write: bitrate,
    },
    {
      title: "Frames per second",
      points: line((one) => one.fps),
      least: 10,
      write: (value) => String(Math.round(value)),
    },
    {
      title: "Late on the way",
      points: line((one) => one.late_ms),
      least: 500,
      write: (value) => (value < 1_000 ? `${Math.round(value / 10) * 10} ms` : `${(value / 1_000).toFixed(1)} s`),
    },
  ];
}

function sent({ video_kbps: video, audio_kbps: audio }: HealthSample): number | null {
  return video === null && audio === null ? null : (video ?? 0) + (audio ?? 0);
}

export interface Range {
  now: string;
  /** "from 4.1 Mbit/s to 4.5 Mbit/s", or "steady". */
  range: string;
}

/** What a line says in numbers; null when nothing is known. */
export function rangeOf({ points, write }: Line): Range | null {
  const known = points.map((one) => one.value).filter((one) => one !== null);
  const now = known.at(-1);
  if (now === undefined) return null;
  const [lowest, highest] = [write(Math.min(...known)), write(Math.max(...known))];
  return { now: write(now), range: lowest === highest ? "steady" : `from ${lowest} to ${highest}` };
}

/** SVG path data of the last `span` ms; a hole where nothing is known for longer than `hole`. */
export function pathOf(
  { points, least }: Line,
  width: number,
  height: number,
  { span, hole } = { span: HISTORY_MS, hole: HOLE_MS },
): string {
  const newest = points.at(-1);
  if (!newest) return "";
  const top = Math.max(least, ...points.map((one) => one.value ?? 0)) * 1.05;
  const from = newest.at - span;
  let drawn: Point | null = null;
  let path = "";
  for (const { at, value } of points) {
    if (value === null) {
      drawn = null;
      continue;
    }
    const x = ((at - from) / span) * width;
    const y = height - (Math.max(0, value) / top) * height;
    path += `${drawn && at - drawn.at <= hole ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`;
    drawn = { at, value };
  }
  return path;
}
