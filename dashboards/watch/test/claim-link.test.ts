// @vitest-environment node
import { ApiError, type ClaimLink as Link, type OpenedClaim } from "@simulcast/api";
import { describe, expect, it, vi } from "vitest";
import { answerWords, claimIn, ClaimLink, withoutClaim } from "../src/claim-link";

const START = Date.parse("2026-01-01T00:00:00Z");
const ENDS = "2026-01-01T00:15:00Z";
const WRONG = "That is not the name this was claimed with. Type it as it stands in the chat.";
const HELD: Link = {
  show: "spring",
  state: "held",
  expires_at: ENDS,
  asks_name: true,
  opened: false,
  server_time: "2026-01-01T00:00:00Z",
};

function no(code: string, detail: string, status = 409): ApiError {
  return new ApiError(status, { code, detail });
}

/** A hub that answers in turn, and remembers the names it was given. */
function page(link: Partial<Link>, ...answers: (Partial<OpenedClaim> | ApiError)[]) {
  const names: string[] = [];
  let [now, yours] = [START, 0];
  const claim: ClaimLink = new ClaimLink({
    api: {
      look: async () => ({ ...HELD, ...link }),
      open: async (_, name) => {
        names.push(name);
        const answer = answers.shift() ?? {};
        if (answer instanceof ApiError) throw answer;
        return { hold_id: null, expires_at: null, wrong: null, ...answer };
      },
    },
    now: () => now,
    onChange: () => undefined,
    onYours: () => (yours += 1),
  });
  return { claim, names, yours: () => yours, later: (ms: number) => (now += ms) };
}

describe("a claim's link", () => {
  it("asks for the name where everybody can read it, again after a wrong one, and opens the cart", async () => {
    const { claim, names, yours } = page({}, { wrong: WRONG }, { hold_id: "h1" });
    await claim.follow("1abc");
    expect([claim.step?.name, names]).toEqual(["asking", []]);
    await claim.give("  ");
    expect(names).toEqual([]);
    await claim.give("bob");
    expect(claim.step).toMatchObject({ name: "asking", wrong: WRONG, busy: false, expiresAt: ENDS });
    await claim.give(" anna ");
    expect([claim.step, names, yours()]).toEqual([null, ["bob", "anna"], 1]);
  });

  it("gives the right name once more by itself after one that came too soon", async () => {
    vi.useFakeTimers();
    const soon = new ApiError(429, { code: "slow_down", detail: "Too soon.", retry_after: 2 });
    const { claim, names, yours } = page({}, { wrong: WRONG }, soon, { hold_id: "h1" });
    await claim.follow("1abc");
    await claim.give("bob");
    const given = claim.give("anna");
    await vi.advanceTimersByTimeAsync(1_900);
    expect([claim.step, names]).toEqual([{ name: "asking", wrong: "", busy: true, expiresAt: ENDS }, ["bob", "anna"]]);
    await vi.advanceTimersByTimeAsync(200);
    await given;
    expect([claim.step, names, yours()]).toEqual([null, ["bob", "anna", "anna"], 1]);
    vi.useRealTimers();
  });

  it("asks nothing where it came in private, or is this browser's already", async () => {
    for (const opened of [false, true]) {
      const { claim, yours } = page({ asks_name: false, opened }, { hold_id: "h1" });
      await claim.follow("1abc");
      expect([claim.step, yours()]).toEqual([null, 1]);
    }
  });

  it.each([
    [{ state: "lapsed" }, "claim_over", "This is over"],
    [{ opened: true }, "claim_taken", "Opened in another browser"],
  ] as const)("says in the hub's words why %o can't be opened, without asking for a name", async (link, code, title) => {
    const { claim, yours } = page(link, no(code, "Because."));
    await claim.follow("1abc");
    expect(claim.step).toEqual({ name: "told", title, why: "Because.", next: null });
    expect(yours()).toBe(0);
  });

  it.each([
    ["claim_closed", 409, "This link is closed", null],
    ["claim_others", 409, "Not in this browser", null],
    ["limit", 409, "Pay for the others first", "cart"],
    ["offline", 0, "This link could not be opened", "again"],
  ] as const)("after %s says what can be done", async (code, status, title, next) => {
    const { claim } = page({}, no(code, "Because.", status));
    await claim.follow("1abc");
    await claim.give("anna");
    expect(claim.step).toEqual({ name: "told", title, why: "Because.", next });
  });

  it("does not say that the time ran out of what is paid", async () => {
    const { claim, names } = page({ state: "paid", opened: true });
    await claim.follow("1abc");
    expect([claim.step, names]).toMatchObject([{ title: "This is paid already" }, []]);
  });

  it("is over when its time is, while the name is asked for", async () => {
    const { claim, later } = page({});
    await claim.follow("1abc");
    claim.tick();
    expect(claim.step?.name).toBe("asking");
    later(15 * 60_000);
    claim.tick();
    expect(claim.step).toMatchObject({ name: "told", title: "This is over" });
  });

  it("opens no sheet for who closed the dialog meanwhile", async () => {
    const { claim, yours } = page({}, { hold_id: "h1" });
    await claim.follow("1abc");
    const given = claim.give("anna");
    claim.dismiss();
    await given;
    expect([claim.step, yours()]).toEqual([null, 0]);
  });

  it("is taken out of the address, and nothing else is", () => {
    const address = "https://shop.example.org/watch/spring?utm_source=x&claim=1abc&access=a";
    expect([claimIn(address), claimIn("https://shop.example.org/watch/spring")]).toEqual(["1abc", ""]);
    expect(withoutClaim(address)).toBe("https://shop.example.org/watch/spring?utm_source=x&access=a");
  });
});

it("what was claimed in our own chat is answered in words, unless it is in the cart", () => {
  const news = { viewer_id: "me", hold_id: null, expires_at: null, detail: "" };
  expect(answerWords({ ...news, state: "held", hold_id: "h1", detail: "soft" })).toBe("");
  expect(answerWords({ ...news, state: "sold_out" })).toContain("Sold out");
  expect(answerWords({ ...news, state: "queued" })).toContain("in line");
  expect(answerWords({ ...news, state: "refused", detail: "No claims now." })).toBe("No claims now.");
});
