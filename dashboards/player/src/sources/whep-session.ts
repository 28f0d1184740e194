/** One WHEP session: an offer to receive, the server's answer, pictures, and a DELETE at the end. */

import { tokenOf, withToken } from "../token";
import { iceServersOf } from "./ice";
import { type Failure, failure, failureOf } from "./source";

export interface WhepOptions {
  url: string;
  iceServers: RTCIceServer[];
  /** From the first step to the first picture; beyond it LL-HLS would have been quicker. */
  patienceMs: number;
  /** It played, and does no longer. */
  onLost: (failure: Failure) => void;
  fetch?: typeof globalThis.fetch;
  peer?: (config: RTCConfiguration) => RTCPeerConnection;
}

/** Candidates that take longer than this to be found are not waited for: the server learns ours by their packets. */
const GATHERING_MS = 250;
const LOOK_MS = 50;
/** An open way takes a few round trips from the answer on. Where none is found by then, UDP mostly is blocked. */
const CONNECT_MS = 2_000;
/** A connection that has been interrupted mostly comes back at once, or not at all. */
const INTERRUPTED_MS = 1_500;

/** `open` once, `close` once. */
export class WhepSession {
  private readonly peer: RTCPeerConnection;
  private readonly fetch: typeof globalThis.fetch;
  private readonly stop = new AbortController();
  private resource: string | null = null;
  private interrupted: ReturnType<typeof setTimeout> | undefined;
  /** Servers that the answer named: for the next attempt, this one's candidates are gathered. */
  namedServers: RTCIceServer[] = [];

  constructor(private readonly options: WhepOptions) {
    this.fetch = options.fetch ?? ((input, init) => fetch(input, init));
    const make = options.peer ?? ((config) => new RTCPeerConnection(config));
    this.peer = make({ iceServers: options.iceServers, bundlePolicy: "max-bundle" });
  }

  /** The stream, once pictures arrive (or sound, where there are none). Rejects with a `Failure`. */
  async open(): Promise<MediaStream> {
    const late = setTimeout(() => this.stop.abort(), this.options.patienceMs);
    try {
      const stream = await this.negotiate();
      await this.firstPicture();
      this.peer.addEventListener("connectionstatechange", () => this.watch());
      this.watch();
      return stream;
    } catch (error) {
      const found = isFailure(error) ? error : this.failureBehind(error);
      this.close();
      throw found;
    } finally {
      clearTimeout(late);
    }
  }

  stats(): Promise<RTCStatsReport> {
    return this.peer.getStats();
  }

  close(): void {
    clearTimeout(this.interrupted);
    this.stop.abort();
    this.peer.close();
    if (!this.resource) return;
    const init: RequestInit = { method: "DELETE", keepalive: true, credentials: "omit" };
    this.fetch(this.resource, init).catch(() => undefined);
    this.resource = null;
  }

  private async negotiate(): Promise<MediaStream> {
    const { peer } = this;
    const stream = new MediaStream();
    peer.addEventListener("track", ({ track, receiver }) => {
      // No more than the network makes necessary: browsers keep back some pictures otherwise. Not all know it.
      if ("jitterBufferTarget" in receiver) receiver.jitterBufferTarget = 0;
      stream.addTrack(track);
    });
    peer.addTransceiver("video", { direction: "recvonly" });
    peer.addTransceiver("audio", { direction: "recvonly" });
    const offer = await peer.createOffer();
    await peer.setLocalDescription({ type: "offer", sdp: inStereo(offer.sdp ?? "") });
    await gathered(peer, GATHERING_MS);
    const answer = await this.ask(peer.localDescription?.sdp ?? "");
    await peer.setRemoteDescription({ type: "answer", sdp: answer });
    return stream;
  }

  private async ask(offer: string): Promise<string> {
    const { url } = this.options;
    const response = await this.fetch(url, {
      method: "POST",
      headers: { "Content-Type": "application/sdp", Accept: "application/sdp" },
      body: offer,
      credentials: "omit",
      signal: this.stop.signal,
    });
    if (!response.ok) throw await refusalIn(response);
    this.namedServers = iceServersOf(response.headers.get("Link"));
    const place = response.headers.get("Location");
    if (place) this.resource = resourceOf(place, response.url || url, url);
    return response.text();
  }

  private async firstPicture(): Promise<void> {
    const answered = performance.now();
    while (!(await this.arrived())) {
      if (this.stop.signal.aborted) throw new DOMException("Too late.", "AbortError");
      const state = this.peer.connectionState;
      const blocked = state !== "connected" && performance.now() - answered > CONNECT_MS;
      if (blocked || state === "failed") throw failure("unreachable", "WebRTC found no way through.");
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }

  private async arrived(): Promise<boolean> {
    const video = this.peer.getTransceivers().some(receives("video"));
    let found = false;
    (await this.peer.getStats()).forEach((one: InboundStats) => {
      if (one.type !== "inbound-rtp") return;
      if (one.kind === "video") found ||= (one.framesReceived ?? one.framesDecoded ?? 0) > 0;
      else found ||= !video && (one.packetsReceived ?? 0) > 0;
    });
    return found;
  }

  private watch(): void {
    clearTimeout(this.interrupted);
    const state = this.peer.connectionState;
    if (state === "failed" || state === "closed") this.lost();
    else if (state === "disconnected") this.interrupted = setTimeout(() => this.lost(), INTERRUPTED_MS);
  }

  private lost(): void {
    if (!this.stop.signal.aborted) this.options.onLost(failure("unreachable", "The WebRTC connection broke off."));
  }

  private failureBehind(error: unknown): Failure {
    const connected = this.peer.connectionState === "connected";
    if (this.stop.signal.aborted) {
      return connected
        ? failure("silent", "Connected by WebRTC, but no picture came.")
        : failure("unreachable", "WebRTC did not connect in time.");
    }
    if (error instanceof TypeError) return failureOf({ status: 0 });
    return failure("unplayable", error instanceof Error ? error.message : "WebRTC was not possible.");
  }
}

interface InboundStats {
  type: string;
  kind?: string;
  framesReceived?: number;
  framesDecoded?: number;
  packetsReceived?: number;
}

function receives(kind: string) {
  return ({ receiver, currentDirection }: RTCRtpTransceiver) =>
    receiver.track.kind === kind && currentDirection === "recvonly";
}

async function refusalIn(response: Response): Promise<Failure> {
  const text = await response.text().catch(() => "");
  return failureOf({ status: response.status, text, retryAfter: response.headers.get("Retry-After") });
}

/** The session's own address. It carries the same token, where the server has not put one there. */
export function resourceOf(place: string, base: string, asked: string): string {
  const url = new URL(place, base);
  const token = tokenOf(asked);
  if (token && !url.searchParams.has("token")) url.searchParams.set("token", token);
  return withToken(url.href, token);
}

/** Opus is received in one channel unless the offer says otherwise. */
export function inStereo(sdp: string): string {
  return sdp.replace(/^(a=fmtp:\d+ (?!.*stereo=)[^\r\n]*useinbandfec=1)/gm, "$1;stereo=1");
}

function gathered(peer: RTCPeerConnection, patienceMs: number): Promise<void> {
  if (peer.iceGatheringState === "complete") return Promise.resolve();
  return new Promise((resolve) => {
    const late = setTimeout(resolve, patienceMs);
    peer.addEventListener("icegatheringstatechange", () => {
      if (peer.iceGatheringState !== "complete") return;
      clearTimeout(late);
      resolve();
    });
  });
}

function isFailure(error: unknown): error is Failure {
  return typeof error === "object" && error !== null && "code" in error && "retryAfterMs" in error;
}
