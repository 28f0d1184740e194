/** The room against an HTTP server and a gateway that are played by hand, step by step. */

import { ApiError, type ShowSnapshot, type Socket, StaffApi, type StaffMessage } from "@simulcast/api";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Room } from "../src/show/room";
import { aMessage, aSnapshot, aTarget } from "./a-show";

class Wire implements Socket {
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;
  constructor(readonly url: string) {}
  send(): void {}
  close(): void {}
  say(...events: unknown[]): void {
    this.onmessage?.({ data: JSON.stringify(events) });
  }
}

/** What the hub would answer now. Tests change it as the show goes on. */
class Hub {
  snapshot: ShowSnapshot | null = aSnapshot();
  messages: StaffMessage[] = [];
  signedIn = true;
  away = false;
  readonly asked: string[] = [];

  readonly fetch = async (path: string): Promise<Response> => {
    this.asked.push(path);
    if (this.away) throw new TypeError("failed to fetch");
    const answer = this.answer(new URL(path, "http://hub"));
    const status = "code" in answer ? (answer.code === "signed_out" ? 401 : 404) : 200;
    return new Response(JSON.stringify("body" in answer ? answer.body : answer), { status });
  };

  private answer(url: URL): { body: unknown } | { code: string } {
    if (!this.signedIn) return { code: "signed_out" };
    if (!this.snapshot) return { code: "show_unknown" };
    if (url.pathname.endsWith("/gateway-ticket")) return { body: { ticket: "t", url: "ws://gateway/ws" } };
    if (url.pathname.endsWith("/orders")) return { body: [] };
    if (url.pathname.endsWith("/messages")) {
      const after = Number(url.searchParams.get("after_seq"));
      const limit = Number(url.searchParams.get("limit"));
      return { body: this.messages.filter((message) => message.seq > after).slice(0, limit) };
    }
    return { body: { ...this.snapshot, messages: this.messages.slice(-200) } };
  }
}

const hello = { kind: "hello", seq: null, data: { seq: 0, server_time: "2026-11-24T20:00:00Z", viewers: 3 } };
const said = (seq: number) => ({ kind: "message.added", seq, data: aMessage(seq) });
const settle = () => vi.advanceTimersByTimeAsync(100);

function enter(hub: Hub) {
  const wires: Wire[] = [];
  const onSignedOut = vi.fn();
  const onAlarms = vi.fn();
  const room = new Room({
    api: new StaffApi(hub.fetch),
    showId: "s1",
    onSignedOut,
    onAlarms,
    open: (url) => {
      wires.push(new Wire(url));
      return wires.at(-1) as Wire;
    },
  });
  void room.enter();
  const seqs = () => room.now().picture?.show.messages.map((message) => message.seq);
  return { room, onSignedOut, onAlarms, seqs, wire: () => wires.at(-1) as Wire };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("the snapshot is shown and followed from its number on", async () => {
  const hub = new Hub();
  hub.snapshot = aSnapshot({ seq: 7 });
  const { room, wire, seqs } = enter(hub);
  await settle();
  expect(wire().url).toBe("ws://gateway/ws?token=t&after=7");
  wire().say(hello);
  await settle();
  wire().say(said(8));
  expect(room.now()).toMatchObject({ phase: "ready", connection: "open", picture: { viewers: 3 } });
  expect(seqs()).toEqual([8]);
  room.leave();
});

test("what happened between the snapshot and the first word of the gateway is seen", async () => {
  const hub = new Hub();
  const { room, wire } = enter(hub);
  await settle();
  hub.snapshot = aSnapshot({ targets: [aTarget({ state: "live" })] });
  wire().say(hello);
  await settle();
  expect(room.now().picture?.show.targets[0]?.state).toBe("live");
  room.leave();
});

test("an account that needs a person is told at once", async () => {
  const { room, onAlarms, wire } = enter(new Hub());
  await settle();
  wire().say(hello);
  wire().say({ kind: "alarms.changed", seq: null, data: {} });
  expect(onAlarms).toHaveBeenCalledOnce();
  room.leave();
});

test("messages that a long break swallowed are fetched, with no hole before them", async () => {
  const hub = new Hub();
  hub.messages = [aMessage(1), aMessage(2)];
  hub.snapshot = aSnapshot({ seq: 2 });
  const { room, wire, seqs } = enter(hub);
  await settle();
  wire().say(hello);
  await settle();
  hub.messages = Array.from({ length: 450 }, (_, index) => aMessage(index + 1));
  hub.snapshot = aSnapshot({ seq: 450 });
  wire().say({ kind: "gap", seq: null, data: {} });
  await settle();
  expect(seqs()).toEqual(hub.messages.map((message) => message.seq));
  room.leave();
});

test("older messages are loaded on request, and it is known when there are none", async () => {
  const hub = new Hub();
  hub.messages = Array.from({ length: 300 }, (_, index) => aMessage(index + 1));
  hub.snapshot = aSnapshot({ seq: 300 });
  const { room, seqs } = enter(hub);
  await settle();
  expect(seqs()?.[0]).toBe(101);
  expect(await room.earlier()).toBe(true);
  expect(seqs()?.[0]).toBe(1);
  expect(await room.earlier()).toBe(false);
  room.leave();
});

test("a reply that was heard shows where it is going", async () => {
  const hub = new Hub();
  const { room, wire } = enter(hub);
  await settle();
  wire().say(hello);
  await settle();
  const way = { target_id: null, platform: "own", state: "confirmed" as const, reason: null, purpose: "reply" as const, due_at: null };
  hub.messages = [aMessage(1, { outgoing: true, deliveries: [way] })];
  const { deliveries: _, ...heard } = aMessage(1, { outgoing: true });
  wire().say({ kind: "message.added", seq: 1, data: heard });
  await settle();
  expect(room.now().picture?.show.messages[0]?.deliveries).toEqual([way]);
  room.leave();
});

test("the picture's address is fetched as soon as there is one", async () => {
  const hub = new Hub();
  const { room, wire } = enter(hub);
  await settle();
  wire().say(hello);
  await settle();
  hub.snapshot = aSnapshot({ playback: { hls_url: "http://media/live/evening/index.m3u8" } });
  wire().say({ kind: "playback.changed", seq: null, data: { playable: true } });
  await settle();
  expect(room.now().picture?.show.playback).not.toBeNull();
  room.leave();
});

test("a show that is not there is not asked for again", async () => {
  const hub = new Hub();
  hub.snapshot = null;
  const { room } = enter(hub);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(room.now().phase).toBe("missing");
  expect(hub.asked).toHaveLength(2);
});

test("a hub that is away is asked until it answers", async () => {
  const hub = new Hub();
  hub.away = true;
  const { room } = enter(hub);
  await settle();
  expect(room.now().phase).toBe("unreachable");
  hub.away = false;
  await vi.advanceTimersByTimeAsync(5_000);
  expect(room.now().phase).toBe("ready");
  room.leave();
});

test("a session that ended leads to the sign-in", async () => {
  const hub = new Hub();
  hub.signedIn = false;
  const { room, onSignedOut } = enter(hub);
  await settle();
  expect(onSignedOut).toHaveBeenCalled();
  room.leave();
});

test("a reply that the hub refuses is not shown as said", async () => {
  const hub = new Hub();
  const { room, seqs } = enter(hub);
  await settle();
  hub.signedIn = false;
  await expect(room.say({ text: "hello" })).rejects.toBeInstanceOf(ApiError);
  expect(seqs()).toEqual([]);
  room.leave();
});
