/** A show's texts and time as a form edits them. Pure. */

import type { ShowChange, ShowDetails, ShowSnapshot } from "@simulcast/api";

export interface Draft {
  title: string;
  description: string;
  /** Local, as a datetime field has it; empty: no time. */
  startsAt: string;
  privacy: ShowDetails["privacy"];
  /** Empty: as set for the account. */
  latency: string;
  kids: "" | "yes" | "no";
  category: string;
  /** Separated by commas. */
  tags: string;
  language: string;
  picture: string | null;
  /** Whether the watch page says how many watch. */
  crowd: boolean;
}

/** The words beside `crowd`. */
export const CROWD = {
  label: "Say how many are watching",
  help: "On the watch page, while the show is live. You see the number either way.",
};

const LANGUAGE = /^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$/;

export function draftOf(show: ShowSnapshot["show"]): Draft {
  const { title, description, starts_at: starts, details } = show;
  const { made_for_kids: kids } = details;
  return {
    title,
    description,
    startsAt: starts ? localTime(starts) : "",
    privacy: details.privacy,
    latency: details.latency ?? "",
    kids: kids === null ? "" : kids ? "yes" : "no",
    category: details.category ?? "",
    tags: details.tags.join(", "),
    language: details.language ?? "",
    picture: details.picture_asset,
    crowd: show.viewers_shown,
  };
}

/** What is another than before. */
export function changeOf(draft: Draft, show: ShowSnapshot["show"]): ShowChange {
  const before = wholeOf(draftOf(show));
  const changed = Object.entries(wholeOf(draft)).filter(
    ([name, value]) => JSON.stringify(value) !== JSON.stringify(before[name as keyof ShowChange]),
  );
  return Object.fromEntries(changed);
}

function wholeOf(draft: Draft): ShowChange {
  return {
    title: draft.title.trim(),
    description: draft.description.trim(),
    starts_at: draft.startsAt ? new Date(draft.startsAt).toISOString() : null,
    privacy: draft.privacy,
    latency: (draft.latency || null) as ShowDetails["latency"],
    made_for_kids: draft.kids === "" ? null : draft.kids === "yes",
    category: draft.category.trim() || null,
    tags: tagsOf(draft.tags),
    language: draft.language.trim() || null,
    picture_asset: draft.picture,
    viewers_shown: draft.crowd,
  };
}

/** Each tag once, without the # that people write. */
export function tagsOf(text: string): string[] {
  const tags = text.split(",").map((tag) => tag.trim().replace(/^#+/, "").trim());
  return [...new Set(tags.filter(Boolean))];
}

export function draftProblems(draft: Draft): Partial<Record<"title" | "tags" | "language", string>> {
  const tags = tagsOf(draft.tags);
  return {
    ...(draft.title.trim() ? {} : { title: "Give the show a title." }),
    ...(tags.length > 30 || tags.some((tag) => tag.length > 60)
      ? { tags: "Up to 30 tags of up to 60 characters." }
      : {}),
    ...(draft.language.trim() && !LANGUAGE.test(draft.language.trim())
      ? { language: "Write the language as a code, for example en or pt-BR." }
      : {}),
  };
}

function localTime(iso: string): string {
  const at = new Date(iso);
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
