/** Buying by a comment: what staff see and set, and the link a buyer was given. */

import { call, type Call, type Fetch } from "./http";
import type { ViewerApi } from "./viewer";

export type ClaimState =
  | "waiting"
  | "held"
  | "queued"
  | "unclear"
  | "sold_out"
  | "refused"
  | "withdrawn"
  | "lapsed"
  | "paid";

/** `answer`: how the buyer was told; "host" is not by us. `link` while there is something to pay. */
export interface Claim {
  message_id: string;
  platform: string;
  author: string;
  words: string;
  product_id: string;
  variant_id: string | null;
  quantity: number;
  state: ClaimState;
  detail: string;
  said_at: string;
  expires_at: string | null;
  order_id: string | null;
  opened: boolean;
  restricted: boolean;
  answer: "none" | "private" | "public" | "page" | "host";
  answer_state: string | null;
  answer_reason: string;
  link: string | null;
}

/** `seconds`: to pay in; `most`: units of one claim. */
export interface ClaimRules {
  enabled: boolean;
  seconds: number;
  waitlist: boolean;
  most: number;
}

/** `own_number`: given by staff; otherwise it follows the product's place in the show. */
export interface ClaimName {
  product_id: string;
  title: string;
  number: number;
  word: string | null;
  own_number: boolean;
}

export interface ShowClaims {
  rules: ClaimRules;
  names: ClaimName[];
  claims: Claim[];
  server_time: string;
}

/** Every change answers with all of it as it is now. */
export class ClaimsApi {
  constructor(private readonly fetch: Fetch = (input, init) => globalThis.fetch(input, init)) {}

  ofShow = (showId: string, signal?: AbortSignal) => this.send("GET", showId, "", undefined, signal);
  rules = (showId: string, change: Partial<ClaimRules>) => this.send("PATCH", showId, "/rules", change);
  name = (showId: string, name: { product_id: string; number: number | null; word: string | null }) =>
    this.send("PUT", showId, "/names", name);
  again = (showId: string, messageId: string) => this.send("POST", showId, `/${messageId}/again`);
  qrUrl = (showId: string, messageId: string) => `/api/v1/shows/${showId}/claims/${messageId}/qr.svg`;
  restrict = (showId: string, messageId: string, on: boolean) =>
    this.send("POST", showId, `/${messageId}/restrict`, { on });

  private send(method: NonNullable<Call["method"]>, showId: string, path: string, body?: unknown, signal?: AbortSignal) {
    const headers: Record<string, string> = method === "GET" ? {} : { "X-Requested-With": "simulcast" };
    return call<ShowClaims>(this.fetch, `/api/v1/shows/${showId}/claims${path}`, { method, body, headers, signal });
  }
}

export interface ClaimLink {
  show: string;
  state: ClaimState;
  expires_at: string | null;
  asks_name: boolean;
  opened: boolean;
  server_time: string;
}

/** `hold_id`: it is this browser's now, and in its cart. Otherwise `wrong` is a sentence about the name. */
export interface OpenedClaim {
  hold_id: string | null;
  expires_at: string | null;
  wrong: string | null;
}

/** A viewer's calls; opening twice from the same browser gives the same answer. */
export class ClaimLinkApi {
  constructor(private readonly viewer: Pick<ViewerApi, "ask">) {}

  look = (code: string) => this.viewer.ask<ClaimLink>(`/claims/${encodeURIComponent(code)}`, {});
  open = (code: string, name: string) =>
    this.viewer.ask<OpenedClaim>(`/claims/${encodeURIComponent(code)}/open`, { method: "POST", body: { name } });
}
