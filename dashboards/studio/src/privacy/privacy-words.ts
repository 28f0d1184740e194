/** What the privacy page says. Pure. */

import type { ConsentWords, ErasurePreview, RetentionRule, RightsRequest, Role } from "@simulcast/api";
import type { Tone } from "../parts/words";

/** What must be typed before somebody is forgotten. */
export const CONFIRM = "erase";

export const ROLES: { value: Role; title: string; may: string }[] = [
  { value: "owner", title: "Owner", may: "Everything." },
  { value: "producer", title: "Producer", may: "Shows, orders and money; no accounts, members or rules." },
  { value: "moderator", title: "Moderator", may: "Chat and claims. Buyers' names are masked." },
  { value: "viewer", title: "Viewer", may: "Looks, changes nothing. Buyers' names are masked." },
];

/** What would go, by area, the most first; areas with nothing are left out. */
export function removals(preview: ErasurePreview): { title: string; rows: number }[] {
  return Object.entries(preview.removes)
    .map(([area, tables]) => ({
      title: preview.titles[area] ?? area,
      rows: Object.values(tables).reduce((sum, rows) => sum + rows, 0),
    }))
    .filter((area) => area.rows > 0)
    .sort((a, b) => b.rows - a.rows);
}

export function stateOf(request: RightsRequest): { label: string; tone: Tone } {
  const erase = request.kind === "erase";
  switch (request.state) {
    case "queued":
      return { label: "Waiting", tone: "busy" };
    case "working":
      return { label: `Step ${request.step} of ${request.steps}`, tone: "busy" };
    case "done":
      return { label: erase ? "Forgotten" : "Ready", tone: "good" };
    case "expired":
      return { label: "Over", tone: "quiet" };
    case "failed":
      return { label: "Look at this", tone: "bad" };
  }
}

/** `null` where the text is no number of days that can be kept; "" is for ever. */
export function daysOf(text: string): number | "ever" | null {
  const trimmed = text.trim();
  if (!trimmed) return "ever";
  const days = Number(trimmed);
  return Number.isInteger(days) && days >= 1 && days <= 36_500 ? days : null;
}

export function kept(rule: RetentionRule): string {
  return rule.days === null ? "for ever" : rule.days === 1 ? "1 day" : `${rule.days} days`;
}

/** A file that names nobody: what was removed, what stays, and where it was looked for. */
export function proofFile(request: RightsRequest): string {
  const { id, asked_at, done_at, proof } = request;
  const document = { request: id, asked_at, done_at, ...proof };
  return `data:application/json;charset=utf-8,${encodeURIComponent(JSON.stringify(document, null, 2))}`;
}

/** The lines of the question, in the order in which viewers meet them. `most`: characters. */
export const ASKED: { name: keyof ConsentWords; label: string; most: number }[] = [
  { name: "title", label: "Heading", most: 40 },
  { name: "text", label: "The question", most: 200 },
  { name: "allow", label: "The button that allows", most: 40 },
  { name: "needed", label: "The button that refuses", most: 40 },
  { name: "details", label: "Opens the details", most: 40 },
  { name: "necessary", label: "What is always kept", most: 200 },
  { name: "analytics", label: "About measuring", most: 200 },
  { name: "ads", label: "About advertising", most: 200 },
  { name: "save", label: "Keeps what was ticked", most: 40 },
  { name: "gpc", label: "To whose browser asks not to share", most: 200 },
  { name: "reopen", label: "At the foot of the page", most: 40 },
];

/** "de" → "German". */
export function languageWords(code: string): string {
  return new Intl.DisplayNames("en", { type: "language" }).of(code) ?? code;
}
