/** Who is given something for having joined, and what it costs and brings. */

import { call, type Call, type Fetch } from "./http";

export type SegmentRule = "members" | "migrated" | "buyers" | "cohort";

/** `people` as of `counted_at`. */
export interface Segment {
  id: string;
  name: string;
  rule: SegmentRule;
  orders: number | null;
  cohort_id: string | null;
  people: number;
  counted_at: string | null;
}

/** `orders` with the rule buyers, `cohort_id` with the rule cohort. */
export interface SegmentWish {
  name: string;
  rule: SegmentRule;
  orders?: number;
  cohort_id?: string;
}

/** `again`: of its buyers, those who bought again within 30 days. No margin while a cost is missing. */
export interface Given {
  offer_id: string;
  title: string;
  kind: string;
  segment: string;
  currency: string | null;
  units: number;
  orders: number;
  buyers: number;
  given_minor: number;
  net_minor: number;
  margin_minor: number | null;
  again: number;
  joined: number;
}

/** Those who are (`yes`), or all other buyers. `small`: so few that a figure is a hint. */
export interface BuyerGroup {
  what: "members" | "migrated";
  yes: boolean;
  currency: string;
  buyers: number;
  orders: number;
  repeat_rate: number | null;
  net_per_buyer_minor: number | null;
  margin_per_buyer_minor: number | null;
  small: boolean;
}

export interface BenefitReport {
  given: Given[];
  groups: BuyerGroup[];
}

export class BenefitsApi {
  constructor(private readonly fetch: Fetch = (input, init) => globalThis.fetch(input, init)) {}

  segments = (signal?: AbortSignal) => this.send<Segment[]>("GET", "/segments", undefined, signal);
  add = (wish: SegmentWish) => this.send<Segment>("POST", "/segments", wish);
  count = (id: string) => this.send<Segment>("POST", `/segments/${id}/count`);
  remove = (id: string) => this.send<void>("DELETE", `/segments/${id}`);
  report = (signal?: AbortSignal) => this.send<BenefitReport>("GET", "/benefits", undefined, signal);

  private send<T>(method: NonNullable<Call["method"]>, path: string, body?: unknown, signal?: AbortSignal) {
    const headers: Record<string, string> = method === "GET" ? {} : { "X-Requested-With": "simulcast" };
    return call<T>(this.fetch, `/api/v1${path}`, { method, body, headers, signal });
  }
}
