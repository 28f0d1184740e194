import { PeopleApi, type PersonMoment, type PersonNode } from "@simulcast/api";
import { expect, test } from "vitest";
import { pageOf, PATHS } from "../src/navigation";
import { did, handle, handleState, movesAlong, sure } from "../src/people/people-words";

const NODE: PersonNode = {
  id: "1",
  kind: "platform_user",
  words: "",
  hint: "tiktok_shop …4321",
  value: "tiktok_shop:987654321",
  source: "tiktok_shop",
  state: "ok",
  met: true,
  verified_at: null,
  name: null,
  since: "2026-11-26T10:00:00Z",
};

const moment = (kind: string, facts: PersonMoment["facts"]): PersonMoment => ({
  id: "1",
  at: "2026-11-26T10:00:00Z",
  kind,
  show_id: null,
  show_title: null,
  order_id: null,
  facts,
});

test("a person's page has an address of its own", () => {
  expect(pageOf(PATHS.people)).toEqual({ name: "people" });
  expect(pageOf(PATHS.person("7"))).toEqual({ name: "person", id: "7" });
});

test("a handle is named as people call it, masked for who may not see it", () => {
  expect(handle(NODE)).toBe("TikTok Shop account 987654321");
  expect(handle({ ...NODE, source: "shopify", value: "shopify:gid://shopify/Customer/73" })).toBe("Shopify account 73");
  expect(handle({ ...NODE, value: null })).toBe("TikTok Shop account …4321");
  expect(handle({ ...NODE, kind: "email", value: "ana@example.com" })).toBe("E-mail ana@example.com");
  expect(handle({ ...NODE, kind: "visitor" })).toBe("Browser");
  expect(handleState(NODE)).toBeNull();
  expect(handleState({ ...NODE, state: "shared" })?.label).toBe("Used by several people");
});

test("a split says what goes along before it is done", () => {
  const none = { orders: 0, visits: 0, sign_ins: 0, cards: 0, passkeys: 0 };
  expect(movesAlong(none)).toBe("Nothing they did goes along.");
  expect(movesAlong({ ...none, orders: 2 })).toBe("2 orders would go along.");
  expect(movesAlong({ ...none, orders: 1, visits: 3, cards: 1 })).toBe(
    "1 order, 3 visits and 1 saved card would go along.",
  );
  expect(sure("0.80")).toBe("80 % sure");
});

test("what somebody did is said in a line", () => {
  expect(did(moment("visit", { source: "tiktok", campaign: "evening" }))).toBe("Came from tiktok, evening");
  expect(did(moment("visit", { source: null }))).toBe("Came by themselves");
  expect(did(moment("hold", { product: "Bag", quantity: 2, state: "expired" }))).toBe("Reserved 2 × Bag (ran out)");
  expect(did(moment("message", { platform: "youtube", text: "Hi", deleted: false }))).toBe("Wrote on YouTube: “Hi”");
  expect(did(moment("chat", { source: "tiktok" }))).toBe("Was in the chat on TikTok");
  const order = { number: "SH-7", channel: "own", state: "paid", currency: "EUR" };
  expect(did(moment("order", { ...order, minor: 4900 }))).toContain("49.00");
  expect(did(moment("order", order))).toMatch(/^Ordered SH-7 on [^:]+ \(paid\)$/);
  expect(did(moment("refund", order))).toContain("Money given back for SH-7");
  expect(did(moment("consent", { purpose: "ads", granted: false }))).toBe("Said no to advertising");
});

test("filters are sent as the hub spells them, and empty ones are not", async () => {
  let asked = "";
  const api = new PeopleApi(async (input) => {
    asked = String(input);
    return new Response('{"people": [], "next": null}', { headers: { "content-type": "application/json" } });
  });
  await api.list({ words: "Ana Lind", member: "yes", bought: "no", channel: "" }, "9");
  expect(asked).toBe("/api/v1/people?words=Ana+Lind&member=true&bought=false&after=9");
});
