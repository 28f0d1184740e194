/** Which transport plays next: by the show's mode, what the browser can, and what has failed lately. */

import type { Mode } from "./programme";
import type { FailureCode, Transport } from "./sources/source";

export interface Choice {
  mode: Mode;
  /** Addresses that there are. */
  offered: { whep: boolean; hls: boolean };
  /** What the browser can. */
  able: { webrtc: boolean; mse: boolean; native: boolean };
}

/** WebRTC that was blocked once is mostly blocked for good: it is tried again later and later. */
const WHEP_PAUSE = { baseMs: 30_000, capMs: 600_000 };
const HLS_PAUSE = { baseMs: 1_000, capMs: 8_000 };
/** When the others fail time and again, even a transport that has just failed is worth an attempt so soon. */
const LAST_RESORT_MS = 5_000;

/** The usable transports, best first. Only one kind of HLS counts: hls.js where it runs. */
export function preferred({ mode, offered, able }: Choice): Transport[] {
  const hls: Transport[] = offered.hls ? (able.mse ? ["hls"] : able.native ? ["native"] : []) : [];
  const whep: Transport[] = offered.whep && able.webrtc ? ["whep"] : [];
  return mode === "interactive" ? [...whep, ...hls] : [...hls, ...whep];
}

/** What failed when. Times are in ms by any one steady clock. */
export class Attempts {
  private readonly failed = new Map<Transport, { times: number; at: number; notBefore: number }>();

  constructor(private readonly random: () => number = Math.random) {}

  /** The first preferred one that may be tried now. */
  next(wanted: readonly Transport[], now: number): Transport | null {
    return wanted.find((one) => this.notBefore(one) <= now || this.lastResort(one, wanted, now)) ?? null;
  }

  /** How long until one of them may be tried; null when there is none. */
  wait(wanted: readonly Transport[], now: number): number | null {
    const waits = wanted.map((one) => Math.max(0, this.notBefore(one) - now));
    return waits.length ? Math.min(...waits) : null;
  }

  failure(transport: Transport, code: FailureCode, now: number, retryAfterMs: number | null = null): void {
    const times = (this.failed.get(transport)?.times ?? 0) + 1;
    // Nobody publishes: that is no fault of the transport, and it is over in a moment.
    const { baseMs, capMs } = transport === "whep" && code !== "absent" ? WHEP_PAUSE : HLS_PAUSE;
    const full = Math.min(capMs, baseMs * 2 ** (times - 1));
    const wait = Math.max(full * (0.5 + this.random() / 2), retryAfterMs ?? 0);
    this.failed.set(transport, { times, at: now, notBefore: now + wait });
  }

  /** It has played for a while: the next failure is a first one again. */
  worked(transport: Transport): void {
    this.failed.delete(transport);
  }

  /** The network is another one, or a person asks for it: everything may be tried at once. */
  forgive(): void {
    this.failed.clear();
  }

  private lastResort(transport: Transport, wanted: readonly Transport[], now: number): boolean {
    const others = wanted.filter((one) => one !== transport);
    const hopeless = others.length > 0 && others.every((one) => (this.failed.get(one)?.times ?? 0) > 1);
    return hopeless && now - (this.failed.get(transport)?.at ?? now) >= LAST_RESORT_MS;
  }

  private notBefore(transport: Transport): number {
    return this.failed.get(transport)?.notBefore ?? -Infinity;
  }
}
