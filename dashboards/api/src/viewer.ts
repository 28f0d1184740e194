/** The viewers' half of the HTTP API: a short-lived viewer token, renewed without the viewer noticing. */

import { ApiError, call, type Call, download, type Fetch } from "./http";
import type { Hold, Message, PublicShow } from "./types";

const OVER = /^token_/;

/** One show, seen by one viewer. Call `load` first; every method throws `ApiError`. */
export class ViewerApi {
  private token = "";
  /** As the first document named this viewer: where no cookie is kept, the next one is told it. */
  private viewer = "";

  constructor(
    readonly slug: string,
    private readonly fetch: Fetch = (input, init) => globalThis.fetch(input, init),
    /** The hub's origin; empty for a page that the hub serves itself. */
    private readonly origin = "",
    /** The token of a private link. */
    private readonly access = "",
  ) {}

  get viewerToken(): string {
    return this.token;
  }

  /**
   * The whole page in one answer. The token that came first stays until the hub refuses it: where
   * cookies are blocked every answer brings another viewer, who would not own this one's reservation.
   */
  async load(signal?: AbortSignal): Promise<PublicShow> {
    const query = new URLSearchParams();
    if (this.access) query.set("access", this.access);
    if (/^[0-9a-f]{32}$/.test(this.viewer)) query.set("viewer", this.viewer);
    const asked = query.toString();
    const path = `/shows/${encodeURIComponent(this.slug)}${asked && `?${asked}`}`;
    const show = await this.send<PublicShow>(path, { signal });
    this.token ||= show.viewer_token;
    this.viewer ||= show.viewer_id;
    return show;
  }

  /** A new viewer token, when the hub or the gateway took the old one no longer. */
  async renew(): Promise<void> {
    this.token = "";
    await this.load();
  }

  /** Tells where the viewer came from: the full address, with its utm parameters, and the page before it. */
  touch = (landing: string, referrer = "") =>
    this.ask<void>("/touches", { method: "POST", body: { show: this.slug, landing, referrer } });

  say = (text: string, name = "Guest") =>
    this.ask<Message>("/messages", { method: "POST", body: { show: this.slug, text, name } });

  /** What was said after a number, oldest first. */
  messages = (afterSeq: number, limit = 500) =>
    this.ask<Message[]>(`/messages?after_seq=${afterSeq}&limit=${limit}`, {});

  /** The same `key` gives the same answer, so a request that broke off can be repeated safely. */
  hold = (variantId: string, key: string, quantity = 1, offerId?: string) =>
    this.ask<Hold>("/holds", {
      method: "POST",
      body: {
        show: this.slug,
        variant_id: variantId,
        quantity,
        key,
        ...(offerId ? { offer_id: offerId } : {}),
      },
    });

  release = (holdId: string) =>
    this.ask<void>(`/holds/${holdId}`, { method: "DELETE", keepalive: true });

  /** The token of whoever signed in or out, in place of the page's own. */
  take(token: string): void {
    this.token = token;
  }

  /** Any other call of a viewer: with the token, renewed once when the hub takes it no longer. */
  async ask<R>(path: string, options: Call): Promise<R> {
    const send = () =>
      this.send<R>(path, { ...options, headers: { Authorization: `Bearer ${this.token}` } });
    try {
      return await send();
    } catch (error) {
      // A wrong code or passkey is a 401, too: only a token that is over can be renewed.
      if (!(error instanceof ApiError) || !OVER.test(error.code)) throw error;
      await this.renew();
      return send();
    }
  }

  /** A file of this viewer's; the token was used a moment ago, so it is not renewed. */
  file = (path: string): Promise<Blob> =>
    download(this.fetch, `${this.origin}/api/v1/public${path}`, { Authorization: `Bearer ${this.token}` });

  private send<R>(path: string, options: Call): Promise<R> {
    return call<R>(this.fetch, `${this.origin}/api/v1/public${path}`, options);
  }
}
