/** What is to be played, and by which addresses and transports that can be done. */

import { preferred } from "./chooser";
import type { Playback } from "./programme";
import type { Quality } from "./quality";
import { able } from "./sources";
import type { Transport } from "./sources/source";
import { bare } from "./token";

export interface Wish {
  playback: Playback;
  /** The show has ended: this is its recording. */
  over: boolean;
  /** When the programme began, in ms by the server's clock; null: not known. */
  began: number | null;
}

/** The transports to use, best first. `past`: not the live edge. */
export function orderOf({ playback }: Wish, quality: Quality, past: boolean): Transport[] {
  const { mode, whepUrl, hlsUrl, dvrUrl } = playback;
  const hls = past ? (dvrUrl ?? hlsUrl) : hlsUrl;
  return preferred({
    // A rung can be chosen on HLS only.
    mode: quality === "auto" ? mode : "balanced",
    offered: { whep: whepUrl !== null && !past, hls: hls !== null },
    able: able(),
  });
}

export function addressOf({ playback: { hlsUrl, dvrUrl } }: Wish, past: boolean): string | null {
  return past ? (dvrUrl ?? hlsUrl) : hlsUrl;
}

/** The recording begins with the programme, or so it is taken until its playlist is there. */
export function beginningAt(moment: number, { began }: Wish): { moment: number; place: number } {
  return { moment, place: Math.max(0, (moment - (began ?? moment)) / 1000) };
}

/** What makes two wishes the same streams, whatever their tokens. The past is one stream, also when the show ends. */
export function keyOf(wish: Wish, past: boolean): string {
  const { mode, hlsUrl, whepUrl, dvrUrl } = wish.playback;
  const urls = past ? [addressOf(wish, past)] : [hlsUrl, whepUrl, dvrUrl];
  return [past || mode, ...urls.map((url) => url && bare(url))].join(" ");
}
