/** Asks the hub again for what changes by itself: a token that runs out, a replay that is being made. */

import { backoffDelay } from "@simulcast/api/backoff";
import type { ViewerApi } from "@simulcast/api";
import { type Playback, type Programme, programmeOf } from "./programme";

/** So much before the token runs out; the rest of the time it is as good as new. */
const LEAD_MS = 20_000;
/** Everybody's token was given out at the show's start: they must not all be renewed in one second. */
const SPREAD_MS = 10_000;
const SOONEST_MS = 2_000;
/** How long after the end the replay is looked for, and how often. */
const REPLAY_FOR_MS = 30 * 60_000;
const LOOK = { baseMs: 5_000, capMs: 60_000 };

/** When to renew, in ms from now; null for a token that lasts. Pure. */
export function renewIn(renewAt: number | null, now: number, random: () => number): number | null {
  if (renewAt === null) return null;
  return Math.max(SOONEST_MS, renewAt - now - LEAD_MS - random() * SPREAD_MS);
}

/** Of two documents' playback, the one whose token lasts longer; without tokens, what was said last. */
export function newest(said: Playback | null, renewed: Playback | null): Playback | null {
  if (!said || !renewed || renewed.renewAt === null) return said;
  if (said.renewAt === null || said.renewAt >= renewed.renewAt) return said;
  // Only the addresses are newer: whether somebody publishes is what the page knows better.
  return { ...renewed, away: said.away };
}

export interface RenewalOptions {
  /** The same one for all of the viewer's questions: it names the viewer. */
  api: ViewerApi;
  /** The server's clock. */
  now: () => number;
  onRenewed: (programme: Programme) => void;
  /** 0 to 1. */
  random?: () => number;
}

/** One show's; `stop` it when the player goes. */
export class Renewal {
  private timer: ReturnType<typeof setTimeout> | undefined;
  private failures = 0;
  private looked = 0;
  private endedAt: number | null = null;
  /** What the timer that runs was set for: news that change nothing do not set it anew. */
  private planned = "";
  private asking = false;
  private stopped = false;
  private readonly random: () => number;

  constructor(private readonly options: RenewalOptions) {
    this.random = options.random ?? Math.random;
  }

  /** Takes in what is known of the show now. */
  plan({ state }: Programme, playback: Playback | null): void {
    if (state !== "ended") this.endedAt = null;
    else this.endedAt ??= this.options.now();
    const plan = `${state} ${playback?.renewAt ?? ""} ${playback === null}`;
    if (this.stopped || plan === this.planned) return;
    this.planned = plan;
    clearTimeout(this.timer);
    const wait = this.wait(playback);
    if (wait !== null) this.timer = setTimeout(() => void this.now(), wait);
  }

  /** At once: the token was refused. One question at a time. */
  async now(): Promise<void> {
    if (this.asking || this.stopped) return;
    this.asking = true;
    this.planned = "";
    clearTimeout(this.timer);
    const { api, onRenewed } = this.options;
    try {
      const show = await api.load();
      this.failures = 0;
      this.asking = false;
      if (!this.stopped) onRenewed(programmeOf(show, Date.parse(show.server_time) - Date.now()));
    } catch {
      this.asking = false;
      this.failures += 1;
      if (this.stopped) return;
      clearTimeout(this.timer);
      this.timer = setTimeout(() => void this.now(), backoffDelay(this.failures, LOOK, this.random));
    }
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
  }

  private wait(playback: Playback | null): number | null {
    const now = this.options.now();
    if (this.endedAt === null || playback) return renewIn(playback?.renewAt ?? null, now, this.random);
    if (now - this.endedAt > REPLAY_FOR_MS) return null;
    this.looked += 1;
    return backoffDelay(this.looked - 1, LOOK, this.random);
  }
}

