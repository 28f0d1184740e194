/** How long to wait before trying again. */

export interface Backoff {
  baseMs: number;
  capMs: number;
}

/** Doubles up to the cap; half of it is random, so that a crowd does not come back at once. */
export function backoffDelay(attempt: number, { baseMs, capMs }: Backoff, random: () => number): number {
  const ceiling = Math.min(capMs, baseMs * 2 ** Math.min(attempt, 30));
  return Math.round(ceiling * (0.5 + random() / 2));
}
