/** Conversions out: what Google, Meta and TikTok are told, and what a browser is called there. */

import { call, type Call, type Fetch } from "./http";
import type { ViewerApi } from "./viewer";

/** A script that the show's page may load, once its viewer allows `purpose`. */
export interface PublicPixel {
  kind: string;
  id: string;
  script_url: string;
  purpose: "analytics" | "ads";
}

/** As they stand in cookies and addresses, case kept. */
export interface SeenIds {
  ga_client?: string;
  ga_sessions?: Record<string, string>;
  gclid?: string;
  fbp?: string;
  fbc?: string;
  fbclid?: string;
  ttp?: string;
  ttclid?: string;
}

export type ConversionState = "waiting" | "withheld" | "sent" | "refused" | "too_old";

export interface ConversionFigures {
  waiting: number;
  /** These three: of the last 30 days. */
  sent: number;
  withheld: number;
  too_old: number;
  refused: number;
  withheld_why: { reason: string; count: number }[];
  /** Of what was sent: how many came with something to recognise the buyer by. */
  quality: { sent: number; email: number; phone: number; click: number };
}

export interface ConversionAccount {
  connection_id: string;
  connector: string;
  title: string;
  name: string;
  linked: boolean;
  purpose: "analytics" | "ads";
  /** How old an event may be there. */
  keeps_days: number;
  problem: string | null;
  rest_until: string | null;
  last_sent_at: string | null;
  shops: boolean;
  paused: boolean;
  figures: ConversionFigures;
}

export interface ConversionEvent {
  id: string;
  event_name: string;
  state: ConversionState;
  reason: string;
  attempts: number;
  event_at: string;
  sent_at: string | null;
  value_minor: number | null;
  currency: string | null;
  order_id: string | null;
  number: string | null;
  /** It may be sent again: the platform would still take it. */
  again: boolean;
}

export class ConversionsApi {
  constructor(private readonly fetch: Fetch = (input, init) => globalThis.fetch(input, init)) {}

  accounts = (signal?: AbortSignal) => this.send<ConversionAccount[]>("GET", "", undefined, signal);
  /** The newest 100 in one state. */
  events = (connectionId: string, state: ConversionState, signal?: AbortSignal) =>
    this.send<ConversionEvent[]>("GET", `/${connectionId}/events?state=${state}`, undefined, signal);
  change = (connectionId: string, choice: { shops?: boolean; paused?: boolean }) =>
    this.send<ConversionAccount[]>("PATCH", `/${connectionId}`, choice);
  test = (connectionId: string) => this.send<{ ok: boolean; words: string }>("POST", `/${connectionId}/test`);
  again = (id: string) => this.send<null>("POST", `/events/${id}/again`);
  dismiss = (id: string) => this.send<null>("POST", `/events/${id}/seen`);

  private send<T>(method: NonNullable<Call["method"]>, path: string, body?: unknown, signal?: AbortSignal) {
    const headers: Record<string, string> = method === "GET" ? {} : { "X-Requested-With": "simulcast" };
    return call<T>(this.fetch, `/api/v1/conversions${path}`, { method, body, headers, signal });
  }
}

export class AdIdsApi {
  constructor(private readonly viewer: ViewerApi) {}

  /** Kept as far as the viewer agreed; what was kept before is forgotten where they no longer do. */
  tell = (ids: SeenIds) =>
    this.viewer.ask<void>("/ad-ids", { method: "POST", body: { show: this.viewer.slug, ...ids }, keepalive: true });
}
