/** Offers: what viewers are told of them, and the studio's half of their API. */

import { call, type Call, type Fetch } from "./http";

export type OfferKind =
  | "flash"
  | "quantity"
  | "tiers"
  | "bundle"
  | "coupon"
  | "early_access"
  | "live_exclusive";

/** Launched and not begun, on sale, all taken (some only held), over. */
export type OfferStanding = "soon" | "open" | "gone" | "ended";

/** `was_minor` and `percent` only where the price history lets them be said. */
export interface OfferItem {
  variant_id: string;
  title: string;
  /** In one set of a bundle. */
  quantity: number;
  unit_minor: number;
  currency: string;
  was_minor: number | null;
  percent: number | null;
  parts: { variant_id: string; title: string; quantity: number; list_minor: number }[];
}

/** `left` null: as many as there are. `prices` by variant. */
export interface OfferTier {
  position: number;
  percent: number | null;
  units: number | null;
  left: number | null;
  prices: Record<string, number>;
}

/** An offer as every viewer may know it. Counts are the ledger's. */
export interface PublicOffer {
  id: string;
  kind: OfferKind;
  title: string;
  state: OfferStanding;
  starts_at: string;
  ends_at: string | null;
  ended_at: string | null;
  units: number | null;
  taken: number;
  left: number | null;
  per_buyer: number | null;
  members_until: string | null;
  /** Whose it is; theirs first, where `members_until` is set. */
  segment_id: string | null;
  own_site_only: boolean;
  stackable: boolean;
  items: OfferItem[];
  tiers: OfferTier[];
  bundle: { unit_minor: number; was_minor: number | null; percent: number | null; currency: string } | null;
  /** Signed; anybody may check it. */
  record_url: string;
  version: number;
}

/** To one viewer: `yours` units are held or bought; not `open_to_you` while it waits for members. */
export interface ViewerOffer extends PublicOffer {
  yours: number;
  open_to_you: boolean;
}

/** What `offer.counted` brings. */
export type OfferCount = Pick<
  PublicOffer,
  "id" | "version" | "state" | "units" | "taken" | "left" | "tiers" | "items"
>;

/** A draft as it is sent. Nobody can send a count. */
export interface OfferWish {
  show_id: string | null;
  kind: OfferKind;
  title: string;
  minutes?: number | null;
  starts_at?: string | null;
  percent_off?: number | null;
  units?: number | null;
  per_buyer?: number | null;
  members_minutes?: number | null;
  own_site_only?: boolean;
  segment_id?: string | null;
  code?: string | null;
  amount_off_minor?: number | null;
  currency?: string | null;
  min_total_minor?: number | null;
  stackable?: boolean;
  items: { variant_id: string; quantity: number; unit_minor: number | null }[];
  tiers: { percent_off: number; units: number | null }[];
}

export interface StaffOffer extends Required<OfferWish> {
  id: string;
  state: "draft" | "live" | "ended";
  ends_at: string | null;
  live_at: string | null;
  members_until: string | null;
  ended_at: string | null;
  ended_why: "time" | "gone" | "staff" | "show" | null;
  taken: number;
  tiers: { position: number; percent_off: number; units: number | null; taken: number }[];
  results: {
    units: number;
    held: number;
    revenue_minor: number;
    currency: string | null;
    holds: number;
    conversion: number | null;
    uses: number;
  };
  record_url: string | null;
}

/** Which price counts for a variant, and why. */
export interface OfferReference {
  variant_id: string;
  title: string;
  list_minor: number;
  lowest_minor: number | null;
  was_minor: number | null;
  currency: string;
  why: string;
}

export interface OfferPreview {
  problems: { field: string; text: string }[];
  references: OfferReference[];
  offer: PublicOffer;
}

/** Of paid orders, without tax; no margin while a cost is missing. */
export interface Earned {
  units: number;
  revenue_minor: number;
  margin_minor: number | null;
}

/** Rates are units per minute of the last five. */
export interface MerchLine {
  variant_id: string;
  sku: string;
  title: string;
  currency: string;
  price_minor: number;
  cost_minor: number | null;
  on_hand: number;
  held: number;
  committed: number;
  available: number;
  version: number;
  sold_per_minute: number;
  held_per_minute: number;
  gone_in_seconds: number | null;
  earned: Earned;
}

export interface Merch {
  lines: MerchLine[];
  offers: Record<string, Earned>;
}

/** Writes carry this header, which another site's form cannot send. */
const WRITE = { "X-Requested-With": "simulcast" };

/** One method per route; every method throws `ApiError`. */
export class OffersApi {
  constructor(private readonly fetch: Fetch = (input, init) => globalThis.fetch(input, init)) {}

  ofShow = (showId: string, signal?: AbortSignal) =>
    this.read<StaffOffer[]>(`/shows/${showId}/offers`, signal);
  merch = (showId: string, signal?: AbortSignal) => this.read<Merch>(`/shows/${showId}/merch`, signal);
  /** What viewers would see of what is being typed; nothing is kept. */
  preview = (wish: OfferWish, signal?: AbortSignal) =>
    this.write<OfferPreview>("POST", "/offers/preview", wish, signal);
  add = (wish: OfferWish) => this.write<StaffOffer>("POST", "/offers", wish);
  /** Drafts only: a live offer is as it was promised. */
  change = (id: string, wish: OfferWish) => this.write<StaffOffer>("PATCH", `/offers/${id}`, wish);
  remove = (id: string) => this.write<void>("DELETE", `/offers/${id}`);
  goLive = (id: string) => this.write<StaffOffer>("POST", `/offers/${id}/live`);
  end = (id: string) => this.write<StaffOffer>("POST", `/offers/${id}/end`);

  private read<R>(path: string, signal?: AbortSignal): Promise<R> {
    return call<R>(this.fetch, `/api/v1${path}`, { signal });
  }

  private write<R>(
    method: NonNullable<Call["method"]>,
    path: string,
    body?: unknown,
    signal?: AbortSignal,
  ): Promise<R> {
    return call<R>(this.fetch, `/api/v1${path}`, { method, body, headers: WRITE, signal });
  }
}
