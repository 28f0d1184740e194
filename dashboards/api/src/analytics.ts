/** Figures of shows, channels, people, offers and cohorts, and the words that say what each means. */

import { call, type Call, type Fetch } from "./http";

export type Unit = "money" | "count" | "share" | "seconds" | "ratio";
export type CreditBy = "source" | "channel_group" | "campaign" | "target" | "link";
export type CreditModel =
  | "first"
  | "last"
  | "last_non_direct"
  | "linear"
  | "time_decay"
  | "position"
  | "markov"
  | "shapley";
export type CreditWindow = "session" | "24h" | "7d" | "30d";
export type FileKind = "csv" | "json" | "parquet";

export interface Figure {
  key: string;
  title: string;
  unit: Unit;
  words: string;
  /** What it divides by; empty for sums and counts. */
  base: string;
  source: string;
}

export interface FigureSection {
  key: string;
  title: string;
  figures: Figure[];
}

/** `until` is not in it. */
export interface FigureScope {
  show_id?: string;
  since?: string;
  until?: string;
  channel?: string;
  offer_kind?: string;
}

export interface CreditQuestion extends FigureScope {
  by: CreditBy;
  model: CreditModel;
  window: CreditWindow;
}

/** Amounts in minor units of `currency`. */
export interface MoneyRow {
  currency: string;
  orders: number;
  buyers: number;
  units: number;
  gross_minor: number;
  discounts_minor: number;
  added_minor: number;
  charged_minor: number;
  cancelled_minor: number;
  refunded_minor: number;
  kept_minor: number;
  tax_minor: number;
  shipping_minor: number;
  net_minor: number;
  cost_minor: number;
  margin_minor: number;
  lines: number;
  lines_without_cost: number;
  aov_minor: number | null;
  units_per_order: number | null;
  return_rate: number | null;
  revenue_per_viewer_minor: number | null;
  gpm_minor: number | null;
}

export interface ChannelMoney extends MoneyRow {
  channel: string;
  place: "own" | "shop" | "platform";
}

export interface ShowMoney extends MoneyRow {
  show_id: string | null;
  title: string | null;
}

export interface Audience {
  source: "events" | "visits" | "both" | "none";
  viewers: number;
  views: number;
  product_clicks: number | null;
  buyers: number;
  own_buyers: number;
  own_orders: number;
  conversion: number | null;
  ctor: number | null;
  repeat_rate: number | null;
  repeat_30: number | null;
  repeat_90: number | null;
  old_30: number;
  old_90: number;
}

export interface HoldFigures {
  holds: number;
  holds_converted: number;
  holds_expired: number;
  holds_released: number;
  pay_seconds: number | null;
  sold_out_hits: number | null;
  sold_out_orders: number;
  waitlist_unserved: number;
  lost_demand: number;
}

export interface Value {
  audience: Audience;
  holds: HoldFigures;
  totals: MoneyRow[];
  channels: ChannelMoney[];
  shows: ShowMoney[];
}

/** `currency` null: nobody who came this way bought. */
export interface CreditedRow {
  key: string;
  title: string;
  currency: string | null;
  credited_orders: string;
  credited_minor: number;
  influenced_minor: number;
  influenced_orders: number;
  visitors: number;
  link_cost_minor: number;
  return_on_cost: number | null;
  social_first: number;
  migrated: number;
  migration_rate: number | null;
}

export interface Credited {
  by: CreditBy;
  model: CreditModel;
  /** The model that was really used; `notes` say why, where it is another. */
  used: CreditModel;
  window: CreditWindow;
  version: string;
  rows: CreditedRow[];
  totals: { currency: string; credited_orders: string; credited_minor: number; link_cost_minor: number }[];
  notes: string[];
}

export interface Ladder {
  windows: CreditWindow[];
  rows: {
    key: string;
    title: string;
    currency: string | null;
    credited_minor: Partial<Record<CreditWindow, number>>;
    influenced_minor: Partial<Record<CreditWindow, number>>;
  }[];
}

export interface Worth {
  first_channel: string;
  currency: string;
  people: number;
  people_30: number;
  people_90: number;
  people_180: number;
  ltv_30_minor: number | null;
  ltv_90_minor: number | null;
  ltv_180_minor: number | null;
  small: boolean;
}

export interface MigrationRow {
  /** Null: all of them. */
  channel: string | null;
  social_first: number;
  identified_later: number;
  bought_own_later: number;
  migrated: number;
  migration_rate: number | null;
  small: boolean;
}

