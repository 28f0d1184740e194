import type { Alarm, Connection, Connector } from "@simulcast/api";
import { expect, test } from "vitest";
import { alarmTimes } from "../src/connections/alarm-words";
import { budgetLine, keyLine, loginLine, problemWords, stateOf } from "../src/connections/connection-words";
import { changesOf, settingsOf, shownOf } from "../src/connections/form";
import { landedBy } from "../src/connections/landed";

const NOW = Date.parse("2026-11-24T18:00:00Z");

const LINNEA: Connection = {
  id: "1",
  connector: "youtube",
  title: "YouTube",
  name: "Linnea",
  state: "ok",
  reason: null,
  capabilities: [],
  token_expires_at: "2026-11-27T18:00:00Z",
  renews: false,
  account: { id: "UC1", detail: "120 followers", picture_url: null },
  app_known: true,
  settings: { channel: "UC1", kids: false },
  key_entered_at: null,
  key_ends_at: null,
  budget: null,
  webhook_url: null,
  created_at: "2026-11-01T18:00:00Z",
};

test("a login that lasts is a date, one that soon ends or ended asks for a press", () => {
  expect(loginLine(LINNEA, NOW, "en-GB")?.text).toMatch(/^The login ends on 27 Nov 2026.* Press Reconnect/);
  expect(loginLine(LINNEA, NOW)?.tone).toBe("warn");
  const later = { ...LINNEA, token_expires_at: "2027-01-24T18:00:00Z" };
  expect(loginLine(later, NOW, "en-GB")?.text).toMatch(/^The login ends on 24 Jan 2027, \d\d:00\.$/);
  expect(loginLine({ ...LINNEA, token_expires_at: "2026-11-23T18:00:00Z" }, NOW)?.tone).toBe("bad");
  const renewed = { ...LINNEA, renews: true };
  expect(loginLine(renewed, NOW, "en-GB")?.text).toMatch(/^The login renews itself, next before 27 Nov 2026, \d\d:00\.$/);
  expect(loginLine({ ...renewed, token_expires_at: "2026-11-23T18:00:00Z" }, NOW)?.text).toBe("The login renews itself.");
  expect(loginLine({ ...renewed, token_expires_at: null }, NOW)?.text).toBe("The login renews itself.");
  expect(loginLine({ ...LINNEA, token_expires_at: null }, NOW)).toBeNull();
  expect(loginLine({ ...LINNEA, state: "reconnect" }, NOW)).toBeNull();
});

test("a stream key counts down until a new one is needed", () => {
  const at = (key_ends_at: string) => keyLine({ ...LINNEA, key_ends_at }, NOW);
  expect(at("2026-11-24T20:05:09Z")).toEqual({ text: "The stream key is good for 2:05:09.", tone: "quiet" });
  expect(at("2026-11-24T18:20:00Z")?.tone).toBe("warn");
  expect(at("2026-11-24T17:00:00Z")?.text).toMatch(/run out.*from YouTube and enter it/);
  expect(keyLine(LINNEA, NOW)).toBeNull();
});

test("an allowance says how much of it is gone and when it is whole again", () => {
  const budget = { used: 3200, units: 10_000, reserve: 500, resets_at: "2026-11-25T08:00:00Z" };
  const { text } = budgetLine(budget, "en-GB");
  expect(text).toMatch(/^3,200 of 10,000 units used today. Whole again at \d\d:00\.$/);
  expect(budgetLine(budget).tone).toBe("quiet");
  expect(budgetLine({ ...budget, used: 7600 }).tone).toBe("warn");
});

test("the way back from a platform says what came of it, and nothing else is believed", () => {
  expect(landedBy("?linked=7")).toEqual({ kind: "linked", id: "7" });
  expect(landedBy("?choose=7")).toEqual({ kind: "choose", id: "7" });
  expect(landedBy("?problem=refused&login=9")).toEqual({ kind: "problem", problem: "refused", id: "9" });
  expect(landedBy("?next=https://evil.example")).toBeNull();
  expect(problemWords("<b>made up</b>", null)).toBe("Nothing was linked. Start once more.");
  expect(problemWords("denied", null)).toMatch(/Start once more, and press Allow on the platform's page/);
  expect(problemWords("refused", "The secret is wrong")).toMatch(/ It said: The secret is wrong\.$/);
  expect(problemWords("refused", null)).toMatch(/ then start once more\.$/);
});

test("settings leave out the app, put the key first, and send only what was changed", () => {
  const connector = {
    schema: {
      properties: {
        client_id: { title: "Client ID", type: "string" },
        channel: { title: "Channel", type: "string" },
        kids: { title: "Made for kids", type: "boolean" },
        key: { title: "Stream key", type: "string", format: "password" },
      },
      required: ["client_id", "channel"],
    },
    consent: { redirect_uri: "", app: { properties: { client_id: {} } }, permissions: [] },
  } as unknown as Connector;
  const fields = settingsOf(connector);
  expect(fields.map(({ name, required }) => [name, required])).toEqual([
    ["key", false],
    ["channel", false],
    ["kids", false],
  ]);
  const before = shownOf(fields, LINNEA.settings);
  expect(before).toEqual({ key: "", channel: "UC1", kids: "false" });
  expect(changesOf(fields, before, before)).toEqual({});
  const after = { ...before, key: "new", kids: "true" };
  expect(changesOf(fields, before, after)).toEqual({ key: "new", kids: true });
});

test("an alarm names its dates", () => {
  const alarm: Alarm = {
    connection_id: "1",
    connector: "youtube",
    name: "Linnea",
    kind: "login_ends",
    sentence: "",
    at: "2026-11-27T18:00:00Z",
    show_id: "2",
    show_title: "Evening",
    starts_at: "2026-11-27T17:00:00Z",
  };
  const times = alarmTimes(alarm, "en-GB");
  expect(times).toMatch(/^The login ends on 27 Nov 2026.*“Evening” begins on 27 Nov 2026/);
  expect(alarmTimes({ ...alarm, kind: "login_dead", show_title: null })).toBe("");
});

test("an account of a platform that is gone says so and asks for no login", () => {
  const gone: Connection = { ...LINNEA, state: "gone" };
  expect(stateOf(gone).label).toBe("No longer known");
  expect(loginLine(gone, NOW)).toBeNull();
});

test("a login that the hub died over asks to start once more", () => {
  expect(problemWords("cut_off", null)).toMatch(/if not, start once more\.$/);
});
