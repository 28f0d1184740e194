/** Jobs that were given up, in words. Pure. */

import type { ParkedJob } from "@simulcast/api";
import { dateTime, plural } from "../parts/words";

/** All that was given up of one kind. */
export interface JobTrouble {
  key: string;
  title: string;
  tried: string;
  ids: number[];
}

/** One trouble for each kind of job, in the order they came: the newest first. */
export function jobTroublesOf(jobs: ParkedJob[], locale?: string): JobTrouble[] {
  const kinds = new Map<string, ParkedJob[]>();
  for (const job of jobs) kinds.set(job.task, [...(kinds.get(job.task) ?? []), job]);
  return [...kinds].map(([task, group]) => troubleOf(task, group, locale));
}

function troubleOf(task: string, group: ParkedJob[], locale?: string): JobTrouble {
  const what = group[0]?.what ?? task;
  const last = group.map((one) => one.given_up_at).sort().at(-1) ?? "";
  const tries = plural(Math.max(...group.map((one) => one.attempts)), "try", "tries");
  const about = [...new Set(group.map((one) => one.about).filter(Boolean))];
  const which = about.length === 1 ? ` It was about ${about[0]}.` : "";
  return {
    key: task,
    title: group.length === 1 ? `${what} did not work.` : `${what} did not work, ${group.length} times.`,
    tried: `Given up after ${tries}, last ${dateTime(last, locale)}.${which}`,
    ids: group.map((one) => one.id),
  };
}
