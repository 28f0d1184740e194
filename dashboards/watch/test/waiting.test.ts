// @vitest-environment node
import type { WaitPlace } from "@simulcast/api";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { placeWords, Waiting } from "../src/waiting";

const PLACE: WaitPlace = {
  variant_id: "v1",
  state: "waiting",
  position: 2,
  hold_id: null,
  offered_until: null,
  server_time: "2026-01-01T00:00:00Z",
};

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A hub with these places in turn; the last one stays. */
function line(...answers: WaitPlace[][]) {
  let [asked, offers] = [0, 0];
  const waiting = new Waiting({
    api: {
      places: async () => answers[Math.min(asked++, answers.length - 1)] ?? [],
      join: async () => PLACE,
      leave: async () => undefined,
    },
    onChange: () => undefined,
    onOffered: () => (offers += 1),
  });
  return { waiting, asked: () => asked, offers: () => offers };
}

it("knows a place from joining until leaving", async () => {
  const { waiting } = line([]);
  await waiting.join("v1");
  expect(placeWords(waiting.placeOf("v1")!)).toBe("1 before you in line");
  await waiting.leave("v1");
  expect(waiting.placeOf("v1")).toBeNull();
});

it("says when one is kept, and forgets it when its time is over", async () => {
  const kept: WaitPlace = { ...PLACE, state: "offered", hold_id: "h1", offered_until: "2026-01-01T00:00:45Z" };
  const { waiting, offers } = line([kept], []);
  waiting.offered();
  await vi.advanceTimersByTimeAsync(0);
  expect([offers(), placeWords(waiting.placeOf("v1")!)]).toEqual([1, "One is reserved for you"]);
  await vi.advanceTimersByTimeAsync(47_000);
  expect(waiting.placeOf("v1")).toBeNull();
});

it("asks for its place again when stock moves, and not for each piece of news", async () => {
  const { waiting, asked } = line([PLACE], [{ ...PLACE, position: 1 }]);
  await waiting.load();
  for (let n = 0; n < 20; n += 1) waiting.stockChanged("v1");
  waiting.stockChanged("other");
  await vi.advanceTimersByTimeAsync(10_000);
  expect([asked(), placeWords(waiting.placeOf("v1")!)]).toEqual([2, "You are next in line"]);
});

it("does not wait for an offer's end to ask when stock moves", async () => {
  const kept: WaitPlace = { ...PLACE, variant_id: "v2", state: "offered", offered_until: "2026-01-01T00:05:00Z" };
  const { waiting } = line([PLACE, kept], [{ ...PLACE, position: 1 }, kept], []);
  await waiting.load();
  waiting.stockChanged("v1");
  await vi.advanceTimersByTimeAsync(4_000);
  expect(waiting.placeOf("v1")?.position).toBe(1);
  await vi.advanceTimersByTimeAsync(302_000);
  expect(waiting.placeOf("v2")).toBeNull();
});
