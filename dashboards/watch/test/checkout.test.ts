// @vitest-environment node
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { PublicOrder } from "@simulcast/api";
import { BUYER, CARD, cart, ENDS, HOLD, HOME, line, method, open, order, quote, refusal, START } from "./a-shop";

const READY = { name: "form", problem: null, ready: true };
const PAYING = { name: "paying", slow: false, bank: false, review: false };

beforeEach(() => void vi.useFakeTimers({ now: START }));
afterEach(() => void vi.useRealTimers());

describe("a purchase", () => {
  it("reserves before it asks for anything, pays, and gives the order's number", async () => {
    const { checkout, asked, stock, calls } = open();
    await checkout.reserve();
    expect(checkout.step).toEqual(READY);
    expect(checkout.secondsLeft).toBe(90);
    expect(stock).toEqual([11]);
    await checkout.pay(BUYER, CARD);
    expect(checkout.step).toEqual(PAYING);
    expect(asked("order")).toEqual([{ hold_ids: ["h1"], ...BUYER, key: "key1", payment: CARD }]);
    checkout.orderChanged(order("paid"));
    expect(checkout.step).toEqual({ name: "paid", number: "SH-2345678", token: "t1" });
    expect(calls.map(([name]) => name)).toEqual(["hold", "cart", "checkout", "order"]);
  });

  it("takes one action after Buy from a returning buyer, card and address known", async () => {
    const saved = { saved_method_id: "m1" };
    const { checkout, asked } = open({ cart: async () => cart([line()], [method("parcel")]) });
    checkout.buyer = BUYER;
    checkout.address = HOME;
    await checkout.reserve(); // Buy
    expect(checkout.step).toEqual(READY);
    await checkout.pay(checkout.buyer, saved); // Pay
    checkout.orderChanged(order("paid"));
    expect(checkout.step.name).toBe("paid");
    expect(asked("order")).toHaveLength(1);
    expect(asked("order")[0]).toMatchObject({ payment: saved, address: HOME, ...BUYER });
  });

  it("asks for the order's state when the gateway stays silent, and says when the bank is slow", async () => {
    let state: PublicOrder["state"] = "authorising";
    const { checkout } = open({ orderState: async () => order(state) });
    await checkout.reserve();
    await checkout.pay(BUYER, CARD);
    await vi.advanceTimersByTimeAsync(9_000);
    expect(checkout.step).toEqual({ ...PAYING, slow: true });
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
    await checkout.pay(BUYER, CARD);
    await vi.advanceTimersByTimeAsync(6_000);
    expect(checkout.step.name).toBe("paid");
  });

  it("ignores news of other orders", async () => {
    const { checkout } = open();
    await checkout.reserve();
    await checkout.pay(BUYER, CARD);
    checkout.orderChanged({ ...order("failed"), order_id: "other" });
    expect(checkout.step.name).toBe("paying");
  });

  it("says that the shop looks at it", async () => {
    const { checkout } = open();
    await checkout.reserve();
    await checkout.pay(BUYER, CARD);
    checkout.orderChanged(order("review"));
    expect(checkout.step).toEqual({ ...PAYING, review: true });
  });
});

describe("a purchase that is sent", () => {
  const sent = { cart: async () => cart([line()], [method("parcel", ["DE"]), method("express")]) };

  it("asks where to and how, each once, and only then opens the payment", async () => {
    const { checkout, asked } = open(sent);
    await checkout.reserve();
    expect(checkout.step).toEqual({ name: "details", problem: null });
    expect(asked("checkout")).toEqual([]);
    await checkout.enter(BUYER, HOME);
    expect(checkout.step.name).toBe("delivery");
    await checkout.deliverBy("express");
    expect(checkout.step).toEqual(READY);
    expect(asked("checkout")).toEqual([{ key: "key1", address: HOME, shipping_method_id: "express" }]);
    checkout.back();
    expect(checkout.step.name).toBe("delivery");
    checkout.back();
    expect(checkout.step.name).toBe("details");
    expect(checkout.address).toEqual(HOME);
  });

  it("does not ask how where there is one way", async () => {
    const { checkout } = open(sent);
    await checkout.reserve();
    await checkout.enter(BUYER, { ...HOME, country: "AT" });
    expect(checkout.step).toEqual(READY);
  });

  it("says which field to look at", async () => {
    const fields = [{ field: "address.postcode", why: "Enter the postcode." }];
    const no = refusal(422, "address_incomplete", "Enter the postcode.", { fields });
    const { checkout } = open({ ...sent, checkout: async () => Promise.reject(no) });
    await checkout.reserve();
    await checkout.enter(BUYER, HOME);
    await checkout.deliverBy("parcel");
    expect(checkout.step).toEqual({
      name: "details",
      problem: "Enter the postcode.",
      fields: { "address.postcode": "Enter the postcode." },
    });
  });
});

