/** Amounts of data as people read them. Pure. */

/** "850 kbit/s", "4.5 Mbit/s". */
export function bitrate(kbps: number): string {
  return kbps < 1_000 ? `${Math.round(kbps)} kbit/s` : `${(kbps / 1_000).toFixed(1)} Mbit/s`;
}

/** "12 MB", "1.4 GB". */
export function size(bytes: number): string {
  return bytes < 1e9 ? `${Math.round(bytes / 1e6)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}

/** "1.5 cores". */
export function cores(count: number): string {
  return `${Number(count.toFixed(1))} ${count === 1 ? "core" : "cores"}`;
}

/** Never "100 %" for less than all of it. */
export function share(part: number, whole: number): string {
  if (whole <= 0) return "–";
  return `${Math.floor(Math.min(1, part / whole) * 1_000) / 10} %`;
}

/** "40 s", "2 min". */
export function duration(seconds: number): string {
  return seconds < 60 ? `${Math.round(seconds)} s` : `${Math.floor(seconds / 60)} min`;
}
