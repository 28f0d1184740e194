/** Tracked links: where they lead, where they are posted, what they brought. */

import { call, type Call, type Fetch } from "./http";

export type Placement = "chat" | "pin" | "bio" | "qr" | "overlay" | "description" | "other";
export type PostHow = "announce" | "message" | "overlay";
export type TagName = "utm_source" | "utm_medium" | "utm_campaign" | "utm_content" | "utm_term" | "utm_id";

/** What is left out is filled by the rule; no `destination`: the show's watch page. */
export interface LinkWish extends Partial<Record<TagName, string | null>> {
  title: string;
  show_id: string | null;
  target_id: string | null;
  product_id: string | null;
  offer_id: string | null;
  host: string | null;
  placement: Placement;
  boosted: boolean;
  destination: string | null;
  cost_minor: number | null;
  currency: string | null;
}

/** `ruled`: the tags as the rule alone would fill them. Nothing is kept, the code neither. */
export interface LinkPreview {
  code: string;
  url: string;
  lands_on: string;
  tags: Record<TagName, string | null>;
  ruled: Record<TagName, string | null>;
  qr_svg: string;
}

/** `delivery`: what became of the last time it was said. `problem`: a sentence, if there is one. */
export interface LinkPost {
  id: string;
  target_id: string;
  target_name: string;
  platform: string;
  how: PostHow;
  every_minutes: number | null;
  message: string;
  state: "waiting" | "done" | "failed" | "stopped";
  next_at: string | null;
  last_at: string | null;
  times: number;
  delivery: "queued" | "sent" | "confirmed" | "failed" | "unknown" | null;
  problem: string | null;
}

export interface PostWish {
  target_id: string;
  how: PostHow | null;
  every_minutes: number | null;
  message: string;
}

/** By last touch, less refunds, in minor units. */
export interface LinkSales {
  currency: string;
  orders: number;
  revenue_minor: number;
}

export interface TrackedLink extends Record<Exclude<TagName, "utm_content" | "utm_term" | "utm_id">, string> {
  id: string;
  code: string;
  url: string;
  lands_on: string;
  title: string;
  show_id: string | null;
  show_title: string | null;
  target_id: string | null;
  target_name: string | null;
  platform: string | null;
  product_id: string | null;
  product_title: string | null;
  offer_id: string | null;
  offer_title: string | null;
  host: string | null;
  placement: Placement;
  destination: string | null;
  utm_content: string | null;
  utm_term: string | null;
  utm_id: string | null;
  cost_minor: number | null;
  currency: string | null;
  created_at: string;
  archived_at: string | null;
  persons: number;
  bots: number;
  previews: number;
  touches: number;
  sales: LinkSales[];
  posts: LinkPost[];
}

export interface ShopHost {
  id: string;
  host: string;
  created_at: string;
}

/** `q` is looked for in all that names a link. */
export interface LinkFilter {
  q?: string;
  show_id?: string;
  placement?: string;
  archived?: "no" | "yes" | "all";
}

export class LinksApi {
  constructor(private readonly fetch: Fetch = (input, init) => globalThis.fetch(input, init)) {}

  /** The newest ones; `before` (an id) asks for older ones. */
  list = (filter: LinkFilter, before: string | null, limit: number, signal?: AbortSignal) => {
    const query = queryOf(filter);
    query.set("limit", String(limit));
    if (before) query.set("before", before);
    return this.send<TrackedLink[]>("GET", `/links?${query}`, undefined, signal);
  };
  exportUrl = (kind: "csv" | "json", filter: LinkFilter) => `/api/v1/links/export.${kind}?${queryOf(filter)}`;
  qrUrl = (id: string, kind: "svg" | "png") => `/api/v1/links/${id}/qr.${kind}`;
  preview = (wish: LinkWish & { code?: string }, signal?: AbortSignal) =>
    this.send<LinkPreview>("POST", "/links/preview", wish, signal);
  /** With the code of its preview, asking twice makes one link. */
  add = (wish: LinkWish & { code?: string }) => this.send<TrackedLink>("POST", "/links", wish);
  change = (id: string, wish: LinkWish) => this.send<TrackedLink>("PUT", `/links/${id}`, wish);
  archive = (id: string) => this.send<TrackedLink>("POST", `/links/${id}/archive`);
  restore = (id: string) => this.send<TrackedLink>("POST", `/links/${id}/restore`);
  post = (id: string, wish: PostWish) => this.send<TrackedLink>("POST", `/links/${id}/posts`, wish);
  unpost = (id: string, postId: string) => this.send<TrackedLink>("DELETE", `/links/${id}/posts/${postId}`);
  /** Each target's own link, in the best way there is. */
  postEverywhere = (showId: string, wish: Pick<PostWish, "every_minutes" | "message">) =>
    this.send<TrackedLink[]>("POST", `/shows/${showId}/link-posts`, wish);
  hosts = (signal?: AbortSignal) => this.send<ShopHost[]>("GET", "/links/hosts", undefined, signal);
  addHost = (host: string) => this.send<ShopHost>("POST", "/links/hosts", { host });
  dropHost = (id: string) => this.send<void>("DELETE", `/links/hosts/${id}`);

  private send<T>(method: NonNullable<Call["method"]>, path: string, body?: unknown, signal?: AbortSignal) {
    const headers: Record<string, string> = method === "GET" ? {} : { "X-Requested-With": "simulcast" };
    return call<T>(this.fetch, `/api/v1${path}`, { method, body, headers, signal });
  }
}

function queryOf(filter: LinkFilter): URLSearchParams {
  return new URLSearchParams(Object.entries(filter).filter((entry): entry is [string, string] => Boolean(entry[1])));
}
