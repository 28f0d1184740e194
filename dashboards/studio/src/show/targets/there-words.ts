/** What a platform says of us, and what it was told of us, in words. Pure. */

import { secondsLeft, type Target } from "@simulcast/api";
import { plural, roughly, type Tone } from "../../parts/words";

interface Said {
  text: string;
  tone: Tone;
}

const SOON_S = 15 * 60;

/** "312 watching there · up to 400 before · 51 reactions"; what is not told is left out. */
export function audienceWords(target: Target): string {
  const { viewers, viewers_peak: peak, reactions } = target;
  const most = peak !== null && peak > (viewers ?? 0) ? `up to ${peak}` : "";
  return [
    viewers !== null && `${viewers} watching there`,
    most && (viewers === null ? `${most} watched there` : `${most} before`),
    reactions ? plural(reactions, "reaction") : "",
  ]
    .filter(Boolean)
    .join(" · ");
}

/** The platform's opinion of what it receives; nothing while it is content. */
export function healthWords(target: Target): Said[] {
  const { ingest_state: state, ingest_issues: issues, name } = target;
  if (!state || state === "good") return [];
  const tone = state === "fair" ? "quiet" : "warn";
  if (issues.length) return issues.map((text) => ({ text, tone }));
  if (state === "nothing") return [{ text: `${name} says that nothing arrives.`, tone }];
  return [{ text: `${name} does not like the quality of what it receives.`, tone }];
}

/** Whether the platform has the newest texts; nothing when it has. */
export function detailsWords(target: Target): Said | null {
  switch (target.details_state) {
    case "waiting": {
      const why = target.details_reason ? ` ${target.details_reason}` : "";
      return { text: `Title and texts are on their way there.${why}`, tone: "quiet" };
    }
    case "refused":
      return { text: target.details_reason ?? `${target.name} did not take the title and texts.`, tone: "warn" };
    default:
      return null;
  }
}

/** "Its key is good for 1 h 20 min."; nothing for keys that stay good. */
export function keyWords(target: Target, now: number): Said | null {
  if (!target.key_expires_at) return null;
  const left = secondsLeft(target.key_expires_at, now);
  if (left <= 0) {
    return { text: "Its key has run out. Fetch a new one on the platform and enter it here under “Edit”.", tone: "bad" };
  }
  return { text: `Its key is good for ${lasting(left)}.`, tone: left < SOON_S ? "warn" : "quiet" };
}

/** Whether its key is no longer good. */
export function runOut(target: Target, now: number): boolean {
  return target.key_expires_at !== null && secondsLeft(target.key_expires_at, now) <= 0;
}

function lasting(seconds: number): string {
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return roughly(seconds < 60 ? seconds : minutes * 60);
  const hours = Math.floor(minutes / 60);
  if (hours >= 48) return `${Math.floor(hours / 24)} days`;
  return `${hours} h ${minutes % 60} min`;
}

/** Everybody who watches, here and there, as far as it is told. */
export function watching(here: number, targets: Target[]): { all: number; there: number } {
  const there = targets.reduce((sum, target) => sum + (target.viewers ?? 0), 0);
  return { all: here + there, there };
}
