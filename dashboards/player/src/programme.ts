/** What the player is told about its show: by the page around it, or by the hub itself. */

import { type Phase, type PublicPlayback, type PublicShow, ShowFollower, type ShowState, ViewerApi } from "@simulcast/api";

export type Mode = "balanced" | "interactive";

/** Where and how it plays. Moments are in ms by the server's clock. */
export interface Playback {
  mode: Mode;
  hlsUrl: string | null;
  whepUrl: string | null;
  /** From the beginning; after the end, the replay. */
  dvrUrl: string | null;
  chaptersUrl: string | null;
  replay: boolean;
  /** Live, but nobody publishes. */
  away: boolean;
  posterUrl: string | null;
  iceServers: RTCIceServer[];
  /** The addresses' token runs out then. */
  renewAt: number | null;
  beaconUrl: string | null;
}

/** `hlsUrl` is null while there is nothing to play; `clockOffsetMs` is server time minus this device's. */
export interface Programme {
  title: string;
  state: ShowState;
  startsAt: string | null;
  hlsUrl: string | null;
  clockOffsetMs: number;
  /** When the programme began: show time is counted from there. */
  liveAt?: string | null;
  /** Whatever there is to know beyond `hlsUrl`. */
  playback?: Playback | null;
  /** The picture before there is anything to play. */
  posterUrl?: string | null;
  /** Why it is not for this viewer; null: it is. */
  refusal?: string | null;
}

export function programmeOf(
  { show, playback, access, access_reason, poster_url }: PublicShow,
  clockOffsetMs: number,
): Programme {
  return {
    posterUrl: poster_url ?? playback?.poster_url ?? null,
    refusal: access === "private" ? (access_reason ?? "") : null,
    title: show.title,
    state: show.state,
    startsAt: show.starts_at,
    liveAt: show.live_at,
    hlsUrl: playback?.hls_url ?? null,
    playback: playback && playbackOf(playback),
    clockOffsetMs,
  };
}

/** A hub that says no more than `hls_url` is understood too. */
export function playbackOf(said: PublicPlayback): Playback {
  const renewAt = Date.parse(said.renew_at ?? "");
  return {
    mode: said.mode ?? "balanced",
    hlsUrl: said.hls_url,
    whepUrl: said.whep_url ?? null,
    dvrUrl: said.dvr_url ?? null,
    chaptersUrl: said.chapters_url ?? null,
    replay: said.replay ?? false,
    away: said.paused ?? false,
    posterUrl: said.poster_url ?? null,
    iceServers: said.ice_servers ?? [],
    renewAt: Number.isNaN(renewAt) ? null : renewAt,
    beaconUrl: said.beacon_url ?? null,
  };
}

/** What there is to play, also where a page told no more than an address. */
export function playable({ hlsUrl, playback }: Programme): Playback | null {
  return playback ?? (hlsUrl ? playbackOf({ hls_url: hlsUrl }) : null);
}

/** Which show, of which hub; `access` is the token of a private link, or "". */
export interface Address {
  slug: string;
  hub: string;
  access: string;
}

/** The hub as an embedded player asks it: without cookies, on whatever site it stands. */
export function visitor({ slug, hub, access }: Address): ViewerApi {
  return new ViewerApi(slug, (input, init) => fetch(input, { ...init, credentials: "omit" }), hub, access);
}

/** Follows a show of the hub for a player that stands alone; returns how to stop. */
export function follow(
  api: ViewerApi,
  onChange: (programme: Programme | null, phase: Phase) => void,
): () => void {
  const follower: ShowFollower = new ShowFollower({
    api,
    onChange: () => {
      const { show, clock, phase } = follower;
      onChange(show && programmeOf(show, clock.offsetMs), phase);
    },
  });
  void follower.enter();
  return () => follower.leave();
}
