import { expect, test } from "vitest";
import { chatTroubles, deliveryWords, keyed, linesOf, unseen } from "../src/show/chat/feed";
import { countOf, minorOf } from "../src/products/amounts";
import { aMessage, anOrder } from "./a-show";

const at = (seq: number) => aMessage(seq).at;

test("a sale stands in the chat where it happened", () => {
  const orders = [anOrder("a", { placed_at: at(2) }), anOrder("b", { placed_at: at(9) })];
  const lines = linesOf([aMessage(1), aMessage(3)], orders);
  expect(lines.map((line) => line.key)).toEqual(["m1", "a", "m3", "b"]);
});

test("only what was paid counts as sold", () => {
  const orders = [anOrder("a", { state: "failed", placed_at: at(2) })];
  expect(linesOf([aMessage(1)], orders)).toHaveLength(1);
});

test("a sale from before the messages that are shown waits for them", () => {
  expect(linesOf([aMessage(5)], [anOrder("a", { placed_at: at(1) })])).toHaveLength(1);
});

test("what came since one scrolled up is counted", () => {
  const messages = [aMessage(1), aMessage(4), aMessage(6)];
  expect(unseen(messages, 1)).toBe(2);
  expect(unseen(messages, 6)).toBe(0);
});

test("a message that was seen and then deleted does not count", () => {
  expect(unseen([aMessage(1), aMessage(6)], 4)).toBe(1);
});

test("a reply never looks better than it went", () => {
  const words = (state: "queued" | "sent" | "confirmed" | "failed" | "unknown") =>
    deliveryWords({ target_id: "t1", platform: "youtube", state, reason: null, purpose: "reply", due_at: null });
  expect(words("unknown")).toEqual({ text: "YouTube: maybe sent, check there", tone: "warn" });
  expect(words("sent").text).toBe("YouTube: sent");
  expect(words("failed").tone).toBe("bad");
});

test("a chat with holes is named, one that works is not", () => {
  const chat = { platform: "facebook", target_id: "t1", detail: "Some messages may be missing." };
  expect(chatTroubles([{ ...chat, state: "connected" }])).toEqual([]);
  expect(chatTroubles([{ ...chat, state: "down" }])).toEqual([
    "Facebook chat is not coming in. Some messages may be missing.",
  ]);
});

test("prices are read to the last cent", () => {
  expect(minorOf("24.90", "EUR")).toBe(2_490);
  expect(minorOf("24,9", "EUR")).toBe(2_490);
  expect(minorOf("0.29", "EUR")).toBe(29);
  expect(minorOf("1200", "JPY")).toBe(1_200);
  expect(minorOf("24.905", "EUR")).toBeNull();
  expect(minorOf("-1", "EUR")).toBeNull();
});

test("a count is a whole number", () => {
  expect([countOf("12"), countOf("1.5"), countOf(""), countOf("-3")]).toEqual([12, null, null, null]);
});

test("what is sent again keeps its key, and other words or another place get a fresh one", () => {
  let given = 0;
  const fresh = () => `key-${++given}`;
  const first = keyed({ text: "hello", to: "all", aloud: false }, null, fresh);
  expect(keyed({ text: "hello", to: "all", aloud: false }, first, fresh)).toEqual(first);
  expect(keyed({ text: "hello!", to: "all", aloud: false }, first, fresh).key).toBe("key-2");
  expect(keyed({ text: "hello", to: ["t1"], aloud: false }, first, fresh).key).toBe("key-3");
});
