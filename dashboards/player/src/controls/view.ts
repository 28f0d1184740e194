/** What the controls show and what they can do; the element fills it in. */

import type { Chapter } from "@simulcast/api";
import type { Quality } from "../quality";
import type { PlayerState } from "../states";

export interface View {
  state: PlayerState;
  /** There is something that can be played or stopped. */
  startable: boolean;
  /** It should play: pressing the button pauses it. */
  going: boolean;
  muted: boolean;
  /** 0 to 1. */
  volume: number;
  /** Seconds behind live, or null when it is not known. */
  delay: number | null;
  /** At the live edge; null where there is none. */
  live: boolean | null;
  /** In show time; null while there is no way back. */
  seek: { from: number; to: number; at: number } | null;
  chapters: readonly Chapter[];
  chosen: Quality;
  /** Heights that can be chosen, highest first. */
  heights: readonly number[];
  /** What plays now. */
  height: number | null;
  /** Shown or not; null where there are none. */
  captions: boolean | null;
  /** The browser has picture-in-picture. */
  pip: boolean;
  full: boolean;
  /** The small picture in the page's corner. */
  mini: boolean;
  menu: boolean;
}

export interface Doings {
  togglePlay(): void;
  toggleSound(): void;
  toggleFull(): void;
  toggleCaptions(): void;
  togglePip(): void;
  toggleMenu(): void;
  setVolume(volume: number): void;
  setQuality(quality: Quality): void;
  /** In show time. */
  seek(seconds: number): void;
  toLive(): void;
  replay(): void;
  retry(): void;
  closeMini(): void;
  leaveMini(): void;
}