describe("a cart", () => {
  it("says what is gone before anybody is asked for a card, and goes on without it", async () => {
    const lines = [{ variant_id: "v2", title: "Bag", detail: "Sold out.", code: "sold_out" }];
    const answers = [() => Promise.reject(refusal(409, "some_gone", "Bag: Sold out.", { lines }))];
    const both = [line(), line({ variant_id: "v2", title: "Bag", state: "waiting", expires_at: null })];
    const { checkout, asked } = open(
      {
        cart: async () => cart(asked("put").length ? [line()] : both),
        checkout: () => (answers.shift() ?? (async () => quote()))(),
      },
      null,
    );
    await checkout.reserve();
    expect(checkout.step).toEqual({ name: "gone", lines });
    expect(checkout.quote).toBeNull();
    await checkout.without(lines);
    expect(asked("put")).toEqual(["v2"]);
    expect(checkout.step).toEqual(READY);
  });

  it("of one line is simply sold out", async () => {
    const lines = [{ variant_id: "v1", title: "Mug", detail: "Sold out.", code: "sold_out" }];
    const no = refusal(409, "some_gone", "Mug: Sold out.", { lines });
    const { checkout } = open({ checkout: async () => Promise.reject(no) });
    await checkout.reserve();
    expect(checkout.step).toEqual({ name: "sold_out" });
  });

  it("keeps its form when a code can't be used", async () => {
    const answers = [async () => quote(), () => Promise.reject(refusal(409, "coupon_over", "It has run out."))];
    const { checkout } = open({ checkout: () => (answers.shift() ?? (async () => quote()))() });
    await checkout.reserve();
    await checkout.useCode("SPRING");
    expect([checkout.step, checkout.codeProblem, checkout.code]).toEqual([READY, "It has run out.", ""]);
    await checkout.useCode("OTHER");
    expect([checkout.codeProblem, checkout.code]).toEqual(["", "OTHER"]);
  });
});

