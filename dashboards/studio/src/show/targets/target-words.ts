/** What a target is doing, in words a stressed person can act on. */

import {
  type EncoderState,
  type Health,
  type Plan,
  type Profile,
  secondsLeft,
  type ShowState,
  type Target,
} from "@simulcast/api";
import { bitrate, cores, size } from "../../parts/amounts";
import type { Tone } from "../../parts/words";

export interface TargetWords {
  label: string;
  tone: Tone;
  detail: string;
}

export function targetWords(target: Target, show: ShowState): TargetWords {
  const { name, reason } = target;
  switch (target.stage) {
    case "off":
      return paused(target, show);
    case "ready":
      return { label: "Ready", tone: "quiet", detail: reason ?? "Opens when the show goes live." };
    case "planned":
      return { label: "Announced", tone: "good", detail: `${name} shows people that it is coming.` };
    case "opening":
      return { label: "Opening", tone: "busy", detail: reason ?? `${name} is making the broadcast.` };
    case "created":
      if (target.state === "paused") return { label: "Resuming", tone: "busy", detail: "" };
      return {
        label: "Waiting",
        tone: "busy",
        detail: reason ?? "The broadcast is made. It starts as soon as your encoder sends a picture.",
      };
    case "connecting":
      return { label: "Connecting", tone: "busy", detail: reason ?? "" };
    case "waiting":
      return {
        label: "Waiting for data",
        tone: "busy",
        detail: reason ?? `The picture is sent. ${name} has not seen it yet.`,
      };
    case "starting":
      return {
        label: "Starting",
        tone: "busy",
        detail: reason ?? `The picture arrives. ${name} has not put it on air yet.`,
      };
    case "live":
      return { label: "Live", tone: "good", detail: "" };
    case "retrying":
      return { label: "Retrying", tone: "warn", detail: reason ?? "The connection broke off." };
    case "failed":
      return failed(target);
    case "ending":
      return { label: "Ending", tone: "busy", detail: reason ?? `${name} is asked to end it.` };
    case "ended":
      return { label: "Ended", tone: "quiet", detail: reason ?? "" };
    case "by_hand":
      return { label: "End it there", tone: "warn", detail: reason ?? `Nobody knows whether ${name} has ended it.` };
  }
}

function failed(target: Target): TargetWords {
  const { name, reason } = target;
  if (target.state !== "live") {
    return { label: "Failed", tone: "bad", detail: reason ?? `${name} does not take the stream.` };
  }
  const detail = reason ?? `The picture arrives, but ${name} does not show it.`;
  return { label: "Not on air", tone: "bad", detail };
}

function paused(target: Target, show: ShowState): TargetWords {
  if (show === "scheduled") {
    return { label: "Paused", tone: "quiet", detail: "Stays off when the show goes live." };
  }
  const done = target.state === "paused" || target.state === "idle" || target.state === "failed";
  return done
    ? { label: "Paused", tone: "quiet", detail: "Gets no picture until you resume it." }
    : { label: "Pausing", tone: "busy", detail: "" };
}

/** "Next try in 12 s."; nothing when no try is planned. */
export function nextTry(target: Target, now: number): string {
  if (target.state !== "retrying" || !target.wanted || !target.next_try_at) return "";
  const seconds = secondsLeft(target.next_try_at, now);
  return seconds > 0 ? `Next try in ${seconds} s.` : "Trying now…";
}

/** "Backup: live"; nothing where there is none. */
export function backupWords(target: Target, show: ShowState): { text: string; tone: Tone } | null {
  if (!target.backup_offered || show !== "live" || !target.wanted) return null;
  if (!target.backup_wanted) return { text: "Backup: switched off", tone: "quiet" };
  const why = target.backup_reason ? ` – ${target.backup_reason}` : "";
  switch (target.backup_state) {
    case "live":
      return { text: "Backup: live", tone: "good" };
    case "failed":
      return { text: `Backup: failed${why}`, tone: "bad" };
    case "retrying":
      return { text: `Backup: retrying${why}`, tone: "warn" };
    default:
      return { text: "Backup: connecting", tone: "quiet" };
  }
}

/** "4.5 Mbit/s · 1.2 GB sent · arrives there about 0.4 s later"; what is not known is left out. */
export function figures(target: Target, kbps: number | null, delay: Health["delays"][string] | null): string {
  return [
    kbps !== null && (kbps > 0 ? bitrate(kbps < 1_000 ? kbps : Math.round(kbps / 100) * 100) : "Nothing is getting through"),
    target.bytes_sent > 0 && `${size(target.bytes_sent)} sent`,
    delay && delayWords(delay),
  ]
    .filter(Boolean)
    .join(" · ");
}

/** How late it is there, and whether that is where our bytes arrive or where somebody looks. */
export function delayWords({ ms, way }: Health["delays"][string]): string {
  if (ms < 100) return "";
  const seconds = ms < 9_950 ? (ms / 1000).toFixed(1) : Math.round(ms / 1000);
  return way === "platform" || way === "player"
    ? `seen there about ${seconds} s after the camera`
    : `arrives there about ${seconds} s later`;
}

/** Which picture a target gets. */
export function pictureName(profile: string | null): string {
  return profile ?? "As it comes from your encoder";
}

/** What a profile's encoder does, when that is not simply its work. */
export function encoderWords(encoder: EncoderState): { text: string; tone: Tone } | null {
  const why = encoder.reason ? ` ${encoder.reason}` : "";
  switch (encoder.state) {
    case "starved":
      return {
        text: `“${encoder.profile}” can't keep up: the media server is too slow for it.${why} Targets that use it may stutter; the others are not touched.`,
        tone: "warn",
      };
    case "retrying":
      return { text: `“${encoder.profile}” stopped and is starting again.${why}`, tone: "warn" };
    case "refused":
      return {
        text: `“${encoder.profile}” is not made: ${encoder.reason ?? "the media server can't do it."} Choose another picture for its targets.`,
        tone: "bad",
      };
    default:
      return null;
  }
}

/** "Re-encoding takes about 1.5 of this machine's 2 cores."; nothing when nothing is re-encoded. */
export function costLine(plan: Plan | null | undefined): string {
  if (!plan || plan.wanted_cores <= 0) return "";
  return `Re-encoding takes about ${Number(plan.wanted_cores.toFixed(1))} of the media server's ${cores(plan.cores)}.`;
}

/** "Instagram shows upright pictures …" when the picture that is chosen lies on its side. */
export function uprightHint(platform: string, vertical: boolean, profile: Profile | undefined): string {
  if (!vertical || (profile && profile.height > profile.width)) return "";
  return `${platform} shows upright pictures (9:16). Choose a vertical one, unless your encoder sends it.`;
}

/** "2 of 3 live, 1 needs you"; after the show "3 of 4 ended, 1 needs you". */
export function targetsLine(targets: Target[], show: ShowState): string {
  const wanted = targets.filter((target) => target.wanted && !target.removed);
  if (show === "scheduled" || wanted.length === 0) return "";
  const over = show === "ended";
  const done = wanted.filter((target) => target.stage === (over ? "ended" : "live")).length;
  const bad = wanted.filter((target) => target.stage === (over ? "by_hand" : "failed")).length;
  const line = `${done} of ${wanted.length} ${over ? "ended" : "live"}`;
  return bad ? `${line}, ${bad} ${bad === 1 ? "needs" : "need"} you` : line;
}
