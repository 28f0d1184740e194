/** Regions against each other, and their probes by the hour, in plain words. Pure. */

import type { ProbePlace, ProbePlaceWish, ProbeRun, QualityRegion, RegionAlarm, RegionPoint } from "@simulcast/api";
import { dateTime, plural, roughly } from "../../parts/words";
import type { Line } from "../feed/history";
import { percent, secs } from "./quality-words";

/** "Singapore" for SG; what is no country stays as it is. */
export function regionName(region: string | null, locale?: string): string {
  if (region === null) return "Not known";
  if (!/^[A-Z]{2}$/.test(region)) return region;
  try {
    return new Intl.DisplayNames(locale, { type: "region", fallback: "code" }).of(region) ?? region;
  } catch {
    return region; // a browser without names
  }
}

/** Whether there is anything to tell apart. */
export function apart(regions: QualityRegion[]): boolean {
  return regions.some((one) => one.region !== null);
}

/** Who says where viewers are: in one sentence under the table. */
export function sourceWords(regions: QualityRegion[]): string {
  const by = new Set(regions.map((one) => one.by).filter(Boolean));
  const zones = "the time zone of their devices: somebody abroad may be counted at home";
  if (by.has("both") || by.size > 1) return `Told by your CDN or proxy, and where it does not by ${zones}.`;
  return by.has("proxy") ? "Told by your CDN or proxy." : `Told by ${zones}.`;
}

/** "Viewers in Brazil wait 2.4 s for the first picture; the regions' median is 0.9 s." */
export function alarmWords(alarm: RegionAlarm, locale?: string): string {
  const where = regionName(alarm.region, locale);
  return alarm.kind === "startup"
    ? `Viewers in ${where} wait ${secs(alarm.value)} for the first picture; the regions’ median is ${secs(alarm.median)}.`
    : `Viewers in ${where} see the picture stand still ${percent(alarm.value)} of the time; the regions’ median is ${percent(alarm.median)}.`;
}

/** "“Evening”, since 24 Nov 2026, 18:30, 12 players." or, when it is over, "…, for 4 minutes, …". */
export function alarmTimes(alarm: RegionAlarm, locale?: string): string {
  const began = dateTime(alarm.began_at, locale);
  const players = plural(alarm.viewers, "player");
  if (!alarm.ended_at) return `“${alarm.show_title}”, since ${began}, ${players}.`;
  const seconds = (Date.parse(alarm.ended_at) - Date.parse(alarm.began_at)) / 1_000;
  return `“${alarm.show_title}”, ${began}, for ${roughly(Math.round(seconds))}, ${players}.`;
}

const MOST_LINES = 8;
const MINUTE_MS = 60_000;

/** A line for each region, those with most viewers first, and what the drawing spans in ms. */
export function regionLines(points: RegionPoint[], locale?: string): { lines: Line[]; span: number } {
  const regions = new Map<string, RegionPoint[]>();
  for (const one of points) regions.set(one.region, [...(regions.get(one.region) ?? []), one]);
  const most = (list: RegionPoint[]) => Math.max(...list.map((one) => one.viewers));
  const times = points.map((one) => Date.parse(one.at));
  const lines = [...regions]
    .filter(([, list]) => list.length > 1)
    .sort(([, a], [, b]) => most(b) - most(a))
    .slice(0, MOST_LINES)
    .map(([region, list]) => ({
      title: regionName(region, locale),
      points: list.map((one) => ({ at: Date.parse(one.at), value: one.startup_ms })),
      least: 2_000,
      write: secs,
    }));
  return { lines, span: times.length ? Math.max(MINUTE_MS, Math.max(...times) - Math.min(...times)) : MINUTE_MS };
}

/** What a place's runs say of one hour of its day. */
export interface Hour {
  hour: number;
  runs: number;
  /** Runs that saw no picture, or broke off. */
  failed: number;
  startup: number | null;
  still: number | null;
}

/** Runs that end so never asked a server: they say nothing of a region. The hub's own sentences. */
const NOT_PLAYED = [
  "There was nothing to play: no show was live, and none has a replay.",
  "The hub was too busy to begin within the hour.",
];

