import type { Delivery, GatewayEvent } from "@simulcast/api";
import { expect, test } from "vitest";
import { CALM } from "../src/show/chat/crowd";
import { type Picture, reduce, withMessages } from "../src/show/reduce";
import { aMessage, anOrder, aSnapshot, aTarget, AT } from "./a-show";

const picture = (show = aSnapshot()): Picture => ({
  show,
  orders: [],
  viewers: 0,
  refused: null,
  crowd: CALM,
  actions: [],
  dropped: {},
});
const hear = (before: Picture, ...news: unknown[]) => (news as GatewayEvent[]).reduce(reduce, before);
const delivery = (state: Delivery["state"]): Delivery => ({
  target_id: "t1",
  platform: "youtube",
  state,
  purpose: "reply",
  due_at: null,
  reason: null,
});

test("a message that is heard twice is shown once, in the show's order", () => {
  const late = { kind: "message.added", seq: 3, data: aMessage(3) };
  const early = { kind: "message.added", seq: 2, data: aMessage(2) };
  const { messages } = hear(picture(), late, early, late).show;
  expect(messages.map((message) => message.seq)).toEqual([2, 3]);
});

test("a message that its platform deleted is gone", () => {
  const before = picture(aSnapshot({ messages: [aMessage(1), aMessage(2)] }));
  const { messages } = hear(before, { kind: "message.deleted", seq: 3, data: { ids: ["m1"] } }).show;
  expect(messages.map((message) => message.id)).toEqual(["m2"]);
});

test("what became of a reply is kept when an older answer of the hub comes in later", () => {
  const reply = aMessage(1, { outgoing: true });
  const { deliveries: _, ...heard } = reply;
  const sent = hear(
    picture(),
    { kind: "message.added", seq: 1, data: heard },
    { kind: "delivery.changed", seq: null, data: { message_id: "m1", delivery: delivery("sent") } },
  ).show.messages;
  const [merged] = withMessages(sent, [{ ...reply, deliveries: [delivery("queued")] }]);
  expect(merged?.deliveries).toEqual([delivery("sent")]);
});

test("each platform's delivery is told apart", () => {
  const own: Delivery = { target_id: null, platform: "own", state: "confirmed", reason: null, purpose: "reply", due_at: null };
  const before = picture(aSnapshot({ messages: [aMessage(1, { deliveries: [own, delivery("queued")] })] }));
  const news = { message_id: "m1", delivery: delivery("failed") };
  const { messages } = hear(before, { kind: "delivery.changed", seq: null, data: news }).show;
  expect(messages[0]?.deliveries).toEqual([own, delivery("failed")]);
});

test("news of a target keeps its tracked link", () => {
  const { link_url: _, ...news } = aTarget({ state: "live" });
  const [target] = hear(picture(), { kind: "target.changed", seq: null, data: news }).show.targets;
  expect(target).toMatchObject({ state: "live", link_url: "http://hub/l/abc" });
});

test("a target that was added elsewhere appears, and one that was removed elsewhere goes", () => {
  const { link_url: _, ...news } = aTarget({ id: "t2", name: "Kick" });
  const both = hear(picture(), { kind: "target.changed", seq: null, data: news });
  expect(both.show.targets.map((target) => target.name)).toEqual(["Linnea on YouTube", "Kick"]);
  const one = hear(both, { kind: "target.removed", seq: null, data: { id: "t1" } });
  expect(one.show.targets.map((target) => target.id)).toEqual(["t2"]);
});

test("the feed's health is what was heard last", () => {
  const health = { on_air: "slate" };
  expect(hear(picture(), { kind: "health.changed", seq: null, data: health }).show.health).toEqual(health);
});

test("stock news that is older than what is shown changes nothing", () => {
  const news = { variant_id: "v1", on_hand: 50, held: 1, committed: 9, available: 40 };
  const stock = (version: number) =>
    hear(picture(), { kind: "stock.changed", seq: null, data: { ...news, version } }).show.products[0]
      ?.variants[0]?.stock;
  expect(stock(6)).toMatchObject({ available: 50, version: 7 });
  expect(stock(8)).toEqual({ on_hand: 50, held: 1, committed: 9, available: 40, version: 8 });
});

test("an encoder that leaves takes its figures with it, and one that comes ends the last refusal", () => {
  const feed = { publishing: true, encoder: "obs" };
  const refused = hear(picture(), { kind: "ingest.refused", seq: null, data: { reason: "Wrong key." } });
  expect(refused.refused).toBe("Wrong key.");
  const on = hear(refused, { kind: "ingest.changed", seq: null, data: feed });
  expect([on.show.ingest, on.refused]).toEqual([feed, null]);
  expect(hear(on, { kind: "ingest.changed", seq: null, data: {} }).show.ingest).toBeNull();
});

test("orders come in on top, once, and change their state in place", () => {
  const placed = { kind: "order.placed", seq: null, data: anOrder("b", { state: "authorising" }) };
  const before = { ...picture(), orders: [anOrder("a")] };
  const changed = { kind: "order.changed", seq: null, data: { order_id: "b", state: "paid", message: "Paid." } };
  const { orders } = hear(before, placed, placed, changed);
  expect(orders.map((order) => [order.id, order.state, order.message])).toEqual([
    ["b", "paid", "Paid."],
    ["a", "paid", ""],
  ]);
});

test("the end of the show is heard", () => {
  const data = { state: "ended", live_at: AT, ended_at: AT };
  expect(hear(picture(), { kind: "show.changed", seq: 1, data }).show.show).toMatchObject(data);
});

test("only one product is highlighted", () => {
  const data = { product_id: "p1" };
  const lit = hear(picture(), { kind: "product.highlighted", seq: 1, data });
  expect(lit.show.products[0]?.highlighted).toBe(true);
  const off = hear(lit, { kind: "product.highlighted", seq: 2, data: { product_id: null } });
  expect(off.show.products[0]?.highlighted).toBe(false);
});

test("news that this page does not know changes nothing", () => {
  const before = picture();
  expect(hear(before, { kind: "poll.opened", seq: 9, data: {} })).toBe(before);
});
