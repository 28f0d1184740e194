import type { Merch, MerchLine, ShowProduct, StaffOffer } from "@simulcast/api";
import { describe, expect, it } from "vitest";
import { byUrgency, marginWords, rateWords, stockWords, withNews } from "../src/show/merch/merch-words";
import { formOf, started, TEMPLATES, typos, wishOf } from "../src/show/offers/offer-draft";
import { counterWords, resultWords, stateWords } from "../src/show/offers/offer-words";

const PRODUCT = {
  id: "p1",
  title: "Bag",
  highlighted: true,
  variants: [
    { id: "v1", sku: "BAG", title: "", price_minor: 4900, currency: "EUR", stock: { on_hand: 9, held: 1, committed: 2, version: 7 } },
  ],
} as unknown as ShowProduct;

const LINE: MerchLine = {
  variant_id: "v1",
  sku: "BAG",
  title: "Bag",
  currency: "EUR",
  price_minor: 4900,
  cost_minor: 2000,
  on_hand: 10,
  held: 0,
  committed: 0,
  available: 10,
  version: 1,
  sold_per_minute: 0,
  held_per_minute: 0,
  gone_in_seconds: null,
  earned: { units: 0, revenue_minor: 0, margin_minor: 0 },
};

const line = (part: Partial<MerchLine>): MerchLine => ({ ...LINE, ...part });

describe("the offer editor", () => {
  it("has a template for each kind that becomes a draft without a typo", () => {
    for (const { kind } of TEMPLATES) {
      const form = started(kind, [PRODUCT]);
      expect(typos(form, "EUR"), kind).toEqual({});
      const wish = wishOf(form, "s1", "EUR");
      expect(wish.kind).toBe(kind);
      expect(wish.items.length).toBe(kind === "coupon" ? 0 : 1);
    }
    const tiers = wishOf(started("tiers", [PRODUCT]), "s1", "EUR").tiers;
    expect(tiers).toEqual([
      { percent_off: 40, units: 20 },
      { percent_off: 30, units: 50 },
      { percent_off: 20, units: null },
    ]);
  });

  it("gives back what was typed", () => {
    const form = { ...started("flash", [PRODUCT]), items: [{ variantId: "v1", quantity: "1", price: "29.40" }] };
    const saved = { ...wishOf(form, "s1", "EUR"), id: "o1", tiers: [] } as unknown as StaffOffer;
    expect(formOf(saved, "EUR")).toEqual(form);
  });

  it("says in words what can't be read", () => {
    const form = { ...started("flash", [PRODUCT]), title: " ", minutes: "0", percent: "100", units: "x" };
    expect(Object.keys(typos(form, "EUR")).sort()).toEqual(["minutes", "percent_off", "title", "units"]);
    const priced = { ...started("flash", []), items: [{ variantId: "v1", quantity: "1", price: "1.234" }] };
    expect(typos(priced, "EUR")["items"]).toContain("24.90");
  });
});

describe("an offer in the studio", () => {
  const offer = {
    state: "live",
    kind: "quantity",
    starts_at: "2026-11-24T20:00:00Z",
    ends_at: "2026-11-24T20:05:00Z",
    ended_why: null,
    units: 20,
    taken: 8,
    tiers: [],
    results: { units: 6, held: 2, revenue_minor: 17640, currency: "EUR", holds: 10, conversion: 0.75, uses: 0 },
  } as unknown as StaffOffer;
  const at = Date.parse("2026-11-24T20:01:00Z");

  it("stands where the clock and the count say", () => {
    expect(stateWords(offer, at).text).toBe("Live");
    expect(stateWords(offer, at - 120_000).text).toBe("Begins soon");
    expect(stateWords(offer, at + 300_000).text).toBe("Ended: time was up");
    expect(stateWords({ ...offer, taken: 20 }, at).text).toBe("All taken");
    expect(stateWords({ ...offer, state: "ended", ended_why: "gone" }, at).text).toBe("Ended: all sold");
  });

  it("counts what is left, step by step", () => {
    expect(counterWords(offer)).toEqual(["12 of 20 left"]);
    const tiers = [
      { position: 0, percent_off: 40, units: 20, taken: 20 },
      { position: 1, percent_off: 20, units: null, taken: 3 },
    ];
    expect(counterWords({ ...offer, tiers })).toEqual(["0 of 20 left at −40 %", "The rest at −20 %: 3 taken"]);
    expect(resultWords(offer)).toContain("6 sold, 2 held");
    expect(resultWords(offer)).toContain("75 % of reservations paid");
  });
});

describe("the merchandiser's view", () => {
  it("puts first what runs out first, and last what is gone", () => {
    const lines = [
      line({ sku: "GONE", available: 0 }),
      line({ sku: "STILL" }),
      line({ sku: "LATER", gone_in_seconds: 900 }),
      line({ sku: "NOW", gone_in_seconds: 30 }),
      line({ sku: "SELLS", earned: { units: 3, revenue_minor: 1, margin_minor: null } }),
    ];
    expect(byUrgency(lines).map(({ sku }) => sku)).toEqual(["NOW", "LATER", "SELLS", "STILL", "GONE"]);
  });

  it("says it in words", () => {
    expect(stockWords(line({ gone_in_seconds: 200 }))).toEqual({ tone: "bad", text: "10 left, gone in 3 min" });
    expect(stockWords(line({ available: 0, held: 2 })).text).toBe("None left, 2 held");
    expect(stockWords(line({ available: 0 })).text).toBe("Sold out");
    expect(rateWords(line({ held_per_minute: 3.44 }))).toBe("3.4 a minute");
    expect(rateWords(line({}))).toBeNull();
    expect(marginWords(line({ earned: { units: 2, revenue_minor: 8000, margin_minor: 4000 } }))).toContain("50 %");
    expect(marginWords(line({ earned: { units: 2, revenue_minor: 8000, margin_minor: null } }))).toBe("Cost not known");
  });

  it("takes newer numbers of the stock from the news", () => {
    const merch: Merch = { lines: [line({ version: 6 })], offers: {} };
    expect(withNews(merch, [PRODUCT]).lines[0]).toMatchObject({ available: 6, held: 1, version: 7 });
    const newer: Merch = { lines: [line({ version: 8 })], offers: {} };
    expect(withNews(newer, [PRODUCT]).lines[0]?.available).toBe(10);
  });
});