/** The 24 hours of a place's day; medians of what was measured, by machines there where they report. */
export function hoursOf(runs: ProbeRun[], placeId: string): Hour[] {
  const played = runs.filter((one) => one.place_id === placeId && !NOT_PLAYED.includes(one.error ?? ""));
  const there = played.filter((one) => one.source === "there");
  const told = there.length ? there : played;
  return Array.from({ length: 24 }, (_, hour) => {
    const found = told.filter((one) => one.local_hour === hour);
    return {
      hour,
      runs: found.length,
      failed: found.filter((one) => one.error !== null).length,
      startup: median(found.map((one) => one.startup_ms)),
      still: median(found.map((one) => one.rebuffer_ratio)),
    };
  });
}

function median(values: (number | null)[]): number | null {
  const known = values.filter((one) => one !== null).sort((a, b) => a - b);
  const middle = known.length >> 1;
  const [low, high] = [known[known.length % 2 ? middle : middle - 1], known[middle]];
  return low === undefined || high === undefined ? null : (low + high) / 2;
}

/** "09:00". */
export function clockHour(hour: number): string {
  return `${String(hour).padStart(2, "0")}:00`;
}

/** "First picture from 0.6 s at 09:00 to 1.9 s at 21:00. Stood still most at 21:00: 2.0 %. 1 of 12 runs failed." */
export function dayWords(hours: Hour[]): string {
  const runs = hours.reduce((sum, one) => sum + one.runs, 0);
  if (!runs) return "No run yet.";
  const said: string[] = [];
  const started = hours.filter((one) => one.startup !== null).sort((a, b) => (a.startup ?? 0) - (b.startup ?? 0));
  const [best, worst] = [started[0], started.at(-1)];
  if (best && worst) {
    said.push(
      best === worst
        ? `First picture after ${secs(best.startup ?? 0)} at ${clockHour(best.hour)}.`
        : `First picture from ${secs(best.startup ?? 0)} at ${clockHour(best.hour)} to ${secs(worst.startup ?? 0)} at ${clockHour(worst.hour)}.`,
    );
  }
  const stillest = [...hours].sort((a, b) => (b.still ?? 0) - (a.still ?? 0))[0];
  if (stillest?.still) said.push(`Stood still most at ${clockHour(stillest.hour)}: ${percent(stillest.still)}.`);
  const failed = hours.reduce((sum, one) => sum + one.failed, 0);
  said.push(failed ? `${failed} of ${plural(runs, "run")} failed.` : `${plural(runs, "run")}, none failed.`);
  return said.join(" ");
}

/** "At 20:00 and 21:00 in Asia/Singapore"; without hours only machines there report. */
export function planWords({ zone, hours }: ProbePlace): string {
  if (!hours.length) return `Only machines that stand there report. Hours are those of ${zone}.`;
  const last = hours.map(clockHour).at(-1);
  const before = hours.slice(0, -1).map(clockHour).join(", ");
  return `At ${before ? `${before} and ` : ""}${last} in ${zone}.`;
}

export interface PlaceDraft {
  name: string;
  zone: string;
  hours: string;
  base: string;
}

/** What a form says, or what is wrong with it. */
export function wishOf(draft: PlaceDraft): { wish: ProbePlaceWish } | { problem: string } {
  const words = draft.hours.split(/[\s,;]+/).filter(Boolean);
  const hours = words.map((one) => (/^\d{1,2}(:00)?$/.test(one) ? Number.parseInt(one, 10) : Number.NaN));
  if (!draft.name.trim()) return { problem: "Give the region a name." };
  if (hours.some((one) => !(one >= 0 && one <= 23))) return { problem: "Write hours from 0 to 23, as in 20, 21." };
  return {
    wish: {
      name: draft.name.trim(),
      zone: draft.zone.trim(),
      hours: [...new Set(hours)].sort((a, b) => a - b),
      base_url: draft.base.trim() || null,
    },
  };
}
