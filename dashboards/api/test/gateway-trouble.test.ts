/** The client against a gateway and a hub that are played by chance: it ends up with what the snapshot shows. */

import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { GatewayClient, type Socket } from "../src";

/** Numbers from 0 to 1, the same for each seed (mulberry32). */
function chance(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

class Wire implements Socket {
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;
  constructor(readonly after: number) {}
  send(): void {
    this.say({ kind: "pong", seq: null, data: {} });
  }
  close(): void {}
  say(...events: unknown[]): void {
    this.onmessage?.({ data: JSON.stringify(events) });
  }
}

/** One show, one page, and a gateway that remembers little and sometimes loses news. */
class Stage {
  readonly shown = new Map<number, number>();
  readonly client: GatewayClient;
  twice = 0;
  private seq = 0;
  private stock = 0;
  private stockShown = 0;
  private kept: number[] = [];
  private wire: Wire | null = null;

  constructor(private readonly random: () => number) {
    this.client = new GatewayClient({
      address: async () => {
        if (this.random() < 0.1) throw new Error("503");
        return { url: "ws://gateway/ws", token: "t" };
      },
      after: 0,
      random,
      onEvents: (events) => {
        for (const { kind, seq, data } of events) {
          if (kind === "stock.changed") this.stockShown = Math.max(this.stockShown, data.version);
          if (seq === null) continue;
          if (this.shown.has(seq)) this.twice += 1;
          this.shown.set(seq, seq);
        }
      },
      onGap: () => this.snapshot(),
      open: (url) => this.open(Number(new URL(url).searchParams.get("after"))),
    });
  }

  get truthful(): boolean {
    return this.shown.size === this.seq && this.stockShown === this.stock;
  }

  say(): void {
    this.seq += 1;
    this.kept = [...this.kept, this.seq].slice(-5);
    this.wire?.say({ kind: "message.added", seq: this.seq, data: {} });
  }

  sell(): void {
    this.stock += 1;
    this.wire?.say({ kind: "stock.changed", seq: null, data: { version: this.stock } });
  }

  /** Said, sold, and heard by nobody: the gateway notices, and says so. */
  lose(): void {
    this.seq += 1;
    this.stock += 1;
    this.kept = [];
    this.wire?.say({ kind: "gap", seq: null, data: {} });
  }

  drop(): void {
    const { wire } = this;
    this.wire = null;
    if (wire && this.random() < 0.3) wire.say({ kind: "closing", seq: null, data: { within_ms: 2_000 } });
    wire?.onclose?.({ code: 1006 });
  }

  private open(after: number): Wire {
    const wire = new Wire(after);
    setTimeout(() => this.greet(wire), this.random() * 300);
    return wire;
  }

  private greet(wire: Wire): void {
    this.wire = wire;
    const missed = this.kept.filter((seq) => seq > wire.after);
    const whole = wire.after >= this.seq || missed[0] === wire.after + 1;
    const replay = whole
      ? missed.map((seq) => ({ kind: "message.added", seq, data: {} }))
      : [{ kind: "gap", seq: null, data: {} }];
    wire.say({ kind: "hello", seq: null, data: { seq: this.seq, server_time: "", viewers: 1 } }, ...replay);
  }

  private async snapshot(): Promise<number> {
    const { seq, stock } = this;
    await new Promise((done) => setTimeout(done, this.random() * 400));
    if (this.random() < 0.3) throw new Error("away");
    this.shown.clear();
    for (let one = 1; one <= seq; one++) this.shown.set(one, one);
    this.stockShown = stock;
    return seq;
  }
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it("ends up with the truth, and shows nothing twice, whatever happens", async () => {
  for (let seed = 1; seed <= 150; seed++) {
    const random = chance(seed);
    const stage = new Stage(random);
    stage.client.start();
    for (let step = 0; step < 60; step++) {
      const dice = random();
      if (dice < 0.4) stage.say();
      else if (dice < 0.6) stage.sell();
      else if (dice < 0.68) stage.lose();
      else if (dice < 0.76) stage.drop();
      else await vi.advanceTimersByTimeAsync(random() * 1_000);
    }
    await vi.advanceTimersByTimeAsync(120_000);
    expect({ seed, truthful: stage.truthful, twice: stage.twice }).toEqual({ seed, truthful: true, twice: 0 });
    stage.client.stop();
  }
});
