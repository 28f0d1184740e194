import type { Tone } from "./words";

/** A state: a word on a tone. The word alone must say it. */
export function Pill({ tone, children }: { tone: Tone; children: string }) {
  return <span className={`pill tone-${tone}`}>{children}</span>;
}
