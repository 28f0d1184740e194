/** How viewers see a show, as their players report it. Times in ms, ratios from 0 to 1. */

export type Grade = "good" | "attention" | "bad";
export type PlaybackTransport = "hls" | "whep" | "native";
export type PointEvery = "10s" | "1m";

/** A middle, and what all but 5 % are within; `grade` judges the latter against `bar`. */
export interface Spread {
  median: number | null;
  p95: number | null;
  measured: number;
  bar: number;
  grade: Grade | null;
}

/** One player. `average_height` is weighted by the time watched at each. */
export interface PlaybackSession {
  session: string;
  device: "phone" | "tablet" | "computer" | "tv" | "other";
  transport: PlaybackTransport;
  seen_at: string;
  now: boolean;
  ended: boolean;
  at_ms: number;
  startup_ms: number | null;
  watched_ms: number;
  stalls: number;
  stalled_ms: number;
  rebuffer_ratio: number | null;
  latency_ms: number | null;
  height: number | null;
  average_height: number | null;
  dropped_ratio: number | null;
  switches: number;
  fallbacks: number;
  error_codes: string[];
  error_detail: string | null;
}

export interface PlaybackErrors {
  code: string;
  count: number;
  sessions: number;
  detail: string | null;
}

/** Probes are listed apart and counted in nothing else. */
export interface Quality {
  at: string;
  sessions: number;
  without_picture: number;
  viewers: { all: number } & Record<PlaybackTransport, number>;
  startup: Spread;
  latency: Spread;
  rebuffer: { value: number | null; bar: number; grade: Grade | null };
  stalls_per_hour: number | null;
  watched_hours: number;
  rungs: { height: number; viewers: number }[];
  average_height: number | null;
  dropped_ratio: number | null;
  switches: number;
  fallbacks: number;
  errors: PlaybackErrors[];
  probes: PlaybackSession[];
  /** Those with most viewers first. */
  regions: QualityRegion[];
}

export type RegionAlarmKind = "startup" | "stalls";

/** Viewers of one region, mostly a country (ISO 3166); null: nobody knows. `by`: who says so. */
export interface QualityRegion {
  region: string | null;
  by: "proxy" | "zone" | "both" | null;
  sessions: number;
  without_picture: number;
  viewers: number;
  startup: Spread;
  latency: Spread;
  rebuffer: { value: number | null; bar: number; grade: Grade | null };
  stalls: number;
  watched_hours: number;
  /** In what it is more than twice as bad as the regions' median now. */
  alarms: RegionAlarmKind[];
}

/** A region that is, or was, much worse off. `value` and `median`: ms, or a share from 0 to 1 for `stalls`. */
export interface RegionAlarm {
  id: string;
  show_id: string;
  show_title: string;
  region: string;
  kind: RegionAlarmKind;
  value: number;
  median: number;
  viewers: number;
  began_at: string;
  ended_at: string | null;
}

/** The minute that begins at `at`. */
export interface RegionPoint {
  region: string;
  at: string;
  viewers: number;
  startup_ms: number | null;
  latency_ms: number | null;
  rebuffer_ratio: number | null;
  stalls: number;
}

/** The ten seconds, or the minute, that end at `at`. */
export interface QualityPoint {
  at: string;
  viewers: number;
  latency_ms: number | null;
  height: number | null;
  rebuffer_ratio: number | null;
  stalls: number;
}
