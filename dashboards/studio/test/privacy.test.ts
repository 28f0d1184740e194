/** What the privacy page says of requests, rules and previews. */

import type { RightsRequest } from "@simulcast/api";
import { expect, test } from "vitest";
import { daysOf, kept, proofFile, removals, stateOf } from "../src/privacy/privacy-words";

const REQUEST: RightsRequest = {
  id: "r",
  customer_id: "c",
  kind: "erase",
  state: "working",
  by_staff: true,
  asked_at: "2026-11-26T20:00:00Z",
  done_at: null,
  expires_at: null,
  step: 3,
  steps: 20,
  problem: "",
  proof: { removed: { chat: { message: 2 } } },
};

test("a preview lists what goes, the most first, and leaves out what is empty", () => {
  const preview = {
    removes: { chat: { message: 2, delivery: 1 }, carts: { cart_line: 0 }, orders: { orders: 9 } },
    titles: { chat: "Chat", orders: "Orders" },
    invoices: [],
    stays: [],
    waits: null,
  };
  expect(removals(preview)).toEqual([
    { title: "Orders", rows: 9 },
    { title: "Chat", rows: 3 },
  ]);
});

test("a state is said in a word", () => {
  expect(stateOf(REQUEST).label).toBe("Step 3 of 20");
  expect(stateOf({ ...REQUEST, state: "done" }).label).toBe("Forgotten");
  expect(stateOf({ ...REQUEST, state: "done", kind: "export" }).label).toBe("Ready");
  expect(stateOf({ ...REQUEST, state: "failed" }).tone).toBe("bad");
});

test("days are whole, possible, or for ever", () => {
  expect(["30", " 1 ", "", "0", "1.5", "40000", "x"].map(daysOf)).toEqual([30, 1, "ever", null, null, null, null]);
  const rule = { subject: "x", what: "x", why: "", days: null, default_days: 1, changed: true };
  expect([kept(rule), kept({ ...rule, days: 1 }), kept({ ...rule, days: 90 })]).toEqual([
    "for ever",
    "1 day",
    "90 days",
  ]);
});

test("a proof is a file of its own", () => {
  const json = decodeURIComponent(proofFile(REQUEST).split(",").slice(1).join(","));
  expect(JSON.parse(json)).toMatchObject({ request: "r", removed: { chat: { message: 2 } } });
});
