/** The server's clock as seen from here; every countdown and delay is reckoned by it, not by the phone's. */

export class ServerClock {
  private offset = 0;
  private best = Infinity;

  constructor(private readonly local: () => number = Date.now) {}

  /** Server time minus local time, in ms. */
  get offsetMs(): number {
    return this.offset;
  }

  now(): number {
    return this.local() + this.offset;
  }

  /**
   * Takes a server time that came with an answer asked for at `sentAt` (local ms). The quickest answer
   * so far is the truest one: half of its round trip is the most that it can be wrong by.
   */
  learn(serverTime: string, sentAt: number): void {
    const server = Date.parse(serverTime);
    const here = this.local();
    const trip = here - sentAt;
    if (Number.isNaN(server) || trip < 0 || trip > this.best) return;
    this.best = trip;
    this.offset = Math.round(server + trip / 2 - here);
  }
}

/** Whole seconds left until `expiresAt`, never below 0. A started second counts as one. */
export function secondsLeft(expiresAt: string, nowMs: number): number {
  const left = Date.parse(expiresAt) - nowMs;
  return Number.isNaN(left) ? 0 : Math.max(0, Math.ceil(left / 1000));
}

/** "1:24"; "1:02:03" from an hour on. */
export function countdown(seconds: number): string {
  const pad = (n: number) => String(n).padStart(2, "0");
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return h ? `${h}:${pad(m)}:${pad(s)}` : `${m}:${pad(s)}`;
}
