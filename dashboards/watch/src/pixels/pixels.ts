/** A brand's pixels on the page: loaded only where the viewer agreed, and told of what they bought. */

import type { AdIdsApi, PaymentStep, PublicPixel, PublicShow } from "@simulcast/api";
import type { Choice } from "../consent";
import { idsIn } from "./ids";
import type { Sale, Vendor } from "./vendors";

/** The scripts write their cookies some time after they have loaded. */
const LOOK_AFTER_MS = [2_000, 8_000];

export interface PixelsOptions {
  api: Pick<AdIdsApi, "tell">;
  /** With Global Privacy Control in it: no ads under it. */
  allowed: () => Choice;
  vendorOf: (pixel: PublicPixel) => Vendor | null;
  cookies: () => string;
  address: () => string;
  later?: (what: () => void, ms: number) => void;
}

/** What of a purchase is told; `Checkout` is one. */
export interface Bought {
  step: { name: string };
  placed: string | null;
  quote: Pick<PaymentStep, "sums" | "lines"> | null;
}

interface Loaded {
  pixel: PublicPixel;
  vendor: Vendor;
}

export class Pixels {
  private readonly loaded: Loaded[] = [];
  private readonly told = new Set<string>();
  private before: Choice = { analytics: false, ads: false };
  private sent = "";

  constructor(private readonly options: PixelsOptions) {}

  /** After anything on the page has changed: loads what has come to be allowed, and tells what was bought. */
  look(show: PublicShow | null, bought: Bought | null): void {
    const found = show?.pixels ?? [];
    if (!found.length || keysIn(this.options.address())) return;
    this.obey(found);
    if (show && bought?.step.name === "paid") this.bought(show, bought);
  }

  private obey(found: readonly PublicPixel[]): void {
    const allowed = this.options.allowed();
    const same = allowed.analytics === this.before.analytics && allowed.ads === this.before.ads;
    const before = this.before;
    this.before = allowed;
    for (const pixel of found) {
      const known = this.loaded.find((one) => one.pixel.kind === pixel.kind && one.pixel.id === pixel.id);
      if (known) {
        if (!same) known.vendor.consent(allowed);
      } else if (allowed[pixel.purpose]) this.load(pixel, allowed);
    }
    if (same) return;
    // What was allowed until now is forgotten there, too.
    if ((before.analytics && !allowed.analytics) || (before.ads && !allowed.ads)) this.tell();
    for (const ms of LOOK_AFTER_MS) this.later(() => this.tell(), ms);
  }

  private load(pixel: PublicPixel, allowed: Choice): void {
    const vendor = this.options.vendorOf(pixel);
    if (!vendor) return;
    this.loaded.push({ pixel, vendor });
    vendor.load(allowed, this.options.address());
  }

  private bought(show: PublicShow, { placed, quote }: Bought): void {
    const allowed = this.options.allowed();
    if (!placed || !quote || this.told.has(placed) || !(allowed.analytics || allowed.ads)) return;
    this.told.add(placed);
    this.tell();
    const sale = saleOf(show, placed, quote);
    for (const { pixel, vendor } of this.loaded) if (allowed[pixel.purpose]) vendor.bought(sale);
  }

  /** What this browser is called, when that is news; what may be kept of it the hub decides. */
  private tell(): void {
    const allowed = this.options.allowed();
    const nothing = !allowed.analytics && !allowed.ads;
    const ids = nothing ? {} : idsIn(this.options.cookies(), this.options.address());
    const state = JSON.stringify([ids, allowed]);
    if (state === this.sent) return;
    this.sent = state;
    void this.options.api.tell(ids).catch(() => (this.sent = "")); // the next look tries again
  }

  private later(what: () => void, ms: number): void {
    (this.options.later ?? ((then, wait) => void setTimeout(then, wait)))(what, ms);
  }
}

/** The scripts tell their makers the whole address: with a key in it none is loaded. */
export function keysIn(address: string): boolean {
  const query = new URL(address).searchParams;
  return ["access", "claim", "sh_v"].some((name) => query.has(name));
}

export function saleOf(show: PublicShow, orderId: string, { sums, lines }: NonNullable<Bought["quote"]>): Sale {
  const skus = new Map(show.products.flatMap(({ variants }) => variants.map(({ id, sku }) => [id, sku] as const)));
  const whole = (minor: number) => minor / 10 ** digitsOf(sums.currency);
  return {
    orderId,
    eventId: `${orderId}:purchase`,
    value: whole(sums.total_minor),
    currency: sums.currency,
    items: lines.map(({ variant_id, title, quantity, amount_minor }) => ({
      id: skus.get(variant_id) ?? variant_id,
      title,
      quantity,
      price: whole(Math.round(amount_minor / quantity)),
    })),
  };
}

function digitsOf(currency: string): number {
  return new Intl.NumberFormat("en", { style: "currency", currency }).resolvedOptions().maximumFractionDigits ?? 2;
}
