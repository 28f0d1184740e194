import type { ViewerOffer } from "@simulcast/api";
import { beforeAll, describe, expect, it } from "vitest";
import { defineOffers, type OfferChosen } from "../src/offers";

const AT = Date.parse("2026-11-24T20:00:00Z");
const BAG = { variant_id: "v1", title: "Bag", quantity: 1, unit_minor: 2940, currency: "EUR", was_minor: 4900, percent: 40, parts: [] };
const OFFER: ViewerOffer = {
  id: "o1",
  kind: "quantity",
  title: "While they last",
  state: "open",
  starts_at: "2026-11-24T19:58:00Z",
  ends_at: "2026-11-24T20:03:00Z",
  ended_at: null,
  units: 20,
  taken: 8,
  left: 12,
  per_buyer: 2,
  members_until: null,
  own_site_only: false,
  segment_id: null,
  stackable: false,
  items: [BAG],
  tiers: [],
  bundle: null,
  record_url: "/api/v1/public/offers/o1/record",
  version: 1,
  yours: 0,
  open_to_you: true,
};

beforeAll(() => defineOffers());

async function drawn<T extends keyof HTMLElementTagNameMap>(
  tag: T,
  props: Partial<HTMLElementTagNameMap[T]>,
): Promise<{ element: HTMLElementTagNameMap[T]; root: ShadowRoot; text: string }> {
  const element = Object.assign(document.createElement(tag), props);
  document.body.append(element);
  await (element as unknown as { updateComplete: Promise<unknown> }).updateComplete;
  const root = element.shadowRoot as ShadowRoot;
  return { element, root, text: (root.textContent ?? "").replace(/\s+/g, " ") };
}

describe("the offer's badge", () => {
  it("shows the true time, the count of the ledger and the price before", async () => {
    const { root, text } = await drawn("offer-badge", { offer: OFFER, variantId: "v1", now: () => AT });
    expect(text).toContain("Ends in 3:00");
    expect(text).toContain("12 left at this price · At most 2 each");
    expect(root.querySelector("s")?.textContent).toContain("49.00");
    expect(root.querySelector("a")?.getAttribute("href")).toBe(OFFER.record_url);
  });

  it("claims nothing where the law lets nothing be claimed", async () => {
    const offer = { ...OFFER, items: [{ ...BAG, was_minor: null, percent: null }] };
    const { root, text } = await drawn("offer-badge", { offer, variantId: "v1", now: () => AT });
    expect(root.querySelector("s")).toBeNull();
    expect(text).not.toContain("%");
  });

  it("is over at its second, without news", async () => {
    const { root, text } = await drawn("offer-badge", { offer: OFFER, variantId: "v1", now: () => AT + 180_000 });
    expect(text).toContain("This offer is over.");
    expect(root.querySelector("[role=timer]")).toBeNull();
  });

  it("tells who is no member to wait", async () => {
    const offer = { ...OFFER, members_until: "2026-11-24T20:01:00Z" };
    expect((await drawn("offer-badge", { offer, now: () => AT })).text).toContain("Members can buy this first");
    expect((await drawn("offer-badge", { offer, now: () => AT, member: true })).text).toContain("Yours first");
  });
});

describe("a bundle", () => {
  const bundle = { unit_minor: 5000, was_minor: 6898, percent: 27, currency: "EUR" };
  const socks = { ...BAG, variant_id: "v2", title: "Socks", quantity: 2 };
  const offer: ViewerOffer = { ...OFFER, kind: "bundle", items: [BAG, socks], bundle };

  it("names its parts and is bought whole", async () => {
    const { element, root, text } = await drawn("bundle-card", { offer, now: () => AT });
    expect(text).toContain("Bag");
    expect(text).toContain("2 × Socks");
    const chosen: OfferChosen[] = [];
    element.addEventListener("buy-offer", (event) => chosen.push((event as CustomEvent<OfferChosen>).detail));
    const button = root.querySelector("button");
    expect(button?.textContent?.trim()).toBe("Buy all 3");
    button?.click();
    expect(chosen).toMatchObject([{ offerId: "o1", variantId: "v1", unitMinor: 5000 }]);
  });

  it("can't be bought when it is gone", async () => {
    const { element, root } = await drawn("bundle-card", { offer: { ...offer, left: 0 }, now: () => AT });
    let bought = false;
    element.addEventListener("buy-offer", () => (bought = true));
    root.querySelector("button")?.click();
    expect(bought).toBe(false);
  });
});

describe("the field for a code", () => {
  it("sends what is typed in capitals, and shows what it came to", async () => {
    const { element, root } = await drawn("coupon-field", {});
    const codes: string[] = [];
    element.addEventListener("coupon", (event) => codes.push((event as CustomEvent<{ code: string }>).detail.code));
    root.querySelector("button")?.click();
    await element.updateComplete;
    const input = root.querySelector("input") as HTMLInputElement;
    input.value = " live10 ";
    root.querySelector("form")?.dispatchEvent(new SubmitEvent("submit", { cancelable: true }));
    expect(codes).toEqual(["LIVE10"]);
    Object.assign(element, { code: "LIVE10", offMinor: 490 });
    await element.updateComplete;
    expect(root.textContent).toContain("4.90");
    root.querySelector("button")?.click();
    expect(codes).toEqual(["LIVE10", ""]);
  });
});
