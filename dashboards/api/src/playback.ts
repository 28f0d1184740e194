/** How a show is played and by whom, as its brand sets it. */

export type PlayerMode = "balanced" | "interactive";
export type PartLength = 200 | 333 | 500 | 1000;
export type Access = "public" | "unlisted" | "signed";

/** A moment of the show. */
export interface Cue {
  id: string;
  kind: "product" | "offer" | "poll" | "chapter" | "disclosure";
  title: string;
  reference: string;
  begins_at: string;
  ends_at: string | null;
}

export interface PlayerSettings {
  mode: PlayerMode;
  part_ms: PartLength;
  ladder: boolean;
  whep: boolean;
  /** Another server's WHEP address, in place of ours. */
  whep_url: string | null;
  poster_asset: string | null;
  access: Access;
  /** Sites that may embed the player; empty: any. */
  origins: string[];
  viewer_cap: number | null;
  key_since: string | null;
  /** What was signed before the last change of keys is good until then. */
  old_keys_until: string | null;
  embed_code: string;
  chapters: Cue[];
}

/** What is not named stays as it is. */
export type PlayerChange = Partial<
  Pick<
    PlayerSettings,
    "mode" | "part_ms" | "ladder" | "whep" | "whep_url" | "poster_asset" | "access" | "origins" | "viewer_cap"
  >
>;

/** For one person; it is shown once and not kept. */
export interface PrivateLink {
  url: string;
  expires_at: string;
  embed_code: string;
}

/** One rendition of the ladder. `behind_ms`: its newest picture against the feed's. */
export interface Rung {
  name: string;
  height: number;
  state: "starting" | "running" | "starved" | "retrying" | "refused";
  reason: string | null;
  video_kbps: number;
  behind_ms: number | null;
}
