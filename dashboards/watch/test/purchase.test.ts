// @vitest-environment node
import { describe, expect, it } from "vitest";
import type { Shop, Unfinished } from "../src/purchase-types";
import { Purchase } from "../src/purchase";
import { BUYER, CARD, cart, HOLD, ITEM, line, open as opened, order, quote } from "./a-shop";

const soon = () => new Date(Date.now() + 90_000).toISOString();

function page() {
  let kept: Unfinished | null = null;
  const later = () => line({ expires_at: soon() });
  const { shop, asked } = opened({
    hold: async () => ({ ...HOLD, expires_at: soon() }),
    cart: async () => cart([later()]),
    put: async () => cart([later(), line({ variant_id: "v2", expires_at: soon(), quantity: 2 })]),
    checkout: async () => quote({ expires_at: soon(), lines: [later()] }),
    order: async () => order("authorising"),
  } satisfies Partial<Shop>);
  const open = () =>
    new Purchase({
      memory: { get: () => kept, set: (purchase) => (kept = purchase) },
      shop,
      onChange: () => undefined,
      around: (_, onChange) => ({
        shop,
        now: Date.now,
        onChange,
        onStock: () => undefined,
        act: async () => ({}),
      }),
    });
  return { open, asked, kept: () => kept };
}

const news = { order_id: "o1", viewer_id: "me", number: "SH-2", message: "" };

describe("Purchase", () => {
  it("comes back with its sheet when the page is loaded again", async () => {
    const { open } = page();
    await open().start(ITEM);
    const reloaded = open();
    await reloaded.resume();
    expect(reloaded.open).toBe(true);
    expect(reloaded.checkout?.step).toEqual({ name: "form", problem: null, ready: true });
  });

  it("is forgotten and freed when it is closed before paying", async () => {
    const { open, asked, kept } = page();
    const purchase = open();
    await purchase.start(ITEM);
    purchase.dismiss();
    expect([purchase.checkout, kept(), asked("release")]).toEqual([null, null, ["h1"]]);
  });

  it("goes on without its sheet while it is paid, and shows the outcome", async () => {
    const { open, kept } = page();
    const purchase = open();
    await purchase.start(ITEM);
    await purchase.checkout?.pay(BUYER, CARD);
    purchase.dismiss();
    expect(purchase.open).toBe(false);
    expect(kept()?.orderId).toBe("o1");
    purchase.orderChanged({ ...news, state: "paid" });
    expect(purchase.open).toBe(true);
    expect(purchase.checkout?.step).toEqual({ name: "paid", number: "SH-2", token: "t1" });
    purchase.dismiss();
    expect(purchase.checkout).toBeNull();
  });

  it("shows the payment under way instead of reserving something else", async () => {
    const { open } = page();
    const purchase = open();
    await purchase.start(ITEM);
    await purchase.checkout?.pay(BUYER, CARD);
    purchase.dismiss();
    await purchase.start({ ...ITEM, variantId: "v2" });
    expect(purchase.open).toBe(true);
    expect(purchase.checkout?.item?.variantId).toBe("v1");
    purchase.orderChanged({ ...news, state: "paid" });
  });

  it("keeps what is put into the cart, and checks all of it out", async () => {
    const { open, asked } = page();
    const purchase = open();
    await purchase.add({ ...ITEM, variantId: "v2" });
    expect(purchase.lines.map(({ variant_id, quantity }) => [variant_id, quantity])).toEqual([
      ["v1", 1],
      ["v2", 2],
    ]);
    await purchase.start(null);
    expect(asked("hold")).toEqual([]);
    expect(purchase.checkout?.step.name).toBe("form");
    purchase.dismiss();
    expect(asked("release")).toEqual([]);
  });
});
