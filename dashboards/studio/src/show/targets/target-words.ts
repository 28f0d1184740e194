/** What a target is doing, in words a stressed person can act on. */

import { secondsLeft, type ShowState, type Target } from "@simulcast/api";
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
