// @vitest-environment node
import type { Claim, ParkedJob, ShowProduct } from "@simulcast/api";
import { describe, expect, it } from "vitest";
import {
  choices,
  claimSentences,
  claimState,
  goodsWords,
  keywords,
  linkToTell,
  numberOf,
  offerable,
  timeWords,
  unpaid,
} from "../src/show/claims/claim-words";
import { jobTroublesOf } from "../src/troubles/job-words";
import { AT } from "./a-show";

const NOW = Date.parse(AT);
const LINK = "https://shop.example.org/c/1abc";

function aClaim(part: Partial<Claim> = {}): Claim {
  return {
    message_id: "m1",
    platform: "tiktok",
    author: "anna",
    words: "sold 1 red",
    product_id: "p1",
    variant_id: "v1",
    quantity: 2,
    state: "held",
    detail: "",
    said_at: AT,
    expires_at: new Date(NOW + 90_000).toISOString(),
    order_id: null,
    opened: false,
    restricted: false,
    answer: "host",
    answer_state: null,
    answer_reason: "",
    link: LINK,
    ...part,
  };
}

describe("claims in words", () => {
  it("say how long a reservation still is, and whether its link was opened", () => {
    expect(claimState(aClaim(), NOW).label).toBe("Reserved, 1:30");
    expect(claimState(aClaim({ opened: true }), NOW).label).toBe("Link opened, 1:30");
    expect(claimState(aClaim({ detail: "soft" }), NOW).label).toBe("First to pay gets it, 1:30");
    expect(claimState(aClaim(), NOW + 91_000).label).toBe("Time is up");
  });

  it("never show a code in place of a sentence", () => {
    expect(claimSentences(aClaim({ detail: "soft" }))).toEqual(["Not told by us."]);
    expect(claimSentences(aClaim({ state: "lapsed", detail: "soft" }))).toEqual(["Not told by us."]);
    expect(claimSentences(aClaim({ state: "unclear", detail: "Which one? red or blue", answer: "none" }))).toEqual([
      "Which one? red or blue.",
    ]);
  });

  it("tell what became of our answer", () => {
    const failed = { answer: "public", answer_state: "failed", answer_reason: "Slow mode" } as const;
    expect(claimSentences(aClaim(failed))).toEqual(["Our answer in the chat did not get through: Slow mode."]);
    const sent = { answer: "private", answer_state: "confirmed", restricted: true } as const;
    expect(claimSentences(aClaim(sent))).toEqual([
      "Told in a private message.",
      "This person's claims are not taken any more.",
    ]);
  });

  it("give the link to read out only where we could not, and only while there is something to pay", () => {
    expect(linkToTell(aClaim())).toBe(LINK);
    expect(linkToTell(aClaim({ answer: "public", answer_state: "failed" }))).toBe(LINK);
    expect(linkToTell(aClaim({ answer: "public", answer_state: "sent" }))).toBeNull();
    expect(linkToTell(aClaim({ state: "paid" }))).toBeNull();
  });

  it("offer again what came to nothing, never what is reserved, paid or of no known kind", () => {
    const states = ["held", "paid", "waiting", "withdrawn", "unclear", "lapsed", "sold_out", "refused", "queued"] as const;
    expect(states.filter((state) => offerable(aClaim({ state })))).toEqual(["lapsed", "sold_out", "refused", "queued"]);
    expect(offerable(aClaim({ state: "lapsed", variant_id: null }))).toBe(false);
    expect(states.filter((state) => unpaid(aClaim({ state })))).toEqual(["held", "lapsed"]);
  });

  it("name what is claimed, and what viewers write for it", () => {
    const products = [{ id: "p1", title: "Bag", variants: [{ id: "v1", title: "Red" }] }] as ShowProduct[];
    expect(goodsWords(aClaim(), products)).toBe("2 × Bag Red");
    expect(goodsWords(aClaim(), [])).toBe("2 × a product that is gone");
    const name = { product_id: "p1", title: "Bag", number: 3, own_number: false };
    expect(keywords({ ...name, word: null })).toBe("sold 3");
    expect(keywords({ ...name, word: "bag" })).toBe("sold 3, or sold bag");
  });

  it("take whole numbers or none", () => {
    expect(["12", " 7 ", "", "0", "1.5", "x", "100000"].map(numberOf)).toEqual([
      12,
      7,
      null,
      "bad",
      "bad",
      "bad",
      "bad",
    ]);
    expect(choices([60, 300], 120)).toEqual([60, 120, 300]);
    expect([timeWords(60), timeWords(900), timeWords(90)]).toEqual(["1 minute", "15 minutes", "90 seconds"]);
  });
});

describe("parked jobs in words", () => {
  const job = (id: number, part: Partial<ParkedJob> = {}): ParkedJob => ({
    id,
    task: "payment.confirm",
    what: "Asking what a buyer's bank decided",
    about: "o1",
    attempts: 1,
    given_up_at: AT,
    ...part,
  });

  it("are one notice for each kind, with all that is to be tried again", () => {
    const found = jobTroublesOf([job(1), job(2, { about: "o2", attempts: 20 }), job(3, { task: "x", what: "Mailing" })]);
    expect(found.map(({ title, ids }) => [title, ids])).toEqual([
      ["Asking what a buyer's bank decided did not work, 2 times.", [1, 2]],
      ["Mailing did not work.", [3]],
    ]);
    expect(found[0]?.tried).toContain("Given up after 20 tries, last ");
    expect(found[0]?.tried).not.toContain("It was about");
    expect(found[1]?.tried).toContain("Given up after 1 try, ");
    expect(found[1]?.tried).toContain("It was about o1.");
  });
});
