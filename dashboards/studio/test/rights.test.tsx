/** The person page's card of rights: who may, what is said before, and what must be typed. */

import { type PersonDetail, PrivacyApi, type RightsRequest } from "@simulcast/api";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act } from "react";
import { createRoot } from "react-dom/client";
import { expect, test, vi } from "vitest";
import { RightsCard } from "../src/people/rights-card";

Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });
// jsdom has no dialogs; a real browser's are shown in the end-to-end tests.
Object.assign(HTMLDialogElement.prototype, { showModal() {}, close() {} });

const PERSON: PersonDetail = {
  id: "p",
  ids: ["p", "older"],
  name: "Ana Lind",
  email: null,
  phone: null,
  member_since: null,
  created_at: "2026-11-26T10:00:00Z",
  nodes: [],
  evidence: [],
  changes: [],
  suggestions: [],
};
const COPY: RightsRequest = {
  id: "r",
  customer_id: "older",
  kind: "export",
  state: "done",
  by_staff: true,
  asked_at: "2026-11-26T20:00:00Z",
  done_at: "2026-11-26T20:00:01Z",
  expires_at: null,
  step: 2,
  steps: 2,
  problem: "",
  proof: {},
};
const PREVIEW = {
  removes: { orders: { orders: 2 } },
  titles: { orders: "Orders" },
  invoices: ["INV-000001"],
  stays: ["The books must add up."],
  waits: null,
};

/** The card over a hub that has `requests`; `calls` are those that changed something. */
async function shown(role: string, requests: RightsRequest[], preview: object = PREVIEW) {
  const calls: string[] = [];
  const api = new PrivacyApi(async (input, init) => {
    const path = String(input);
    if (init?.method && init.method !== "GET") calls.push(`${init.method} ${path} ${init.body ?? ""}`.trim());
    const body = path.endsWith("/preview") ? preview : path.endsWith("/requests") ? requests : COPY;
    return new Response(JSON.stringify(body), { headers: { "content-type": "application/json" } });
  });
  document.body.innerHTML = "<div></div>";
  const root = createRoot(document.body.firstElementChild!);
  await act(async () =>
    root.render(
      <QueryClientProvider client={new QueryClient()}>
        <RightsCard person={PERSON} role={role} api={api} />
      </QueryClientProvider>,
    ),
  );
  return calls;
}

const said = () => document.body.textContent ?? "";
const button = (name: string) =>
  [...document.querySelectorAll("button")].find((one) => one.textContent === name) as HTMLButtonElement;
const until = (holds: () => void) => act(() => vi.waitFor(holds));
const press = (name: string) => act(async () => button(name).click());

async function types(words: string) {
  const field = document.querySelector("dialog input") as HTMLInputElement;
  const set = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value")?.set;
  await act(async () => {
    set?.call(field, words);
    field.dispatchEvent(new Event("input", { bubbles: true }));
  });
}

test("a copy is asked for with one press, and can be downloaded when it is there", async () => {
  const calls = await shown("owner", [COPY, { ...COPY, id: "x", customer_id: "somebody else" }]);
  await until(() => expect(document.querySelectorAll("a[download]")).toHaveLength(1));
  expect(document.querySelector("a[download]")?.getAttribute("href")).toBe("/api/v1/privacy/requests/r/file");
  await press("Copy of their data");
  expect(calls).toEqual(["POST /api/v1/privacy/people/p/export"]);
});

test("nobody is erased before it is said what goes and stays, and the word is typed", async () => {
  const calls = await shown("owner", []);
  await press("Erase…");
  await until(() => expect(said()).toContain("Orders: 2"));
  for (const words of ["Erase Ana Lind?", "The books must add up.", "INV-000001", "There is no way back."])
    expect(said()).toContain(words);
  expect(button("Erase for good").disabled).toBe(true);
  await types("yes");
  expect(button("Erase for good").disabled).toBe(true);
  await types("erase");
  await press("Erase for good");
  expect(calls).toEqual(['POST /api/v1/privacy/people/p/erase {"confirm":"erase"}']);
  expect(document.querySelector("dialog")).toBeNull();
});

test("who has an order under way is not erased, and whoever leaves is not asked twice", async () => {
  await shown("owner", [], { ...PREVIEW, waits: "Not yet: order 7 is not paid yet." });
  await press("Erase…");
  await until(() => expect(said()).toContain("order 7 is not paid yet"));
  await types("erase");
  expect(button("Erase for good").disabled).toBe(true);
  await shown("owner", [{ ...COPY, kind: "erase", state: "working", step: 1 }]);
  await until(() => expect(said()).toContain("Step 1 of 2"));
  expect([button("Copy of their data").disabled, button("Erase…").disabled]).toEqual([true, true]);
});

test("only owners have the buttons", async () => {
  await shown("producer", [COPY]);
  await until(() => expect(said()).toContain("Ready"));
  expect(said()).toContain("Only owners");
  expect(document.querySelectorAll("button, a[download]")).toHaveLength(0);
  await shown("moderator", [COPY]);
  expect(said()).toContain("Only owners");
  expect(said()).not.toContain("Ready"); // the hub does not tell them
});
