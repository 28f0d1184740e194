import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { GatewayClient, type GatewayEvent, type GatewayOptions, type Socket } from "../src";

/** The server's end of one connection. */
class Wire implements Socket {
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;
  sent: string[] = [];
  closed = false;
  constructor(readonly url: string) {}
  send(data: string): void {
    this.sent.push(data);
  }
  close(): void {
    this.closed = true;
  }
  say(...events: unknown[]): void {
    this.onmessage?.({ data: JSON.stringify(events) });
  }
  break(): void {
    this.onclose?.({ code: 1006 });
  }
}

const hello = { kind: "hello", seq: null, data: { seq: 0, server_time: "2026-01-01T00:00:00Z", viewers: 1 } };
const gap = { kind: "gap", seq: null, data: {} };
const stock = (seq: number) => ({ kind: "stock.changed", seq, data: { variant_id: "v", available: seq, version: seq } });

function room(changes: Partial<GatewayOptions> = {}) {
  const wires: Wire[] = [];
  const seen: GatewayEvent[] = [];
  const states: string[] = [];
  const client = new GatewayClient({
    address: async () => ({ url: "ws://gateway/ws", token: "t/1" }),
    after: 10,
    onEvents: (events) => seen.push(...events),
    onGap: async () => 0,
    onState: (state) => states.push(state),
    open: (url) => {
      const wire = new Wire(url);
      wires.push(wire);
      return wire;
    },
    random: () => 1,
    ...changes,
  });
  const seqs = () => seen.map((event) => event.seq).filter((seq) => seq !== null);
  const wire = () => wires[wires.length - 1] as Wire;
  return { client, wires, wire, seqs, states };
}

const settle = () => vi.advanceTimersByTimeAsync(0);

