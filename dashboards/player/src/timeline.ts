/** Show time: seconds since the programme began, by the moments that are written into the stream. */

export class ShowTime {
  private zero: number;

  /** `liveAt` as the hub says it; without it, the first moment that is seen counts. */
  constructor(liveAt: string | null | undefined) {
    this.zero = Date.parse(liveAt ?? "");
  }

  /** Of a moment in ms; null while it is not known. */
  of(moment: number | null): number | null {
    if (moment === null) return null;
    if (Number.isNaN(this.zero)) this.zero = moment;
    return (moment - this.zero) / 1000;
  }

  /** The moment of a show time, in ms. */
  moment(seconds: number): number | null {
    return Number.isNaN(this.zero) ? null : this.zero + seconds * 1000;
  }
}

/** One stretch of media whose first picture was taken at `moment` (ms); `start` is its place in the media (s). */
export interface Stretch {
  start: number;
  duration: number;
  moment: number;
}

/** Where in the media the picture of a moment is; null when it lies before the first stretch. */
export function placeOf(moment: number, stretches: readonly Stretch[]): number | null {
  let found: Stretch | null = null;
  for (const one of stretches) {
    if (one.moment > moment) break;
    found = one;
  }
  if (!found) return null;
  // Between two stretches there may be nothing: a publisher was away. The next picture is the nearest.
  return found.start + Math.min((moment - found.moment) / 1000, found.duration);
}

/** "1:05" or "1:02:07". */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const pad = (n: number) => String(n).padStart(2, "0");
  return h ? `${h}:${pad(m)}:${pad(s)}` : `${m}:${pad(s)}`;
}

/** "1 hour 2 minutes 7 seconds", for who hears it. */
export function spokenClock(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const parts: [number, string][] = [
    [Math.floor(whole / 3600), "hour"],
    [Math.floor(whole / 60) % 60, "minute"],
    [whole % 60, "second"],
  ];
  const said = parts.filter(([n]) => n > 0).map(([n, unit]) => `${n} ${unit}${n === 1 ? "" : "s"}`);
  return said.join(" ") || "0 seconds";
}
