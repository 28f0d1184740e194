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
  const reason = target.reason ?? "";
  if (show === "ended") return { label: "Ended", tone: "quiet", detail: reason };
  if (!target.wanted) return paused(target, show);
  switch (target.state) {
    case "live":
      return live(target);
    case "connecting":
      return { label: "Connecting", tone: "busy", detail: reason };
    case "retrying":
      return { label: "Retrying", tone: "warn", detail: reason || "The connection broke off." };
    case "failed":
      return { label: "Failed", tone: "bad", detail: reason || `${target.name} does not take the stream.` };
    case "paused":
      return { label: "Resuming", tone: "busy", detail: "" };
    default:
      return idle(target, show);
  }
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

/** Our bytes arrive; whether the platform shows them is for the platform to say. */
function live(target: Target): TargetWords {
  switch (target.platform_state) {
    case "scheduled":
    case "starting":
      return {
        label: "Starting",
        tone: "busy",
        detail: target.reason ?? `The picture arrives. ${target.name} has not put it on air yet.`,
      };
    case "failed":
      return {
        label: "Not on air",
        tone: "bad",
        detail: target.reason ?? `The picture arrives, but ${target.name} does not show it.`,
      };
    case "ended":
      return { label: "Not on air", tone: "bad", detail: `${target.name} has ended its broadcast.` };
    default:
      return { label: "Live", tone: "good", detail: "" };
  }
}

function idle(target: Target, show: ShowState): TargetWords {
  if (show === "scheduled") {
    return { label: "Ready", tone: "quiet", detail: target.reason ?? "Opens when the show goes live." };
  }
  return {
    label: "Waiting",
    tone: "busy",
    detail: target.reason ?? "Starts as soon as your encoder sends a picture.",
  };
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

/** "2 of 3 live, 1 needs you". */
export function targetsLine(targets: Target[], show: ShowState): string {
  const wanted = targets.filter((target) => target.wanted);
  if (show !== "live" || wanted.length === 0) return "";
  const words = wanted.map((target) => targetWords(target, show));
  const good = words.filter((one) => one.tone === "good").length;
  const bad = words.filter((one) => one.tone === "bad").length;
  const line = `${good} of ${wanted.length} live`;
  return bad ? `${line}, ${bad} ${bad === 1 ? "needs" : "need"} you` : line;
}
