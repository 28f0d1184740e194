import type { GatewayEvent, StaffMessage } from "@simulcast/api";
import { expect, test } from "vitest";
import { CALM, type Crowd, opened } from "../src/show/chat/crowd";
import { gapWords, linesOf, tooMuch, verbWords } from "../src/show/chat/feed";
import { type Picture, reduce } from "../src/show/reduce";
import { aMessage, aSnapshot, AT } from "./a-show";

const START = Date.parse(AT);
const A_PICTURE: Picture = {
  show: aSnapshot(),
  orders: [],
  viewers: 0,
  refused: null,
  crowd: CALM,
  actions: [],
  dropped: {},
};
const VOICE = {
  target_id: "t1",
  name: "Linnea on YouTube",
  platform: "youtube",
  why_not: null,
  characters: 5,
  unit: "utf16" as const,
  messages: null,
  seconds: null,
  links: true,
  announces: false,
  answers: false,
  verbs: ["delete" as const],
};

function storm(picture: Picture, perSecond: number, seconds: number, change = {}): Picture {
  let now = picture;
  for (let index = 0; index < perSecond * seconds; index++) {
    const at = new Date(START + (index * 1_000) / perSecond).toISOString();
    const data: StaffMessage = aMessage(index + 1, { at, received_at: at, ...change });
    now = reduce(now, { kind: "message.added", seq: data.seq, data });
  }
  return now;
}

test("of a storm as much is shown as can be read, and every other message is counted", () => {
  const began = performance.now();
  const { show, crowd } = storm(A_PICTURE, 500, 60);
  const took = performance.now() - began;
  expect(show.messages).toHaveLength(8 * 60);
  expect(crowd.skips).toHaveLength(60);
  expect(crowd.skips.reduce((sum, skip) => sum + skip.count, 0)).toBe(492 * 60);
  // 3,000 frames of 20 ms: taking the news in leaves nearly all of each to drawing.
  expect(took / 3_000).toBeLessThan(10);
});

test("money is always shown", () => {
  expect(storm(A_PICTURE, 50, 1, { kind: "paid" }).show.messages).toHaveLength(50);
});

test("what was too much stands as one line where it was, until it is opened", () => {
  const { show, crowd } = storm(A_PICTURE, 20, 2);
  const lines = linesOf(show.messages, [], crowd.skips);
  const kinds = lines.map((line) => (line.kind === "more" ? line.skip.count : line.kind[0])).join("");
  expect(kinds).toBe(`${"m".repeat(8)}12${"m".repeat(8)}12`);
  const without: Crowd = opened(crowd, crowd.skips[0]?.first ?? 0);
  expect(linesOf(show.messages, [], without.skips)).toHaveLength(17);
});

test("a message that is hidden from viewers stays in sight of staff", () => {
  const before = storm(A_PICTURE, 2, 1);
  const hide = { kind: "message.hidden", seq: 9, data: { ids: ["m1"] } } satisfies GatewayEvent;
  const { messages } = reduce(before, hide).show;
  expect(messages.map(({ id, hidden }) => [id, hidden])).toEqual([
    ["m1", true],
    ["m2", false],
  ]);
});

test("a moderation's result replaces what was known of it", () => {
  const action = { id: "a", state: "queued", result: "Hidden here. Telling YouTube …" };
  const tell = (part: object) =>
    ({ kind: "moderation.changed", seq: null, data: { ...action, ...part } }) as never;
  const told = reduce(reduce(A_PICTURE, tell({})), tell({ state: "done", result: "Deleted on YouTube." }));
  expect(told.actions.map(({ result }) => result)).toEqual(["Deleted on YouTube."]);
});

test("a gap says which chat, from when to when, and why", () => {
  const gap = aMessage(1, { kind: "gap", at: AT, received_at: "2026-11-24T20:00:12Z", text: "It was down." });
  expect(gapWords(gap, "en-GB")).toMatch(
    /^YouTube: messages from \d\d:00:00 to \d\d:00:12 may be missing. It was down\.$/,
  );
});

test("too long is said before it is sent, in the platform's own count", () => {
  expect(tooMuch("12345", [VOICE], null)).toEqual([]);
  expect(tooMuch("1234😀", [VOICE], "t1")).toHaveLength(1);
  expect(tooMuch("1234😀", [VOICE], "own")).toEqual([]);
});

test("what a verb will reach is said before it is done", () => {
  expect(verbWords("delete", aMessage(1), [VOICE])).toBe("Here and on YouTube.");
  expect(verbWords("ban", aMessage(1), [VOICE])).toContain("Only silences them here");
});

test("an answer shows what it answers", () => {
  const asked = aMessage(1);
  const delivery = { target_id: "t1", platform: "youtube", state: "sent", reason: null } as const;
  const ours = aMessage(2, {
    platform: "own",
    outgoing: true,
    reply_to: "x1",
    deliveries: [{ ...delivery, purpose: "reply", due_at: null }],
  });
  const [, line] = linesOf([asked, ours], []);
  expect(line?.kind === "message" && line.asked?.id).toBe("m1");
});
