import { describe, expect, it } from "vitest";
import { closedWords, leftWords, offerFor, offersFor, standing, tierWords, timeLeft, type ViewerOffer, withOffer, withOfferCount } from "../src";

const AT = Date.parse("2026-11-24T20:00:00Z");

function offer(part: Partial<ViewerOffer> = {}): ViewerOffer {
  return {
    id: "o1",
    kind: "flash",
    title: "Now",
    state: "open",
    starts_at: "2026-11-24T19:58:00Z",
    ends_at: "2026-11-24T20:03:00Z",
    ended_at: null,
    units: null,
    taken: 0,
    left: null,
    per_buyer: null,
    members_until: null,
    own_site_only: false,
    segment_id: null,
    stackable: false,
    items: [
      { variant_id: "v1", title: "Bag", quantity: 1, unit_minor: 2940, currency: "EUR", was_minor: 4900, percent: 40, parts: [] },
    ],
    tiers: [],
    bundle: null,
    record_url: "/r",
    version: 5,
    yours: 0,
    open_to_you: true,
    ...part,
  };
}

describe("an offer on the page", () => {
  it("ends by the server's clock to the millisecond, whatever news say", () => {
    const end = AT + 180_000;
    expect(standing(offer(), end - 1)).toBe("open");
    expect(standing(offer(), end)).toBe("ended");
    expect([timeLeft(offer(), AT), timeLeft(offer(), end - 1), timeLeft(offer(), end)]).toEqual(["3:00", "0:01", null]);
    expect(closedWords(offer(), end, false)).toBe("This offer is over.");
  });

  it("begins by itself", () => {
    const soon = offer({ state: "soon", starts_at: "2026-11-24T20:01:00Z" });
    expect([standing(soon, AT), timeLeft(soon, AT)]).toEqual(["soon", "1:00"]);
    expect(standing(soon, AT + 60_000)).toBe("open");
  });

  it("says how many are left, and when all are taken", () => {
    expect(leftWords(offer({ units: 20, left: 12 }))).toBe("12 left at this price");
    const gone = offer({ units: 20, left: 0, state: "gone" });
    expect(standing(gone, AT)).toBe("gone");
    expect(closedWords(gone, AT, true)).toContain("All are taken");
    expect(leftWords(offer())).toBeNull();
  });

  it("names the steps by percentage, or by price where none may be said", () => {
    const prices = { v1: 2940 };
    const tiers = [
      { position: 0, percent: 40, units: 20, left: 0, prices },
      { position: 1, percent: 30, units: 50, left: 20, prices: { v1: 3430 } },
      { position: 2, percent: null, units: null, left: null, prices: { v1: 3920 } },
    ];
    expect(tierWords(offer({ kind: "tiers", tiers }), "v1", "en")).toEqual([
      { text: "20 at −40 %: all taken", now: false, gone: true },
      { text: "20 left at −30 %", now: true, gone: false },
      { text: "Then €39.20", now: false, gone: false },
    ]);
  });

  it("waits for members, and then is for everybody", () => {
    const first = offer({ members_until: "2026-11-24T20:01:00Z" });
    expect(closedWords(first, AT, false)).toContain("Members");
    expect(closedWords(first, AT, true)).toBeNull();
    expect(closedWords(first, AT + 60_000, false)).toBeNull();
  });

  it("is chosen as the hub chooses: the cheapest that is open to this viewer", () => {
    const dear = offer({ id: "o2", items: [{ ...offer().items[0]!, unit_minor: 4000 }] });
    const closed = offer({ id: "o3", state: "ended", items: [{ ...offer().items[0]!, unit_minor: 100 }] });
    const whole = offer({ id: "o4", kind: "bundle" });
    expect(offerFor([dear, closed, whole, offer()], "v1", AT, false)?.id).toBe("o1");
    expect(offerFor([dear], "other", AT, false)).toBeNull();
  });

  it("drops older news, and keeps what is only this viewer's", () => {
    const mine = [offer({ yours: 2, open_to_you: false })];
    const { yours: _, open_to_you: __, ...news } = offer({ version: 6, title: "Newer" });
    expect(withOffer(mine, news)[0]).toMatchObject({ title: "Newer", yours: 2, open_to_you: false });
    expect(withOffer(mine, { ...news, version: 4 })).toBe(mine);
    expect(withOffer(mine, { ...news, id: "o9" }).map(({ id }) => id)).toEqual(["o9", "o1"]);
    const count = { id: "o1", state: "open" as const, units: 9, taken: 3, left: 6, tiers: [], items: [] };
    expect(withOfferCount(mine, { ...count, version: 4 })[0]?.left).toBeNull();
    expect(withOfferCount(mine, { ...count, version: 7 })[0]).toMatchObject({ left: 6, yours: 2 });
  });
});

describe("an offer for a group", () => {
  const now = Date.parse("2026-01-01T00:00:00Z");
  const theirs = { ...offer(), segment_id: "g1" };

  it("is seen by the group alone, and needs no membership", () => {
    expect(offersFor([theirs], [], now)).toEqual([]);
    expect(offersFor([{ ...theirs, members_until: "2026-01-01T00:05:00Z" }], ["g1"], now)).toEqual([
      { ...theirs, members_until: null },
    ]);
  });

  it("that was theirs first is everybody's when that time is over", () => {
    const first = { ...theirs, members_until: "2026-01-01T00:05:00Z" };
    expect(offersFor([first], [], now)).toEqual([]);
    expect(offersFor([first], [], now + 300_000)).toEqual([first]);
  });
});
