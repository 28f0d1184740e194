/** The scripts of Google, Meta and TikTok, each with the little that must be there before it has loaded. */

import type { PublicPixel } from "@simulcast/api";
import type { Choice } from "../consent";
import { consentMode } from "../consent";

/** A sale as the scripts are told it, in the currency's major unit. `eventId` is what the server says, too. */
export interface Sale {
  orderId: string;
  eventId: string;
  value: number;
  currency: string;
  items: { id: string; title: string; quantity: number; price: number }[];
}

export interface Vendor {
  /** Once, when it is allowed; also says what is. `page`: the address without anybody's keys in it. */
  load(allowed: Choice, page: string): void;
  consent(allowed: Choice): void;
  bought(sale: Sale): void;
}

type Queue = unknown[] & Record<string, unknown>;

interface Meta {
  (...what: unknown[]): void;
  callMethod?: (...what: unknown[]) => void;
  queue: unknown[];
  loaded: boolean;
  version: string;
  push?: Meta;
}

/** The globals that the scripts look for. */
export interface Page {
  dataLayer?: unknown[];
  fbq?: Meta;
  _fbq?: Meta;
  ttq?: Queue;
  TiktokAnalyticsObject?: string;
}

export type AddScript = (url: string) => void;

export const addScript: AddScript = (url) => {
  const script = document.createElement("script");
  script.async = true;
  script.src = url;
  document.head.append(script);
};

/** Null for one that this page knows nothing of. */
export function vendorOf(pixel: PublicPixel, page: Page, add: AddScript): Vendor | null {
  if (pixel.kind === "ga4") return new Google(pixel, page, add);
  if (pixel.kind === "meta_capi") return new MetaPixel(pixel, page, add);
  if (pixel.kind === "tiktok_events") return new TikTok(pixel, page, add);
  return null;
}

/** https://developers.google.com/tag-platform/security/guides/consent */
class Google implements Vendor {
  constructor(
    private readonly pixel: PublicPixel,
    private readonly page: Page,
    private readonly add: AddScript,
  ) {}

  load(allowed: Choice, page: string): void {
    this.tag("consent", "default", consentMode({ analytics: false, ads: false }));
    this.consent(allowed);
    this.tag("js", new Date());
    const ads = { allow_google_signals: allowed.ads, allow_ad_personalization_signals: allowed.ads };
    this.tag("config", this.pixel.id, { page_location: page, ...ads });
    this.add(`${this.pixel.script_url}?id=${this.pixel.id}`);
  }

  consent(allowed: Choice): void {
    this.tag("consent", "update", consentMode(allowed));
  }

  bought({ orderId, value, currency, items }: Sale): void {
    this.tag("event", "purchase", {
      transaction_id: orderId,
      value,
      currency,
      items: items.map(({ id, title, quantity, price }) => ({ item_id: id, item_name: title, quantity, price })),
    });
  }

  /** The script wants the arguments object itself. */
  private tag(..._: unknown[]): void {
    const queue = (this.page.dataLayer ??= []);
    // eslint-disable-next-line prefer-rest-params
    queue.push(arguments);
  }
}

/** https://developers.facebook.com/docs/meta-pixel/get-started */
class MetaPixel implements Vendor {
  constructor(
    private readonly pixel: PublicPixel,
    private readonly page: Page,
    private readonly add: AddScript,
  ) {}

  load(allowed: Choice): void {
    const { page } = this;
    if (!page.fbq) {
      const fbq: Meta = Object.assign(
        (...what: unknown[]) => {
          if (fbq.callMethod) fbq.callMethod(...what);
          else fbq.queue.push(what);
        },
        { queue: [], loaded: true, version: "2.0" },
      );
      fbq.push = fbq;
      page.fbq = page._fbq = fbq;
      this.add(this.pixel.script_url);
    }
    this.consent(allowed);
    // Without it the script would look at buttons and forms by itself.
    page.fbq("set", "autoConfig", false, this.pixel.id);
    page.fbq("init", this.pixel.id);
    page.fbq("track", "PageView");
  }

  consent({ ads }: Choice): void {
    this.page.fbq?.("consent", ads ? "grant" : "revoke");
  }

  bought({ orderId, eventId, value, currency, items }: Sale): void {
    const contents = items.map(({ id, quantity, price }) => ({ id, quantity, item_price: price }));
    const about = { value, currency, order_id: orderId, content_type: "product", contents };
    this.page.fbq?.("track", "Purchase", about, { eventID: eventId });
  }
}

const TIKTOK_CALLS = ["page", "track", "identify", "holdConsent", "revokeConsent", "grantConsent"] as const;

/** https://business-api.tiktok.com/portal/docs: the base code, without its loader written into the page. */
class TikTok implements Vendor {
  constructor(
    private readonly pixel: PublicPixel,
    private readonly page: Page,
    private readonly add: AddScript,
  ) {}

  load(allowed: Choice): void {
    const { id, script_url } = this.pixel;
    const ttq = (this.page.ttq ??= this.queue());
    for (const name of ["_i", "_t", "_o"]) ttq[name] = (ttq[name] as object | undefined) ?? {};
    (ttq["_i"] as Record<string, unknown>)[id] = Object.assign([], { _u: script_url });
    (ttq["_t"] as Record<string, unknown>)[id] = Date.now();
    (ttq["_o"] as Record<string, unknown>)[id] = {};
    this.page.TiktokAnalyticsObject = "ttq";
    this.consent(allowed);
    this.call("page");
    this.add(`${script_url}?sdkid=${id}&lib=ttq`);
  }

  consent({ ads }: Choice): void {
    this.call(ads ? "grantConsent" : "revokeConsent");
  }

  bought({ orderId, eventId, value, currency, items }: Sale): void {
    const contents = items.map(({ id, title, quantity, price }) => ({
      content_id: id,
      content_name: title,
      quantity,
      price,
    }));
    const about = { value, currency, order_id: orderId, content_type: "product", contents };
    this.call("track", "Purchase", about, { event_id: eventId });
  }

  private queue(): Queue {
    const queue: Queue = Object.assign([] as unknown[], {}) as Queue;
    for (const name of TIKTOK_CALLS) queue[name] = (...what: unknown[]) => void queue.push([name, ...what]);
    queue["methods"] = [...TIKTOK_CALLS];
    return queue;
  }

  private call(name: (typeof TIKTOK_CALLS)[number], ...what: unknown[]): void {
    const made = this.page.ttq?.[name];
    if (typeof made === "function") made.apply(this.page.ttq, what);
  }
}
