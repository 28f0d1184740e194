/** Steps down when the picture stalls, and up again when it has been calm for long enough. */

import { StallShare } from "./stalls";

const SPAN_MS = 60_000;
/** More of the span than this in stalls is too much. */
const TOO_MUCH = 0.01;
/** A step needs so long until it shows whether it helped. */
const SETTLE_MS = 5_000;
const CALM_MS = 60_000;
const LONGEST_CALM_MS = 480_000;

export type Step = -1 | 0 | 1;

/**
 * `note` every look: it answers 1 for a step down, -1 for a step up. After a step up that was a mistake the
 * next one takes twice the calm.
 */
export class Steps {
  private readonly lately = new StallShare(SPAN_MS);
  private depth = 0;
  private steppedAt = -Infinity;
  private wentUp = false;
  private calmMs = CALM_MS;
  private calmSince: number | null = null;

  constructor(private readonly most: number) {}

  /** How many steps down it is. */
  get down(): number {
    return this.depth;
  }

  note(now: number, watchedMs: number, stalledMs: number): Step {
    this.lately.add(now, watchedMs, stalledMs);
    if (stalledMs > 0 || this.calmSince === null) this.calmSince = now;
    if (this.lately.share > TOO_MUCH && now - this.steppedAt > SETTLE_MS) return this.stepDown(now);
    if (this.depth > 0 && now - this.calmSince > this.calmMs) return this.stepUp(now);
    return 0;
  }

  /** Another source plays: the last one's stalls are not its own. */
  settle(): void {
    this.lately.clear();
    this.calmSince = null;
  }

  /** A fresh start. */
  reset(): void {
    this.depth = 0;
    this.settle();
  }

  private stepDown(now: number): Step {
    if (this.wentUp) this.calmMs = Math.min(LONGEST_CALM_MS, this.calmMs * 2);
    this.wentUp = false;
    this.steppedAt = now;
    this.settle();
    if (this.depth >= this.most) return 0;
    this.depth += 1;
    return 1;
  }

  private stepUp(now: number): Step {
    this.wentUp = true;
    this.steppedAt = now;
    this.settle();
    this.depth -= 1;
    return -1;
  }
}