describe("a purchase that does not work out", () => {
  it("says sold out at once, before asking for anything, and tells the page", async () => {
    const { checkout, stock } = open({ hold: async () => Promise.reject(refusal(409, "sold_out")) });
    await checkout.reserve();
    expect(checkout.step.name).toBe("sold_out");
    expect(stock).toEqual([0]);
  });

  it("says why a payment failed and tries another card on the same order while the reservation lasts", async () => {
    const problem = "The payment was declined. Nothing was charged.";
    let state = order("failed", problem, { can_pay: true });
    const { checkout, asked } = open({ orderState: async () => state });
    await checkout.reserve();
    await checkout.pay(BUYER, CARD);
    checkout.orderChanged(order("failed", problem));
    await vi.advanceTimersByTimeAsync(0);
    expect(checkout.step).toEqual({ ...READY, problem });
    await checkout.pay(BUYER, CARD);
    expect([asked("order").length, asked("payAgain")]).toEqual([1, ["o1"]]);
    state = order("failed", problem, { hold_expires_at: null });
    checkout.orderChanged(order("failed", problem));
    await vi.advanceTimersByTimeAsync(0);
    expect(checkout.step).toEqual({ name: "refused", why: problem });
  });

  it("takes late news of the first card for no answer about the second one", async () => {
    const declined = order("failed", "Declined.", { can_pay: true });
    let state = declined;
    let place = (_: PublicOrder): void => undefined;
    const payAgain = () => new Promise<PublicOrder>((resolve) => (place = resolve));
    const { checkout } = open({ orderState: async () => state, payAgain });
    await checkout.reserve();
    await checkout.pay(BUYER, CARD);
    await vi.advanceTimersByTimeAsync(2_000); // it is asked for before the news of it comes
    expect(checkout.step).toEqual({ ...READY, problem: "Declined." });
    const paying = checkout.pay(BUYER, CARD);
    checkout.orderChanged(declined); // while the second card is on its way
    await vi.advanceTimersByTimeAsync(0);
    expect(checkout.step).toEqual(PAYING);
    state = order("authorising");
    place(state);
    await paying;
    checkout.orderChanged(declined); // and after that
    await vi.advanceTimersByTimeAsync(0);
    expect(checkout.step).toEqual(PAYING);
    checkout.orderChanged(order("paid"));
    expect(checkout.step.name).toBe("paid");
  });

  it("shows that an order is paid, whatever the sheet says at that moment", async () => {
    const { checkout } = open({
      orderState: async () => order("failed", "Declined.", { can_pay: true }),
      payAgain: async () => Promise.reject(refusal(0, "timeout", "Too slow.")),
    });
    await checkout.reserve();
    await checkout.pay(BUYER, CARD);
    checkout.orderChanged(order("failed", "Declined."));
    await vi.advanceTimersByTimeAsync(0);
    await checkout.pay(BUYER, CARD);
    expect(checkout.step).toEqual({ ...READY, problem: "Too slow. You will not be charged twice." });
    checkout.orderChanged(order("paid"));
    expect(checkout.step.name).toBe("paid");
  });

  it("asks the bank's question once and goes on with the answer", async () => {
    const action = { gateway: "stripe", kind: "script" as const, url: null, data: "{}" };
    const asking = order("authorising", "Your bank wants you to confirm this payment.", { action });
    let acted = 0;
    const { checkout, asked } = open(
      { order: async () => asking, orderState: async () => asking, confirm: async () => order("paid") },
      undefined,
      async () => {
        acted += 1;
        expect(checkout.step).toEqual({ ...PAYING, bank: true });
        return { ok: "1" };
      },
    );
    await checkout.reserve();
    await checkout.pay(BUYER, CARD);
    await vi.advanceTimersByTimeAsync(0);
    expect(acted).toBe(1);
    expect(asked("confirm")).toEqual(["o1"]);
    expect(checkout.step.name).toBe("paid");
  });

  it("ends when the reservation runs out and reserves again with a new key", async () => {
    const { checkout, asked } = open();
    await checkout.reserve();
    vi.setSystemTime(Date.parse(ENDS));
    checkout.tick();
    expect(checkout.step.name).toBe("expired");
    vi.setSystemTime(START);
    await checkout.again();
    expect(asked("hold")).toEqual(["key1", "key2"]);
  });

  it("repeats a request that broke off with the same key", async () => {
    const answers = [() => Promise.reject(refusal(0, "timeout")), () => Promise.resolve(HOLD)];
    const { checkout, asked } = open({ hold: () => (answers.shift() ?? (async () => HOLD))() });
    await checkout.reserve();
    expect(checkout.step.name).toBe("refused");
    await checkout.again();
    expect(checkout.step.name).toBe("form");
    expect(asked("hold")).toEqual(["key1", "key1"]);
  });

  it("takes the hold's end, told while ordering, for what it is", async () => {
    const { checkout } = open({ order: async () => Promise.reject(refusal(409, "hold_over", "It ended.")) });
    await checkout.reserve();
    await checkout.pay(BUYER, CARD);
    expect(checkout.step).toEqual({ name: "expired", why: "It ended." });
  });

  it("passes on what the hub says when the money came too late", async () => {
    const { checkout } = open();
    await checkout.reserve();
    await checkout.pay(BUYER, CARD);
    checkout.orderChanged(order("expired", "Too late. Nothing was charged."));
    expect(checkout.step).toEqual({ name: "expired", why: "Too late. Nothing was charged." });
  });
});

