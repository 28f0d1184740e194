import { ApiError, type CheckoutSettings } from "@simulcast/api";
import { describe, expect, it } from "vitest";
import { pageOf } from "../src/navigation";
import { countMark } from "../src/review/review-words";
import { legalDraftOf, legalProblems, legalTermsOf } from "../src/shop/legal-draft";
import {
  countriesProblem,
  countryNames,
  movedBy,
  newMethod,
  newRate,
  percentOf,
  settingsOf,
  shopDraftOf,
  shopProblems,
} from "../src/shop/shop-draft";
import { refusedFields } from "../src/shop/use-settings-form";
import { stockChangeOf, stockDraftOf, stockProblems } from "../src/show/stock/stock-draft";

const SETTINGS: CheckoutSettings = {
  terms: {
    prices_include_tax: true,
    country: "DE",
    confirm_above_minor: 20_000,
    withdrawal_days: 14,
    return_policy: "Send it back.",
    contact: "shop@example.com",
  },
  shipping_methods: [
    {
      id: "m1",
      title: "Parcel",
      countries: ["DE", "AT"],
      price_minor: 490,
      free_from_minor: null,
      currency: "EUR",
      days: "2–4 days",
    },
  ],
  tax_rates: [{ country: "CH", region: null, tax_class: "standard", percent: "7.700", title: "VAT" }],
};

const TERMS = {
  legal_name: "",
  legal_address: "",
  vat_id: "",
  invoice_prefix: "INV-",
  invoice_note: "",
  return_address: "",
  return_days: 30,
  longest_delivery_days: 30,
  returner_orders: 3,
  returner_percent: 50,
  high_value_minor: null,
};

describe("delivery, tax and terms", () => {
  it("come back from the form as they went in", () => {
    const [rate] = SETTINGS.tax_rates;
    const draft = shopDraftOf(SETTINGS, "EUR");
    expect(shopProblems(draft, "EUR")).toEqual({});
    expect(settingsOf(draft, "EUR")).toEqual({ ...SETTINGS, tax_rates: [{ ...rate, percent: "7.7" }] });
  });

  it("name what is missing by the hub's own field names", () => {
    const draft = shopDraftOf(SETTINGS, "EUR");
    const wrong = {
      ...draft,
      methods: [...draft.methods, { ...newMethod("n", "EUR"), countries: "UK", freeFrom: "x" }],
      rates: [...draft.rates, newRate("n"), { ...newRate("o"), country: "ch", percent: "8,1" }],
      withdrawalDays: "366",
      country: "XX1",
    };
    expect(Object.keys(shopProblems(wrong, "EUR")).sort()).toEqual([
      "shipping_methods.1.countries",
      "shipping_methods.1.free_from_minor",
      "shipping_methods.1.price_minor",
      "shipping_methods.1.title",
      "tax_rates.1.country",
      "tax_rates.1.percent",
      "tax_rates.2.country",
      "terms.country",
      "terms.withdrawal_days",
    ]);
    expect(shopProblems(wrong, "EUR")["tax_rates.2.country"]).toContain("already");
  });

  it("know countries by their codes", () => {
    expect(countryNames("de, AT zz")).toBe("Germany, Austria");
    expect(countriesProblem("de;at")).toBeUndefined();
    expect(countriesProblem("UK")).toContain("GB");
    expect(countriesProblem("ZZZ")).toContain("ZZZ");
    expect(countriesProblem("DE AT", 1)).toBe("Name one country.");
  });

  it("take percentages below 100 with three digits behind the point at most", () => {
    expect(["0", "7,7", "19.125", "100", "1.2345", "-1", ""].map(percentOf)).toEqual([
      "0",
      "7.7",
      "19.125",
      null,
      null,
      null,
      null,
    ]);
  });

  it("move by one and stop at the ends", () => {
    expect([movedBy([1, 2, 3], 1, -1), movedBy([1, 2], 0, -1), movedBy([1, 2], 1, 1)]).toEqual([
      [2, 1, 3],
      [1, 2],
      [1, 2],
    ]);
  });
});

describe("legal details", () => {
  it("come back from the form as they went in, with or without a threshold", () => {
    for (const terms of [TERMS, { ...TERMS, high_value_minor: 19_950 }]) {
      expect(legalTermsOf(legalDraftOf(terms, "EUR"), "EUR")).toEqual(terms);
    }
  });

  it("keep to what the hub takes", () => {
    const draft = legalDraftOf(TERMS, "EUR");
    const wrong = { ...draft, return_days: "366", returner_percent: "0", invoice_prefix: "R #", high_value_minor: "x" };
    expect(legalProblems(draft, "EUR")).toEqual({});
    expect(Object.keys(legalProblems(wrong, "EUR")).sort()).toEqual([
      "high_value_minor",
      "invoice_prefix",
      "return_days",
      "returner_percent",
    ]);
  });
});

it("shows the hub's word beside the field it is about", () => {
  const fields = [{ field: "terms.contact", why: "Too long." }];
  expect(refusedFields(new ApiError(422, { code: "bad_input", fields }))).toEqual({ "terms.contact": "Too long." });
  expect(refusedFields(new Error("lost"))).toEqual({});
});

it("sends only the stock rules that are others, and only sensible ones", () => {
  const rules = { hold_policy: "hold", hold_seconds: 90, units_per_buyer: 5, units_per_network: 40 } as const;
  const draft = stockDraftOf(rules);
  expect(stockChangeOf(draft, rules)).toEqual({});
  expect(stockChangeOf({ policy: "hybrid", seconds: "", units: "2", network: "0" }, rules)).toEqual({
    hold_policy: "hybrid",
    hold_seconds: null,
    units_per_buyer: 2,
    units_per_network: 0,
  });
  expect(stockProblems({ ...draft, seconds: "" })).toEqual({});
  for (const seconds of ["19", "3601", "a"]) expect(stockProblems({ ...draft, seconds }).seconds).toBeTruthy();
  for (const network of ["-1", "10001", ""]) expect(stockProblems({ ...draft, network }).network).toBeTruthy();
  for (const units of ["0", "101", ""]) expect(stockProblems({ ...draft, units }).units).toBeTruthy();
});

it("marks Review with how many wait, and with nothing when none does", () => {
  expect([countMark(0), countMark(3), countMark(100)]).toEqual(["", "3", "99+"]);
  expect(pageOf("/studio/shop")).toEqual({ name: "shop" });
});
