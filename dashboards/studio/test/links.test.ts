import type { LinkPost, TrackedLink } from "@simulcast/api";
import { LinksApi } from "@simulcast/api";
import { describe, expect, it } from "vitest";
import { draftOf, emptyDraft, leftToRule, problemOf, wishOf } from "../src/links/link-draft";
import { aboutOf, clickWords, nameOf, postState, postWords, salesWords, TAG_NAMES } from "../src/links/link-words";
import { pageOf } from "../src/navigation";

const LINK = {
  title: "",
  show_id: "s",
  show_title: "Evening",
  target_id: "t",
  target_name: "Our channel",
  platform: "twitch",
  placement: "chat",
  product_title: "Bag",
  offer_title: null,
  host: null,
  destination: null,
  utm_source: "twitch",
  utm_medium: "paid_social",
  utm_campaign: "evening",
  utm_content: "chat",
  utm_term: null,
  utm_id: "5",
  cost_minor: 2490,
  currency: "EUR",
  persons: 1,
  bots: 0,
  previews: 2,
  sales: [
    { currency: "EUR", orders: 1, revenue_minor: 4000 },
    { currency: "JPY", orders: 2, revenue_minor: 900 },
  ],
} as unknown as TrackedLink;
const POST = { how: "message", every_minutes: 5, state: "waiting", last_at: null, problem: null } as LinkPost;

describe("a link in words", () => {
  it("has a name and says what it is about, what it brought and where", () => {
    expect(nameOf(LINK)).toBe("Bag · Our channel");
    expect(aboutOf(LINK)).toBe("Evening · Twitch (Our channel) · Bag · Chat");
    expect(clickWords(LINK)).toBe("1 click, 2 previews");
    expect(salesWords(LINK)).toBe("1 order, €40.00 + 2 orders, ¥900");
    expect(salesWords({ ...LINK, sales: [] })).toBe("No orders");
  });

  it("tells a post that waits from one that repeats, failed or lost its place", () => {
    expect(postWords(POST)).toBe("Message in the chat, every 5 minutes while live");
    expect(postWords({ ...POST, every_minutes: null })).toContain("once, when live");
    expect(postState(POST).word).toBe("Waiting");
    expect(postState({ ...POST, last_at: "2026-11-24T20:00:00Z" }).word).toBe("Repeating");
    expect(postState({ ...POST, state: "failed", problem: "No." })).toEqual({ tone: "bad", word: "Failed" });
    expect(postState({ ...POST, how: "overlay", state: "stopped", problem: "x" }).word).toBe("Stopped");
    expect(postState({ ...POST, how: "overlay", state: "done" }).word).toBe("Shown");
    expect(postState({ ...POST, state: "done", delivery: "queued" }).word).toBe("Being sent");
  });
});

describe("a link as it is typed", () => {
  it("is read back as it was, and what the rule would say anyway is left to the rule", () => {
    const draft = draftOf(LINK, "SEK");
    expect([draft.cost, draft.currency, draft.boosted]).toEqual(["24.90", "EUR", true]);
    const ruled = { ...draft.tags, utm_content: "zoe-chat", utm_term: null };
    const left = leftToRule(draft, ruled);
    expect(TAG_NAMES.filter((name) => left.tags[name])).toEqual(["utm_content"]);
    const wish = wishOf(left);
    expect([wish.utm_source, wish.utm_content, wish.cost_minor, wish.currency]).toEqual([null, "chat", 2490, "EUR"]);
  });

  it("asks for nothing that can't work", () => {
    const draft = emptyDraft("EUR");
    expect(problemOf(draft)).toContain("Choose a show");
    expect(problemOf({ ...draft, destination: "https://shop.brand.com" })).toBeNull();
    expect(problemOf({ ...draft, show_id: "s", cost: "1.234" })).toContain("cost");
    // A target belongs to its show: without the show there is none.
    expect(wishOf({ ...draft, target_id: "t", offer_id: "o" })).toMatchObject({ target_id: null, offer_id: null });
  });

  it("has an address in the studio, and files that hold what is listed", () => {
    expect(pageOf("/studio/links")).toEqual({ name: "links" });
    expect(new LinksApi().exportUrl("csv", { q: "a b", placement: "" })).toBe("/api/v1/links/export.csv?q=a+b");
  });
});
