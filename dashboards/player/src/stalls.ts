/** Tells a stall from a picture that moves, and how much of the last minute was spent in stalls. */

/** Shorter than this is no stall: timers and decoders are not exact. */
export const LEAST_MS = 400;
/** A timer that comes this late was slept through, with the whole page. */
const ASLEEP_MS = 5_000;

export interface Moved {
  /** Since the last look; one of the two is 0 unless a stall has just been recognised as one. */
  watchedMs: number;
  stalledMs: number;
  /** A stall has begun. */
  begun: boolean;
  /** How long the picture has stood still; 0 while it moves. */
  frozenMs: number;
}

/** Look about five times a second while something should play. */
export class StallWatch {
  private progress = NaN;
  private lookedAt = NaN;
  private movedAt = NaN;
  private stalled = false;

  /** What follows is another picture: a seek, a pause, another source, a page that was hidden. */
  reset(): void {
    this.progress = NaN;
    this.lookedAt = NaN;
    this.movedAt = NaN;
    this.stalled = false;
  }

  look(now: number, progress: number): Moved {
    const elapsed = now - this.lookedAt;
    if (!(elapsed <= ASLEEP_MS)) {
      this.reset();
      this.lookedAt = this.movedAt = now;
      this.progress = progress;
      return { watchedMs: 0, stalledMs: 0, begun: false, frozenMs: 0 };
    }
    this.lookedAt = now;
    if (progress !== this.progress) return this.moves(now, progress, elapsed);
    const frozenMs = now - this.movedAt;
    if (this.stalled) return { watchedMs: 0, stalledMs: elapsed, begun: false, frozenMs };
    if (frozenMs < LEAST_MS) return { watchedMs: elapsed, stalledMs: 0, begun: false, frozenMs };
    this.stalled = true;
    // The first moments had been taken for watching.
    return { watchedMs: elapsed - frozenMs, stalledMs: frozenMs, begun: true, frozenMs };
  }

  private moves(now: number, progress: number, elapsed: number): Moved {
    const after = this.stalled;
    this.progress = progress;
    this.movedAt = now;
    this.stalled = false;
    return { watchedMs: after ? 0 : elapsed, stalledMs: after ? elapsed : 0, begun: false, frozenMs: 0 };
  }
}

/** The share of stalled time in the last `spanMs`. */
export class StallShare {
  private readonly looks: { at: number; watched: number; stalled: number }[] = [];

  constructor(private readonly spanMs: number) {}

  add(now: number, watched: number, stalled: number): void {
    this.looks.push({ at: now, watched, stalled });
    while (this.looks[0] && this.looks[0].at < now - this.spanMs) this.looks.shift();
  }

  clear(): void {
    this.looks.length = 0;
  }

  get stalledMs(): number {
    return this.looks.reduce((sum, { stalled }) => sum + stalled, 0);
  }

  /** 0 to 1. The span counts as whole from the start: one hiccup right after joining is no bad connection. */
  get share(): number {
    return this.stalledMs / this.spanMs;
  }
}
