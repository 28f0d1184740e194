/** WebRTC being tried, beside what plays or instead of it: it needs no screen until it has a picture. */

import type { Failure } from "./source";
import { WhepSource, type WhepSourceOptions } from "./whep";

/** Between attempts beside a picture that plays: each costs the server as much as a viewer who comes. */
const PAUSE_MS = 20_000;

/** One at a time. */
export class Trial {
  private coming: WhepSource | null = null;
  /** As the last answer named them: too late for itself, in time for the next. */
  private namedServers: RTCIceServer[] = [];

  private startedAt = -Infinity;

  get running(): boolean {
    return this.coming !== null;
  }

  /** None runs, and the last one was long enough ago for a better picture to be asked for again. */
  due(now: number): boolean {
    return !this.running && now - this.startedAt > PAUSE_MS;
  }

  /** A source with a picture, or why there is none; null: it was dropped. */
  async run(options: WhepSourceOptions): Promise<WhepSource | Failure | null> {
    this.drop();
    this.startedAt = performance.now();
    const iceServers = options.iceServers.length ? options.iceServers : this.namedServers;
    const source = new WhepSource({ ...options, iceServers });
    this.coming = source;
    const failure = await source.open().then(
      () => null,
      (why: Failure) => why,
    );
    this.namedServers = source.namedServers;
    if (this.coming !== source) {
      source.close();
      return null;
    }
    this.coming = null;
    return failure ?? source;
  }

  drop(): void {
    this.coming?.close();
    this.coming = null;
  }
}
