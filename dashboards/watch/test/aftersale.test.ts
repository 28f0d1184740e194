import { type BuyerRights, type Fetch, type MyOrder, MyOrderApi } from "@simulcast/api";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { defineAftersale } from "../src/aftersale";
import type { OrderActions } from "../src/aftersale/order-actions";
import { refundWords, returnWords, untilWords } from "../src/aftersale/words";

const RIGHTS: BuyerRights = {
  cancel_until: "2026-11-25T20:00:00Z",
  can_cancel: true,
  withdrawal: { until: "2026-12-14T23:00:00Z", last_day: "2026-12-14", counted_from: "longest_delivery" },
  can_withdraw: true,
  returns: { until: "2026-12-28T23:00:00Z", last_day: "2026-12-28", counted_from: "longest_delivery" },
  can_return: true,
};

const ORDER: MyOrder = {
  number: "SH-1",
  state: "paid",
  message: "",
  currency: "EUR",
  total_minor: 10_300,
  refunded_minor: 0,
  rights: RIGHTS,
  lines: [{ id: "l1", title: "Bag", quantity: 2, paid_minor: 9_800, refunded_minor: 0, returnable: 2 }],
  returns: [],
  invoices: [],
  return_address: "",
};

interface Asked {
  path: string;
  body: Record<string, unknown>;
}

/** A hub that says what the order is now, and remembers what it was asked. */
function hub(order: MyOrder, answers: Record<string, unknown> = {}) {
  const asked: Asked[] = [];
  const fetch: Fetch = (path, init) => {
    const body = init.body ? (JSON.parse(String(init.body)) as Record<string, unknown>) : {};
    asked.push({ path, body });
    const end = path.slice(path.lastIndexOf("/"));
    return Promise.resolve(new Response(JSON.stringify(answers[end] ?? order), { status: 200 }));
  };
  return { asked, fetch };
}

async function shown(fetch: Fetch): Promise<OrderActions> {
  const element = document.createElement("order-actions");
  element.api = new MyOrderApi("a.link.token", null, fetch);
  document.body.append(element);
  await settled(element);
  return element;
}

async function settled(element: OrderActions): Promise<void> {
  for (let n = 0; n < 5; n++) {
    await new Promise((resolve) => setTimeout(resolve));
    await element.updateComplete;
  }
}

function inside(element: Element): ShadowRoot {
  return element.shadowRoot as ShadowRoot;
}

function press(root: ShadowRoot, words: string): void {
  const found = [...root.querySelectorAll("button")].find((button) => button.textContent.includes(words));
  if (!found) throw new Error(`no button says ${words}`);
  found.click();
}

describe("what a buyer may do with their order", () => {
  beforeAll(defineAftersale);
  afterEach(() => document.body.replaceChildren());

  it("cancels with one tap and tells the page", async () => {
    const over = { ...RIGHTS, can_cancel: false, can_withdraw: false, can_return: false };
    const done = [{ number: "RT-1", kind: "cancel", state: "received", answer: "", created_at: "" }];
    const { asked, fetch } = hub(ORDER, { "/cancel": { ...ORDER, state: "cancelled", rights: over, returns: done } });
    const element = await shown(fetch);
    let told = 0;
    element.addEventListener("order-changed", () => told++);
    press(inside(element), "Cancel this order");
    await settled(element);
    expect(asked.map(({ path }) => path)).toEqual([
      "/api/v1/public/orders/a.link.token/after",
      "/api/v1/public/orders/a.link.token/cancel",
    ]);
    expect(told).toBe(1);
    expect(inside(element).textContent).toContain("Cancelled RT-1: at no cost to you.");
    expect(inside(element).querySelectorAll("button")).toHaveLength(0);
  });

  it("withdraws in two steps, with one key, and shows when it was received", async () => {
    const said = { statement: "I, Ana, withdraw.", refund_minor: 10_300, currency: "EUR", number: null, at: null };
    const { asked, fetch } = hub(ORDER, { "/withdrawal": said });
    const element = await shown(fetch);
    press(inside(element), "Withdraw from contract here");
    await settled(element);
    const form = inside(element).querySelector("withdraw-form") as HTMLElement;
    (inside(form).querySelector("[name=name]") as HTMLInputElement).value = "Ana";
    inside(form).querySelector("form")?.dispatchEvent(new Event("submit", { cancelable: true }));
    await settled(element);
    expect(inside(form).textContent).toContain("I, Ana, withdraw.");
    expect(inside(form).textContent).toContain("€103.00");
    Object.assign(said, { number: "RT-9", at: "2026-11-24T20:00:00Z" });
    press(inside(form), "Confirm withdrawal");
    await settled(element);
    expect(inside(form).textContent).toContain("RT-9");
    const wishes = asked.filter(({ path }) => path.endsWith("/withdrawal")).map(({ body }) => body);
    expect(wishes.map(({ confirm, lines }) => [confirm, lines])).toEqual([
      [false, null],
      [true, null],
    ]);
    expect(wishes[0]?.key).toBe(wishes[1]?.key);
  });

  it("asks for a return of chosen pieces only", async () => {
    const { asked, fetch } = hub({ ...ORDER, rights: { ...RIGHTS, withdrawal: null, can_withdraw: false } });
    const element = await shown(fetch);
    expect(inside(element).textContent).not.toContain("By law");
    press(inside(element), "Send something back");
    await settled(element);
    const form = inside(element).querySelector("return-form") as HTMLElement;
    const submit = () => inside(form).querySelector("form")?.dispatchEvent(new Event("submit", { cancelable: true }));
    submit();
    await settled(element);
    expect(inside(form).textContent).toContain("Choose at least one piece.");
    (inside(form).querySelector("select") as HTMLSelectElement).value = "1";
    submit();
    await settled(element);
    const [wish] = asked.filter(({ path }) => path.endsWith("/returns"));
    expect(wish?.body.lines).toEqual([{ line_id: "l1", quantity: 1 }]);
  });
});

describe("words", () => {
  it("say what a deadline is counted from", () => {
    const { returns } = RIGHTS;
    expect(untilWords(returns, "en-GB")).toContain("until the end of 28 December 2026 (no delivery is noted yet");
    expect(untilWords({ ...returns, counted_from: "delivery" }, "en-GB")).toBe("until the end of 28 December 2026");
  });

  it("promise no money where none was taken", () => {
    const looked = { statement: "", refund_minor: 0, currency: "EUR", number: null, at: null };
    expect(refundWords(looked)).toBe("Nothing was charged, so nothing has to go back.");
  });

  it("give the shop's reason for a rejection", () => {
    const one = { number: "RT-2", kind: "return", state: "rejected", answer: "It was worn", created_at: "" } as const;
    expect(returnWords(one)).toBe("Return RT-2: the shop can't take it back: It was worn.");
  });
});
