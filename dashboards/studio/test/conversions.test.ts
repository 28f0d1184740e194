/** What an account's state comes to, in words that say what to do. */

import type { ConversionAccount } from "@simulcast/api";
import { expect, test } from "vitest";
import { adviceFor, healthOf, share, tooOld, waits } from "../src/conversions/conversion-words";

const NOW = Date.parse("2026-11-26T20:00:00Z");

function account(more: Partial<ConversionAccount> = {}, figures = {}): ConversionAccount {
  return {
    connection_id: "c",
    connector: "meta_capi",
    title: "Meta Conversions API",
    name: "Meta",
    linked: true,
    purpose: "ads",
    keeps_days: 7,
    problem: null,
    rest_until: null,
    last_sent_at: "2026-11-26T19:59:00Z",
    shops: false,
    paused: false,
    figures: {
      waiting: 0,
      sent: 3,
      withheld: 0,
      refused: 0,
      too_old: 0,
      withheld_why: [],
      quality: { sent: 3, email: 3, phone: 1, click: 0 },
      ...figures,
    },
    ...more,
  };
}

test("a state is said in a word, the worst first", () => {
  expect(healthOf(account()).label).toBe("Working");
  expect(healthOf(account({ last_sent_at: null })).label).toBe("Nothing sent yet");
  expect(healthOf(account({}, { refused: 1 })).label).toBe("Look at this");
  expect(healthOf(account({ paused: true }, { refused: 1 })).label).toBe("Paused");
  expect(healthOf(account({ problem: "Slow down.", rest_until: "2026-11-26T20:05:00Z" })).label).toBe("Trying again");
  expect(healthOf(account({ linked: false, problem: "No." })).tone).toBe("bad");
});

test("what is wrong comes with what to do, or that nothing need be done", () => {
  expect(adviceFor(account(), NOW)).toBeNull();
  expect(adviceFor(account({ linked: false, problem: "The token is dead." }), NOW)).toBe(
    "The token is dead. Link it again under Connections.",
  );
  const resting = account({ problem: "Meta asks us to slow down", rest_until: "2026-11-26T20:05:00Z" });
  expect(adviceFor(resting, NOW)).toMatch(/^Meta asks us to slow down\. Trying again at .*; nothing is lost\.$/);
  expect(adviceFor(account({ problem: "Google says: too long." }), NOW)).toBe("Google says: too long.");
});

test("shares and times are readable", () => {
  expect(share(38, 40)).toBe("38 of 40 (95 %)");
  expect(share(0, 0)).toBe("–");
  expect([waits(3), waits(7)]).toEqual(["72 hours", "7 days"]);
  expect(tooOld(account().figures, 7)).toBeNull();
  expect(tooOld(account({}, { too_old: 1 }).figures, 3)).toMatch(/^1 event waited longer than the 72 hours/);
});