export interface OfferKindRow {
  kind: string;
  offers: number;
  offer_buyers: number;
  viewers: number;
  offer_conversion: number | null;
  offer_retention: number | null;
  present: number;
  repeat_30: number | null;
  old_30: number;
  repeat_90: number | null;
  old_90: number;
  small: boolean;
}

export type CohortLeaf =
  | { kind: "chatted"; questions: boolean; first_minutes: number | null; platform: string | null }
  | { kind: "came_from"; by: CreditBy; value: string }
  | { kind: "watched"; minutes: number }
  | { kind: "viewed"; product_id: string }
  | { kind: "held_not_bought" }
  | { kind: "bought"; channel: string | null; offer_kind: string | null }
  | { kind: "bought_again"; days: number }
  | { kind: "member" };
export type CohortNode =
  | CohortLeaf
  | { kind: "all"; of: CohortNode[] }
  | { kind: "any"; of: CohortNode[] }
  | { kind: "not"; of: CohortNode };
export interface CohortDefinition {
  v: 1;
  where: CohortNode;
}

export interface Cohort {
  id: string;
  name: string;
  definition: CohortDefinition;
  show_id: string | null;
  author: string | null;
  created_at: string;
  updated_at: string;
}

/** Null: too few to say. `sure`: more than chance. */
export interface TimesAs {
  times: number | null;
  low: number | null;
  high: number | null;
  sure: boolean;
}

export interface CohortSide {
  people: number;
  buyers: number;
  conversion: number | null;
  net_minor: Record<string, number>;
  revenue_per_person_minor: Record<string, number | null>;
}

export interface CohortResult {
  cohort: CohortSide;
  others: CohortSide;
  conversion: TimesAs;
  revenue: Record<string, TimesAs>;
  small: boolean;
  note: string;
  notes: string[];
}

const WRITE = { "X-Requested-With": "simulcast" };
/** Adding up a big brand takes longer than other calls may. */
const PATIENCE_MS = 60_000;

/** One method per route; every method throws `ApiError`. */
export class AnalyticsApi {
  constructor(private readonly fetch: Fetch = (input, init) => globalThis.fetch(input, init)) {}

  definitions = (signal?: AbortSignal) => this.ask<FigureSection[]>("/definitions", { signal });
  value = (scope: FigureScope, signal?: AbortSignal) =>
    this.ask<Value>(`/value?${asked(scope)}`, { signal });
  channels = (question: CreditQuestion, signal?: AbortSignal) =>
    this.ask<Credited>(`/channels?${asked(question)}`, { signal });
  /** The same question under every window. */
  windows = (question: CreditQuestion, signal?: AbortSignal) =>
    this.ask<Ladder>(`/channels/windows?${asked(question)}`, { signal });
  lifetime = (signal?: AbortSignal) =>
    this.ask<{ worth: Worth[]; migration: MigrationRow[] }>("/lifetime", { signal });
  offers = (scope: FigureScope, signal?: AbortSignal) =>
    this.ask<OfferKindRow[]>(`/offers?${asked(scope)}`, { signal });
  cohorts = (signal?: AbortSignal) => this.ask<Cohort[]>("/cohorts", { signal });
  tryCohort = (definition: CohortDefinition, scope: FigureScope, signal?: AbortSignal) =>
    this.ask<CohortResult>("/cohorts/preview", { method: "POST", body: { definition, ...scope }, signal });
  saveCohort = (cohort: Pick<Cohort, "name" | "definition" | "show_id">) =>
    this.ask<Cohort>("/cohorts", { method: "POST", body: cohort });
  changeCohort = (id: string, cohort: Pick<Cohort, "name" | "definition" | "show_id">) =>
    this.ask<Cohort>(`/cohorts/${id}`, { method: "PUT", body: cohort });
  removeCohort = (id: string) => this.ask<undefined>(`/cohorts/${id}`, { method: "DELETE" });
  /** A table as a file: value, channels, lifetime, migration, offers, or cohorts/ID. */
  fileUrl = (table: string, kind: FileKind, scope: FigureScope | CreditQuestion = {}) =>
    `/api/v1/analytics/${table}/export.${kind}?${asked(scope)}`;

  private ask<R>(path: string, options: Call): Promise<R> {
    return call<R>(this.fetch, `/api/v1/analytics${path}`, {
      timeoutMs: PATIENCE_MS,
      ...options,
      headers: options.method ? WRITE : {},
    });
  }
}

function asked(scope: FigureScope | CreditQuestion): string {
  const given = Object.entries(scope).filter(([, value]) => value);
  return new URLSearchParams(given as [string, string][]).toString();
}
