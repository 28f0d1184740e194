/** Products as the brand edits them: files, shops, listings. Staff only; viewers see `PublicProduct`. */

import { call, type Call, type Fetch } from "./http";
import type { NewProduct, Product, Variant } from "./types";

export type ProductState = "draft" | "active" | "archived";

export interface Medium {
  kind: "image" | "video";
  url: string;
  /** What it shows, in words. */
  alt: string;
}

export interface OtherPrice {
  currency: string;
  price_minor: number;
}

export interface BundlePart {
  variant_id: string;
  quantity: number;
}

export interface CatalogVariant extends Variant {
  cost_minor: number | null;
  options: Record<string, string>;
  archived: boolean;
  prices: OtherPrice[];
  /** What a bundle is made of; its stock is counted from theirs. */
  components: BundlePart[];
}

export interface CatalogProduct extends Product {
  state: ProductState;
  tax_class: string;
  live_only: boolean;
  own_site_only: boolean;
  return_policy: string;
  /** Sent with a change: when it has moved on, the change is refused as "stale". */
  version: number;
  media: Medium[];
  variants: CatalogVariant[];
}

/** With `id` a variant is changed, without it is added and needs SKU, price and currency. */
export interface VariantChange {
  id?: string;
  sku?: string;
  title?: string;
  price_minor?: number;
  currency?: string;
  cost_minor?: number | null;
  options?: Record<string, string>;
  archived?: boolean;
  prices?: OtherPrice[];
  components?: BundlePart[];
  on_hand?: number;
}

export interface ProductChange {
  version: number;
  title?: string;
  description?: string;
  state?: ProductState;
  tax_class?: string;
  live_only?: boolean;
  own_site_only?: boolean;
  return_policy?: string;
  media?: Medium[];
  variants?: VariantChange[];
}

export interface PastPrice extends OtherPrice {
  offer_id: string | null;
  starts_at: string;
  ends_at: string | null;
}

export interface IntakeLine {
  /** 0 for a shop. */
  line: number;
  sku: string;
  outcome: "added" | "changed" | "same" | "problem" | "kept" | "unmatched";
  text: string;
}

/** Products coming in from a file or a shop. `checked`: looked at, and nothing is changed yet. */
export interface Intake {
  id: string;
  kind: "csv" | "sync";
  state: "queued" | "running" | "checked" | "done" | "failed";
  step: "check" | "apply";
  total: number;
  done: number;
  counts: Partial<Record<IntakeLine["outcome"] | "gone", number>>;
  report: IntakeLine[];
  error: string | null;
  created_at: string;
  ended_at: string | null;
}

export interface Listing {
  id: string;
  connection_id: string;
  platform: string;
  account: string;
  variant_id: string;
  product_id: string;
  sku: string;
  title: string;
  their_sku: string;
  their_title: string;
  /** Units never offered there. */
  buffer: number;
  state: "on" | "paused" | "gone" | "source";
  offered: number;
  pushed: number | null;
  pushed_at: string | null;
  push_error: string | null;
  /** Why the platform shows it to nobody, and what to do. */
  hidden: string | null;
}

export interface UnmatchedListing {
  id: string;
  connection_id: string;
  platform: string;
  account: string;
  their_sku: string;
  their_title: string;
  price_minor: number | null;
  currency: string | null;
  hidden: string | null;
  found_at: string;
}

export interface ProductFilter {
  q?: string;
  state?: ProductState | "";
}

const WRITE = { "X-Requested-With": "simulcast" };
const UPLOAD_TIMEOUT_MS = 120_000;

/** One method per route; every method throws `ApiError`. */
export class CatalogApi {
  /** A file with everything, to be opened by a spreadsheet. */
  readonly exportUrl = "/api/v1/products.csv";

  constructor(private readonly fetch: Fetch = (input, init) => globalThis.fetch(input, init)) {}

  products = (filter: ProductFilter, after: string | null, limit: number, signal?: AbortSignal) => {
    const query = new URLSearchParams({ limit: String(limit) });
    if (filter.q) query.set("q", filter.q);
    if (filter.state) query.set("state", filter.state);
    if (after) query.set("after", after);
    return this.read<CatalogProduct[]>(`/products?${query}`, signal);
  };
  product = (id: string, signal?: AbortSignal) => this.read<CatalogProduct>(`/products/${id}`, signal);
  add = (product: NewProduct) => this.write<CatalogProduct>("POST", "/products", product);
  change = (id: string, change: ProductChange) =>
    this.write<CatalogProduct>("PATCH", `/products/${id}`, change);
  archive = (id: string) => this.write<CatalogProduct>("POST", `/products/${id}/archive`);
  restore = (id: string, state: "active" | "draft" = "active") =>
    this.write<CatalogProduct>("POST", `/products/${id}/restore`, { state });
  /** What was shown before, and the lowest price of the last 30 days by currency. */
  prices = (variantId: string, signal?: AbortSignal) =>
    this.read<{ history: PastPrice[]; lowest: Record<string, number> }>(
      `/variants/${variantId}/prices`,
      signal,
    );

  /** Looks at a CSV file; nothing is changed before `takeFile`. */
  offerFile = (file: Blob) =>
    call<Intake>(this.fetch, "/api/v1/product-imports", {
      method: "POST",
      headers: WRITE,
      file,
      timeoutMs: UPLOAD_TIMEOUT_MS,
    });
  intake = (id: string, signal?: AbortSignal) => this.read<Intake>(`/product-imports/${id}`, signal);
  takeFile = (id: string, onlyGood: boolean) =>
    this.write<Intake>("POST", `/product-imports/${id}/take`, { only_good: onlyGood });

  /** Reads a shop's catalogue in the background. */
  sync = (connectionId: string, wish: { add: boolean; overwrite: boolean }) =>
    this.write<Intake>("POST", `/connections/${connectionId}/sync`, wish);
  lastSync = (connectionId: string, signal?: AbortSignal) =>
    this.read<Intake | null>(`/connections/${connectionId}/sync`, signal);

  listings = (after: string | null, signal?: AbortSignal) =>
    this.read<{ listings: Listing[]; unmatched: UnmatchedListing[] }>(
      `/listings?limit=${LISTINGS_AT_ONCE}${after ? `&after=${after}` : ""}`,
      signal,
    );
  changeListing = (id: string, change: { buffer?: number; paused?: boolean }) =>
    this.write<Listing>("PATCH", `/listings/${id}`, change);
  /** It is not this SKU after all. */
  partListing = (id: string) => this.write<void>("DELETE", `/listings/${id}`);
  matchListing = (unmatchedId: string, variantId: string) =>
    this.write<Listing>("POST", `/unmatched-listings/${unmatchedId}/match`, { variant_id: variantId });
  ignoreListing = (unmatchedId: string) =>
    this.write<void>("POST", `/unmatched-listings/${unmatchedId}/ignore`);
  showListing = (unmatchedId: string) =>
    this.write<void>("POST", `/unmatched-listings/${unmatchedId}/restore`);

  private read<R>(path: string, signal?: AbortSignal): Promise<R> {
    return call<R>(this.fetch, `/api/v1${path}`, { signal });
  }

  private write<R>(method: NonNullable<Call["method"]>, path: string, body?: unknown): Promise<R> {
    return call<R>(this.fetch, `/api/v1${path}`, { method, body, headers: WRITE });
  }
}

export const LISTINGS_AT_ONCE = 100;
