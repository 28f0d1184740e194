// @vitest-environment node
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ApiError, type Hold, type PublicOrder } from "@simulcast/api";
import { Checkout, type Shop } from "../src/checkout";

const START = Date.parse("2026-01-01T00:00:00Z");
const HOLD: Hold = {
  hold_id: "h1",
  expires_at: "2026-01-01T00:01:30Z",
  server_time: "2026-01-01T00:00:00Z",
  unit_minor: 2490,
  currency: "EUR",
  quantity: 1,
  available: 11,
};
const ITEM = { variantId: "v1", title: "Mug", imageUrl: null, priceMinor: 2490, currency: "EUR" };
const BUYER = { email: "a@example.org", name: "A" };

const refusal = (status: number, code: string, detail = code) => new ApiError(status, { code, detail });
const order = (state: PublicOrder["state"], message = ""): PublicOrder => ({
  order_id: "o1",
  number: "SH-2345678",
  state,
  message,
  hold_expires_at: null,
  total_minor: 2490,
  currency: "EUR",
});

/** A shop that answers what the test says and remembers what was asked. */
function open(answers: Partial<Shop> = {}) {
  const keys: string[] = [];
  const released: string[] = [];
  const stock: number[] = [];
  const shop: Shop = {
    hold: async () => HOLD,
    release: async (id) => void released.push(id),
    order: async () => order("authorising"),
    orderState: async () => order("authorising"),
    ...answers,
  };
  const counted: Shop = {
    ...shop,
    hold: (variant, key) => {
      keys.push(key);
      return shop.hold(variant, key);
    },
  };
  let made = 0;
  const checkout = new Checkout(ITEM, {
    shop: counted,
    now: () => Date.now(),
    onChange: () => undefined,
    onStock: (available) => stock.push(available),
    newKey: () => `key${++made}`,
  });
  return { checkout, keys, released, stock };
}

beforeEach(() => void vi.useFakeTimers({ now: START }));
afterEach(() => void vi.useRealTimers());

describe("a purchase", () => {
  it("reserves before it asks for anything, pays, and gives the order's number", async () => {
    const { checkout, stock } = open();
    await checkout.reserve();
    expect(checkout.secondsLeft).toBe(90);
    expect(stock).toEqual([11]);
    await checkout.pay(BUYER, "pm_card_visa");
    expect(checkout.step).toEqual({ name: "paying", slow: false });
    checkout.orderChanged(order("paid"));
    expect(checkout.step).toEqual({ name: "paid", number: "SH-2345678" });
  });

  it("asks for the order's state when the gateway stays silent, and says when the bank is slow", async () => {
    let state: PublicOrder["state"] = "authorising";
    const { checkout } = open({ orderState: async () => order(state) });
    await checkout.reserve();
    await checkout.pay(BUYER, "pm_card_visa");
    await vi.advanceTimersByTimeAsync(9_000);
    expect(checkout.step).toEqual({ name: "paying", slow: true });
    state = "paid";
    await vi.advanceTimersByTimeAsync(2_000);
    expect(checkout.step.name).toBe("paid");
  });

  it("goes on asking while the network is away", async () => {
    let asked = 0;
    const orderState = async () => {
      if (++asked < 3) throw refusal(0, "offline");
      return order("paid");
    };
    const { checkout } = open({ orderState });
    await checkout.reserve();
    await checkout.pay(BUYER, "pm_card_visa");
    await vi.advanceTimersByTimeAsync(6_000);
    expect(checkout.step.name).toBe("paid");
  });

  it("ignores news of other orders", async () => {
    const { checkout } = open();
    await checkout.reserve();
    await checkout.pay(BUYER, "pm_card_visa");
    checkout.orderChanged({ ...order("failed"), order_id: "other" });
    expect(checkout.step.name).toBe("paying");
  });
});

