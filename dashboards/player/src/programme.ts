/** What the player is told about its show: by the page around it, or by the hub itself. */

import { type Phase, type PublicShow, ShowFollower, type ShowState, ViewerApi } from "@simulcast/api";

/** `hlsUrl` is null while there is nothing to play; `clockOffsetMs` is server time minus this device's. */
export interface Programme {
  title: string;
  state: ShowState;
  startsAt: string | null;
  hlsUrl: string | null;
  clockOffsetMs: number;
}

export function programmeOf({ show, playback }: PublicShow, clockOffsetMs: number): Programme {
  return {
    title: show.title,
    state: show.state,
    startsAt: show.starts_at,
    hlsUrl: playback?.hls_url ?? null,
    clockOffsetMs,
  };
}

/** Follows a show of the hub at `origin` for a player that stands alone; returns how to stop. */
export function follow(
  slug: string,
  origin: string,
  onChange: (programme: Programme | null, phase: Phase) => void,
): () => void {
  const follower: ShowFollower = new ShowFollower({
    api: new ViewerApi(slug, undefined, origin),
    onChange: () => {
      const { show, clock, phase } = follower;
      onChange(show && programmeOf(show, clock.offsetMs), phase);
    },
  });
  void follower.enter();
  return () => follower.leave();
}
