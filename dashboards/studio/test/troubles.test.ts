import type { Connection } from "@simulcast/api";
import { expect, test } from "vitest";
import type { DeliveryTrouble } from "@simulcast/api/types";
import { refusalWords, withRefusals } from "../src/products/refusal-words";
import { orderTroubles } from "../src/show/orders/order-words";
import { troublesOf } from "../src/troubles/trouble-words";
import { anOrder, aSnapshot, AT } from "./a-show";

const SHOP: Connection = {
  id: "c1",
  connector: "shopify",
  title: "Shopify",
  name: "Our store",
  state: "ok",
  reason: null,
  capabilities: [],
  token_expires_at: null,
  renews: false,
  account: null,
  app_known: false,
  settings: {},
  key_entered_at: null,
  key_ends_at: null,
  budget: null,
  webhook_url: null,
  created_at: AT,
};

function aDelivery(id: string, part: Partial<DeliveryTrouble> = {}): DeliveryTrouble {
  const error = "The delivery cannot be read (KeyError).";
  return { id, connection_id: "c1", state: "parked", error, received_at: AT, ...part };
}

function aLine(sku: string | null, state: "committed" | "unknown_sku") {
  return { sku, title: "Bag", quantity: 1, unit_minor: 4_900, state };
}

test("deliveries that could not be used are counted by account, each reason once", () => {
  const [trouble, ...more] = troublesOf([aDelivery("a"), aDelivery("b"), aDelivery("c")], [SHOP]);
  expect(more).toEqual([]);
  expect(trouble).toMatchObject({
    parked: true,
    title: "3 deliveries from Our store could not be processed.",
    reasons: ["The delivery cannot be read (KeyError)."],
    ids: ["a", "b", "c"],
  });
});

test("what waits for a person comes before what is tried again by itself", () => {
  const found = troublesOf([aDelivery("a", { state: "stored", error: "Away" }), aDelivery("b")], [SHOP]);
  expect(found.map((one) => [one.parked, one.title])).toEqual([
    [true, "1 delivery from Our store could not be processed."],
    [false, "1 delivery from Our store not processed yet."],
  ]);
  expect(found[1]?.reasons).toEqual(["Away."]);
});

test("deliveries of an account that is gone are still told", () => {
  expect(troublesOf([aDelivery("a")], [])[0]?.account).toBe("an unlinked account");
});

test("an order says what a person must do on the platform", () => {
  const message = "Sold out. Cancel it on the platform by hand: it was sent already.";
  expect(orderTroubles(anOrder("a", { state: "sold_out", message }))).toEqual([message]);
});

test("words for a happy buyer are no trouble", () => {
  expect(orderTroubles(anOrder("a", { message: "Paid. Thank you!" }))).toEqual([]);
  expect(orderTroubles(anOrder("a", { state: "authorising", message: "Reserved for you." }))).toEqual([]);
});

test("a line that took no stock is told, whatever else was bought", () => {
  const lines = [aLine("BAG", "committed"), aLine("POSTER", "unknown_sku"), aLine(null, "unknown_sku")];
  expect(orderTroubles(anOrder("a", { lines }))).toEqual([
    "SKU POSTER is not in your catalogue: its stock was not taken.",
    "Bag has no SKU in the shop: its stock was not taken.",
  ]);
});

test("a refused stock says where, why, and what to set by hand", () => {
  const refusal = { platform: "shopify", account: "Our store", reason: "Inventory is not tracked" };
  const words = refusalWords(refusal, 12);
  expect(words).toContain("Our store did not take this stock");
  expect(words).toContain("Inventory is not tracked. Set it to 12 there by hand.");
});

test("refusals follow what was read last, stock follows the show", () => {
  const { products } = aSnapshot();
  const refused = [{ platform: "shopify", account: "Our store", reason: "No." }];
  const read = products.map((product) => ({
    ...product,
    variants: product.variants.map((one) => ({ ...one, refused, stock: { ...one.stock, available: 1 } })),
  }));
  const [variant] = withRefusals(products, read)[0]?.variants ?? [];
  expect([variant?.refused, variant?.stock.available]).toEqual([refused, 50]);
  expect(withRefusals(products, [])).toEqual(products);
});
