/** Recordings and clips in plain words, and the show's own time. Pure. */

import type { Clip, Health, RecordedFile } from "@simulcast/api";
import { duration, size } from "../../parts/amounts";
import type { Tone } from "../../parts/words";
import { timeOfDay } from "../../parts/words";
import { codecName } from "../feed/feed-words";

const LAST_S = 60;
/** A piece that is worth to be offered. */
const SHORTEST_S = 5;

/** "0:45", "12:03", "1:02:03": seconds since the show went live, as in the page's head. */
export function showTime(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const two = (count: number) => String(count).padStart(2, "0");
  const [hours, minutes] = [Math.floor(whole / 3_600), Math.floor(whole / 60) % 60];
  return `${hours ? `${hours}:${two(minutes)}` : minutes}:${two(whole % 60)}`;
}

/** Back to seconds; null for what is no time. "45" is 45 seconds. */
export function secondsOf(text: string): number | null {
  const found = /^(?:(?:(\d{1,3}):)?(\d{1,3}):)?(\d{1,5})$/.exec(text.trim());
  if (!found) return null;
  const [, hours = "0", minutes = "0", seconds = "0"] = found;
  const colons = text.split(":").length - 1;
  if ((colons > 0 && Number(seconds) > 59) || (colons > 1 && Number(minutes) > 59)) return null;
  return Number(hours) * 3_600 + Number(minutes) * 60 + Number(seconds);
}

export interface Span {
  from: string;
  to: string;
}

/** In seconds since the show went live, where each file after the first begins: the picture changed there. */
export function breaksOf(files: RecordedFile[], liveAt: string): number[] {
  return files.slice(1).map((file) => (Date.parse(file.begins_at) - Date.parse(liveAt)) / 1_000);
}

/** What is wanted most: what has just happened, since the picture's last change. */
export function lastMinute(elapsed: number, breaks: number[] = []): Span {
  const to = Math.max(1, Math.floor(elapsed));
  const changed = Math.ceil(breaks.at(-1) ?? 0);
  const from = to - changed >= SHORTEST_S ? Math.max(to - LAST_S, changed) : to - LAST_S;
  return { from: showTime(from), to: showTime(to) };
}

/** Why a clip can't go from here to there, in show time; empty when that is not the reason. */
export function breakLine(begins: number, ends: number, breaks: number[]): string {
  const crossed = breaks.filter((at) => at > begins && at < ends);
  const [first, last] = [crossed[0], crossed.at(-1)];
  if (first === undefined || last === undefined) return "";
  return (
    "A clip can't go across a change of the picture, such as a slate or another encoder. " +
    `End it before ${showTime(Math.floor(first))}, or begin it after ${showTime(Math.ceil(last))}.`
  );
}

export function wholeShow(elapsed: number): Span {
  return { from: showTime(0), to: showTime(Math.max(1, elapsed)) };
}

export type SpanProblems = Partial<Record<keyof Span, string>>;

/** What is wrong with the times, if anything. `elapsed`: how far the show has got, in seconds. */
export function spanProblems({ from, to }: Span, elapsed: number): SpanProblems {
  const [begins, ends] = [secondsOf(from), secondsOf(to)];
  const problems: SpanProblems = {};
  if (begins === null) problems.from = "Enter a time such as 12:30 or 1:12:30.";
  if (ends === null) problems.to = "Enter a time such as 12:30 or 1:12:30.";
  if (begins === null || ends === null) return problems;
  if (begins > elapsed) problems.from = `The show has only got to ${showTime(elapsed)}.`;
  else if (ends <= begins) problems.to = "The end must be after the beginning.";
  return problems;
}

/** "Your clip is ready: 1 min, 34 MB. It begins at 12:03, …" */
export function clipLine(clip: Clip, wanted: number): string {
  const ready = `Your clip is ready: ${length(clip.seconds)}, ${size(Math.max(clip.bytes, 1e6))}.`;
  if (clip.begins_s === null) return ready;
  const early = wanted - clip.begins_s;
  if (early > 0.5) {
    const by = early < 10 ? early.toFixed(1) : Math.round(early);
    return `${ready} It begins at ${showTime(clip.begins_s)}, ${by} s earlier than you asked: clips begin at a keyframe.`;
  }
  if (early < -0.5) return `${ready} It begins at ${showTime(clip.begins_s)}: nothing was recorded before.`;
  return `${ready} It begins at ${showTime(clip.begins_s)}.`;
}

/** "58 s", "3 min 20 s", "1 h 2 min". */
export function length(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole >= 3_600) return `${Math.floor(whole / 3_600)} h ${Math.floor(whole / 60) % 60} min`;
  return whole % 60 ? `${Math.floor(whole / 60)} min ${whole % 60} s` : `${whole / 60} min`;
}

/** "From 0:23 · 12 min · 640 MB · 1280 × 720 · H.264 + AAC · 20:03"; show time, so that clips can be found. */
export function fileLine(file: RecordedFile, liveAt: string | null, locale?: string): string {
  const codecs = [codecName(file.video_codec), codecName(file.audio_codec)].filter(Boolean).join(" + ");
  return [
    `From ${beginning(file, liveAt)}`,
    length(file.seconds),
    size(Math.max(file.bytes, 1e6)),
    file.width && file.height && `${file.width} × ${file.height}`,
    codecs,
    timeOfDay(file.begins_at, locale),
  ]
    .filter(Boolean)
    .join(" · ");
}

function beginning(file: RecordedFile, liveAt: string | null): string {
  if (!liveAt) return "before the show";
  const seconds = (Date.parse(file.begins_at) - Date.parse(liveAt)) / 1_000;
  return seconds < -0.5 ? `${length(-seconds)} before going live` : showTime(seconds);
}

/** What the recording does now. */
export function stateWords(wanted: boolean, health: Health | null): { text: string; tone: Tone } {
  const recording = health?.recording;
  if (recording?.state === "stopped") {
    const why = recording.reason ?? "The media server does not say why.";
    return { text: `Recording has stopped. ${why}`, tone: "bad" };
  }
  if (!wanted) return { text: "Not recorded.", tone: "quiet" };
  if (recording?.state === "recording") {
    return { text: `Recording: ${duration(recording.seconds)}, ${size(recording.bytes)} so far.`, tone: "good" };
  }
  return { text: "Recording begins with the picture.", tone: "quiet" };
}
