import type { OrderDetail, Return, Returner } from "@simulcast/api";
import { describe, expect, it } from "vitest";
import { amountText } from "../src/orders/amount-text";
import { isoOf, localOf } from "../src/orders/delivery-dialog";
import { lineWords } from "../src/orders/lines-card";
import { beginOf, dayIn } from "../src/orders/order-filters";
import { asksNothing, EMPTY_DRAFT, isWish, type RefundDraft, wishOf } from "../src/orders/refund-draft";
import { markWords, returnerWords, rightsWords, stepsOf, sumsOf } from "../src/orders/sale-words";

const LINE = {
  id: "l1",
  title: "Bag",
  sku: "BAG",
  quantity: 3,
  unit_minor: 4_900,
  list_minor: 4_900,
  discount_minor: 0,
  tax_minor: 2_347,
  tax_percent: "19",
  paid_minor: 14_700,
  state: "committed",
  refunded_pieces: 1,
  refunded_minor: 4_900,
  returned: 0,
  returnable: 2,
};

const ORDER = {
  currency: "EUR",
  subtotal_minor: 14_700,
  discount_minor: 0,
  shipping_minor: 500,
  shipping_method: "Parcel",
  tax_minor: 2_427,
  prices_include_tax: true,
  total_minor: 15_200,
  refunded_minor: 4_900,
  left_minor: 10_300,
  shipping_left_minor: 500,
  lines: [LINE],
} as unknown as OrderDetail;

const some = (part: Partial<RefundDraft>) => wishOf({ ...EMPTY_DRAFT, mode: "some", ...part }, ORDER);

describe("a refund as it is typed", () => {
  it("asks for all that is left unless something is chosen", () => {
    const wish = wishOf(EMPTY_DRAFT, ORDER);
    expect(isWish(wish) && wish.everything).toBe(true);
  });

  it("reads pieces and amounts exactly, with comma or point", () => {
    expect(some({ pieces: { l1: "2" }, shipping: "1,50", amount: "0.99" })).toEqual({
      lines: [{ line_id: "l1", quantity: 2 }],
      shipping_minor: 150,
      amount_minor: 99,
      everything: false,
    });
  });

  it("says at each field what can't be", () => {
    expect(some({ pieces: { l1: "3" }, shipping: "5.01", amount: "much" })).toEqual({
      "line:l1": "Only 2 can still be refunded.",
      shipping: "That is more than is left of the shipping.",
      amount: "Enter an amount like 5.00.",
    });
    expect(some({ pieces: { l1: "one" } })).toEqual({ "line:l1": "Enter a whole number." });
  });

  it("knows when it asks for nothing", () => {
    const wish = some({});
    expect(isWish(wish) && asksNothing(wish)).toBe(true);
  });
});

describe("an order in words", () => {
  it("sums up as it was paid, and what went back", () => {
    expect(sumsOf(ORDER).map(({ title }) => title)).toEqual([
      "Goods",
      "Shipping (Parcel)",
      "Tax included",
      "Total",
      "Given back",
    ]);
  });

  it("says how a line's price came about", () => {
    expect(lineWords({ ...LINE, list_minor: 5_900, returned: 1 }, "EUR")).toBe(
      "€49.00 each · list price €59.00 · tax €23.47 (19 %) · 1 piece came back · €49.00 given back",
    );
  });

  it("names each right with its own end, and what is counted", () => {
    const returns = { until: "2026-12-28T23:00:00Z", last_day: "2026-12-28", counted_from: "longest_delivery" as const };
    const withdrawal = { ...returns, last_day: "2026-12-14", until: "2026-12-14T23:00:00Z" };
    const rights = { cancel_until: "2026-11-25T20:00:00Z", can_cancel: true, withdrawal, can_withdraw: true };
    const said = rightsWords({ ...rights, returns, can_return: true }, 0);
    expect(said).toHaveLength(3);
    expect(said[1]).toContain("the longest stated delivery time is counted");
    const over = rightsWords({ ...rights, can_withdraw: false, returns, can_return: false }, Date.UTC(2027, 0));
    expect(over.join(" ")).toContain("The legal time to withdraw ended");
    const none = rightsWords({ ...rights, withdrawal: null, can_withdraw: false, returns, can_return: false }, 0);
    expect(none.join(" ")).toContain("gives no right to withdraw");
  });

  it("marks a returner with the numbers and the thresholds, and as a signal only", () => {
    const one = {
      orders: 4,
      orders_returned: 2,
      pieces: 7,
      returned: 3,
      threshold_orders: 3,
      threshold_percent: 40,
    } as Returner;
    expect(returnerWords(one)).toBe("3 of 7 pieces came back (42.8 %), in 2 of 4 orders.");
    expect(markWords(one)).toContain("nothing is refused by it");
  });

  it("offers the steps of a return that can be taken", () => {
    const at = (part: Partial<Return>) => stepsOf({ kind: "return", refund_state: null, ...part } as Return);
    expect(at({ state: "asked" })).toMatchObject({ approve: true, receive: true, refund: false });
    expect(at({ state: "received" })).toMatchObject({ refund: true, reject: true, close: false });
    expect(at({ state: "received", refund_state: "queued" }).refund).toBe(false);
    expect(at({ state: "received", refund_state: "failed" }).refund).toBe(true);
    // The law's right needs nobody's approval, and its money may go back before the goods are here.
    expect(at({ state: "approved", kind: "withdrawal" })).toMatchObject({ reject: false, refund: true });
  });
});

describe("days and amounts as they are typed", () => {
  it("begin and end where the reader is", () => {
    expect(dayIn(beginOf("2026-11-24"))).toBe("2026-11-24");
    expect(dayIn(beginOf("2026-11-30", 1), -1)).toBe("2026-11-30");
    expect([beginOf(""), dayIn(undefined)]).toEqual(["", ""]);
    expect(localOf(isoOf("2026-11-24T20:15"))).toBe("2026-11-24T20:15");
    expect(isoOf("")).toBeNull();
  });

  it("come back as they were", () => {
    expect([amountText(20_000, "EUR"), amountText(2_490, "EUR"), amountText(500, "JPY"), amountText(null, "EUR")]).toEqual([
      "200",
      "24.90",
      "500",
      "",
    ]);
  });
});
