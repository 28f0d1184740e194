// @vitest-environment node
import { describe, expect, it } from "vitest";
import type { Hold, PublicOrder } from "@simulcast/api";
import type { Shop, Unfinished } from "../src/checkout";
import { Purchase } from "../src/purchase";

const soon = () => new Date(Date.now() + 90_000).toISOString();
const order: PublicOrder = {
  order_id: "o1",
  number: "SH-2",
  state: "authorising",
  message: "",
  hold_expires_at: null,
  total_minor: 100,
  currency: "EUR",
};
const item = { variantId: "v1", title: "Mug", imageUrl: null, priceMinor: 100, currency: "EUR" };

function page() {
  const released: string[] = [];
  let kept: Unfinished | null = null;
  const hold = (): Hold => ({
    hold_id: "h1",
    expires_at: soon(),
    server_time: new Date().toISOString(),
    unit_minor: 100,
    currency: "EUR",
    quantity: 1,
    available: 3,
  });
  const shop: Shop = {
    hold: async () => hold(),
    release: async (id) => void released.push(id),
    order: async () => order,
    orderState: async () => order,
  };
  const open = () =>
    new Purchase({
      memory: { get: () => kept, set: (purchase) => (kept = purchase) },
      onChange: () => undefined,
      around: (_, onChange) => ({ shop, now: Date.now, onChange, onStock: () => undefined }),
    });
  return { open, released, kept: () => kept };
}

const news = { order_id: "o1", viewer_id: "me", number: "SH-2", message: "" };

describe("Purchase", () => {
  it("comes back with its sheet when the page is loaded again", async () => {
    const { open } = page();
    await open().start(item);
    const reloaded = open();
    await reloaded.resume();
    expect(reloaded.open).toBe(true);
    expect(reloaded.checkout?.step).toEqual({ name: "form", problem: null });
  });

  it("is forgotten and freed when it is closed before paying", async () => {
    const { open, released, kept } = page();
    const purchase = open();
    await purchase.start(item);
    purchase.dismiss();
    expect([purchase.checkout, kept(), released]).toEqual([null, null, ["h1"]]);
  });

  it("goes on without its sheet while it is paid, and shows the outcome", async () => {
    const { open, kept } = page();
    const purchase = open();
    await purchase.start(item);
    await purchase.checkout?.pay({ email: "a@example.org", name: "A" }, "pm_card_visa");
    purchase.dismiss();
    expect(purchase.open).toBe(false);
    expect(kept()?.orderId).toBe("o1");
    purchase.orderChanged({ ...news, state: "paid" });
    expect(purchase.open).toBe(true);
    expect(purchase.checkout?.step).toEqual({ name: "paid", number: "SH-2" });
    purchase.dismiss();
    expect(purchase.checkout).toBeNull();
  });

  it("shows the payment under way instead of reserving something else", async () => {
    const { open } = page();
    const purchase = open();
    await purchase.start(item);
    await purchase.checkout?.pay({ email: "a@example.org", name: "A" }, "pm_card_visa");
    purchase.dismiss();
    await purchase.start({ ...item, variantId: "v2" });
    expect(purchase.open).toBe(true);
    expect(purchase.checkout?.item.variantId).toBe("v1");
    purchase.orderChanged({ ...news, state: "paid" });
  });
});
