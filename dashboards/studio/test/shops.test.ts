import type { Drift, Shop } from "@simulcast/api";
import { describe, expect, it } from "vitest";
import { driftNumbers, driftTimes, shopSentences, shopState, shopTimes } from "../src/troubles/shop-words";

const NOW = Date.parse("2026-11-24T20:00:00Z");

function shop(changes: Partial<Shop> = {}): Shop {
  return {
    connection_id: "c",
    connector: "shopify",
    name: "Store",
    state: "ok",
    orders_read_at: "2026-11-24T19:59:00Z",
    hook_at: null,
    missed: 0,
    silent_since: null,
    subscribed_at: null,
    renewed_at: null,
    problem: null,
    levels_read_at: null,
    rest_until: null,
    listings: 3,
    refused: 0,
    hidden: 0,
    drifting: 0,
    ...changes,
  };
}

function drift(changes: Partial<Drift> = {}): Drift {
  return {
    id: "d",
    connection_id: "c",
    connector: "shopify",
    shop: "Store",
    sku: "BAG",
    title: "Bag",
    ours: 10,
    theirs: 25,
    reason: "It offers 15 more than we told it: the number was changed there.",
    found_at: "2026-11-24T19:50:00Z",
    healed_at: null,
    ...changes,
  };
}

describe("a shop", () => {
  it("says nothing when all is well", () => {
    expect(shopState(shop(), NOW)).toEqual({ tone: "good", label: "In step" });
    expect(shopSentences(shop(), NOW)).toEqual([]);
    expect(shopTimes(shop(), "en-GB")).toMatch(/^Orders read 24 Nov 2026.*\.$/);
    expect(shopTimes(shop({ orders_read_at: null }))).toBe("Not read yet.");
  });

  it("says the gravest first", () => {
    const troubled = shop({ silent_since: "2026-11-24T19:00:00Z", problem: "The store is locked", refused: 2 });
    expect(shopState(troubled, NOW).label).toBe("No longer tells us");
    const [silence, problem, refused] = shopSentences(troubled, NOW, "en-GB");
    expect(silence).toMatch(/^Not heard from since 24 Nov 2026/);
    expect(problem).toBe("We can't ask it to tell us of orders: The store is locked.");
    expect(refused).toContain("2 products");
    expect(shopState(shop({ state: "reconnect" }), NOW).tone).toBe("bad");
  });

  it("tells of products that nobody sees there", () => {
    const hiding = shop({ hidden: 1 });
    expect(shopState(hiding, NOW)).toEqual({ tone: "warn", label: "Look at this" });
    expect(shopSentences(hiding, NOW)).toEqual([
      "It shows 1 product to nobody. The listings say why and what to do.",
    ]);
  });

  it("rests only until it may be told again", () => {
    const resting = shop({ rest_until: "2026-11-24T20:00:30Z" });
    expect(shopState(resting, NOW).label).toBe("Resting");
    expect(shopState(resting, NOW + 60_000).label).toBe("In step");
  });
});

describe("a drift", () => {
  it("says both numbers, and since when", () => {
    expect(driftNumbers(drift())).toBe("We told it 10, it offered 25.");
    expect(driftTimes(drift(), "en-GB")).toMatch(/^Since 24 Nov 2026.*Our number is sent again\.$/);
  });

  it("says how long it lasted once it is healed", () => {
    expect(driftTimes(drift({ healed_at: "2026-11-24T19:50:03Z" }))).toMatch(/put right within seconds\.$/);
    expect(driftTimes(drift({ healed_at: "2026-11-24T19:57:00Z" }))).toMatch(/put right after 7 minutes\.$/);
  });
});
