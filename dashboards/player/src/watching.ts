/** Looks at the picture a few times a second: does it move, has it stalled too often, is something better due? */

import { catchUpRate, shouldJump } from "./catch-up";
import { HLS_STEPS } from "./quality";
import { Steps } from "./steps";
import { StallWatch } from "./stalls";

/** Frozen this long although it should play is shown as a stall. */
const STALL_MS = 800;
/** No picture, or a frozen one, for this long: the other transport is tried beside it. */
const OTHER_MS = 2_500;
/** Frozen this long although new media arrives: only starting afresh helps. */
const STUCK_MS = 6_000;
/** WebRTC mends itself within this, or not at all. */
const WHEP_FROZEN_MS = 2_500;
/** Good for this long: the next failure is a first one again. */
const PROVEN_MS = 60_000;
/** Calm for this long: a better transport may be tried beside it. */
const BACK_UP_MS = 30_000;

export interface Seen {
  transport: "whep" | "hls" | "native";
  progress: number;
  /** The browser has a picture at all. */
  ready: boolean;
  /** It has been seen to move since the source was opened. */
  begun: boolean;
  live: boolean;
  hidden: boolean;
  /** New media arrives. */
  arriving: boolean;
  /** There is more to show than has been shown. */
  fed: boolean;
  /** There is another transport that may be tried. */
  another: boolean;
  /** Null: it keeps up by itself. In seconds. */
  position: { latency: number; target: number; ahead: number } | null;
  rate: number;
}

export interface Verdict {
  /** Null: too early to tell. */
  picture: "moving" | "frozen" | null;
  watchedMs: number;
  stalledMs: number;
  stallBegun: boolean;
  /** The source has to go: why. */
  fail: string | null;
  /** It may still come to itself, but the other transport should be tried. */
  tryOther: boolean;
  /** A step down (1) or up (-1) the ladder. */
  step: -1 | 0 | 1;
  /** The playback rate to set; "jump": to the live edge; null: leave it alone. */
  rate: number | "jump" | null;
  proven: boolean;
  /** It has been calm for so long that the better transport may be tried again. */
  calm: boolean;
}

const NOTHING: Verdict = {
  picture: null,
  watchedMs: 0,
  stalledMs: 0,
  stallBegun: false,
  fail: null,
  tryOther: false,
  step: 0,
  rate: null,
  proven: false,
  calm: false,
};

/** Times are in ms by one steady clock, which is handed in. */
export class Watching {
  private readonly steps = new Steps(HLS_STEPS);
  private readonly stalls = new StallWatch();
  private openedAt = 0;
  private movingSince = 0;

  /** Steps down the ladder so far. */
  get down(): number {
    return this.steps.down;
  }

  /** Another source has been opened. */
  opened(now: number): void {
    this.openedAt = this.movingSince = now;
    this.stalls.reset();
    this.steps.settle();
  }

  /** Another show, another choice: what was learnt of the connection no longer counts. */
  forget(): void {
    this.steps.reset();
  }

  /** A seek, a pause: the picture may stand still without a stall. */
  interrupted(): void {
    this.stalls.reset();
  }

  look(now: number, at: Seen): Verdict {
    const { watchedMs, stalledMs, begun: stallBegun, frozenMs } = this.stalls.look(now, at.progress);
    if (!at.begun) return this.first(now, at, watchedMs > 0 && frozenMs === 0);
    const verdict: Verdict = { ...NOTHING, watchedMs };
    if (frozenMs === 0) verdict.picture = "moving";
    else if (frozenMs > STALL_MS) verdict.picture = "frozen";
    if (at.hidden) return verdict; // browsers draw hidden pages rarely, or not at all
    verdict.stalledMs = stalledMs;
    verdict.stallBegun = stallBegun;
    if (stallBegun) this.movingSince = now;
    if (hopeless(at, frozenMs)) return { ...verdict, fail: "The picture stood still." };
    if (at.another && frozenMs > OTHER_MS) return { ...verdict, tryOther: true };
    return at.live ? this.liveRules(now, at, verdict) : verdict;
  }

  private first(now: number, at: Seen, moved: boolean): Verdict {
    if (moved && at.ready) {
      this.movingSince = now;
      return { ...NOTHING, picture: "moving" };
    }
    const late = now - this.openedAt > OTHER_MS;
    if (late && at.transport === "whep") return { ...NOTHING, fail: "No picture came in time." };
    return { ...NOTHING, tryOther: late && at.another };
  }

  private liveRules(now: number, at: Seen, verdict: Verdict): Verdict {
    // When there is nothing more to show, no lower rung would help.
    const step = this.steps.note(now, verdict.watchedMs, at.fed ? verdict.stalledMs : 0);
    if (step > 0 && at.transport === "whep" && at.another) {
      return { ...verdict, fail: "Too much of the last minute was spent in stalls." };
    }
    const since = now - this.movingSince;
    const calm = since > BACK_UP_MS && this.steps.down === 0;
    return { ...verdict, step, rate: rateOf(at), proven: since > PROVEN_MS, calm };
  }
}

function hopeless(at: Seen, frozenMs: number): boolean {
  if (at.transport === "whep") return frozenMs > WHEP_FROZEN_MS;
  // When the playlist does not grow nobody sends, and the last seconds need not be shown again.
  return at.arriving && frozenMs > STUCK_MS;
}

function rateOf({ position, rate }: Seen): Verdict["rate"] {
  if (!position) return null;
  return shouldJump(position) ? "jump" : catchUpRate(position, rate);
}
