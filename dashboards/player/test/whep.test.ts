import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { iceServersOf } from "../src/sources/ice";
import { failureOf, retryAfterMs } from "../src/sources/source";
import { delayBy } from "../src/sources/whep";
import { inStereo, resourceOf, WhepSession } from "../src/sources/whep-session";

/** A peer that has what an RTCPeerConnection of a player has; the test is its network. */
class Peer extends EventTarget {
  connectionState = "new";
  iceGatheringState = "complete";
  localDescription: { sdp: string } | null = null;
  remote = "";
  framesReceived = 0;
  closed = false;
  readonly asked: [string, string][] = [];
  /** Of a browser that lets pages say how much it keeps back, and of one that does not. */
  readonly receivers = [{ jitterBufferTarget: null }, {}];

  addTransceiver(kind: string, { direction }: { direction: string }): void {
    this.asked.push([kind, direction]);
  }
  createOffer() {
    return Promise.resolve({ sdp: "a=fmtp:111 minptime=10;useinbandfec=1\r\n" });
  }
  setLocalDescription(description: { sdp: string }) {
    this.localDescription = description;
    return Promise.resolve();
  }
  setRemoteDescription({ sdp }: { sdp: string }) {
    this.remote = sdp;
    for (const receiver of this.receivers) {
      this.dispatchEvent(Object.assign(new Event("track"), { track: {}, receiver }));
    }
    return Promise.resolve();
  }
  getTransceivers() {
    return [{ receiver: { track: { kind: "video" } }, currentDirection: "recvonly" }];
  }
  getStats() {
    return Promise.resolve(
      new Map([["v", { type: "inbound-rtp", kind: "video", framesReceived: this.framesReceived }]]),
    );
  }
  close() {
    this.closed = true;
  }
  turn(state: string) {
    this.connectionState = state;
    this.dispatchEvent(new Event("connectionstatechange"));
  }
}

const URL_ = "https://media.example/live/s/whep?token=t1";
const created = () =>
  new Response("answer", {
    status: 201,
    headers: {
      Location: "/live/s/whep/7",
      Link: '<turn:turn.example:3478?transport=udp>; rel="ice-server"; username="u"; credential="a, b"',
    },
  });

