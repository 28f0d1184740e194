/** Regions: which are worse off, and the probes that look at them by the clock. Staff only. */

import { call, type Call, type Fetch } from "./http";
import type { RegionAlarm, RegionPoint } from "./quality";

/** A region to probe: `hours` of its own day, `base_url` in place of the players' origin. */
export interface ProbePlace {
  id: string;
  name: string;
  zone: string;
  hours: number[];
  base_url: string | null;
}

export type ProbePlaceWish = Omit<ProbePlace, "id">;

/** One run. `local_hour` is of the region's day; `source`: the hub, or a machine that stands there. */
export interface ProbeRun {
  id: string;
  place_id: string;
  show_id: string | null;
  show_title: string | null;
  source: "hub" | "there";
  how: "client" | "browser";
  at: string;
  local_hour: number;
  startup_ms: number | null;
  watched_ms: number;
  stalls: number;
  stalled_ms: number;
  rebuffer_ratio: number | null;
  latency_ms: number | null;
  height: number | null;
  error: string | null;
}

export class ProbesApi {
  constructor(private readonly fetch: Fetch = (input, init) => globalThis.fetch(input, init)) {}

  places = (signal?: AbortSignal) => this.send<ProbePlace[]>("GET", "/probes/places", undefined, signal);
  addPlace = (wish: ProbePlaceWish) => this.send<ProbePlace>("POST", "/probes/places", wish);
  removePlace = (id: string) => this.send<void>("DELETE", `/probes/places/${id}`);
  probeNow = (id: string) => this.send<void>("POST", `/probes/places/${id}/runs`);
  runs = (days: number, signal?: AbortSignal) =>
    this.send<ProbeRun[]>("GET", `/probes/runs?days=${days}`, undefined, signal);
  /** Shown once; the token before is no longer good. */
  makeToken = () => this.send<{ token: string }>("POST", "/probes/token");

  /** Regions of live shows that are worse off now. */
  alarms = (signal?: AbortSignal) => this.send<RegionAlarm[]>("GET", "/quality/alarms", undefined, signal);
  /** Of one show, those that are over, too. */
  showAlarms = (showId: string, signal?: AbortSignal) =>
    this.send<RegionAlarm[]>("GET", `/shows/${showId}/quality/alarms`, undefined, signal);
  regionHistory = (showId: string, signal?: AbortSignal) =>
    this.send<RegionPoint[]>("GET", `/shows/${showId}/quality/regions/history`, undefined, signal);

  private send<T>(method: NonNullable<Call["method"]>, path: string, body?: unknown, signal?: AbortSignal) {
    const headers: Record<string, string> = method === "GET" ? {} : { "X-Requested-With": "simulcast" };
    return call<T>(this.fetch, `/api/v1${path}`, { method, headers, body, signal });
  }
}
