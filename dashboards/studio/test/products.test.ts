import type { CatalogProduct, Intake } from "@simulcast/api";
import { expect, test } from "vitest";
import { pageOf } from "../src/navigation";
import { minorOf, typedOf } from "../src/products/amounts";
import { countsOf, leftOut, progressOf } from "../src/products/intake-words";
import { changeOf, draftOf, moved, newVariant, problemsOf } from "../src/products/product-draft";
import { limitsOf, marginOf } from "../src/products/product-words";

const PRODUCT: CatalogProduct = {
  id: "p1",
  title: "Bag",
  description: "Hand-made.",
  image_url: "https://img.example.com/a.jpg",
  highlighted: false,
  state: "active",
  tax_class: "standard",
  live_only: true,
  own_site_only: false,
  return_policy: "30 days.",
  version: 3,
  media: [{ kind: "image", url: "https://img.example.com/a.jpg", alt: "A bag" }],
  variants: [
    {
      id: "v1",
      sku: "BAG-RED",
      title: "Red",
      price_minor: 4905,
      currency: "EUR",
      cost_minor: 1200,
      options: { Colour: "Red" },
      archived: false,
      prices: [{ currency: "JPY", price_minor: 8000 }],
      components: [{ variant_id: "v9", quantity: 2 }],
      stock: { on_hand: 5, held: 0, committed: 0, available: 5, version: 1 },
      refused: [],
    },
  ],
};

test("a draft that nobody touched says what there is", () => {
  const change = changeOf(draftOf(PRODUCT), PRODUCT.version);
  const [variant] = PRODUCT.variants;
  expect(change).toMatchObject({ version: 3, title: "Bag", live_only: true, media: PRODUCT.media });
  expect(change?.variants).toEqual([
    {
      id: "v1",
      sku: "BAG-RED",
      title: "Red",
      price_minor: 4905,
      currency: "EUR",
      cost_minor: 1200,
      options: { Colour: "Red" },
      archived: false,
      prices: variant?.prices,
      components: variant?.components,
    },
  ]);
});

test("every wrong field is named, and nothing is saved until all are mended", () => {
  const draft = draftOf(PRODUCT);
  const [variant] = draft.variants;
  if (!variant) throw new Error("no variant");
  const added = { ...newVariant(draft, "EUR"), sku: "BAG-RED", onHand: "many", price: "1.234,00" };
  const wrong = {
    ...draft,
    title: " ",
    taxClass: "two words",
    media: [{ kind: "image" as const, url: "a.jpg", alt: "" }],
    variants: [
      {
        ...variant,
        cost: "x",
        options: [{ name: "", value: "Red" }],
        prices: [
          { currency: "EUR", price: "1" },
          { currency: "USD", price: "" },
        ],
        parts: [{ id: "", quantity: "1" }],
      },
      added,
    ],
  };
  expect(Object.keys(problemsOf(wrong)).sort()).toEqual([
    "media.0",
    "taxClass",
    "title",
    "variants.0.cost",
    "variants.0.options",
    "variants.0.parts.0",
    "variants.0.prices.0",
    "variants.0.prices.1",
    "variants.1.onHand",
    "variants.1.price",
    "variants.1.sku",
  ]);
  expect(changeOf(wrong, 3)).toBeNull();
});

test("a new variant has its first stock, and a cost that was taken away is taken away", () => {
  const draft = draftOf(PRODUCT);
  const added = { ...newVariant(draft, "EUR"), sku: "BAG-BLUE", onHand: "7", cost: "" };
  expect(added).toMatchObject({ price: "49.05", options: [{ name: "Colour", value: "" }], parts: [] });
  const change = changeOf({ ...draft, variants: [...draft.variants, added] }, 3);
  expect(change?.variants?.[1]).toMatchObject({ sku: "BAG-BLUE", on_hand: 7, cost_minor: null });
  expect(change?.variants?.[1]).not.toHaveProperty("id");
});

test("amounts are typed back as they were", () => {
  for (const [minor, currency] of [[4905, "EUR"], [5, "EUR"], [800, "JPY"], [1250, "KWD"]] as const) {
    expect(minorOf(typedOf(minor, currency), currency)).toBe(minor);
  }
});

test("entries move within their list and not beyond", () => {
  expect(moved(["a", "b", "c"], 2, -1)).toEqual(["a", "c", "b"]);
  expect(moved(["a", "b"], 0, -1)).toEqual(["a", "b"]);
  expect(moved(["a", "b"], 1, 1)).toEqual(["a", "b"]);
});

test("products coming in are told in words", () => {
  const intake: Intake = {
    id: "i",
    kind: "csv",
    state: "checked",
    step: "check",
    total: 12,
    done: 12,
    counts: { added: 3, problem: 700, same: 2 },
    report: [{ line: 2, sku: "A", outcome: "problem", text: "It is new and has no price." }],
    error: null,
    created_at: "2026-11-24T20:00:00Z",
    ended_at: null,
  };
  expect(countsOf(intake)).toBe("3 new, 2 unchanged, 700 with a problem.");
  expect(leftOut(intake)).toBe(699);
  expect(progressOf(intake, "Importing")).toBeNull();
  expect(progressOf({ ...intake, state: "running", done: 4 }, "Importing")).toBe("Importing: 4 of 12 lines…");
  const waiting = { ...intake, state: "running" as const, error: "The shop is away. Trying again by itself." };
  expect(progressOf(waiting, "Importing")).toBe("The shop is away. Trying again by itself.");
});

test("margins and limits are said only where they are known", () => {
  expect(marginOf(4900, 1225)).toBe("75 %");
  expect(marginOf(4900, null)).toBeNull();
  expect(marginOf(0, 100)).toBeNull();
  expect(limitsOf(PRODUCT)).toEqual(["Live only"]);
});

test("each product and the listings have an address", () => {
  expect(pageOf("/studio/products/p1")).toEqual({ name: "product", id: "p1" });
  expect(pageOf("/studio/products/listings")).toEqual({ name: "listings" });
  expect(pageOf("/studio/products/p1/more")).toEqual({ name: "missing" });
});