describe("a purchase that does not work out", () => {
  it("says sold out at once, before asking for anything, and tells the page", async () => {
    const { checkout, stock } = open({ hold: async () => Promise.reject(refusal(409, "sold_out")) });
    await checkout.reserve();
    expect(checkout.step.name).toBe("sold_out");
    expect(stock).toEqual([0]);
  });

  it("says why a payment failed and lets the buyer try again while the reservation lasts", async () => {
    const { checkout } = open();
    await checkout.reserve();
    await checkout.pay(BUYER, "pm_card_visa");
    checkout.orderChanged(order("failed", "The payment was declined. Nothing was charged."));
    const problem = "The payment was declined. Nothing was charged.";
    expect(checkout.step).toEqual({ name: "form", problem });
    await checkout.pay(BUYER, "pm_card_visa");
    vi.setSystemTime(Date.parse(HOLD.expires_at));
    checkout.orderChanged(order("failed", problem));
    expect(checkout.step).toEqual({ name: "refused", why: problem });
  });

  it("ends when the reservation runs out and reserves again with a new key", async () => {
    const { checkout, keys } = open();
    await checkout.reserve();
    vi.setSystemTime(Date.parse(HOLD.expires_at));
    checkout.tick();
    expect(checkout.step.name).toBe("expired");
    await checkout.again();
    expect(keys).toEqual(["key1", "key2"]);
  });

  it("repeats a request that broke off with the same key", async () => {
    const answers = [() => Promise.reject(refusal(0, "timeout")), () => Promise.resolve(HOLD)];
    const { checkout, keys } = open({ hold: () => (answers.shift() ?? (async () => HOLD))() });
    await checkout.reserve();
    expect(checkout.step.name).toBe("refused");
    await checkout.again();
    expect(checkout.step.name).toBe("form");
    expect(keys).toEqual(["key1", "key1"]);
  });

  it("takes the hold's end, told while ordering, for what it is", async () => {
    const { checkout } = open({ order: async () => Promise.reject(refusal(409, "hold_over", "It ended.")) });
    await checkout.reserve();
    await checkout.pay(BUYER, "pm_card_visa");
    expect(checkout.step).toEqual({ name: "expired", why: "It ended." });
  });

  it("passes on what the hub says when the money came too late", async () => {
    const { checkout } = open();
    await checkout.reserve();
    await checkout.pay(BUYER, "pm_card_visa");
    checkout.orderChanged(order("expired", "Too late. Nothing was charged."));
    expect(checkout.step).toEqual({ name: "expired", why: "Too late. Nothing was charged." });
  });
});

describe("a purchase that is closed", () => {
  it("frees the reservation, even when it arrives after that", async () => {
    const first = open();
    await first.checkout.reserve();
    first.checkout.close();
    expect(first.released).toEqual(["h1"]);

    const second = open();
    const reserving = second.checkout.reserve();
    second.checkout.close();
    await reserving;
    expect(second.released).toEqual(["h1"]);
    expect(second.checkout.unfinished).toBeNull();
  });
});

describe("a purchase after a reload", () => {
  it("goes on counting down by the server's clock", async () => {
    const before = open();
    await before.checkout.reserve();
    const kept = JSON.parse(JSON.stringify(before.checkout.unfinished));
    vi.setSystemTime(START + 30_000);
    const after = open();
    await after.checkout.resume(kept);
    expect(after.checkout.step).toEqual({ name: "form", problem: null });
    expect(after.checkout.secondsLeft).toBe(60);
    expect(after.keys).toEqual([]);
  });

  it("asks what became of an order that was being paid", async () => {
    const before = open();
    await before.checkout.reserve();
    await before.checkout.pay(BUYER, "pm_card_visa");
    const kept = before.checkout.unfinished;
    const after = open({ orderState: async () => order("paid") });
    if (kept) await after.checkout.resume(kept);
    expect(after.checkout.step.name).toBe("paid");
    expect(after.checkout.unfinished).toBeNull();
  });

  it("repeats an unanswered reservation with its key", async () => {
    const before = open();
    const kept = before.checkout.unfinished;
    const after = open();
    if (kept) await after.checkout.resume(kept);
    expect(after.keys).toEqual(["key1"]);
    expect(after.checkout.step.name).toBe("form");
  });
});