function session(answer: () => Response | Promise<Response>) {
  const peer = new Peer();
  const fetch = vi.fn((_input: unknown, _init?: RequestInit) => Promise.resolve(answer()));
  const onLost = vi.fn();
  const whep = new WhepSession({
    url: URL_,
    iceServers: [],
    patienceMs: 3_000,
    onLost,
    fetch: fetch as unknown as typeof globalThis.fetch,
    peer: () => peer as unknown as RTCPeerConnection,
  });
  const opened = whep.open().then(
    (stream) => ({ stream, failure: null }),
    (failure: unknown) => ({ stream: null, failure: failure as { code: string; retryAfterMs: number | null } }),
  );
  return { peer, fetch, onLost, whep, opened };
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("MediaStream", class { addTrack() {} });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("a WHEP session", () => {
  it("offers to receive, and opens only when pictures arrive", async () => {
    const { peer, fetch, whep, opened } = session(created);
    let open = false;
    void opened.then(() => (open = true));
    await vi.advanceTimersByTimeAsync(1_000);
    expect(peer.asked).toEqual([
      ["video", "recvonly"],
      ["audio", "recvonly"],
    ]);
    expect(fetch.mock.calls[0]?.[1]).toMatchObject({
      method: "POST",
      body: "a=fmtp:111 minptime=10;useinbandfec=1;stereo=1\r\n",
      credentials: "omit",
    });
    expect(peer.remote).toBe("answer");
    expect(peer.receivers).toEqual([{ jitterBufferTarget: 0 }, {}]);
    expect(open).toBe(false);
    peer.framesReceived = 1;
    await vi.advanceTimersByTimeAsync(100);
    expect((await opened).failure).toBeNull();
    expect(whep.namedServers).toEqual([
      { urls: "turn:turn.example:3478?transport=udp", username: "u", credential: "a, b" },
    ]);
  });

  it("ends itself at the server, with the token that began it", async () => {
    const { peer, fetch, whep, opened } = session(created);
    peer.framesReceived = 1;
    await vi.advanceTimersByTimeAsync(100);
    await opened;
    whep.close();
    whep.close();
    expect(peer.closed).toBe(true);
    expect(fetch.mock.calls.slice(1).map(([url, init]) => [url, init?.method])).toEqual([
      ["https://media.example/live/s/whep/7?token=t1", "DELETE"],
    ]);
  });

  it("says why it was refused", async () => {
    const full = session(() => new Response("Full.", { status: 503, headers: { "Retry-After": "10" } }));
    await vi.advanceTimersByTimeAsync(100);
    expect((await full.opened).failure).toMatchObject({ code: "full", retryAfterMs: 10_000 });
    const codec = session(() => new Response("", { status: 406 }));
    await vi.advanceTimersByTimeAsync(100);
    expect((await codec.opened).failure).toMatchObject({ code: "unplayable" });
    expect(codec.peer.closed).toBe(true);
  });

  it("gives up when no picture comes in time, and tells a blocked way from a silent one", async () => {
    const blocked = session(created);
    await vi.advanceTimersByTimeAsync(2_100); // LL-HLS has to have its picture within five seconds
    expect((await blocked.opened).failure).toMatchObject({ code: "unreachable" });
    const late = session(() => new Promise<Response>((answer) => setTimeout(() => answer(created()), 1_500)));
    await vi.advanceTimersByTimeAsync(3_100);
    expect((await late.opened).failure).toMatchObject({ code: "unreachable" });
    const silent = session(created);
    silent.peer.connectionState = "connected";
    await vi.advanceTimersByTimeAsync(3_100);
    expect((await silent.opened).failure).toMatchObject({ code: "silent" });
    expect(silent.fetch.mock.calls.at(-1)?.[1]?.method).toBe("DELETE");
  });

  it("does not wait for a connection that has failed", async () => {
    const { peer, opened } = session(created);
    await vi.advanceTimersByTimeAsync(100);
    peer.turn("failed");
    await vi.advanceTimersByTimeAsync(100);
    expect((await opened).failure).toMatchObject({ code: "unreachable" });
  });

  it("is lost when the connection breaks off, and not when it mends itself", async () => {
    const { peer, onLost, opened } = session(created);
    peer.framesReceived = 1;
    await vi.advanceTimersByTimeAsync(100);
    await opened;
    peer.turn("disconnected");
    await vi.advanceTimersByTimeAsync(1_000);
    peer.turn("connected");
    await vi.advanceTimersByTimeAsync(5_000);
    expect(onLost).not.toHaveBeenCalled();
    peer.turn("disconnected");
    await vi.advanceTimersByTimeAsync(2_000);
    expect(onLost).toHaveBeenCalledOnce();
  });
});

describe("what WHEP is told", () => {
  it("reads ICE servers from Link headers, and nothing else from them", () => {
    expect(
      iceServersOf('<stun:a.example>; rel="ice-server", <https://b.example>; rel="next", <turns:c.example>; rel=ice-server'),
    ).toEqual([{ urls: "stun:a.example" }, { urls: "turns:c.example" }]);
    expect(iceServersOf(null)).toEqual([]);
    expect(iceServersOf('<javascript:alert(1)>; rel="ice-server"')).toEqual([]);
  });

  it("keeps the server's own token in the session's address", () => {
    expect(resourceOf("whep/7", URL_, URL_)).toBe("https://media.example/live/s/whep/7?token=t1");
    expect(resourceOf("https://m.example/7", URL_, "https://m.example/whep")).toBe("https://m.example/7");
  });

  it("asks for stereo once", () => {
    const once = inStereo("a=fmtp:111 useinbandfec=1\r\n");
    expect(once).toBe("a=fmtp:111 useinbandfec=1;stereo=1\r\n");
    expect(inStereo(once)).toBe(once);
  });

  it("knows how late the picture is by the sender's clock, else by the network and the buffer", () => {
    const now = 1_000_000;
    const ntp = 2_208_988_800_000 + now - 250;
    expect(delayBy({ estimatedPlayoutTimestamp: ntp }, now)).toBe(0.25);
    const clues = { jitterBufferDelay: 6, jitterBufferEmittedCount: 100, currentRoundTripTime: 0.04 };
    expect(delayBy({ estimatedPlayoutTimestamp: 1, ...clues }, now)).toBeCloseTo(0.08);
    expect(delayBy({}, now)).toBeNull();
  });
});

describe("failureOf", () => {
  it("tells a lack of room from a publisher who is away", () => {
    expect(failureOf({ status: 503, text: "This show is full at the moment." }).code).toBe("full");
    expect(failureOf({ status: 503, text: "Nothing new came in time." }).code).toBe("absent");
  });

  it("knows what the others mean", () => {
    const codes = [401, 403, 404, 406, 500, 0].map((status) => failureOf({ status }).code);
    expect(codes).toEqual(["refused", "refused", "absent", "unplayable", "unreachable", "unreachable"]);
  });

  it("waits no longer than ten minutes, whatever a server asks", () => {
    expect([retryAfterMs("3"), retryAfterMs("99999"), retryAfterMs("soon"), retryAfterMs(null)]).toEqual([
      3_000, 600_000, null, null,
    ]);
  });
});