describe("GatewayClient", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("asks for everything after the snapshot and escapes the token", async () => {
    const { client, wire } = room();
    client.start();
    await settle();
    expect(wire().url).toBe("ws://gateway/ws?token=t%2F1&after=10");
  });

  it("sends what the page tells while it is open, and passes on the answers even while a snapshot loads", async () => {
    const answers: GatewayEvent[] = [];
    const { client, wire, seqs } = room({
      onAnswer: (event) => answers.push(event),
      onGap: () => new Promise(() => undefined),
    });
    client.start();
    await settle();
    expect(client.tell("frame")).toBe(false);
    wire().say(hello, gap);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(client.tell("frame")).toBe(true);
    expect(wire().sent).toContain("frame");
    wire().say({ kind: "kept", seq: null, data: { n: 1, refused: 0 } }, stock(11));
    wire().say({ kind: "later", seq: null, data: { n: null, seconds: 5 } });
    expect(answers.map(({ kind }) => kind)).toEqual(["kept", "later"]);
    expect(seqs()).toEqual([]);
    client.stop();
    expect(client.tell("frame")).toBe(false);
  });

  it("resumes after the last event it passed on, and passes each on once", async () => {
    const { client, wire, wires, seqs } = room();
    client.start();
    await settle();
    wire().say(hello, stock(11), stock(12));
    wire().break();
    await vi.advanceTimersByTimeAsync(500);
    expect(wires).toHaveLength(2);
    expect(wire().url).toContain("after=12");
    wire().say(hello, stock(12), stock(13));
    expect(seqs()).toEqual([11, 12, 13]);
  });

  it("waits longer after each failure, up to the cap, and starts over once greeted", async () => {
    const { client, wire, wires } = room({ backoff: { baseMs: 100, capMs: 400 } });
    client.start();
    await settle();
    for (const wait of [100, 200, 400, 400]) {
      const before = wires.length;
      wire().break();
      await vi.advanceTimersByTimeAsync(wait - 1);
      expect(wires).toHaveLength(before);
      await vi.advanceTimersByTimeAsync(1);
      expect(wires).toHaveLength(before + 1);
    }
    wire().say(hello);
    wire().break();
    await vi.advanceTimersByTimeAsync(100);
    expect(wires).toHaveLength(6);
  });

  it("spreads the crowd over half of the wait", async () => {
    const { client, wire, wires } = room({ random: () => 0 });
    client.start();
    await settle();
    wire().break();
    await vi.advanceTimersByTimeAsync(250);
    expect(wires).toHaveLength(2);
  });

  it("counts a refused address as a failure and tells how many there were", async () => {
    const failures: number[] = [];
    const { client } = room({
      address: async (count) => {
        failures.push(count);
        throw new Error("401");
      },
    });
    client.start();
    await vi.advanceTimersByTimeAsync(500 + 1000);
    expect(failures).toEqual([0, 1, 2]);
    client.stop();
  });

  it("gives up on a connection that never greets", async () => {
    const { client, wires } = room();
    client.start();
    await vi.advanceTimersByTimeAsync(10_000 + 500);
    expect(wires).toHaveLength(2);
    expect(wires[0]?.closed).toBe(true);
  });

  it("holds news back while the snapshot loads and drops what the snapshot already shows", async () => {
    let shown: (seq: number) => void = () => undefined;
    const { client, wire, seqs } = room({ onGap: () => new Promise((done) => (shown = done)) });
    client.start();
    await settle();
    wire().say(hello);
    await vi.advanceTimersByTimeAsync(1_500);
    wire().say(stock(90));
    wire().say(stock(91));
    expect(seqs()).toEqual([]);
    shown(90);
    await settle();
    expect(seqs()).toEqual([91]);
    expect(client.lastSeq).toBe(91);
  });

  it("shows what comes after a gap at once, and fills it from a snapshot", async () => {
    const onGap = vi.fn(async () => 95);
    const { client, wire, seqs } = room({ onGap });
    client.start();
    await settle();
    wire().say(hello, stock(11), gap, stock(90));
    expect(seqs()).toEqual([11, 90]);
    expect(onGap).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1_500);
    expect(onGap.mock.calls).toEqual([[11]]);
    expect(client.lastSeq).toBe(95);
  });

  it("asks for the snapshot until it comes, on the same connection, and once for many gaps", async () => {
    let away = true;
    const onGap = vi.fn(async () => {
      if (away) throw new Error("offline");
      return 95;
    });
    const { client, wire, wires, seqs } = room({ onGap });
    client.start();
    await settle();
    wire().say(hello, gap, stock(90), gap);
    await vi.advanceTimersByTimeAsync(1_500);
    expect(onGap).toHaveBeenCalledTimes(1);
    away = false;
    await vi.advanceTimersByTimeAsync(1_000);
    expect(onGap.mock.calls).toEqual([[10], [10]]);
    expect(wires).toHaveLength(1);
    expect(seqs()).toEqual([90]);
  });

  it("keeps a hole in mind over a reconnection", async () => {
    const onGap = vi.fn(async () => 95);
    const { client, wire } = room({ onGap });
    client.start();
    await settle();
    wire().say(hello, gap, stock(90));
    wire().break();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(wire().url).toContain("after=90");
    wire().say(hello);
    await vi.advanceTimersByTimeAsync(1_500);
    expect(onGap.mock.calls).toEqual([[10]]);
  });

  it("spreads a big crowd: its snapshots, and its way back", async () => {
    const onGap = vi.fn(async () => 10);
    const { client, wire, wires } = room({ onGap });
    client.start();
    await settle();
    const crowded = { ...hello, data: { ...hello.data, viewers: 10_000 } };
    wire().say(crowded);
    await vi.advanceTimersByTimeAsync(1_500); // a newcomer is no crowd
    expect(onGap).toHaveBeenCalledOnce();
    wire().break();
    await vi.advanceTimersByTimeAsync(5_499);
    expect(wires).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(wires).toHaveLength(2);
    onGap.mockClear();
    wire().say(crowded);
    for (let second = 1; second < 40; second++) {
      await vi.advanceTimersByTimeAsync(1_000);
      wire().say({ kind: "pong", seq: null, data: {} });
    }
    expect(onGap).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(onGap).toHaveBeenCalledOnce();
  });

  it("comes back within the time that a gateway names which goes away", async () => {
    const { client, wire, wires } = room();
    client.start();
    await settle();
    wire().say(hello);
    wire().say({ kind: "closing", seq: null, data: { within_ms: 4_000 } });
    wire().break();
    await vi.advanceTimersByTimeAsync(3_999);
    expect(wires).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(wires).toHaveLength(2);
  });

  it("gives up on a connection that answers no ping", async () => {
    const { client, wire, wires, states } = room();
    client.start();
    await settle();
    wire().say(hello);
    await vi.advanceTimersByTimeAsync(20_000);
    wire().say({ kind: "pong", seq: null, data: {} });
    await vi.advanceTimersByTimeAsync(29_999);
    expect(states).toEqual(["connecting", "open"]);
    await vi.advanceTimersByTimeAsync(1);
    expect(wires[0]?.closed).toBe(true);
    expect(states).toEqual(["connecting", "open", "waiting"]);
  });

  it("loads the snapshot after a reconnection, because stock news have no number", async () => {
    const onGap = vi.fn(async () => 12);
    const { client, wire, seqs } = room({ onGap });
    client.start();
    await settle();
    wire().say(hello, stock(11));
    await vi.advanceTimersByTimeAsync(5_000);
    onGap.mockClear();
    wire().break();
    await vi.advanceTimersByTimeAsync(500);
    wire().say(hello, stock(13));
    await vi.advanceTimersByTimeAsync(1_500);
    expect(onGap).toHaveBeenCalledOnce();
    expect(seqs()).toEqual([11, 13]);
  });

  it("loads the snapshot after the first greeting: stock may have changed since the page came", async () => {
    const onGap = vi.fn(async () => 12);
    const { client, wire } = room({ onGap });
    client.start();
    await settle();
    wire().say(hello);
    await vi.advanceTimersByTimeAsync(1_500);
    expect(onGap).toHaveBeenCalledOnce();
  });

  it("passes on what it held back when a snapshot that nobody missed fails to load", async () => {
    let fail: () => void = () => undefined;
    const onGap = () => new Promise<number>((_, reject) => (fail = () => reject(new Error("offline"))));
    const { client, wire, wires, seqs } = room({ onGap });
    client.start();
    await settle();
    wire().say(hello);
    const failed = expect(client.resync()).rejects.toThrow("offline");
    wire().say(stock(11));
    expect(seqs()).toEqual([]);
    fail();
    await failed;
    expect(seqs()).toEqual([11]);
    expect(wires).toHaveLength(1);
  });

  it("comes back at once when the network does", async () => {
    const { client, wire, wires } = room();
    client.start();
    await settle();
    wire().break();
    window.dispatchEvent(new Event("online"));
    await settle();
    expect(wires).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(wires).toHaveLength(2);
  });

  it("pings while it is open, ignores noise, and stops for good", async () => {
    const { client, wire, wires, states, seqs } = room();
    client.start();
    await settle();
    wire().say(hello);
    wire().onmessage?.({ data: "not json" });
    wire().onmessage?.({ data: new ArrayBuffer(2) });
    await vi.advanceTimersByTimeAsync(20_000);
    expect(wire().sent).toEqual(['{"kind":"ping"}']);
    client.stop();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(wires).toHaveLength(1);
    expect(seqs()).toEqual([]);
    expect(states).toEqual(["connecting", "open", "closed"]);
  });
});