describe("a purchase that is closed", () => {
  it("frees the reservation, even when it arrives after that; kept, it stays", async () => {
    const first = open();
    await first.checkout.reserve();
    first.checkout.close();
    expect(first.asked("release")).toEqual(["h1"]);

    const second = open();
    const reserving = second.checkout.reserve();
    second.checkout.close();
    await reserving;
    expect(second.asked("release")).toEqual(["h1"]);
    expect(second.checkout.unfinished).toBeNull();

    const third = open();
    await third.checkout.reserve();
    third.checkout.close(true);
    expect(third.asked("release")).toEqual([]);
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
    expect(after.checkout.step).toEqual(READY);
    expect(after.checkout.secondsLeft).toBe(60);
    expect(after.asked("hold")).toEqual([]);
  });

  it("asks what became of an order that was being paid, and offers another card", async () => {
    const before = open();
    await before.checkout.reserve();
    await before.checkout.pay(BUYER, CARD);
    const kept = before.checkout.unfinished;
    const after = open({ orderState: async () => order("paid") });
    if (kept) await after.checkout.resume(kept);
    expect(after.checkout.step.name).toBe("paid");
    expect(after.checkout.unfinished).toBeNull();

    const failed = open({ orderState: async () => order("failed", "Declined.", { can_pay: true }) });
    if (kept) await failed.checkout.resume(kept);
    await vi.advanceTimersByTimeAsync(0);
    expect(failed.checkout.step).toEqual({ ...READY, problem: "Declined." });
    await failed.checkout.pay(BUYER, CARD);
    expect(failed.asked("payAgain")).toEqual(["o1"]);
  });

  it("tells what a bank's page sent back, does not send the buyer there again, and asks until it is decided", async () => {
    const action = { gateway: "adyen", kind: "redirect" as const, url: "https://bank.example/1", data: null };
    let state = order("authorising", "", { action });
    let left = 0;
    const answers = { orderState: async () => state, confirm: async () => state };
    const before = open(answers);
    await before.checkout.reserve();
    await before.checkout.pay(BUYER, CARD);
    const kept = before.checkout.unfinished;
    const after = open(answers, undefined, async () => ({ left: String(++left) }));
    if (kept) await after.checkout.resume(kept, { redirectResult: "r1" });
    await vi.advanceTimersByTimeAsync(3_000);
    expect([left, after.asked("confirm").length]).toEqual([0, 1]);
    state = order("paid");
    await vi.advanceTimersByTimeAsync(2_000);
    expect(after.checkout.step.name).toBe("paid");
  });

  it("goes to another question of the bank all the same", async () => {
    const asked = (url: string) => ({ gateway: "adyen", kind: "redirect" as const, url, data: null });
    let state = order("authorising", "", { action: asked("https://bank.example/1") });
    const gone: (string | null)[] = [];
    const answers = { orderState: async () => state, confirm: async () => state };
    const before = open(answers);
    await before.checkout.reserve();
    await before.checkout.pay(BUYER, CARD);
    const kept = before.checkout.unfinished;
    const after = open(answers, undefined, (_, { url }) => {
      gone.push(url);
      return new Promise(() => undefined);
    });
    if (kept) await after.checkout.resume(kept, { redirectResult: "r1" });
    state = order("authorising", "", { action: asked("https://bank.example/2") });
    await vi.advanceTimersByTimeAsync(2_000);
    expect(gone).toEqual(["https://bank.example/2"]);
  });

  it("repeats an unanswered reservation with its key", async () => {
    const before = open();
    const kept = before.checkout.unfinished;
    const after = open();
    if (kept) await after.checkout.resume(kept);
    expect(after.asked("hold")).toEqual(["key1"]);
    expect(after.checkout.step.name).toBe("form");
  });
});
