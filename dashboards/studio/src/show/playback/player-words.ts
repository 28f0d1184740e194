/** What the player's settings mean, in plain words, and what is wrong with what somebody entered. */

import type { Access, PartLength, PlayerMode, Rung } from "@simulcast/api";
import type { Tone } from "../../parts/words";

export const MODES: { value: PlayerMode; title: string }[] = [
  { value: "balanced", title: "Balanced: about 2 s behind" },
  { value: "interactive", title: "Interactive: under 0.5 s behind" },
];

export const PARTS: { value: PartLength; title: string }[] = [
  { value: 200, title: "0.2 s: least delay, good networks" },
  { value: 333, title: "0.33 s: little delay (usual)" },
  { value: 500, title: "0.5 s: steadier on phones" },
  { value: 1000, title: "1 s: steadiest, 1 to 2 s later" },
];

export const ACCESS: { value: Access; title: string; pill: string; tone: Tone; help: string }[] = [
  {
    value: "public",
    title: "Public",
    pill: "Public",
    tone: "good",
    help: "Everybody may watch.",
  },
  {
    value: "unlisted",
    title: "Unlisted",
    pill: "Unlisted",
    tone: "quiet",
    help: "Everybody who knows the address may watch. It is listed nowhere, but it can be passed on.",
  },
  {
    value: "signed",
    title: "Private: only with a link you made",
    pill: "Private",
    tone: "busy",
    help: "Players need a pass that runs out and is renewed by itself. Make a link for each person.",
  },
];

export const GRACES = [
  { value: "60", title: "Keep them for an hour" },
  { value: "1440", title: "Keep them for a day" },
  { value: "0", title: "Cut everybody now" },
];

export const LASTS = [
  { value: "4", title: "4 hours" },
  { value: "24", title: "1 day" },
  { value: "168", title: "1 week" },
  { value: "720", title: "30 days" },
];

const RUNG_WORDS: Record<Rung["state"], { label: string; tone: Tone }> = {
  starting: { label: "Starting", tone: "busy" },
  running: { label: "Running", tone: "good" },
  starved: { label: "Too slow", tone: "warn" },
  retrying: { label: "Trying again", tone: "warn" },
  refused: { label: "Left out", tone: "quiet" },
};

export function modeHelp(mode: PlayerMode, whep: boolean): string {
  if (mode === "balanced") return "Plays everywhere and scales to any crowd through a CDN.";
  if (!whep) return "WebRTC is switched off below: everybody gets the balanced way.";
  return "By WebRTC, for auctions and questions. Who can't be reached by it gets the balanced way by itself.";
}

export function rungWords(rung: Rung): { label: string; tone: Tone; detail: string } {
  const behind = rung.behind_ms && rung.behind_ms >= 500 ? `${(rung.behind_ms / 1_000).toFixed(1)} s behind` : "";
  const rate = rung.video_kbps ? `${(rung.video_kbps / 1_000).toFixed(1)} Mbit/s` : "";
  const detail = rung.reason ?? [rate, behind].filter(Boolean).join(" · ");
  return { ...RUNG_WORDS[rung.state], detail };
}

/** One site per line, or with commas. */
export function sitesOf(text: string): string[] {
  return text
    .split(/[\s,]+/)
    .map((site) => site.trim())
    .filter(Boolean);
}

export function siteProblem(text: string): string | undefined {
  const wrong = sitesOf(text).find((site) => !/^(https?:\/\/)?(\*\.)?[a-z0-9.-]+(:\d+)?\/?$/i.test(site));
  return wrong && `“${wrong}” is no site. Enter only its name, for example https://brand.com.`;
}

export function whepProblem(text: string): string | undefined {
  const address = text.trim();
  if (!address || /^https:\/\/[^\s/@]+(\/\S*)?$/i.test(address)) return undefined;
  if (/^http:\/\/(localhost|127\.0\.0\.1)(:\d+)?\//i.test(address)) return undefined;
  return "Enter the whole address. It must begin with https://.";
}

export function capProblem(text: string): string | undefined {
  if (!text.trim() || (/^\d+$/.test(text.trim()) && Number(text) >= 1 && Number(text) <= 1_000_000)) return undefined;
  return "Enter a whole number up to 1,000,000, or nothing for no limit.";
}

/** "0:12:05" into the show. */
export function showTime(at: string, liveAt: string | null): string {
  const seconds = Math.max(0, Math.floor((Date.parse(at) - Date.parse(liveAt ?? at)) / 1_000));
  const [hours, minutes, rest] = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60, seconds % 60];
  return `${hours}:${String(minutes).padStart(2, "0")}:${String(rest).padStart(2, "0")}`;
}
