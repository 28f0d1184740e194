/** What became of products from a file or a shop, in words. Pure. */

import type { Intake, IntakeLine } from "@simulcast/api";
import { plural, type Tone } from "../parts/words";

const OUTCOMES: Record<IntakeLine["outcome"] | "gone", string> = {
  added: "new",
  changed: "changed",
  same: "unchanged",
  kept: "left as edited here",
  unmatched: "with none of your SKUs",
  gone: "no longer there",
  problem: "with a problem",
};

export const OUTCOME_TONES: Record<IntakeLine["outcome"], Tone> = {
  added: "good",
  changed: "busy",
  same: "quiet",
  kept: "quiet",
  unmatched: "warn",
  problem: "bad",
};

/** "3 new, 1 changed, 12 unchanged." */
export function countsOf(intake: Intake): string {
  const parts = Object.entries(OUTCOMES)
    .map(([name, words]) => ({ count: intake.counts[name as keyof Intake["counts"]] ?? 0, words }))
    .filter(({ count }) => count > 0)
    .map(({ count, words }) => `${count} ${words}`);
  return parts.length ? `${parts.join(", ")}.` : "Nothing is in it.";
}

/** How far it is while it is under way; null when it is not. */
export function progressOf(intake: Intake, what: string): string | null {
  if (intake.state === "queued") return `${what} begins in a moment…`;
  if (intake.state !== "running") return null;
  if (intake.error) return intake.error;
  return intake.total ? `${what}: ${intake.done} of ${plural(intake.total, "line")}…` : `${what}…`;
}

export function outcomeWord(outcome: IntakeLine["outcome"]): string {
  return outcome === "problem" ? "Problem" : OUTCOMES[outcome];
}

/** How many lines the report does not list one by one. */
export function leftOut(intake: Intake): number {
  const told = intake.report.filter((line) => line.outcome === "problem").length;
  return (intake.counts.problem ?? 0) - told;
}
