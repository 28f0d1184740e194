/** The review queue, and the rules behind it. */

import { call, type Call, type Fetch } from "./http";

/** Below zero it speaks for the buyer. */
export interface RiskReason {
  rule: string;
  sentence: string;
  points: number;
}

/** `acts_at`: until then the decision may be taken back. `due_at`: then the rule decides. */
export interface Review {
  order_id: string;
  number: string;
  show_id: string | null;
  state: "open" | "approving" | "refusing" | "approved" | "refused" | "closed";
  order_state: string;
  buyer_name: string | null;
  country: string | null;
  total_minor: number;
  currency: string;
  lines: { title: string; quantity: number }[];
  placed_at: string;
  score: number;
  reasons: RiskReason[];
  due_at: string;
  acts_at: string | null;
  author: string | null;
  decided_at: string | null;
}

export interface ReviewQueue {
  server_time: string;
  waiting: Review[];
  decided: Review[];
  unreviewed: "refuse" | "approve";
  review_minutes: number;
}

export interface RiskRule {
  id: string;
  title: string;
  unit: "money" | "times" | "seconds" | "count" | "none";
  on: boolean;
  points: number;
  limit: number;
  usual_points: number;
  usual_limit: number;
}

export interface RiskPace {
  id: string;
  title: string;
  most: number;
  seconds: number;
  usual_most: number;
  usual_seconds: number;
}

export interface RiskSettings {
  currency: string;
  review_from: number;
  review_minutes: number;
  unreviewed: "refuse" | "approve";
  rules: RiskRule[];
  paces: RiskPace[];
}

export interface RiskChange {
  review_from?: number;
  review_minutes?: number;
  unreviewed?: "refuse" | "approve";
  rules?: Record<string, Partial<Pick<RiskRule, "on" | "points" | "limit">>>;
  paces?: Record<string, Partial<Pick<RiskPace, "most" | "seconds">>>;
}

export class RiskApi {
  constructor(private readonly fetch: Fetch = (input, init) => globalThis.fetch(input, init)) {}

  queue = (signal?: AbortSignal) => this.send<ReviewQueue>("GET", "/reviews", undefined, signal);
  count = (signal?: AbortSignal) => this.send<{ waiting: number }>("GET", "/reviews/count", undefined, signal);
  decide = (id: string, verb: "approve" | "refuse" | "undo") => this.send<Review>("POST", `/reviews/${id}/${verb}`);
  settings = (signal?: AbortSignal) => this.send<RiskSettings>("GET", "/risk/settings", undefined, signal);
  change = (change: RiskChange) => this.send<RiskSettings>("PATCH", "/risk/settings", change);

  private send<T>(method: NonNullable<Call["method"]>, path: string, body?: unknown, signal?: AbortSignal) {
    const headers: Record<string, string> = method === "GET" ? {} : { "X-Requested-With": "simulcast" };
    return call<T>(this.fetch, `/api/v1${path}`, { method, body, headers, signal });
  }
}
